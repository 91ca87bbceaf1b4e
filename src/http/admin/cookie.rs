//! The cookie with the key of a session. Cookies know no ports, so each face has its own name for it.

use http::{HeaderMap, HeaderValue, header};

use crate::domain::account::SESSION_SECS;
use crate::http::server::client::Origin;
use crate::http::server::surface::Surface;

/// The key that a browser shows, if any.
pub fn key(headers: &HeaderMap, origin: &Origin) -> Option<String> {
    let name = name(origin);
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

/// The line that makes the browser keep a key.
pub fn kept(key: &str, origin: &Origin) -> Option<HeaderValue> {
    line(key, SESSION_SECS, origin)
}

/// The line that makes the browser forget it.
pub fn forgotten(origin: &Origin) -> Option<HeaderValue> {
    line("", 0, origin)
}

fn line(value: &str, age: i64, origin: &Origin) -> Option<HeaderValue> {
    let secure = if is_https(origin) { "; Secure" } else { "" };
    let name = name(origin);
    HeaderValue::try_from(format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}")).ok()
}

/// With https a name that no other site of the same host can set; browsers drop what is `Secure` where there is none.
fn name(origin: &Origin) -> &'static str {
    match (origin.surface, is_https(origin)) {
        (Surface::Operators, _) => "ip2tor-admin-onion",
        (_, true) => "__Host-ip2tor-admin",
        (_, false) => "ip2tor-admin",
    }
}

fn is_https(origin: &Origin) -> bool {
    origin.base.starts_with("https:")
}
