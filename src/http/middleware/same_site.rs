//! Changes that another web site makes a browser ask for. A browser adds by itself what it knows of us, a
//! password (HTTP Basic) or a cookie, to whatever a page of somebody else sends here. It also says where the
//! request comes from; programs say nothing of the kind and go on as they are.

use http::{HeaderMap, Method, StatusCode, Uri, header};

use crate::domain::texts::Message;
use crate::http::problem::Problem;
use crate::http::server::client::Origin;

/// Lets a request pass that changes something, unless a browser sends it for another site. `is_change` is
/// true for requests that change something whatever their method says.
pub fn check(method: &Method, is_change: bool, headers: &HeaderMap, origin: &Origin) -> Result<(), Problem> {
    let is_read = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if (is_read && !is_change) || !has_browser_credentials(headers) {
        return Ok(());
    }
    let own = evidence(headers, origin)?;
    // A picture or a link sends neither of both: nothing tells it from a program.
    if is_read && *method != Method::OPTIONS && !own {
        return Err(Problem::detail(StatusCode::FORBIDDEN, Message::MustPost));
    }
    Ok(())
}

/// Lets a WebSocket be opened, unless a browser does so for another site.
pub fn check_socket(headers: &HeaderMap, origin: &Origin) -> Result<(), Problem> {
    if has_browser_credentials(headers) { evidence(headers, origin).map(drop) } else { Ok(()) }
}

/// Lets a form of our own pages be taken, unless a browser sends it for another site. Buyers have no credentials, but
/// what a form does is done in somebody's name all the same.
pub fn check_form(headers: &HeaderMap, origin: &Origin) -> Result<(), Problem> {
    evidence(headers, origin).map(drop)
}

/// Whether the request shows what a browser adds by itself: a name and a password, or a cookie where no token
/// stands beside it.
fn has_browser_credentials(headers: &HeaderMap) -> bool {
    let is_of = |scheme: &'static [u8]| {
        let begins = move |value: &header::HeaderValue| {
            let text = value.as_bytes().trim_ascii_start();
            text.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme))
        };
        headers.get_all(header::AUTHORIZATION).iter().any(begins)
    };
    is_of(b"basic") || (headers.contains_key(header::COOKIE) && !is_of(b"token"))
}

/// True when the request says that it comes from us, false when it says nothing.
fn evidence(headers: &HeaderMap, origin: &Origin) -> Result<bool, Problem> {
    let foreign = || Problem::detail(StatusCode::FORBIDDEN, Message::ForeignSite);
    let mut is_own = false;
    for site in headers.get_all("sec-fetch-site") {
        if site != "same-origin" {
            return Err(foreign());
        }
        is_own = true;
    }
    for from in headers.get_all(header::ORIGIN) {
        if !from.to_str().is_ok_and(|from| is_of(from, &origin.base)) {
            return Err(foreign());
        }
        is_own = true;
    }
    Ok(is_own)
}

/// Whether an `Origin` names the host and port under which the request came in. The scheme is that of the
/// browser's side of a proxy, which may not tell it; `null` is nobody.
fn is_of(from: &str, base: &str) -> bool {
    let authority = |url: &str| {
        let url: Uri = url.parse().ok()?;
        let (scheme, authority) = (url.scheme_str()?, url.authority()?);
        if !matches!(scheme, "http" | "https") || authority.as_str().contains('@') {
            return None;
        }
        let port = authority.port_u16().filter(|port| !matches!((scheme, port), ("http", 80) | ("https", 443)));
        Some((authority.host().to_ascii_lowercase(), port))
    };
    matches!((authority(from), authority(base)), (Some(from), Some(base)) if from == base)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::server::client::Client;
    use crate::http::server::surface::Surface;

    const BASIC: (&str, &str) = ("authorization", "Basic YTpi");

    fn status(method: Method, is_change: bool, base: &str, lines: &[(&str, &str)]) -> u16 {
        let headers = lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let origin = Origin { client: Client::Unknown, surface: Surface::Clearnet, base: base.to_owned() };
        check(&method, is_change, &headers, &origin).map_or_else(|problem| problem.status.as_u16(), |()| 200)
    }

    #[test]
    fn programs_say_nothing_and_pass() {
        for credentials in [BASIC, ("cookie", "a=b"), ("authorization", "Token abc")] {
            assert_eq!(status(Method::POST, true, "http://shop", &[credentials]), 200);
        }
    }

    #[test]
    fn what_comes_from_another_site_with_a_password_or_a_cookie_does_not() {
        for credentials in [BASIC, ("authorization", "bAsIc YTpi"), ("cookie", "a=b")] {
            for evidence in [
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-site", "same-site"),
                ("sec-fetch-site", "none"),
                ("sec-fetch-site", ""),
                ("origin", "null"),
                ("origin", ""),
                ("origin", "https://evil.example"),
                ("origin", "http://shop:81"),
                ("origin", "http://shop.evil.example"),
                ("origin", "http://user@shop"),
                ("origin", "ftp://shop"),
            ] {
                for method in [Method::POST, Method::PATCH, Method::DELETE, Method::PUT] {
                    assert_eq!(status(method, false, "http://shop", &[credentials, evidence]), 403, "{evidence:?}");
                }
                assert_eq!(status(Method::GET, false, "http://shop", &[credentials, evidence]), 200, "only a look");
                assert_eq!(status(Method::GET, true, "http://shop", &[credentials, evidence]), 403, "{evidence:?}");
            }
        }
        let both = [BASIC, ("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")];
        assert_eq!(status(Method::POST, false, "http://shop", &both), 403, "every line has to fit");
        let twice = [BASIC, ("origin", "http://shop"), ("origin", "https://evil.example")];
        assert_eq!(status(Method::POST, false, "http://shop", &twice), 403);
        let others = [("authorization", "Token abc"), ("origin", "https://evil.example")];
        assert_eq!(status(Method::POST, false, "http://shop", &others), 200, "no browser adds a token");
    }

    #[test]
    fn our_own_pages_pass_also_behind_a_proxy_that_does_not_tell_the_scheme() {
        for (base, from) in [
            ("http://shop", "http://shop"),
            ("http://shop", "https://SHOP"),
            ("http://shop:80", "http://shop"),
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("http://[::1]:8000", "http://[::1]:8000"),
        ] {
            let lines = [BASIC, ("sec-fetch-site", "same-origin"), ("origin", from)];
            assert_eq!(status(Method::POST, false, base, &lines), 200, "{base} {from}");
            assert_eq!(status(Method::GET, true, base, &lines), 200, "{base} {from}");
        }
    }

    #[test]
    fn a_change_by_get_needs_to_show_where_it_comes_from() {
        assert_eq!(status(Method::GET, true, "http://shop", &[BASIC]), 403);
        assert_eq!(status(Method::HEAD, true, "http://shop", &[BASIC]), 403);
        assert_eq!(status(Method::GET, true, "http://shop", &[("cookie", "a=b")]), 403);
        let token = ("authorization", "Token abc");
        assert_eq!(status(Method::GET, true, "http://shop", &[token]), 200);
        assert_eq!(status(Method::GET, true, "http://shop", &[token, ("cookie", "a=b")]), 200);
        assert_eq!(status(Method::GET, true, "http://shop", &[BASIC, ("sec-fetch-site", "same-origin")]), 200);
    }
}
