//! Where the predecessor was wrong: each line is a request that it accepted, or crashed on.

use ip2tor_shop::domain::deny_list::{DenyKind, DenyStatus};
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::services::{Principal, Session, deny_list, payments, products};
use serde_json::{Value, json};

use crate::support::request::Answer;
use crate::support::{ONION, PUBLIC_KEY, PUBLIC_KEY_HEX, TestShop};

fn bridge_order(shop: &TestShop, host: &str, target: &str) -> Value {
    json!({ "product": "tor_bridge", "host_id": shop.host(host).to_string(), "tos_accepted": true, "target": target })
}

async fn order(shop: &TestShop, body: &Value) -> Answer {
    shop.ask("POST", "/api/v1/public/order/").json(body).send().await
}

/// The fields that a 400 names.
fn fields(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 400, "{}", answer.text());
    answer.json().as_object().expect("messages by field").keys().cloned().collect()
}

#[tokio::test]
async fn malformed_targets_are_refused_under_target_and_nothing_is_stored() {
    let shop = TestShop::new();
    let long = format!("{}.onion:80", "x".repeat(300));
    for target in [
        &format!("{ONION}:0"),
        &format!("{ONION}:99999"),
        &format!("{ONION}:-5"),
        &format!("{ONION}:8_0"),
        &format!("{ONION}:\u{0661}\u{0662}"),
        &format!("http://{ONION}:80"),
        &format!("{ONION}:80:90"),
        &format!("{ONION}:$(id):80"),
        &format!("{ONION}:\n80"),
        ".onion:80",
        "abc22el2a.onion:80",
        "nul\0.onion:80",
        long.as_str(),
    ] {
        let answer = order(&shop, &bridge_order(&shop, "host1", target)).await;
        assert_eq!(fields(&answer), ["target"], "{target:?}");
    }
    let bridges = shop.ask("GET", "/api/v1/tor_bridges/").token("host1").send().await.json();
    assert_eq!(bridges, json!([]));
}

#[tokio::test]
async fn an_upper_case_target_is_accepted_and_lowered() {
    let shop = TestShop::new();
    let target = format!(" {}:80 ", ONION.to_ascii_uppercase());
    assert_eq!(order(&shop, &bridge_order(&shop, "host1", &target)).await.status, 201);
    let bridges = shop.ask("GET", "/api/v1/tor_bridges/").token("host1").send().await.json();
    assert_eq!(bridges[0]["target"], format!("{ONION}:80"));
}

#[tokio::test]
async fn orders_that_can_not_be_delivered_are_refused_before_anything_is_stored() {
    let shop = TestShop::new();
    let target = format!("{ONION}:80");
    let disabled = order(&shop, &bridge_order(&shop, "host5disabled", &target)).await;
    assert_eq!(fields(&disabled), ["host_id"]);
    let tunnel = json!({
        "product": "rssh_tunnel", "host_id": shop.host("host10rssh").to_string(), "tos_accepted": true,
        "public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGVtcHR5 me", "target": target,
    });
    let answer = order(&shop, &tunnel).await;
    assert_eq!(fields(&answer), ["non_field_errors"]);
    assert!(answer.text().contains("does not offer the product 'rssh_tunnel'"), "{}", answer.text());
    shop.clock.advance_secs(301);
    assert_eq!(
        fields(&order(&shop, &bridge_order(&shop, "host1", &target)).await),
        ["host_id"],
        "it missed its check-in"
    );
    shop.check_in_all();
    shop.sql("UPDATE node SET is_alive = 0");
    assert_eq!(
        fields(&order(&shop, &bridge_order(&shop, "host1", &target)).await),
        ["host_id"],
        "nobody could be paid"
    );
}

#[tokio::test]
async fn aliases_and_keys_are_checked_at_the_order() {
    let shop = TestShop::new();
    let alias = |alias: &str, key: &str| {
        json!({
            "product": "nostr_alias", "host_id": shop.host("host4nostr").to_string(), "tos_accepted": true,
            "alias": alias, "public_key": key,
        })
    };
    for name in ["www", "a b", "a/b", "..", "\u{fc}"] {
        assert_eq!(fields(&order(&shop, &alias(name, PUBLIC_KEY)).await), ["alias"], "{name:?}");
    }
    assert_eq!(fields(&order(&shop, &alias("alice", "npub1xyz")).await), ["public_key"]);
    assert_eq!(order(&shop, &alias("alice", PUBLIC_KEY)).await.status, 201);
}

#[tokio::test]
async fn a_host_changes_nothing_that_sells() {
    let shop = TestShop::new();
    let path = format!("/api/v1/hosts/{}/", shop.host("host1"));
    for (body, field) in [
        (json!({ "ip": "192.0.2.7" }), "ip"),
        (json!({ "is_testnet": true }), "is_testnet"),
        (json!({ "bridge_bandwidth_initial": 5 }), "bridge_bandwidth_initial"),
        (json!({ "tor_bridge_price_initial": 1 }), "tor_bridge_price_initial"),
        (json!({ "nostr_alias_duration": "5" }), "nostr_alias_duration"),
        (json!({ "offers_nostr_aliases": true }), "offers_nostr_aliases"),
        (json!({ "site": { "domain": "x", "name": "y" } }), "site"),
        (json!({ "name": "under_score" }), "name"),
        (json!({ "name": "WWW" }), "name"),
        (json!({ "name": "Shop" }), "name"),
    ] {
        let answer = shop.ask("PATCH", &path).token("host1").json(&body).send().await;
        assert_eq!(fields(&answer), [field], "{body}");
    }
    let same =
        json!({ "ip": "192.168.0.101", "is_testnet": false, "bridge_bandwidth_initial": 1_073_741_824, "name": "new" });
    let answer = shop.ask("PATCH", &path).token("host1").json(&same).send().await;
    assert_eq!((answer.status.as_u16(), &answer.json()["name"]), (200, &json!("new")));
    for (method, path) in [("PUT", path.as_str()), ("POST", "/api/v1/hosts/")] {
        let whole = json!({ "ip": "192.0.2.7", "name": "x", "site": { "domain": "new.example", "name": "y" } });
        assert_eq!(shop.ask(method, path).token("host1").json(&whole).send().await.status, 400, "{method}");
    }
}

#[tokio::test]
async fn a_host_reports_but_does_not_grant() {
    let shop = TestShop::new();
    let (_, bridge) = shop.active_bridge("host1", Some("mine")).await;
    let path = format!("/api/v1/tor_bridges/{bridge}/");
    let patch = |body: Value| shop.ask("PATCH", &path).token("host1").json(&body).send();
    for (body, field) in [
        (json!({ "status": "P" }), "status"),
        (json!({ "status": "H" }), "status"),
        (json!({ "status": "Z" }), "status"),
        (json!({ "suspend_after": "2099-01-01T00:00:00Z" }), "suspend_after"),
        (json!({ "suspend_after": null }), "suspend_after"),
        (json!({ "target": ONION.to_owned() + ":81" }), "target"),
        (json!({ "bandwidth_remaining": -1 }), "bandwidth_remaining"),
        (json!({ "bandwidth_remaining": i64::MAX }), "bandwidth_remaining"),
        (json!({ "host": "x" }), "host"),
    ] {
        assert_eq!(fields(&patch(body.clone()).await), [field], "{body}");
    }
    let now = shop.ask("GET", &path).token("host1").send().await.json();
    let same = json!({ "status": "A", "target": now["target"], "suspend_after": now["suspend_after"], "bandwidth_remaining": 7 });
    let answer = patch(same).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["bandwidth_remaining"]), (200, &json!(7)), "{}", answer.text());
    assert_eq!(shop.ask("DELETE", &path).token("host1").send().await.status, 409, "it is owed to its buyer");
    for (method, path) in [("PUT", path.as_str()), ("POST", "/api/v1/tor_bridges/")] {
        let whole = json!({ "host": {}, "target": format!("{ONION}:80") });
        assert_eq!(shop.ask(method, path).token("host1").json(&whole).send().await.status, 400, "{method}");
    }
}

#[tokio::test]
async fn bandwidth_is_consumed_by_amounts_in_numbers_and_texts() {
    let shop = TestShop::new();
    let (_, bridge) = shop.active_bridge("host1", None).await;
    let path = format!("/api/v1/tor_bridges/{bridge}/consume_bandwidth/");
    let consume = |amount: Value| shop.ask("PATCH", &path).token("host1").json(&json!({ "amount": amount })).send();
    assert_eq!(consume(json!(1000)).await.json()["bandwidth_remaining"], 1_073_741_824 - 1000);
    let answer = consume(json!("24")).await.json();
    assert_eq!(answer["bandwidth_remaining"], 1_073_741_824 - 1024);
    assert!(answer["bandwidth_last_checked"].is_string());
    for amount in [json!(-1), json!("x"), json!(null), json!(1.5), json!([1])] {
        assert_eq!(fields(&consume(amount.clone()).await), ["amount"], "{amount}");
    }
    assert_eq!(shop.ask("PATCH", &path).token("host2test").json(&json!({ "amount": 1 })).send().await.status, 404);
    let used_up = consume(json!(1_073_741_824)).await.json();
    assert_eq!(used_up["status"], "S", "without bandwidth it is to be suspended");
}

#[tokio::test]
async fn crashes_have_become_clear_answers() {
    let shop = TestShop::new();
    let check_in = format!("/api/v1/hosts/{}/check_in/", shop.host("host1"));
    let long = json!({ "ci_message": "m".repeat(141) });
    let answer = shop.ask("POST", &check_in).token("host1").json(&long).send().await;
    assert_eq!(fields(&answer), ["ci_message"]);
    let large = format!("{{\"a\": \"{}\"}}", "x".repeat(3 << 20));
    let answer =
        shop.ask("POST", "/api/v1/public/order/").header("Content-Type", "application/json").bytes(large).send();
    assert_eq!(answer.await.status, 413);
    let telegraf = shop.ask("GET", "/api/v1/tor_bridges/get_telegraf_config/").send().await;
    assert_eq!((telegraf.status.as_u16(), telegraf.header("content-type")), (401, "application/json"));
    let alias = shop.order_alias("host4nostr", "alice").await;
    shop.make_invoices().await;
    let invoice = shop.view(alias).purchase.invoice;
    let gone = ip2tor_shop::services::payments::apply::apply_gone(&shop.shop, invoice.node_id, invoice.hash).await;
    gone.expect("the node has cancelled it");
    let path = format!("/api/v1/nostr_aliases/{}/", shop.product(alias));
    assert_eq!(shop.ask("DELETE", &path).token("host4nostr").send().await.status, 204);
    assert_eq!(shop.ask("GET", &path).token("host4nostr").send().await.status, 404);
}

#[tokio::test]
async fn extending_is_refused_where_it_would_give_nothing() {
    let shop = TestShop::new();
    let extend = |product: String| {
        let path = format!("/api/v1/public/tor_bridges/{product}/extend/");
        let shop = &shop;
        async move { shop.ask("POST", &path).send().await }
    };
    let unpaid = shop.order_bridge("host1", None).await;
    assert_eq!(extend(shop.product(unpaid).to_string()).await.status, 400);
    let refunded = shop.order_bridge("host1", None).await;
    shop.make_invoices().await;
    shop.pay(refunded).await;
    let never_delivered = shop.product(refunded);
    for status in [ProductStatus::Failed, ProductStatus::Suspended] {
        shop.report(never_delivered, status).await.expect("reported");
    }
    payments::apply::mark_refunded(&shop.shop, refunded, &Principal::CommandLine(None), "by hand")
        .await
        .expect("refunded");
    let answer = extend(never_delivered.to_string()).await;
    assert!(answer.status == 400 && answer.text().contains("never delivered"), "{}", answer.text());
    let (_, forever) = shop.active_bridge("host11forever", None).await;
    assert_eq!(extend(forever.to_string()).await.status, 400);
    let (_, bridge) = shop.active_bridge("host1", None).await;
    let first = extend(bridge.to_string()).await.json();
    assert_eq!(first, extend(bridge.to_string()).await.json(), "an open order is answered again");
    shop.make_invoices().await;
    shop.clock.advance_secs(400);
    assert_eq!(extend(bridge.to_string()).await.status, 200, "the open order needs no host");
    let (_, other) = {
        shop.check_in_all();
        shop.active_bridge("host1", None).await
    };
    shop.clock.advance_secs(400);
    let answer = extend(other.to_string()).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "120"), "the host is dead");
}

#[tokio::test]
async fn a_bridge_shows_no_port_once_that_was_given_back() {
    let shop = TestShop::new();
    let (_, bridge) = shop.active_bridge("host1", None).await;
    let path = format!("/api/v1/public/tor_bridges/{bridge}/");
    shop.clock.advance_secs(86_400 + 601);
    products::expire::suspend_expired(&shop.shop).await.expect("suspended");
    shop.report(bridge, ProductStatus::Suspended).await.expect("reported");
    let kept = shop.ask("GET", &path).send().await.json();
    assert!(kept["status"] == "H" && kept["port"].is_u64(), "it may still be extended: {kept}");
    shop.clock.advance_secs(46 * 86_400);
    products::expire::delete_suspended(&shop.shop).await.expect("given back");
    let gone = shop.ask("GET", &path).send().await.json();
    assert!(gone["status"] == "D" && gone["port"].is_null(), "{gone}");
}

#[tokio::test]
async fn a_bridge_whose_first_invoice_is_open_is_not_deleted_and_the_host_hears_why() {
    let shop = TestShop::new();
    let order = shop.order_bridge("host1", None).await;
    shop.make_invoices().await;
    let path = format!("/api/v1/tor_bridges/{}/", shop.product(order));
    let refused = shop.ask("DELETE", &path).token("host1").send().await;
    assert_eq!(refused.status, 409);
    assert!(refused.text().contains("invoice for it can still be paid"), "{}", refused.text());
    shop.pay(order).await;
    let refused = shop.ask("DELETE", &path).token("host1").send().await;
    assert!(refused.text().contains("owed to a buyer"), "{}", refused.text());
}

#[tokio::test]
async fn hosts_read_a_key_as_npub_and_a_name_in_lower_case_whatever_was_ordered() {
    let shop = TestShop::new();
    let keys = [PUBLIC_KEY_HEX.to_owned(), PUBLIC_KEY_HEX.to_ascii_uppercase(), PUBLIC_KEY.to_ascii_uppercase()];
    for (number, key) in keys.iter().enumerate() {
        let body = json!({
            "product": "nostr_alias", "host_id": shop.host("host4nostr").to_string(), "tos_accepted": true,
            "alias": format!("Carol{number}"), "public_key": key,
        });
        let answer = order(&shop, &body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let path = "/api/v1/nostr_aliases/";
        let alias = shop.ask("GET", path).token("host4nostr").send().await.json()[0].clone();
        assert_eq!((&alias["public_key"], &alias["alias"]), (&json!(PUBLIC_KEY), &json!(format!("carol{number}"))));
        let path = format!("{path}{}/", alias["id"].as_str().unwrap());
        let same = json!({ "alias": format!("Carol{number}"), "public_key": key });
        let repeated = shop.ask("PATCH", &path).token("host4nostr").json(&same).send().await;
        assert_eq!(repeated.status, 200, "{}", repeated.text());
    }
    let zero = json!({
        "product": "nostr_alias", "host_id": shop.host("host4nostr").to_string(), "tos_accepted": true,
        "alias": "dora", "public_key": "0".repeat(64),
    });
    assert_eq!(fields(&order(&shop, &zero).await), ["public_key"]);
}

#[tokio::test]
async fn a_key_that_was_sold_in_hexadecimal_before_reaches_its_host_as_npub() {
    let shop = TestShop::new();
    shop.order_alias("host4nostr", "erin").await;
    let old = |db: &ip2tor_shop::store::Connection| {
        let sql = "UPDATE product SET public_key = ?";
        db.execute(sql, [PUBLIC_KEY_HEX]).map_err(ip2tor_shop::store::StoreError::from)
    };
    shop.shop.db.write_blocking(old).expect("as an older version stored it");
    let aliases = shop.ask("GET", "/api/v1/nostr_aliases/").token("host4nostr").send().await.json();
    assert_eq!(aliases[0]["public_key"], PUBLIC_KEY);
}

#[tokio::test]
async fn the_deny_list_holds_when_a_bridge_is_extended() {
    let shop = TestShop::new();
    let (_, bridge) = shop.active_bridge("host1", None).await;
    let path = format!("/api/v1/public/tor_bridges/{bridge}/extend/");
    let deny = |kind: DenyKind, value: &'static str, status: DenyStatus| {
        let session = Session::on_command_line(shop.shop.now());
        session.write(&shop.shop.db, move |tx| deny_list::add(tx, kind, value, status, "")).expect("listed");
    };
    let extend = || shop.ask("POST", &path).send();
    deny(DenyKind::Ip, "203.0.113.0/24", DenyStatus::Denied);
    let refused = extend().await;
    assert!(refused.status == 400 && refused.text().contains("deny list"), "{}", refused.text());
    deny(DenyKind::Ip, "203.0.113.0/24", DenyStatus::Neutral);
    deny(DenyKind::Target, ONION, DenyStatus::Denied);
    let refused = extend().await;
    assert!(refused.status == 400 && refused.text().contains("deny list"), "{}", refused.text());
    let orders = "SELECT count(*) FROM purchase_order";
    let count = |db: &ip2tor_shop::store::Connection| {
        db.query_row(orders, [], |row| row.get::<_, i64>(0)).map_err(ip2tor_shop::store::StoreError::from)
    };
    assert_eq!(shop.shop.db.read(count).unwrap(), 1, "no order was made");
    deny(DenyKind::Target, ONION, DenyStatus::Neutral);
    assert_eq!(extend().await.status, 200);
}

#[tokio::test]
async fn a_poll_of_what_its_host_knows_already_writes_nothing() {
    let shop = TestShop::new();
    let order = shop.order_bridge("host1", None).await;
    shop.make_invoices().await;
    shop.pay(order).await;
    let poll = || shop.ask("GET", "/api/v1/tor_bridges/?status=P").token("host1").send();
    let shown = || shop.view(order).product.shown_at;
    let other = shop.ask("GET", "/api/v1/tor_bridges/?status=P").token("host2test").send().await;
    assert_eq!((other.json(), shown()), (json!([]), None), "nobody has seen it yet");
    assert_eq!(poll().await.json()[0]["status"], "P");
    assert_eq!(shown(), Some(shop.shop.now()), "before it is answered");
    let version = shop.shop.db.version().unwrap();
    assert_eq!(poll().await.json()[0]["status"], "P");
    assert_eq!(shop.shop.db.version().unwrap(), version);
}
