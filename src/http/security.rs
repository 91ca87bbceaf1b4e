//! What every answer says to browsers and caches, and what every request has to say, whatever it asks for.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use poem::Response;

use crate::domain::texts::Message;
use crate::http::problem::Problem;

/// Of answers that are no page: nothing in them is ever to be run or shown in a frame.
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; base-uri 'none'; frame-ancestors 'none'");
/// What is told of one moment, or to one caller.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The same on every answer.
const ALWAYS: [(HeaderName, HeaderValue); 4] = [
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
];

/// Adds the headers; a page has its own policy, and what may be kept says so itself.
pub fn add_headers(response: &mut Response) {
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(NOTHING);
    headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
}

/// The same headers as lines, for what hyper answers by itself.
pub fn header_lines() -> Vec<u8> {
    let more = [(header::CONTENT_SECURITY_POLICY, NOTHING), (header::CACHE_CONTROL, NO_STORE)];
    let lines = ALWAYS.into_iter().chain(more);
    lines.flat_map(|(name, value)| [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat()).collect()
}

/// Refuses a request of HTTP/1.1 that does not say once to whom it is sent: a proxy before us may have read
/// another one of its lines.
pub fn check_host(version: Version, headers: &HeaderMap) -> Result<(), Problem> {
    let mut lines = headers.get_all(header::HOST).iter();
    let is_named = lines.next().is_some() || version < Version::HTTP_11;
    if is_named && lines.next().is_none() {
        return Ok(());
    }
    Err(Problem::detail(StatusCode::BAD_REQUEST, Message::OneHostLine))
}
