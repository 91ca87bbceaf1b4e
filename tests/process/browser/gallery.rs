//! Every page in every state that a buyer can meet, on a phone and on a desktop, light and dark, in both languages.

use ip2tor_shop::domain::id::OrderId;
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::http::server::limits::ConnectionLimits;

use super::looks::{is_calm, is_fine, is_light};
use super::session::{Browser, DESKTOP, PHONE, Visitor, is_installed};
use crate::support::TestShop;
use crate::support::listen::listen;

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_fine_in_english() {
    look_at_all("en").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_fine_in_german() {
    look_at_all("de").await;
}

/// It is in English alone, long, and no buyer's page: it may weigh more.
#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_of_the_api_is_fine_and_no_wider_than_its_window_when_it_is_unfolded() {
    if !is_installed("chromedriver") {
        return;
    }
    let shop = TestShop::new();
    let shop_url = format!("http://{}", listen(&shop, ConnectionLimits::default()).await);
    let mut browser = Browser::chromium(DESKTOP);
    for (who, visitor) in
        [("phone", PHONE), ("desktop", DESKTOP), ("desktop-dark", Visitor { likes_dark: true, ..DESKTOP })]
    {
        browser.becomes(visitor);
        browser.go(&format!("{shop_url}/docs/"));
        is_fine(&mut browser, &format!("documentation, {who}"));
        browser.screenshot(&format!("documentation-{who}"));
        browser.run("document.querySelectorAll('details').forEach((one) => { one.open = true; });");
        is_calm(&mut browser, &format!("documentation, {who}, unfolded"));
    }
}

async fn look_at_all(language: &'static str) {
    if !is_installed("chromedriver") {
        return;
    }
    let shop = TestShop::new();
    let pages = pages(&shop).await;
    let shop_url = format!("http://{}", listen(&shop, ConnectionLimits::default()).await);
    let visitors = [
        ("phone", Visitor { language, ..PHONE }),
        ("phone-dark", Visitor { language, likes_dark: true, ..PHONE }),
        ("desktop", Visitor { language, ..DESKTOP }),
        ("desktop-dark", Visitor { language, likes_dark: true, ..DESKTOP }),
    ];
    let mut browser = Browser::chromium(visitors[0].1);
    browser.go(&shop_url);
    for (who, visitor) in visitors {
        browser.becomes(visitor);
        for page in &pages {
            let what = format!("{}, {who}, {language}", page.name);
            browser.go(&format!("{shop_url}{}", page.path));
            assert!(browser.has(&format!("html[lang={language}]")), "{what}");
            if let Some(state) = page.state {
                assert!(browser.has(&format!("[data-state={state}]")), "{what}: not {state}");
            }
            if page.name == "not found" {
                assert_eq!(browser.complaints().len(), 1, "{what}: its answer is an error, and that is all");
            }
            is_light(&mut browser, &what);
            is_fine(&mut browser, &what);
            browser.screenshot(&format!("{}-{who}-{language}", page.name.replace(' ', "-")));
        }
    }
}

/// A page, and the state that it must be in.
struct Page {
    name: &'static str,
    path: String,
    state: Option<&'static str>,
}

async fn pages(shop: &TestShop) -> Vec<Page> {
    shop.sql("UPDATE host SET offers_nostr_aliases = 1 WHERE name = 'host1'");
    let page = |name, path: String| Page { name, path, state: None };
    let mut pages = vec![
        page("front page", "/".to_owned()),
        page("host", format!("/shop/hosts/{}/", shop.host("host1"))),
        page("status", "/status/".to_owned()),
        page("find", "/find/".to_owned()),
        page("demo", "/shop/demo/".to_owned()),
        page("not found", "/nothing/".to_owned()),
    ];
    let (order, bridge) = shop.active_bridge("host1", Some("my node")).await;
    pages.push(page("bridge", format!("/bridge/{bridge}/")));
    pages.push(page("receipt", format!("/invoice/{order}/")));
    let alias = shop.order_alias("host1", "bob").await;
    shop.make_invoices().await;
    shop.pay(alias).await;
    shop.report(shop.product(alias), ProductStatus::Active).await.expect("it is activated");
    pages.push(page("alias", format!("/alias/{}/", shop.product(alias))));
    pages.extend(orders(shop).await);
    pages
}

/// One order in each state. Those that end otherwise than by the buyer's and the host's doing are put there by hand.
async fn orders(shop: &TestShop) -> Vec<Page> {
    let state = |state: &'static str, order: OrderId| Page {
        name: state,
        path: format!("/charged/lnpurchase/po/{order}/"),
        state: Some(state),
    };
    let mut pages = Vec::new();
    for (name, change) in [
        ("expired", "status = 'R', message = 'expired'"),
        ("returned", "status = 'R', message = 'hold_failed'"),
        ("refused", "status = 'R', message = 'denied'"),
        ("owed", "status = 'N', owed = 25000, message = 'undelivered'"),
        ("refunded", "status = 'S', owed = 0, refunded = 25000, message = 'refunded'"),
    ] {
        let order = shop.order_bridge("host1", None).await;
        shop.make_invoices().await;
        if name == "owed" || name == "refunded" {
            shop.pay(order).await;
        }
        let invoice = match name {
            "owed" | "refunded" => "paid",
            "expired" => "expired",
            _ => "void",
        };
        let held = if name == "returned" { ", held_at = 1" } else { "" };
        let id = order.0.simple();
        shop.sql(&format!(
            "UPDATE purchase_order SET {change} WHERE id = x'{id}'; UPDATE invoice SET state = '{invoice}'{held} \
             WHERE seq = (SELECT seq FROM purchase_order WHERE id = x'{id}')"
        ));
        pages.push(state(name, order));
    }
    let active = shop.active_bridge("host1", None).await.0;
    let waiting = shop.order_bridge("host1", None).await;
    let to_pay = shop.order_bridge("host1", None).await;
    shop.make_invoices().await;
    shop.pay(waiting).await;
    let making = shop.order_bridge("host1", None).await;
    pages.extend([
        state("active", active),
        state("waiting", waiting),
        state("to_pay", to_pay),
        state("making", making),
    ]);
    pages
}
