//! The page of an order is told what becomes of it: in Chromium with scripts by a stream, and where there are no scripts
//! nothing stays open.

use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::http::server::limits::ConnectionLimits;

use super::looks::{is_calm, is_fine};
use super::session::{Browser, DESKTOP, is_installed};
use crate::support::TestShop;
use crate::support::listen::listen;

/// Counts what the page asks for from now on, and keeps it from asking again and again.
const ONLY_WHEN_TOLD: &str = "window.asked = 0; const ask = window.fetch; \
                              window.fetch = (...what) => { window.asked += 1; return ask(...what); }; \
                              window.setTimeout = () => 0;";

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_active_with_one_request_for_each_change_and_without_asking_in_between() {
    if !is_installed("chromedriver") {
        return;
    }
    let shop = TestShop::new();
    let order = shop.order_bridge("host1", None).await;
    let address = listen(&shop, ConnectionLimits::default()).await;
    let mut browser = Browser::chromium(DESKTOP);
    browser.go(&format!("http://{address}/charged/lnpurchase/po/{order}/"));
    browser.run(ONLY_WHEN_TOLD);
    shop.make_invoices().await;
    browser.wait_for("[data-state=to_pay] #invoice");
    shop.pay(order).await;
    browser.wait_for("[data-state=waiting]");
    shop.report(shop.product(order), ProductStatus::Active).await.expect("activated");
    browser.wait_for("[data-state=active] #address");
    // One for each of three changes, and perhaps one before the stream was there.
    let asked = browser.run("return window.asked;");
    assert!(asked.as_u64().is_some_and(|asked| (1..=4).contains(&asked)), "{asked}");
    // The checker of the others would wait for ever now.
    is_calm(&mut browser, "told by a stream");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_stream_can_be_had_the_page_asks_by_itself() {
    if !is_installed("chromedriver") {
        return;
    }
    let shop = TestShop::new();
    let order = shop.order_bridge("host1", None).await;
    shop.make_invoices().await;
    let path = format!("/charged/lnpurchase/po/{order}/");
    // All places of the order are taken.
    let mut taken = Vec::new();
    for _ in 0..2 {
        taken.push(shop.ask("GET", &format!("{path}events/")).open().await);
    }
    let mut browser = Browser::chromium(DESKTOP);
    browser.go(&format!("http://{}{path}", listen(&shop, ConnectionLimits::default()).await));
    shop.pay(order).await;
    browser.wait_for("[data-state=waiting]");
    is_fine(&mut browser, "nothing is told");
    assert!(taken.iter().all(|response| response.status() == 200));
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_level_safest_no_stream_is_opened() {
    if !is_installed("firefox-esr") {
        return;
    }
    let shop = TestShop::new();
    let order = shop.order_bridge("host1", None).await;
    shop.make_invoices().await;
    let path = format!("/charged/lnpurchase/po/{order}/");
    let mut browser = Browser::safest();
    browser.go(&format!("http://{}{path}", listen(&shop, ConnectionLimits::default()).await));
    assert!(browser.has("[data-state=to_pay] #invoice"));
    let mut free = Vec::new();
    for _ in 0..2 {
        free.push(shop.ask("GET", &format!("{path}events/")).open().await);
    }
    assert!(free.iter().all(|response| response.status() == 200), "both places of the order are free");
    shop.pay(order).await;
    browser.wait_for("[data-state=waiting]");
}
