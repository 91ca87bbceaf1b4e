//! The API for those who run the shop: what is found, what may be done, and what nobody else sees of it.

use ip2tor_shop::domain::id::ProductId;
use ip2tor_shop::domain::product::ProductKind;
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::http::Surface;
use ip2tor_shop::services::orders::extend;
use ip2tor_shop::services::orders::extend::Extension;
use ip2tor_shop::services::products::view::ProductPatch;
use ip2tor_shop::services::{Principal, products, pulse};
use serde_json::{Value, json};

use crate::support::request::{Answer, Ask};
use crate::support::{ONION, PASSWORD, TestShop};

fn ask<'a>(shop: &'a TestShop, who: &str, method: &str, path: &str) -> Ask<'a> {
    use base64::Engine;
    let secret = base64::engine::general_purpose::STANDARD.encode(format!("{who}:{PASSWORD}"));
    let path = format!("/api/v1/admin/{path}");
    shop.ask(method, &path).on_circuit(Surface::Operators, 1).header("Authorization", format!("Basic {secret}"))
}

async fn get(shop: &TestShop, who: &str, path: &str) -> Value {
    let answer = ask(shop, who, "GET", path).send().await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    answer.json()
}

async fn post(shop: &TestShop, who: &str, path: &str, body: Value) -> Answer {
    ask(shop, who, "POST", path).json(&body).send().await
}

/// A shop with a third person, who has a host and a bridge of their own.
async fn with_another() -> TestShop {
    let shop = TestShop::new();
    shop.add_operator(3, "other");
    shop
}

async fn suspended(shop: &TestShop, bridge: ProductId) {
    shop.report(bridge, ProductStatus::Suspended).await.expect("it is taken down");
}

/// The status that a product has now.
async fn status(shop: &TestShop, bridge: ProductId) -> Value {
    get(shop, "operator", &format!("products/{bridge}/")).await["product"]["status"].clone()
}

#[tokio::test]
async fn every_product_and_every_order_is_on_exactly_one_page_in_either_order() {
    let shop = TestShop::new();
    let mut orders = Vec::new();
    for number in 0..5 {
        let comment = format!("number {number}");
        orders.push(shop.order_bridge("host1", Some(&comment)).await.to_string());
        shop.make_invoices().await;
        shop.clock.advance_secs(60);
        shop.check_in_all();
    }
    for (list, filter) in [
        ("orders", ""),
        ("orders", "&status=T"),
        ("orders", "&oldest_first=true"),
        ("orders", "&oldest_first=true&status=T"),
        ("products", ""),
        ("products", "&status=I"),
        ("products", "&oldest_first=true&status=I"),
    ] {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = get(&shop, "operator", &format!("{list}/?limit=2{filter}{after}")).await;
            let items = page["items"].as_array().expect("items").clone();
            assert!(items.len() <= 2);
            found.extend(items);
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        if !filter.contains("oldest_first") {
            found.reverse();
        }
        let of_orders: Vec<_> = found.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect();
        let comments: Vec<_> = found.iter().map(|item| item["comment"].as_str().unwrap_or_default()).collect();
        match list {
            "orders" => assert_eq!(of_orders, orders, "{filter}"),
            _ => assert_eq!(comments, ["number 0", "number 1", "number 2", "number 3", "number 4"], "{filter}"),
        }
    }
}

#[tokio::test]
async fn lists_are_cut_by_time_and_an_unknown_page_is_refused() {
    let shop = TestShop::new();
    let first = shop.order_bridge("host1", None).await;
    shop.make_invoices().await;
    shop.clock.advance_secs(3600);
    let middle = shop.shop.now();
    shop.check_in_all();
    let second = shop.order_bridge("host1", None).await;
    let ids = |page: &Value| -> Vec<String> {
        page["items"].as_array().expect("items").iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    };
    let middle = middle.to_wire();
    assert_eq!(ids(&get(&shop, "operator", &format!("orders/?until={middle}")).await), [first.to_string()]);
    assert_eq!(ids(&get(&shop, "operator", &format!("orders/?from={middle}")).await), [second.to_string()]);
    for wrong in ["after=nothing", "after=00000000-0000-4000-8000-000000000000", "limit=0", "status=Q", "from=soon"] {
        let answer = ask(&shop, "operator", "GET", &format!("orders/?{wrong}")).send().await;
        assert_eq!(answer.status, 400, "{wrong}: {}", answer.text());
    }
}

#[tokio::test]
async fn a_product_is_found_by_what_somebody_remembers_of_it() {
    let shop = TestShop::new();
    let (order, bridge) = shop.active_bridge("host1", Some("My Node")).await;
    shop.order_bridge("host1", Some("My other node")).await;
    let port = shop.view(order).product.port.expect("a port");
    for q in [
        bridge.to_string(),
        order.to_string(),
        port.to_string(),
        ONION[..10].to_owned(),
        ONION[..10].to_uppercase(),
        "my no".to_owned(),
    ] {
        let found = get(&shop, "operator", &format!("products/?q={}", q.replace(' ', "%20"))).await;
        let items = found["items"].as_array().expect("items");
        assert_eq!(items.len(), 1, "{q}: {found}");
        assert_eq!(items[0]["id"], bridge.to_string(), "{q}");
    }
    assert_eq!(get(&shop, "operator", "products/?q=nothing").await["items"], json!([]));
    let hash = shop.view(order).purchase.invoice.hash.to_string();
    for q in [order.to_string(), bridge.to_string(), hash] {
        let found = get(&shop, "operator", &format!("orders/?q={q}")).await;
        assert_eq!(found["items"][0]["id"], order.to_string(), "{q}");
    }
}

#[tokio::test]
async fn a_drained_host_takes_no_new_orders_and_extends_what_it_has_sold() {
    let shop = TestShop::new();
    let (_, bridge) = shop.active_bridge("host1", None).await;
    let host = shop.host("host1");
    let path = format!("hosts/{host}/");
    let answer = ask(&shop, "operator", "PATCH", &path).json(&json!({"is_draining": true})).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["changed"], json!(["is_draining false->true"]));

    let body = json!({
        "product": "tor_bridge", "host_id": host.to_string(), "tos_accepted": true, "target": format!("{ONION}:80"),
    });
    let refused = shop.ask("POST", "/api/v1/public/order/").json(&body).send().await;
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("takes no new orders"), "{}", refused.text());
    let shown = shop.ask("GET", "/api/v1/public/hosts/").send().await.text();
    assert!(!shown.contains(&host.to_string()), "buyers don't see it");
    let extension = extend::order(&shop.shop, bridge, ProductKind::TorBridge).await;
    assert!(matches!(extension, Ok(Extension::Order(_))), "{extension:?}");
}

#[tokio::test]
async fn a_suspended_bridge_comes_back_only_with_time_left_and_time_for_nothing_brings_it_back() {
    let shop = TestShop::new();
    let (_, bridge) = shop.active_bridge("host1", None).await;
    let path = |what: &str| format!("products/{bridge}/{what}/");
    assert_eq!(post(&shop, "operator", &path("resume"), json!({})).await.status, 409, "it runs");
    assert_eq!(post(&shop, "operator", &path("suspend"), json!({"reason": "a look"})).await.status, 200);
    suspended(&shop, bridge).await;
    let back = post(&shop, "operator", &path("resume"), json!({})).await;
    assert_eq!((back.status.as_u16(), back.json()["status"].clone()), (200, json!("P")), "{}", back.text());
    shop.report(bridge, ProductStatus::Active).await.expect("it works");

    shop.clock.advance_secs(100 * 86_400);
    products::expire::suspend_expired(&shop.shop).await.expect("it ends");
    suspended(&shop, bridge).await;
    assert_eq!(post(&shop, "operator", &path("resume"), json!({})).await.status, 409, "its time is over");
    for secs in [-5, 0, 59, i64::MAX] {
        let refused = post(&shop, "operator", &path("extend"), json!({"secs": secs})).await;
        assert_eq!(refused.status, 400, "{secs}: {}", refused.text());
    }
    let given = post(&shop, "operator", &path("extend"), json!({"secs": 3600, "reason": "sorry"})).await;
    assert_eq!((given.status.as_u16(), given.json()["status"].clone()), (200, json!("P")), "{}", given.text());
    assert_eq!(given.json()["suspend_after"], shop.shop.now().plus_secs(3600).to_wire());
    let log = get(&shop, "operator", &format!("products/{bridge}/")).await["history"].to_string();
    assert!(log.contains("given for nothing: 3600 s") && log.contains("reason: sorry"), "{log}");
}

#[tokio::test]
async fn a_bridge_moves_to_another_port_only_when_its_host_has_taken_it_down() {
    let shop = TestShop::new();
    let (order, bridge) = shop.active_bridge("host1", None).await;
    let path = |what: &str| format!("products/{bridge}/{what}/");
    let before = shop.view(order).product.port;
    let early = post(&shop, "operator", &path("move"), json!({})).await;
    assert_eq!(early.status, 409, "its forward stands: {}", early.text());
    post(&shop, "operator", &path("suspend"), json!({})).await;
    suspended(&shop, bridge).await;
    assert_eq!(post(&shop, "operator", &path("move"), json!({"port": before})).await.status, 409, "it has that one");
    let moved = post(&shop, "operator", &path("move"), json!({})).await;
    assert_eq!((moved.status.as_u16(), moved.json()["status"].clone()), (200, json!("P")), "{}", moved.text());
    let after = shop.view(order).product.port;
    assert_ne!(after, before);
    let reserved: Vec<u16> = shop
        .shop
        .db
        .read(|db| {
            let mut statement = db.prepare("SELECT port FROM port WHERE product_id = ?")?;
            let rows = statement.query_map([bridge], |row| row.get(0))?;
            rows.collect::<Result<_, _>>().map_err(ip2tor_shop::store::StoreError::from)
        })
        .expect("ports");
    assert_eq!(reserved, after.into_iter().collect::<Vec<_>>(), "the former one is free");
}

#[tokio::test]
async fn a_product_is_killed_and_its_target_denied_in_one_step_or_not_at_all() {
    let shop = TestShop::new();
    let (_, bridge) = shop.active_bridge("host1", None).await;
    let path = format!("products/{bridge}/kill/");
    let body = json!({"reason": "abuse", "deny_target": true});
    let refused = post(&shop, "operator", &path, body.clone()).await;
    assert_eq!(refused.status, 404, "deny lists are the administrators': {}", refused.text());
    assert_eq!(status(&shop, bridge).await, "A", "nothing of it was done");
    assert_eq!(post(&shop, "admin", &path, body).await.status, 200);
    assert_eq!(status(&shop, bridge).await, "S");
    let denied = get(&shop, "admin", "deny/").await;
    assert_eq!(
        (denied["items"][0]["value"].clone(), denied["items"][0]["comment"].clone()),
        (json!(ONION), json!("abuse"))
    );
    let gone = post(&shop, "admin", "deny/target/remove/", json!({"value": ONION})).await;
    assert_eq!(gone.status, 204, "{}", gone.text());
}

#[tokio::test]
async fn an_operator_sees_and_changes_nothing_of_anothers() {
    let shop = with_another().await;
    let (order, bridge) = shop.active_bridge("host1", None).await;
    let host = shop.host("host1");
    let node = shop.node;
    for list in ["products/", "orders/", "hosts/", "nodes/"] {
        assert_eq!(get(&shop, "other", list).await["items"], json!([]), "{list}");
    }
    let look = get(&shop, "other", "dashboard/").await;
    assert_eq!(
        (look["active"].clone(), look["days"].clone(), look["disk"].clone()),
        (json!(0), json!([]), Value::Null)
    );
    assert_eq!(get(&shop, "other", "reports/months/").await, json!([]));
    shop.sql(&format!(
        "INSERT INTO alert (topic, subject, severity, text, first_at, last_at) \
         VALUES ('host_dead', '{host}', 'warning', 'says', 0, 0), ('storage', '', 'critical', 'says', 0, 0)"
    ));
    for (who, topics) in [("other", vec![]), ("operator", vec!["host_dead"]), ("admin", vec!["storage", "host_dead"])] {
        let alerts = get(&shop, who, "alerts/").await;
        let found: Vec<_> = alerts.as_array().expect("a list").iter().map(|one| one["topic"].clone()).collect();
        assert_eq!(found, topics, "{who}");
    }
    for path in [
        format!("products/{bridge}/"),
        format!("orders/{order}/"),
        format!("orders/{order}/invoice/qr/"),
        format!("hosts/{host}/"),
        format!("hosts/{host}/block/"),
        format!("nodes/{node}/"),
        format!("products/?host={host}"),
        format!("orders/?host={host}"),
        format!("orders/export/csv/?host={host}"),
        "changes/".to_owned(),
        "deny/".to_owned(),
        "outbox/".to_owned(),
        "log/".to_owned(),
        "jobs/history/".to_owned(),
    ] {
        assert_eq!(ask(&shop, "other", "GET", &path).send().await.status, 404, "{path}");
    }
    let count = shop.shop.db.version().expect("a version");
    for (path, body) in [
        (format!("products/{bridge}/suspend/"), json!({})),
        (format!("products/{bridge}/extend/"), json!({})),
        (format!("products/{bridge}/kill/"), json!({})),
        (format!("products/{bridge}/move/"), json!({})),
        (format!("orders/{order}/resolve/"), json!({"note": "x"})),
        (format!("hosts/{host}/token/"), json!({})),
        (format!("hosts/{host}/ranges/"), json!({"first": 1, "last": 2})),
        ("deny/".to_owned(), json!({"kind": "target", "value": ONION})),
    ] {
        let answer = post(&shop, "other", &path, body).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text());
    }
    assert_eq!(shop.shop.db.version().expect("a version"), count, "nothing was written");
    assert_eq!(status(&shop, bridge).await, "A");
}

#[tokio::test]
async fn an_operator_adds_a_host_with_ranges_and_gets_what_goes_into_its_file() {
    let shop = with_another().await;
    let settings = json!({"ip": "198.51.100.77", "name": "fresh", "offers_tor_bridges": true});
    let body = json!({"settings": settings, "ranges": [{"first": 30000, "last": 30009}]});
    let made = post(&shop, "other", "hosts/", body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let (id, token) =
        (made.json()["id"].as_str().unwrap().to_owned(), made.json()["token"].as_str().unwrap().to_owned());
    let block = made.json()["block"].as_str().unwrap().to_owned();
    assert!(block.contains(&format!("IP2TOR_HOST_ID={id}\nIP2TOR_HOST_TOKEN={token}\n")), "{block}");
    let detail = get(&shop, "other", &format!("hosts/{id}/")).await;
    assert_eq!(detail["host"]["ranges"][0]["free"], 10);
    assert!(!detail.to_string().contains(&token), "a token is shown once");
    let overlapping =
        post(&shop, "other", &format!("hosts/{id}/ranges/"), json!({"first": 30005, "last": 30020})).await;
    assert_eq!(overlapping.status, 400, "{}", overlapping.text());
    let wider = post(&shop, "other", &format!("hosts/{id}/ranges/"), json!({"first": 30010, "last": 30020})).await;
    assert_eq!(wider.json()["ranges"].as_array().map(Vec::len), Some(2), "{}", wider.text());
    let range = wider.json()["ranges"][0]["id"].clone();
    let fewer = ask(&shop, "other", "DELETE", &format!("hosts/{id}/ranges/{range}/")).send().await;
    assert_eq!(fewer.json()["ranges"].as_array().map(Vec::len), Some(1), "{}", fewer.text());
    let again = post(&shop, "other", &format!("hosts/{id}/token/"), json!({"at_once": true})).await;
    assert_ne!(again.json()["token"], json!(token));
    assert_eq!(ask(&shop, "operator", "GET", &format!("hosts/{id}/")).send().await.status, 404, "it is the other's");
}

#[tokio::test]
async fn those_who_run_the_shop_are_refused_in_the_language_that_they_ask_for() {
    let shop = TestShop::new();
    let host = shop.host("host1");
    let owed = shop.order_bridge("host1", None).await;
    for (method, path, body, german) in [
        ("POST", format!("hosts/{host}/ranges/"), json!({"first": 5, "last": 1}), "kein Bereich von Ports"),
        ("PATCH", format!("hosts/{host}/"), json!({"terms_of_service_url": "nowhere"}), "gültige URL"),
        ("PATCH", format!("hosts/{host}/"), json!({"tor_bridge_price_initial": 0}), "mindestens 1 msat"),
        ("PATCH", format!("hosts/{host}/"), json!({"grace_secs": 1}), "mindestens 600"),
        ("POST", format!("orders/{owed}/resolve/"), json!({"note": "by hand"}), "nichts geschuldet"),
        ("POST", "deny/".to_owned(), json!({"kind": "ip", "value": "nowhere"}), "weder eine IP-Adresse"),
        ("GET", "orders/?q=nothing".to_owned(), Value::Null, "Bestellungen findet man"),
    ] {
        let told = ask(&shop, "admin", method, &path).header("Accept-Language", "de").json(&body).send().await;
        assert!(told.status.is_client_error(), "{path}: {}", told.status);
        assert_eq!(told.header("content-language"), "de", "{path}: {}", told.text());
        assert!(told.text().contains(german), "{path}: {}", told.text());
    }
}

#[tokio::test]
async fn what_was_taken_and_paid_back_is_in_the_sums_of_the_day_and_of_the_month() {
    let shop = TestShop::new();
    let (order, bridge) = shop.active_bridge("host1", None).await;
    let price = shop.view(order).purchase.price.0;
    let day = &get(&shop, "operator", "dashboard/").await["days"][0];
    assert_eq!((day["sold"].clone(), day["received_msat"].clone()), (json!(1), json!(price)), "{day}");

    let (owed, second) = (shop.order_bridge("host1", None).await, shop.host("host1"));
    shop.make_invoices().await;
    shop.pay(owed).await;
    let scope = Principal::Host(second);
    let failed = ProductPatch { status: Some(ProductStatus::Failed), ..ProductPatch::default() };
    let product = shop.product(owed);
    products::view::patch(&shop.shop, &scope, product, ProductKind::TorBridge, failed).await.expect("it fails");
    let look = get(&shop, "operator", "dashboard/").await;
    assert_eq!((look["owing"].clone(), look["owed_msat"].clone()), (json!(1), json!(price)));
    let todo = &look["todo"][0];
    assert_eq!(
        (todo["topic"].clone(), todo["operation"].clone()),
        (json!("order_needs_refund"), json!("admin_order_refund"))
    );
    assert_eq!(todo["id"], owed.to_string());
    assert_eq!(get(&shop, "operator", "orders/?owed=true").await["items"][0]["id"], owed.to_string());

    let noted = post(&shop, "operator", &format!("orders/{owed}/resolve/"), json!({"note": "by hand"})).await;
    assert_eq!((noted.status.as_u16(), noted.json()["owed"].clone()), (200, json!(0)), "{}", noted.text());
    let month = &get(&shop, "operator", "reports/months/").await[0];
    assert_eq!(month["received_msat"], json!(2 * price), "{month}");
    assert_eq!((month["sold"].clone(), month["refunded_msat"].clone()), (json!(2), json!(price)));
    let csv = ask(&shop, "operator", "GET", "reports/months/csv/").send().await;
    assert!(csv.header("content-type").starts_with("text/csv"));
    assert_eq!(csv.text().lines().count(), 2, "{}", csv.text());
    assert_eq!(status(&shop, bridge).await, "A");

    // What paying back costs on its way is worth something, too: at the rate of the order's invoice, 50 000 EUR.
    shop.sql(
        "UPDATE invoice SET tax_currency = 'EUR', tax_rate_cents = 5000000; \
         INSERT INTO refund (payment_hash, order_id, node_id, bolt11, amount, fee_limit, state, created_at, modified_at) \
         SELECT zeroblob(32), o.id, v.node_id, 'lnbc', 1, 1, 'succeeded', o.modified_at, o.modified_at \
         FROM purchase_order o JOIN invoice v ON v.seq = o.seq WHERE o.refunded > 0; \
         UPDATE refund SET fee = 2000000",
    );
    let months = get(&shop, "operator", "reports/months/").await;
    let in_euro = months.as_array().expect("a list").iter().find(|month| month["currency"] == "EUR");
    let fees = in_euro.map(|month| (month["fees_msat"].clone(), month["fees_cents"].clone()));
    assert_eq!(fees, Some((json!(2_000_000), json!(100))), "{months}");
}

#[tokio::test]
async fn an_export_has_every_order_of_the_list_once() {
    let shop = TestShop::new();
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(shop.order_bridge("host1", None).await.to_string());
    }
    ids.reverse();
    let csv = ask(&shop, "operator", "GET", "orders/export/csv/").send().await;
    assert!(csv.header("content-disposition").contains("orders.csv"));
    let listed: Vec<_> = csv.text().lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect();
    assert_eq!(listed, ids);
    let one = get(&shop, "operator", &format!("orders/{}/", ids[0])).await;
    let product = one["order"]["product_id"].as_str().expect("an id");
    let csv = ask(&shop, "operator", "GET", &format!("orders/export/csv/?q={product}")).send().await;
    let of_it: Vec<_> = csv.text().lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect();
    assert_eq!(of_it, ids[..1], "those of one product");
    let lines = ask(&shop, "operator", "GET", "orders/export/json/").send().await.text();
    let listed: Vec<_> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")["id"].clone()).collect();
    assert_eq!(listed, ids);
}

#[tokio::test]
async fn an_invoice_that_is_given_up_ends_its_order_and_nothing_else_can_be_given_up() {
    let shop = TestShop::new();
    let order = shop.order_bridge("host1", None).await;
    let waiting = get(&shop, "admin", "outbox/").await;
    let number = &waiting["items"][0]["number"];
    assert_eq!(
        (waiting["items"][0]["kind"].clone(), waiting["items"][0]["order_id"].clone()),
        (json!("make_invoice"), json!(order.to_string()))
    );
    assert_eq!(post(&shop, "admin", &format!("outbox/{number}/retry/"), json!({})).await.status, 204);
    let note = json!({"note": "the node is gone"});
    assert_eq!(post(&shop, "admin", &format!("outbox/{number}/give-up/"), note.clone()).await.status, 204);
    let detail = get(&shop, "admin", &format!("orders/{order}/")).await;
    assert_eq!(detail["order"]["status"], "R");
    assert!(detail["history"].to_string().contains("the node is gone"));
    let history = detail["history"].as_array().expect("entries");
    let ended = history.iter().find(|entry| entry["change"].as_str().is_some_and(|change| change.contains("->R")));
    assert_eq!(ended.expect("an end")["actor"], "operator:admin", "who gave it up has ended it: {history:?}");
    let waiting = get(&shop, "admin", "outbox/").await;
    let cancel = &waiting["items"][0];
    assert_eq!(cancel["kind"], "cancel_invoice", "what its node may have made is cancelled: {waiting}");
    let refused = post(&shop, "admin", &format!("outbox/{}/give-up/", cancel["number"]), note).await;
    assert_eq!(refused.status, 409, "{}", refused.text());
}

#[tokio::test]
async fn an_operator_is_told_of_an_intent_that_fails_for_an_order_of_theirs_and_no_other_is() {
    let shop = with_another().await;
    let order = shop.order_bridge("host1", None).await;
    let hash = shop.view(order).purchase.invoice.hash.to_string();
    let unknown = "ab".repeat(32);
    for (topic, subject) in [("failed_intent", &hash), ("unknown_payment", &unknown)] {
        shop.sql(&format!(
            "INSERT INTO alert (topic, subject, severity, text, occurrences, first_at, last_at) \
             VALUES ('{topic}', '{subject}', 'warning', 'says', 1, 1, 1)"
        ));
    }
    let told = async |who: &str| {
        let alerts = get(&shop, who, "alerts/").await;
        let of = |alert: &Value| (alert["topic"].clone(), alert["operation"].clone());
        let told: Vec<_> = alerts.as_array().expect("a list").iter().map(of).collect();
        told
    };
    assert_eq!(told("operator").await, [(json!("failed_intent"), json!("admin_node_list"))]);
    assert_eq!(told("other").await, []);
    assert!(told("admin").await.contains(&(json!("failed_intent"), json!("admin_outbox_list"))));
    assert_eq!(told("admin").await.len(), 2, "a payment of no order is the administrators'");
}

#[tokio::test]
async fn the_change_log_is_filtered_by_noun_and_person() {
    let shop = TestShop::new();
    shop.active_bridge("host1", None).await;
    let host = shop.host("host1");
    ask(&shop, "operator", "PATCH", &format!("hosts/{host}/")).json(&json!({"description": "new"})).send().await;
    let all = get(&shop, "admin", "changes/").await["items"].as_array().map_or(0, Vec::len);
    assert!(all > 2);
    for (filter, nouns) in [
        ("noun=host", vec!["host"]),
        ("noun=host&person=operator:operator", vec!["host"]),
        ("person=operator:operator", vec!["host"]),
        ("person=operator:admin", vec![]),
        ("noun=site", vec![]),
    ] {
        let found = get(&shop, "admin", &format!("changes/?{filter}")).await;
        let found: Vec<_> =
            found["items"].as_array().unwrap().iter().map(|item| item["change"]["noun"].clone()).collect();
        assert_eq!(found, nouns, "{filter}");
    }
    let orders = get(&shop, "admin", "changes/?noun=order").await;
    let items = orders["items"].as_array().unwrap();
    assert!(!items.is_empty() && items.iter().all(|item| item["change"]["noun_id"].as_str().unwrap().len() == 36));
    assert_eq!(ask(&shop, "admin", "GET", "changes/?person=buyer").send().await.status, 400, "that is nobody");
}

#[tokio::test]
async fn whoever_listens_is_told_which_lists_have_changed_and_nothing_while_nothing_has() {
    let shop = TestShop::new();
    let by = Principal::Administrator("admin".to_owned());
    let before = shop.shop.read(&by, pulse::feel).expect("a pulse");
    let (none, before) = shop.shop.read(&by, |tx| pulse::changed(tx, &before)).expect("a pulse");
    assert_eq!(none, Vec::<String>::new());
    shop.order_bridge("host1", None).await;
    let (mut lists, _) = shop.shop.read(&by, |tx| pulse::changed(tx, &before)).expect("a pulse");
    lists.sort();
    assert_eq!(lists, ["order", "outbox"]);
    assert!(shop.shop.read(&Principal::Buyer, pulse::feel).is_err());
}

/// All pages of a list, two things each; `key` names one.
async fn pages_of(shop: &TestShop, who: &str, list: &str, key: &str) -> Vec<String> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = get(shop, who, &format!("{list}?limit=2{after}")).await;
        let items = page["items"].as_array().expect("items");
        assert!((1..=2).contains(&items.len()), "{page}");
        found.extend(items.iter().map(|item| item[key].as_str().expect("a key").to_owned()));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return found,
        }
    }
}

#[tokio::test]
async fn hosts_nodes_and_deny_lists_are_paged_in_their_order_each_thing_once() {
    let shop = TestShop::new();
    for number in [9, 3, 7, 5] {
        let host = json!({"settings": {"ip": format!("198.51.100.{number}"), "name": format!("host{number}")}, "owner": "operator"});
        assert_eq!(post(&shop, "admin", "hosts/", host).await.status, 201);
        let entry = json!({"kind": "ip", "value": format!("203.0.113.{number}")});
        assert_eq!(post(&shop, "admin", "deny/", entry).await.status, 200);
        shop.add_node(&format!("node{number}"), number);
    }
    let ips = pages_of(&shop, "admin", "hosts/", "ip").await;
    let ours: Vec<_> = ips.iter().filter(|ip| ip.starts_with("198.51.100.")).collect();
    assert_eq!(ours, ["198.51.100.3", "198.51.100.5", "198.51.100.7", "198.51.100.9"]);
    assert_eq!(ips.len(), get(&shop, "admin", "hosts/").await["items"].as_array().expect("items").len());
    let nodes = pages_of(&shop, "operator", "nodes/", "name").await;
    let ours: Vec<_> = nodes.iter().filter(|name| name.starts_with("node")).collect();
    assert_eq!(ours, ["node3", "node5", "node7", "node9"]);
    let denied = pages_of(&shop, "admin", "deny/", "value").await;
    assert_eq!(denied, ["203.0.113.5", "203.0.113.7", "203.0.113.3", "203.0.113.9"]);
    assert_eq!(ask(&shop, "admin", "GET", "hosts/?after=nonsense").send().await.status, 400);
}

#[tokio::test]
async fn a_host_is_removed_when_nothing_stands_on_it_and_nothing_is_owed() {
    let shop = with_another().await;
    let (_, bridge) = shop.active_bridge("host1", None).await;
    let path = format!("hosts/{}/", shop.host("host1"));
    assert_eq!(ask(&shop, "other", "DELETE", &path).send().await.status, 404);
    let refused = ask(&shop, "operator", "DELETE", &path).send().await;
    assert_eq!(refused.status, 409, "a bridge stands on it: {}", refused.text());
    assert_eq!(post(&shop, "operator", &format!("products/{bridge}/kill/"), json!({})).await.status, 200);
    suspended(&shop, bridge).await;
    let deleted = post(&shop, "operator", &format!("products/{bridge}/delete/"), json!({})).await;
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    shop.sql("UPDATE purchase_order SET owed = 1000");
    assert_eq!(ask(&shop, "operator", "DELETE", &path).send().await.status, 409, "money is owed");
    shop.sql("UPDATE purchase_order SET owed = 0");
    let gone = ask(&shop, "operator", "DELETE", &path).send().await;
    assert_eq!(gone.status, 204, "{}", gone.text());
    assert_eq!(ask(&shop, "operator", "GET", &path).send().await.status, 404);
    // What it has sold is found still.
    assert_eq!(get(&shop, "operator", &format!("products/{bridge}/")).await["product"]["host_name"], json!("host1"));
}

#[tokio::test]
async fn an_administrator_gives_a_host_to_another_operator() {
    let shop = with_another().await;
    let path = format!("hosts/{}/", shop.host("host1"));
    let give = |owner: &str| (format!("{path}owner/"), json!({"owner": owner}));
    let (place, body) = give("other");
    assert_eq!(post(&shop, "operator", &place, body.clone()).await.status, 404, "its operator does not");
    let given = post(&shop, "admin", &place, body).await;
    assert_eq!((given.status.as_u16(), given.json()["owner"].clone()), (200, json!("other")));
    assert_eq!(ask(&shop, "operator", "GET", &path).send().await.status, 404);
    let history = get(&shop, "other", &path).await["history"].clone();
    assert!(history.to_string().contains("owner 2->3"), "{history}");
    let (place, body) = give("nobody");
    assert_eq!(post(&shop, "admin", &place, body).await.status, 400);
}

#[tokio::test]
async fn a_node_of_an_operator_is_not_connected_to_before_an_administrator_enables_it() {
    use ip2tor_shop::domain::id::SystemRandom;
    use ip2tor_shop::domain::node::NodeKind;
    use ip2tor_shop::services::nodes::manage::{self, NodeChange};
    let shop = with_another().await;
    let by = Principal::Operator(ip2tor_shop::domain::id::OperatorId(2), "operator".to_owned());
    let admin = Principal::Administrator("admin".to_owned());
    let text = |text: &str| Some(text.to_owned());
    let change = NodeChange {
        host: text("192.168.1.1"),
        certificate: Some(b"a certificate".to_vec()),
        macaroon: Some(b"a macaroon".to_vec()),
        is_enabled: Some(true),
        ..NodeChange::default()
    };
    let wanted = change.clone();
    let node = shop.shop.tx(&by, move |tx| manage::add(tx, &SystemRandom, NodeKind::LndGrpc, wanted, None)).await;
    let id = node.expect("it is stored").id;
    let connected =
        || shop.shop.db.read(ip2tor_shop::store::node_state::specs).expect("nodes").iter().any(|spec| spec.id == id);
    assert!(!connected(), "nothing connects to it");
    assert!(shop.shop.read(&by, |tx| manage::to_ask(tx, id)).is_err(), "nor is it asked");
    let set = |by: &Principal, change: NodeChange| {
        let by = by.clone();
        let shop = &shop;
        async move { shop.shop.tx(&by, move |tx| manage::set(tx, id, change, None)).await }
    };
    let elsewhere = |has_moved| NodeChange { host: text("192.168.1.2"), has_moved, ..NodeChange::default() };
    let enabled = NodeChange { is_enabled: Some(true), ..NodeChange::default() };
    assert!(set(&by, enabled.clone()).await.is_err());
    assert!(set(&by, elsewhere(false)).await.is_ok(), "it may still be corrected");
    assert!(set(&admin, enabled).await.is_ok() && connected());
    assert!(set(&by, elsewhere(true)).await.is_ok(), "it is there already");
    let refused = set(&by, NodeChange { port: Some(22), has_moved: true, ..NodeChange::default() }).await;
    assert!(refused.expect_err("it stays where it is").to_string().contains("Only an administrator"));
    assert!(set(&by, NodeChange { is_enabled: Some(false), ..NodeChange::default() }).await.is_ok());
    assert!(!connected());
}

#[tokio::test]
async fn an_operator_names_no_files_or_sockets_of_the_shops_machine() {
    let shop = with_another().await;
    let node = shop.node;
    let change = json!({"settings": {"macaroon_file": "/etc/passwd"}, "untested": true});
    let answer = ask(&shop, "operator", "PATCH", &format!("nodes/{node}/")).json(&change).send().await;
    // Without a running shop behind the interface nodes are not changed at all.
    assert_eq!(answer.status, 503, "{}", answer.text());
    use ip2tor_shop::services::nodes::manage::{self, NodeChange};
    let by = Principal::Operator(ip2tor_shop::domain::id::OperatorId(2), "operator".to_owned());
    let change = NodeChange { macaroon_file: Some("/etc/passwd".to_owned()), ..NodeChange::default() };
    let refused = shop.shop.read(&by, |tx| manage::changed(tx, node, change, None)).expect_err("it is refused");
    assert!(refused.to_string().contains("Only an administrator"), "{refused}");
    let shown = get(&shop, "operator", &format!("nodes/{node}/")).await;
    // Of the certificate what it says of itself, and nothing where it can't be read; of the macaroon nothing at all.
    assert!(shown.get("macaroon").is_none() && !shown.to_string().contains("BEGIN CERTIFICATE"));
}
