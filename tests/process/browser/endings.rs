//! Purchases that come to nothing, as their buyers see them in Chromium: refused, not paid in time, held and given back.
//! Nothing is touched in between.

use std::time::Duration;

use ip2tor_shop::domain::id::OrderId;
use ip2tor_shop::http::server::limits::ConnectionLimits;

use super::looks::is_fine;
use super::session::{Browser, DESKTOP, PHONE, is_installed};
use crate::kill::refunds::report_failure;
use crate::live::payer::{Paid, pay};
use crate::live::process::run_json;
use crate::live::shop::{QUIET_JOBS, Setup, Shop, TARGET};
use crate::support::TestShop;
use crate::support::listen::listen;

const PATIENCE: Duration = Duration::from_secs(60);
/// A host that takes payments only once it has delivered.
const HOSTS: [&[&str]; 1] = [&["--port-range", "20000-20099", "--hold-limit-secs=60"]];

/// Asserts what the page says in a language, and that nothing else is wrong with it.
fn says(browser: &mut Browser, heading: &str, what: &str) {
    assert_eq!(browser.text("h1"), heading, "{what}");
    is_fine(browser, what);
}

/// Fills in the form of the only host.
fn order(browser: &mut Browser, shop: &Shop) -> String {
    browser.go(&format!("http://{}/shop/hosts/{}/", shop.address, shop.hosts[0].id));
    browser.fill("#target", TARGET);
    browser.click("#bridge-tos");
    browser.click("main form:has(#target) button.main");
    browser.wait_for("[data-state]");
    browser.address()
}

#[test]
fn a_payment_that_is_held_and_goes_back_is_told_step_by_step_and_so_is_an_order_that_is_refused() {
    if !is_installed("chromedriver") {
        return;
    }
    let shop = Shop::start(&Setup { nodes: 1, hosts: &HOSTS, config: "", jobs: &QUIET_JOBS });
    let mut browser = Browser::chromium(PHONE);
    let page = order(&mut browser, &shop);
    browser.wait_for("[data-state=to_pay] #invoice");
    let (request, node) = (browser.value("#invoice"), shop.nodes[0].dir.clone());
    let payer = std::thread::spawn(move || pay(&node, &request, PATIENCE));
    browser.wait_for("[data-state=held]");
    says(&mut browser, "Payment received, the host is at work", "held");
    assert!(browser.text(".note").contains("Your wallet says \"pending\": you pay only when it is up."));
    report_failure(&shop, page.trim_end_matches('/').rsplit('/').next().expect("an id"));
    browser.wait_for("[data-state=returned]");
    says(&mut browser, "Your money went back", "returned");
    assert!(matches!(payer.join().expect("the wallet"), Paid::Failed(_)), "nothing was paid");
    assert!(browser.has("a.button[href^='/shop/hosts/']"), "one can order again");
    browser.go(&format!("{page}?lang=de"));
    says(&mut browser, "Dein Geld ging zurück", "returned, de");
    assert!(browser.text(".note").contains("das Geld ist in deiner Wallet"));

    let config = shop.config().display().to_string();
    run_json(&["deny", "add", "--target", TARGET, "--config", &config]);
    let page = order(&mut browser, &shop);
    for (language, heading) in [("de", "Diese Bestellung wurde abgelehnt"), ("en", "This order was refused")] {
        browser.go(&format!("{page}?lang={language}"));
        assert!(browser.has("[data-state=refused]") && !browser.has("#invoice"), "there is nothing to pay");
        says(&mut browser, heading, &format!("refused, {language}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_whose_time_is_over_goes_from_the_page_by_itself() {
    if !is_installed("chromedriver") {
        return;
    }
    let shop = TestShop::new();
    let order = shop.order_bridge("host1", None).await;
    shop.make_invoices().await;
    let page = format!("http://{}/charged/lnpurchase/po/{order}/", listen(&shop, ConnectionLimits::default()).await);
    let mut browser = Browser::chromium(DESKTOP);
    browser.go(&page);
    assert!(browser.has("[data-state=to_pay] #invoice"));
    shop.clock.advance_secs(901);
    browser.wait_for("[data-state=expiring]");
    assert!(!browser.has("#invoice"), "nobody should pay it any more");
    end_unpaid(&shop, order);
    browser.wait_for("[data-state=expired]");
    says(&mut browser, "Not paid in time", "expired");
    assert!(browser.text(".note").contains("You can order anew."));
    browser.go(&format!("{page}?lang=de"));
    says(&mut browser, "Nicht rechtzeitig bezahlt", "expired, de");
}

/// What the shop and its node do about an order that nobody has paid.
fn end_unpaid(shop: &TestShop, order: OrderId) {
    let id = order.0.simple();
    shop.sql(&format!(
        "UPDATE invoice SET state = 'expired' WHERE seq = (SELECT seq FROM purchase_order WHERE id = x'{id}'); \
         UPDATE purchase_order SET status = 'R', message = 'expired', modified_at = modified_at + 1 WHERE id = x'{id}'"
    ));
}
