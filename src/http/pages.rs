//! The few answers that are no JSON: pages for people and redirects.

use http::{HeaderValue, StatusCode, Uri, header};
use poem::Response;

fn html(status: StatusCode, body: impl Into<poem::Body>) -> Response {
    Response::builder().status(status).header(header::CONTENT_TYPE, "text/html; charset=utf-8").body(body)
}

/// A path that leads nowhere.
pub fn not_found() -> Response {
    let page = "<!doctype html>\n<html lang=\"en\">\n<head><title>Not found</title></head>\n\
                <body><h1>Not found</h1><p>There is nothing at this address.</p></body>\n</html>\n";
    html(StatusCode::NOT_FOUND, page)
}

/// The front page.
pub fn front() -> Response {
    let page = "<!doctype html>\n<html lang=\"en\">\n<head><title>IP2Tor Shop</title></head>\n<body>\n\
                <h1>IP2Tor Shop</h1>\n<p>Tor bridges and Nostr aliases, paid over Lightning.</p>\n\
                <p><a href=\"/api/v1/public/hosts/?format=json\">What is on offer</a> \u{b7} \
                <a href=\"/docs/\">API documentation</a></p>\n</body>\n</html>\n";
    html(StatusCode::OK, page)
}

/// The documentation of the API.
pub fn docs() -> Response {
    html(StatusCode::OK, super::openapi::page())
}

/// The OpenAPI document.
pub fn document() -> Response {
    let document = super::openapi::openapi_document();
    Response::builder().header(header::CONTENT_TYPE, "application/yaml").body(document)
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
