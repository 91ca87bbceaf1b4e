//! A purchase as a RaspiBlitz makes it, and the host's loop; pictures and health.

use futures_util::future::join_all;
use ip2tor_shop::http::Limits;
use ip2tor_shop::http::middleware::order_limit::OrderRates;
use ip2tor_shop::http::middleware::rate_limit::Rate;
use ip2tor_shop::store::audit_log;
use serde_json::json;

use crate::support::{ONION, TestShop};

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

#[tokio::test]
async fn the_picture_of_an_invoice_is_a_png_that_may_be_kept() {
    let shop = TestShop::new();
    let order = shop.order_bridge("host1", None).await;
    let path = format!("/api/v1/public/po_invoices/{order}/");
    let before = shop.ask("GET", &path).send().await.json();
    assert_eq!(
        (&before["qr_image"], &before["payment_hash"], &before["status"]),
        (&json!(null), &json!(null), &json!(0))
    );
    shop.make_invoices().await;
    let invoice = shop.ask("GET", &path).send().await.json();
    let picture = invoice["qr_image"].as_str().expect("a picture").replace("http://shop.example:8000", "");
    let answer = shop.ask("GET", &picture).send().await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "image/png"));
    assert!(answer.header("cache-control").contains("immutable"));
    assert!(answer.body.starts_with(b"\x89PNG"));
    for wrong in ["/media/invoices/2026/11/qr_x.png", "/media/invoices/2026/11/x", "/media/invoices/2026/11/"] {
        assert_eq!(shop.ask("GET", wrong).send().await.status, 404, "{wrong}");
    }
}

#[tokio::test]
async fn readiness_needs_a_living_node_and_says_what_is_missing() {
    let shop = TestShop::new();
    assert_eq!(shop.ask("GET", "/healthz").send().await.json(), json!({ "status": "ok" }));
    let ready = shop.ask("GET", "/readyz").send().await;
    assert_eq!((ready.status.as_u16(), ready.json()["ready"].as_bool()), (200, Some(true)));
    shop.sql("UPDATE node SET is_alive = 0");
    let ready = shop.ask("GET", "/readyz").send().await;
    assert_eq!((ready.status.as_u16(), &ready.json()["lightning"]), (503, &json!({ "nodes": 2, "alive": 0 })));
}

#[tokio::test]
async fn a_node_is_shown_without_asking_it() {
    let shop = TestShop::new();
    let answer = shop.ask("GET", &format!("/api/v1/public/lnnodes/lndgrpc/{}/", shop.node)).send().await;
    let url = format!("http://shop.example:8000/api/v1/public/lnnodes/lndgrpc/{}/", shop.node);
    assert_eq!(answer.json(), json!({ "url": url, "is_enabled": true, "is_alive": true, "identity_pubkey": "02aa" }));
}

#[tokio::test]
async fn of_fifty_orders_at_once_thirty_get_the_thirty_ports_and_the_others_are_told_why() {
    let shop = TestShop::with(Limits { requests: Rate::OFF, orders: OrderRates::OFF, ..Limits::default() });
    let host = shop.host("host1");
    shop.sql(&format!(
        "DELETE FROM port_range WHERE host_id = x'{id}'; \
         INSERT INTO port_range (host_id, kind, first_port, last_port) VALUES (x'{id}', 'T', 20000, 20029)",
        id = host.0.simple()
    ));
    let body = json!({
        "product": "tor_bridge", "host_id": host.to_string(), "tos_accepted": true, "target": format!("{ONION}:80")
    });
    let order = |_| shop.ask("POST", "/api/v1/public/order/").json(&body).send();
    let answers = join_all((0..50).map(order)).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status != 201).collect();
    assert_eq!(refused.len(), 20);
    let no_ports = json!({ "non_field_errors": ["The current host does not have any Tor bridge ports available."] });
    for answer in refused {
        assert_eq!((answer.status.as_u16(), answer.json()), (400, no_ports.clone()));
    }
    let bridges = shop.ask("GET", "/api/v1/tor_bridges/").token("host1").send().await.json();
    let ports: std::collections::BTreeSet<_> =
        bridges.as_array().expect("a list").iter().filter_map(|bridge| bridge["port"].as_u64()).collect();
    assert_eq!(ports, (20_000..20_030).collect());
}

#[tokio::test]
async fn making_a_product_and_changing_its_comment_are_in_the_change_log() {
    let shop = TestShop::new();
    let (order, bridge) = shop.active_bridge("host1", Some("mine")).await;
    let path = format!("/api/v1/tor_bridges/{bridge}/");
    let answer = shop.ask("PATCH", &path).token("host1").json(&json!({ "comment": "theirs" })).send().await;
    assert_eq!(answer.status, 200);
    let made = shop.shop.db.read(|db| audit_log::of_order(db, order)).expect("the log").remove(0);
    assert!(made.change.contains(&format!("new product {bridge}")), "{made:?}");
    let last = shop.shop.db.read(|db| audit_log::of_product(db, bridge)).expect("the log").pop().expect("an entry");
    let host = format!("host:{}", shop.host("host1"));
    assert_eq!((last.actor, last.change.as_str()), (host, "comment Some(\"mine\")->Some(\"theirs\")"));
}
