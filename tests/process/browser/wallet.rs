//! What a wallet does that has scanned a code of a page (LNURL).

use ip2tor_shop::domain::lnurl;
use serde_json::Value;

use crate::live::http::Client;

/// Asserts that a code is that of a URL.
pub fn leads_to(code: &str, url: &str) {
    assert_eq!(code, lnurl::encode(url), "{url}");
}

/// Asks the shop.
pub fn ask(shop: &Client, path: &str) -> Value {
    let answer = shop.get(path).expect("an answer");
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()
}

/// The part of a URL that follows its host.
pub fn path_of(url: &Value) -> String {
    let (_, rest) = url.as_str().and_then(|url| url.split_once("://")).unwrap_or_else(|| panic!("no URL: {url}"));
    rest[rest.find('/').expect("a path")..].to_owned()
}
