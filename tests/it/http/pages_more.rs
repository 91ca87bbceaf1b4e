//! Receipts, whom to tell of abuse, what directories read, and how the pages look where an operator has said so.

use std::net::IpAddr;
use std::sync::Arc;

use ip2tor_shop::http::{self, App, Branding, Limits};
use poem::EndpointExt;

use crate::support::TestShop;

/// The same shop with this look.
fn branded(shop: TestShop, branding: Branding) -> TestShop {
    let is_trusted = |_: IpAddr| false;
    let app = App::new(shop.shop.clone(), Limits::default(), Box::new(is_trusted)).branded(branding);
    TestShop { app: Arc::new(http::app(app).boxed()), ..shop }
}

async fn page(shop: &TestShop, path: &str) -> String {
    let answer = shop.ask("GET", path).send().await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.text()
}

#[tokio::test]
async fn what_was_paid_has_a_receipt_that_only_its_buyer_finds_and_what_was_not_has_none() {
    let shop = TestShop::new();
    let open = shop.order_bridge("host1", None).await;
    assert_eq!(shop.ask("GET", &format!("/invoice/{open}/")).send().await.status, 404);
    let (order, _) = shop.active_bridge("host1", None).await;
    let id = order.0.simple();
    shop.sql(&format!(
        "UPDATE invoice SET tax_currency = 'EUR', tax_rate_cents = 912345000 \
         WHERE seq = (SELECT seq FROM purchase_order WHERE id = x'{id}')"
    ));
    let path = format!("/invoice/{order}/");
    assert!(page(&shop, &format!("/charged/lnpurchase/po/{order}/")).await.contains(&format!("href=\"{path}\"")));
    let receipt = shop.ask("GET", &path).send().await;
    let text = receipt.text();
    assert!(receipt.header("cache-control") == "no-store" && receipt.header("x-robots-tag") == "noindex");
    for told in [order.to_string(), "1 BTC = €9123450.00".to_owned(), "19.00 %".to_owned(), "2026-11-18".to_owned()] {
        assert!(text.contains(&told), "{told}: {text}");
    }
    let api = shop.ask("GET", &format!("/api/v1/public/pos/{order}/?format=json")).send().await.text();
    let (_, tax) = api.split_once("\"tax_in_tax_currency\":\"").expect("the tax of the API");
    assert!(text.contains(tax.split('"').next().expect("a value")), "the same as in the API: {text}");
}

#[tokio::test]
async fn directories_read_what_is_sold_where_and_whom_to_tell_of_abuse() {
    let shop = TestShop::new();
    shop.sql(
        "INSERT OR REPLACE INTO meta (key, value) VALUES ('onion_address', 'abc.onion'); \
         UPDATE host SET abuse_contact = 'abuse@host.example', max_periods = 30 WHERE name = 'host1'",
    );
    let branding = Branding {
        name: Some("Bridges".to_owned()),
        abuse_contact: Some("abuse@shop.example".to_owned()),
        ..Branding::default()
    };
    let shop = branded(shop, branding);
    let answer = shop.ask("GET", "/.well-known/ip2tor.json").send().await;
    assert!(answer.status == 200 && answer.header("access-control-allow-origin") == "*");
    let told = answer.json();
    assert!(told["name"] == "Bridges" && told["abuse_contact"] == "abuse@shop.example", "{told}");
    let hosts = told["hosts"].as_array().expect("hosts");
    let host = hosts.iter().find(|host| host["id"] == shop.host("host1").to_string()).expect("host1");
    assert!(host["tor_bridge"]["price_initial_msat"].is_u64() && host["tor_bridge"]["max_periods"] == 30, "{host}");
    assert_eq!(host["abuse_contact"], "abuse@host.example");
    shop.sql("UPDATE host SET is_enabled = 0");
    assert_eq!(shop.ask("GET", "/.well-known/ip2tor.json").send().await.json()["hosts"], serde_json::json!([]));
    assert!(page(&shop, "/find/").await.contains("abuse@shop.example"), "on every page");
}

#[tokio::test]
async fn an_operators_name_logo_colours_and_links_are_on_every_page_and_each_file_is_fetched_once() {
    let branding = Branding {
        name: Some("Bridges of Example".to_owned()),
        intro: Some("Run by the community.".to_owned()),
        links: vec![("Our forum".to_owned(), "https://forum.example/".to_owned())],
        ..Branding::default()
    };
    let branding = branding.with_colours("#005f00", "#7ed6a0").with_logo("image/png", b"\x89PNG\r\n\x1a\n".to_vec());
    let (logo, style) = (branding.logo().expect("a logo").to_owned(), branding.style().expect("colours").to_owned());
    let shop = branded(TestShop::new(), branding);
    let front = page(&shop, "/").await;
    for told in ["Bridges of Example", "Run by the community.", "href=\"https://forum.example/\"", &logo, &style] {
        assert!(front.contains(told), "{told}: {front}");
    }
    let colours = shop.ask("GET", &style).send().await;
    assert!(colours.header("cache-control").contains("immutable") && colours.text().contains("--accent: #005f00"));
    assert_eq!(shop.ask("GET", &logo).send().await.header("content-type"), "image/png");
    assert_eq!(shop.ask("GET", "/branding/other.css").send().await.status, 404);
    assert!(!page(&TestShop::new(), "/").await.contains("/branding/"), "by default there is none");
}

#[tokio::test]
async fn the_demo_page_says_how_a_purchase_goes_and_offers_only_what_is_for_trying_out() {
    let shop = TestShop::new();
    shop.sql("UPDATE host SET is_test_host = (name = 'host1'), is_testnet = 0");
    let demo = page(&shop, "/shop/demo/").await;
    assert!(demo.contains("How a purchase goes") && demo.matches("<article").count() == 1, "{demo}");
    assert!(demo.contains(&shop.host("host1").to_string()));
    shop.sql("UPDATE host SET is_test_host = 0");
    assert!(page(&shop, "/shop/demo/").await.contains("No host is for trying out"));
}
