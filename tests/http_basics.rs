//! The HTTP interface from outside: purchase, host's loop, methods, forms of answers.

mod support;

use serde_json::json;
use support::{ONION, TestShop};

#[tokio::test]
async fn a_bridge_is_ordered_by_form_polled_and_worked_on_by_its_host() {
    let shop = TestShop::new();
    let body =
        format!("product=tor_bridge&host_id={}&tos_accepted=true&target={ONION}%3A80&comment=", shop.host("host1"));
    let placed = shop.ask("POST", "/api/v1/public/order/").form(&body).send().await;
    assert_eq!(placed.status, 201, "{}", placed.text());
    let url = placed.json()["url"].as_str().expect("a URL").to_owned();
    assert_eq!(placed.header("location"), url);
    let path = url.strip_prefix("http://shop.example:8000").expect("the URL of the shop").to_owned();

    shop.make_invoices().await;
    let order = shop.ask("GET", &path).send().await.json();
    assert_eq!(order["status"], "T");
    assert_eq!(order["ln_invoices"].as_array().map(Vec::len), Some(1));
    let id = ip2tor_shop::domain::id::OrderId::parse(placed.json()["id"].as_str().expect("an id")).expect("a UUID");
    shop.pay(id).await;

    let pending = shop.ask("GET", "/api/v1/tor_bridges/?status=P").token("host1").send().await.json();
    let bridge = pending[0]["url"].as_str().expect("a bridge").replace("http://shop.example:8000", "");
    let patched = shop.ask("PATCH", &bridge).token("host1").json(&json!({"status": "A"})).send().await;
    assert_eq!((patched.status.as_u16(), patched.json()["status"].as_str()), (200, Some("A")));
    let checked_in = shop
        .ask("POST", &format!("/api/v1/hosts/{}/check_in/", shop.host("host1")))
        .token("host1")
        .form("ci_status=0&ci_message=hello")
        .send()
        .await;
    assert_eq!(checked_in.json()["check_in"], "ok", "{}", checked_in.text());
}
