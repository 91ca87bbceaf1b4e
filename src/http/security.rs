//! What every answer says to browsers and caches, and what every request has to say, whatever it asks for.

use std::net::Ipv6Addr;

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

/// Refuses a request of HTTP/1.1 that does not say once, and properly, to whom it is sent: a proxy before us may have
/// read another one of its lines, or another part of one.
pub fn check_host(version: Version, headers: &HeaderMap) -> Result<(), Problem> {
    let lines: Vec<&HeaderValue> = headers.get_all(header::HOST).iter().collect();
    let is_old = version < Version::HTTP_11;
    let fits = match lines.as_slice() {
        [] => is_old,
        [line] => line.is_empty() && is_old || is_host(line.as_bytes()),
        _ => false,
    };
    if fits { Ok(()) } else { Err(Problem::detail(StatusCode::BAD_REQUEST, Message::OneHostLine)) }
}

/// Whether a line is `host` or `host:port` (RFC 9112, 3.2): names, IP addresses, IPv6 addresses in brackets.
fn is_host(line: &[u8]) -> bool {
    let Ok(line) = std::str::from_utf8(line) else { return false };
    let (host, port) = match line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => (address.parse::<Ipv6Addr>().is_ok(), ""),
        Some((address, rest)) => {
            (address.parse::<Ipv6Addr>().is_ok() && rest.starts_with(':'), rest.trim_start_matches(':'))
        }
        None => {
            let (name, port) = line.split_once(':').unwrap_or((line, ""));
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'~' | b'%');
            (!name.is_empty() && name.bytes().all(fits), port)
        }
    };
    host && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Refuses a body that is sent in another way than whole or in chunks: it would be read as if it were what it says it is.
pub fn check_transfer(headers: &HeaderMap) -> Result<(), Problem> {
    let is_known = |value: &HeaderValue| {
        value
            .to_str()
            .is_ok_and(|codings| codings.split(',').all(|coding| coding.trim().eq_ignore_ascii_case("chunked")))
    };
    if headers.get_all(header::TRANSFER_ENCODING).iter().all(is_known) {
        return Ok(());
    }
    Err(Problem::detail(StatusCode::BAD_REQUEST, Message::OnlyChunked))
}
