//! The forms of an answer that is no JSON: pages, and ways to another address.

use http::{HeaderValue, StatusCode, Uri, header};
use poem::Response;

/// What a page may do: run the shop's own script, look as its own stylesheet says, and ask this shop.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A page.
pub fn html(status: StatusCode, body: impl Into<poem::Body>) -> Response {
    let page = Response::builder().status(status).header(header::CONTENT_TYPE, "text/html; charset=utf-8");
    page.header(header::CONTENT_SECURITY_POLICY, POLICY).header(header::CACHE_CONTROL, "no-cache").body(body)
}

/// The same path with a slash at its end; the query is kept.
pub fn add_slash(uri: &Uri) -> Response {
    let mut location = format!("{}/", uri.path());
    if let Some(query) = uri.query() {
        location.push('?');
        location.push_str(query);
    }
    redirect(StatusCode::MOVED_PERMANENTLY, &location)
}

/// Browsers are sent to the documentation.
pub fn to_docs() -> Response {
    redirect(StatusCode::FOUND, "/docs/")
}

/// The page to look at after a form was taken.
pub fn see(location: &str) -> Response {
    redirect(StatusCode::SEE_OTHER, location)
}

/// An empty page with a relative location.
pub fn redirect(status: StatusCode, location: &str) -> Response {
    let mut response = html(status, ());
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
