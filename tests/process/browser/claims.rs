//! What is owed comes back by the page of its order, in Chromium: to a payment request that is given there, and to a wallet
//! that scans the code. A simulated node pays.

use super::looks::is_fine;
use super::safest::codes_in;
use super::session::{Browser, DESKTOP, PHONE, is_installed};
use super::wallet;
use crate::kill::refunds::{HOSTS, bolt11, owed_order, times_paid};
use crate::live::process::run_json;
use crate::live::shop::{QUIET_JOBS, Setup, Shop};

/// A shop whose node may pay what it owes.
fn shop_that_pays_back() -> Shop {
    let shop = Shop::start(&Setup { nodes: 1, hosts: &HOSTS, config: "", jobs: &QUIET_JOBS });
    let macaroon = shop.nodes[0].dir.join("admin.macaroon").display().to_string();
    let config = shop.config().display().to_string();
    run_json(&["node", "set", &shop.nodes[0].id, "--payment-macaroon-file", &macaroon, "--config", &config]);
    shop
}

fn page_of(shop: &Shop, order: &str) -> String {
    format!("http://{}/charged/lnpurchase/po/{order}/", shop.address)
}

/// In both languages: what the page says of a debt, and at last in English.
fn says_what_is_owed(browser: &mut Browser, page: &str) {
    for (language, heading, amount) in [
        ("de", "Dir steht eine Rückzahlung zu", "Hol dir dein Geld zurück: 25 sats"),
        ("en", "You are owed a refund", "Get your money back: 25 sats"),
    ] {
        browser.go(&format!("{page}?lang={language}"));
        assert_eq!((browser.text("h1").as_str(), browser.text("#claim h2").as_str()), (heading, amount));
        is_fine(browser, &format!("owed, {language}"));
    }
}

#[test]
fn a_payment_request_given_on_the_page_is_paid_once_and_the_page_says_so() {
    if !is_installed("chromedriver") {
        return;
    }
    let shop = shop_that_pays_back();
    let order = owed_order(&shop);
    let page = page_of(&shop, &order);
    let mut browser = Browser::chromium(PHONE);
    says_what_is_owed(&mut browser, &page);

    browser.fill("#request", "lnbc1nonsense");
    browser.click("#claim form button");
    assert!(browser.text("#request-error-1").starts_with("This is not a Lightning payment request."));
    assert_eq!(browser.value("#request"), "lnbc1nonsense");
    assert_eq!(browser.complaints().len(), 1, "the answer to what was typed is an error, and that is all");

    let request = bolt11();
    browser.fill("#request", &request);
    browser.click("#claim form button");
    browser.wait_for("[data-state=refunded]");
    assert_eq!(browser.text("h1"), "Your money was paid back");
    is_fine(&mut browser, "refunded");
    browser.go(&format!("{page}?lang=de"));
    assert_eq!(browser.text("h1"), "Dein Geld wurde zurückgezahlt");
    assert!(!browser.has("#claim"), "nothing is owed any more");
    assert_eq!(times_paid(&shop.nodes[0].dir, &[request]), 1);
}

#[test]
fn a_wallet_that_scans_the_code_on_the_screen_gets_what_is_owed() {
    if !is_installed("chromedriver") {
        return;
    }
    let shop = shop_that_pays_back();
    let order = owed_order(&shop);
    let page = page_of(&shop, &order);
    let mut browser = Browser::chromium(DESKTOP);
    browser.go(&page);
    assert!(!browser.has("#withdraw"), "no wallet asks over plain http");
    browser.comes_by_https();
    says_what_is_owed(&mut browser, &page);
    let code = browser.text("#withdraw");
    let codes = codes_in(&browser.screenshot("owed-with-code"));
    assert!(codes.iter().any(|seen| seen.ends_with(&code)), "{codes:?} for {code}");
    let path = format!("/lnurl/withdraw/{order}/");
    wallet::leads_to(&code, &format!("https://{}{path}", shop.address));

    let offer = wallet::ask(&shop.client(), &path);
    assert_eq!((offer["tag"].as_str(), offer["maxWithdrawable"].as_u64()), (Some("withdrawRequest"), Some(25_000)));
    let (request, k1) = (bolt11(), offer["k1"].as_str().expect("k1"));
    let callback = format!("{}?k1={k1}&pr={request}", wallet::path_of(&offer["callback"]));
    assert_eq!(wallet::ask(&shop.client(), &callback)["status"], "OK");
    browser.go(&page);
    browser.wait_for("[data-state=refunded]");
    assert_eq!(times_paid(&shop.nodes[0].dir, &[request]), 1);
    assert_eq!(wallet::ask(&shop.client(), &callback)["status"], "ERROR", "once");
}
