//! The few answers that are no JSON: pages for people and redirects.

use http::{HeaderValue, StatusCode, Uri, header};
use poem::Response;

/// What a page of ours may do: nothing but show itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// A page.
pub fn html(status: StatusCode, body: impl Into<poem::Body>) -> Response {
    let page = Response::builder().status(status).header(header::CONTENT_TYPE, "text/html; charset=utf-8");
    page.header(header::CONTENT_SECURITY_POLICY, POLICY).header(header::CACHE_CONTROL, "no-cache").body(body)
}

/// A path that leads nowhere.
pub fn not_found() -> Response {
    html(StatusCode::NOT_FOUND, include_str!("../../assets/pages/not_found.html"))
}

/// The front page.
pub fn front() -> Response {
    html(StatusCode::OK, include_str!("../../assets/pages/front.html"))
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

/// An empty page with a relative location.
pub fn redirect(status: StatusCode, location: &str) -> Response {
    let mut response = html(status, ());
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
