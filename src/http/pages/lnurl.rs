//! What wallets ask for by themselves (LNURL): the codes that lead to it, and the form of its answers.

use http::{HeaderValue, StatusCode, header};
use poem::Response;
use serde_json::{Value, json};

use super::visit::Visit;
use crate::domain::lnurl;
use crate::http::problem::{Content, Problem};
use crate::http::response::json_response;
use crate::http::server::client::Origin;

/// A code that a wallet scans.
pub struct Code {
    /// As a picture within the page.
    pub qr: Option<String>,
    /// To copy: `LNURL1…`.
    pub text: String,
}

/// The code for a path of this shop, under the address that the visitor came by; `None` where wallets would not ask
/// there: they take https, and onion services without.
pub fn code(visit: &Visit, path: &str) -> Option<Code> {
    if !is_asked(&visit.origin) {
        return None;
    }
    let text = lnurl::encode(&format!("{}{path}", visit.origin.base));
    (!text.is_empty()).then(|| Code { qr: visit.qr(&text), text })
}

fn is_asked(origin: &Origin) -> bool {
    let Some((scheme, authority)) = origin.base.split_once("://") else { return false };
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    scheme == "https" || host.ends_with(".onion")
}

/// An answer to a wallet.
pub fn answer(body: &Value) -> Response {
    let mut response = json_response(StatusCode::OK, body);
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    // Wallets in browsers ask from pages of their own.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}

/// Why a wallet does not get what it asks for. With status 200: many show the reason only then.
pub fn refusal(visit: &Visit, problem: &Problem) -> Response {
    let reason = match &problem.content {
        _ if problem.status == StatusCode::NOT_FOUND => visit.t.p404.to_owned(),
        Content::Detail(message) => message.text(visit.language),
        Content::Fields(_) => visit.t.p400_lead.to_owned(),
    };
    answer(&json!({"status": "ERROR", "reason": reason}))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::server::client::Client;
    use crate::http::server::surface::Surface;

    #[test]
    fn wallets_ask_by_https_and_at_onion_services_and_nowhere_else() {
        for (base, is_right) in [
            ("https://shop.example", true),
            ("https://shop.example:8443", true),
            ("http://abc.onion", true),
            ("http://abc.onion:81", true),
            ("http://shop.example", false),
            ("http://127.0.0.1:8000", false),
            ("http://abc.onion.example", false),
        ] {
            let origin = Origin { client: Client::Unknown, surface: Surface::Clearnet, base: base.to_owned() };
            assert_eq!(is_asked(&origin), is_right, "{base}");
        }
    }
}
