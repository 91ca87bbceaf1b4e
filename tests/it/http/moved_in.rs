//! A shop that was taken over from the predecessor, as its buyers and its hosts meet it: the ids, tokens and ports that they
//! know go on to work.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ip2tor_shop::domain::id::{HostId, NodeId, OrderId, SystemRandom};
use ip2tor_shop::domain::time::{ManualClock, Timestamp};
use ip2tor_shop::http::{self, App, Limits};
use ip2tor_shop::lightning::{pasted, permissions};
use ip2tor_shop::services::import::{self, Credentials, Env};
use ip2tor_shop::services::{Principal, Settings, Shop};
use ip2tor_shop::store::Db;
use poem::EndpointExt;
use serde_json::{Value, json};

use crate::support::TestShop;

const DUMP: &[u8] = include_bytes!("../../fixtures/old_shop.json");
const HOST: &str = "9c1fdadb-dc90-43de-9d43-ff909b8840dd";
const NODE: &str = "8deb7a11-3d20-4b2b-aa04-fd88666bdd49";
const BRIDGE: &str = "4c6bbbd4-f032-44b8-b08d-4b6c8fc94658";
const SUSPENDED: &str = "385c2280-dc75-4842-afb9-67e1ec6f11e7";
/// The order of an extension that the old shop had begun.
const OPEN: &str = "62ed9f08-a958-4a2b-bc1d-5b061260bb25";

/// The shop of the sample, five minutes after the dump was written, with its node (whose certificate and macaroon
/// are shortened in the sample) on and alive and its host checked in.
async fn moved_in() -> TestShop {
    let now = Timestamp::parse_lenient("2024-03-01T12:05:00Z").expect("a time");
    let (dir, clock) = (tempfile::tempdir().expect("a folder"), Arc::new(ManualClock::new(now)));
    let db = Db::open(&dir.path().join("shop.sqlite3")).expect("a database");
    let shop = Shop::new(db, clock.clone(), Arc::new(SystemRandom), Settings::default()).expect("a shop");
    let credentials = Credentials { certificate: pasted::check_certificate, macaroon: permissions::invoice_macaroon };
    let plan = import::plan(DUMP, &Env::default(), &credentials, now).expect("the sample is sound");
    let stored = shop.tx(&Principal::CommandLine(None), move |tx| import::store(tx, &SystemRandom, &plan));
    stored.await.expect("it is stored");
    let is_trusted = |_: IpAddr| false;
    let app = Arc::new(http::app(App::new(shop.clone(), Limits::default(), Box::new(is_trusted))).boxed());
    let token = "139bd2254bc6d500516a601ba5217765a13cde4a".to_owned();
    let hosts = BTreeMap::from([("bridge1".to_owned(), (HostId::parse(HOST).expect("an id"), token))]);
    let moved = TestShop { dir, clock, shop, app, hosts, node: NodeId::parse(NODE).expect("an id") };
    moved.sql("UPDATE node SET is_enabled = 1, is_alive = 1, network = 'mainnet', pubkey = '02aa'");
    let path = format!("/api/v1/hosts/{HOST}/check_in/");
    let hello = moved.ask("POST", &path).token("bridge1").form("ci_status=0&ci_message=hello").send().await;
    assert_eq!(hello.json()["check_in"], "ok", "{}", hello.text());
    moved
}

/// What the host's script is told to do in a state.
async fn work(shop: &TestShop, status: &str) -> Vec<Value> {
    let path = format!("/api/v1/tor_bridges/?host={HOST}&status={status}");
    let list = shop.ask("GET", &path).token("bridge1").send().await;
    list.json().as_array().expect("a list").clone()
}

async fn bridge(shop: &TestShop, id: &str) -> Value {
    shop.ask("GET", &format!("/api/v1/public/tor_bridges/{id}/")).send().await.json()
}

/// Asks for an extension as RaspiBlitz does; returns the order.
async fn extend(shop: &TestShop, id: &str) -> OrderId {
    let path = format!("/api/v1/public/tor_bridges/{id}/extend/");
    let answer = shop.ask("POST", &path).send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    OrderId::parse(answer.json()["po_id"].as_str().expect("an order")).expect("an id")
}

fn secs(value: &Value) -> i64 {
    Timestamp::parse_lenient(value.as_str().expect("a time")).expect("a time").secs()
}

#[tokio::test]
async fn a_bridge_that_the_old_shop_sold_is_extended_by_its_order_of_then_and_by_a_new_one() {
    let shop = moved_in().await;
    let before = bridge(&shop, BRIDGE).await;
    assert_eq!((&before["status"], &before["port"]), (&json!("A"), &json!(20_001)));

    let order = extend(&shop, BRIDGE).await;
    assert_eq!(order.to_string(), OPEN, "what can still be paid is not asked for twice");
    let seen = shop.ask("GET", &format!("/api/v1/public/pos/{order}/")).send().await.json();
    assert_eq!(seen["status"], "T");
    assert_eq!(seen["ln_invoices"].as_array().map(Vec::len), Some(1));
    assert_eq!(seen["item_details"].as_array().map(Vec::len), Some(1));
    shop.pay(order).await;
    let after = bridge(&shop, BRIDGE).await;
    assert_eq!(secs(&after["suspend_after"]) - secs(&before["suspend_after"]), 86_400 + 600);

    let second = extend(&shop, BRIDGE).await;
    assert_ne!(second, order);
    let seen = shop.ask("GET", &format!("/api/v1/public/pos/{second}/")).send().await.json();
    assert_eq!(seen["ln_invoices"][0]["msatoshi"], 20_000, "not more than was agreed");
    shop.pay(second).await;
    let last = bridge(&shop, BRIDGE).await;
    assert_eq!(secs(&last["suspend_after"]) - secs(&after["suspend_after"]), 86_400 + 600);
    assert_eq!(last["port"], 20_001);
}

#[tokio::test]
async fn a_hosts_script_notices_nothing_and_takes_a_suspended_bridge_up_again_at_its_port() {
    let shop = moved_in().await;
    assert_eq!((work(&shop, "P").await.len(), work(&shop, "S").await.len()), (0, 0));
    let active = work(&shop, "A").await;
    assert_eq!((active.len(), &active[0]["id"], &active[0]["port"]), (1, &json!(BRIDGE), &json!(20_001)));

    let order = extend(&shop, SUSPENDED).await;
    shop.pay(order).await;
    let pending = work(&shop, "P").await;
    assert_eq!((pending.len(), &pending[0]["id"], &pending[0]["port"]), (1, &json!(SUSPENDED), &json!(20_042)));
    let path = pending[0]["url"].as_str().expect("a URL").replace("http://shop.example:8000", "");
    let patched = shop.ask("PATCH", &path).token("bridge1").json(&json!({"status": "A"})).send().await;
    assert_eq!((patched.status.as_u16(), &patched.json()["status"]), (200, &json!("A")));
    let end = secs(&bridge(&shop, SUSPENDED).await["suspend_after"]);
    assert!(end >= shop.shop.now().secs() + 86_400, "its new period is a whole one");
}

#[tokio::test]
async fn a_new_bridge_gets_no_port_that_the_old_shop_had_sold() {
    let shop = moved_in().await;
    // Nothing but the two ports that were sold, and one more.
    shop.sql("UPDATE port_range SET first_port = 20041, last_port = 20043, used = 1 WHERE first_port = 20000");
    shop.sql("DELETE FROM port_range WHERE first_port IN (21000, 22000)");
    let mut ports = Vec::new();
    for _ in 0..2 {
        let order = shop.order_bridge("bridge1", None).await;
        ports.push(shop.view(order).product.port.expect("a port"));
    }
    ports.sort_unstable();
    assert_eq!(ports, [20_041, 20_043]);
}

#[tokio::test]
async fn an_operators_old_password_works_and_is_hashed_anew_by_it() {
    let shop = moved_in().await;
    let hash = || {
        let read = shop.shop.db.read(|db| ip2tor_shop::store::operators::with_password_hash(db, "admin"));
        read.expect("readable").expect("the administrator").1
    };
    let ask = |password: &'static str| {
        let credentials = data_encoding::BASE64.encode(format!("admin:{password}").as_bytes());
        shop.ask("GET", "/api/v1/").header("Authorization", format!("Basic {credentials}")).send()
    };
    assert!(hash().starts_with("pbkdf2_sha256$"));
    assert_eq!(ask("wrong horse battery").await.status, 401);
    assert!(hash().starts_with("pbkdf2_sha256$"));
    assert_eq!(ask("correct horse battery").await.status, 200);
    assert!(hash().starts_with("$argon2id$"), "{}", hash());
    assert_eq!(ask("correct horse battery").await.status, 200);
}
