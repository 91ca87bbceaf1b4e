//! What the pages' codes lead wallets to (LNURL), asked for as a wallet does: a renewal with an invoice that has the hash of
//! what was told, and a claim of what is owed.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::PATIENCE;
use crate::live::process::wait_until;
use crate::shop::{Sale, Shop};

/// Asks the shop.
fn ask(shop: &Shop, path: &str) -> Value {
    let answer = shop.client().get(path).expect("an answer");
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()
}

/// The part of a URL that follows its host.
fn path_of(url: &Value) -> String {
    let (_, rest) = url.as_str().and_then(|url| url.split_once("://")).unwrap_or_else(|| panic!("no URL: {url}"));
    rest[rest.find('/').expect("a path")..].to_owned()
}

/// Renews what was sold: the wallet's own check of the invoice, the payment, and the later end. `hash_in` reads with the
/// node's own program what an invoice has the hash of, hexadecimal; `pay` gets the invoice and what was told.
pub fn renew(shop: &Shop, sale: &Sale, hash_in: impl Fn(&str) -> String, pay: impl Fn(&str, &str)) {
    let end = shop.bridge(sale)["suspend_after"].clone();
    let offer = ask(shop, &format!("/lnurl/renew/bridge/{}/", sale.product));
    let price = offer["minSendable"].as_u64().unwrap_or_else(|| panic!("no price: {offer}"));
    let answer = ask(shop, &format!("{}&amount={price}", path_of(&offer["callback"])));
    let request = answer["pr"].as_str().unwrap_or_else(|| panic!("no invoice: {answer}"));
    let metadata = offer["metadata"].as_str().expect("what is told");
    assert_eq!(hash_in(request), hex::encode(Sha256::digest(metadata)), "{metadata}");
    pay(request, metadata);
    let is_later = || (shop.bridge(sale)["suspend_after"].as_str() > end.as_str()).then_some(());
    wait_until(PATIENCE, is_later).unwrap_or_else(|| panic!("not renewed: {}", shop.bridge(sale)));
    assert!(shop.alerts().is_empty(), "{:?}", shop.alerts());
}

/// Collects what an order owes, as a wallet does that has scanned the code; once, however often it asks.
pub fn collect(shop: &Shop, sale: &Sale, sat: u64, request: &str) {
    let offer = ask(shop, &format!("/lnurl/withdraw/{}/", sale.order));
    assert_eq!(offer["maxWithdrawable"].as_u64(), Some(sat * 1000), "{offer}");
    let k1 = offer["k1"].as_str().expect("k1");
    let callback = format!("{}?k1={k1}&pr={request}", path_of(&offer["callback"]));
    assert_eq!(ask(shop, &callback)["status"], "OK");
    shop.await_order(sale, "S");
    assert_eq!(ask(shop, &callback)["status"], "ERROR", "nothing is owed any more");
}
