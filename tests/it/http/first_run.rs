//! The first administrator, made in a browser behind a link that works once, for a while, and from nearby.

use ip2tor_shop::services::Principal;
use ip2tor_shop::services::operators::first_run;
use poem::Addr;
use serde_json::{Value, json};

use crate::support::TestShop;
use crate::support::admin::SignedIn;
use crate::support::request::{Answer, Ask};

const NEW_PASSWORD: &str = "a lamp by the window";

async fn link(shop: &TestShop) -> Option<String> {
    let random = shop.shop.random.clone();
    shop.shop.tx(&Principal::Shop, move |tx| first_run::new_link(tx, &*random)).await.expect("a database")
}

/// A shop that nobody runs yet.
async fn new_shop() -> (TestShop, String) {
    let shop = TestShop::new();
    shop.sql("UPDATE operator SET role = 'operator'");
    let key = link(&shop).await.expect("a key");
    (shop, key)
}

fn make<'a>(shop: &'a TestShop, key: &str, password: &str) -> Ask<'a> {
    shop.ask_admin("POST", "setup/").json(&json!({"token": key, "name": "anna", "password": password}))
}

async fn look(shop: &TestShop, key: &str) -> (Value, Value) {
    let view = shop.ask_admin("GET", "setup/").header("X-Setup-Token", key).send().await.json();
    (view["is_needed"].clone(), view["is_link_good"].clone())
}

fn administrators(shop: &TestShop) -> usize {
    let list = shop.shop.db.read(ip2tor_shop::store::operators::list).expect("a list");
    list.iter().filter(|one| one.role == ip2tor_shop::domain::operator::Role::Administrator).count()
}

fn from(address: &str) -> Addr {
    Addr::SocketAddr(address.parse().expect("an address"))
}

#[tokio::test]
async fn the_link_makes_an_administrator_who_is_signed_in_and_works_once() {
    let (shop, key) = new_shop().await;
    assert_eq!(look(&shop, &key).await, (json!(true), json!(true)));
    assert_eq!(look(&shop, "another").await, (json!(true), json!(false)));
    let weak = make(&shop, &key, "password123").send().await;
    assert!(weak.status == 400 && weak.json()["password"][0].is_string(), "{}", weak.text());
    let made: Answer = make(&shop, &key, NEW_PASSWORD).send().await;
    let browser = SignedIn::of(&made);
    let me = shop.ask_admin("GET", "me/").with_session(&browser).send().await.json();
    assert_eq!((&me["name"], &me["role"]), (&json!("anna"), &json!("administrator")));
    assert_eq!(look(&shop, &key).await, (json!(false), json!(false)));
    assert_eq!(make(&shop, &key, NEW_PASSWORD).send().await.status, 400);
    assert_eq!(administrators(&shop), 1);
    assert_eq!(link(&shop).await, None, "nor is there another link");
    shop.sql("UPDATE operator SET role = 'operator'");
    assert_eq!(make(&shop, &key, NEW_PASSWORD).send().await.status, 400, "it was used up");
}

#[tokio::test]
async fn an_old_link_and_one_that_was_replaced_make_nobody() {
    let (shop, key) = new_shop().await;
    shop.clock.advance_secs(900);
    let late = make(&shop, &key, NEW_PASSWORD).send().await;
    assert!(late.status == 400 && late.text().contains("first-run-link"), "{}", late.text());
    let second = link(&shop).await.expect("a key");
    let third = link(&shop).await.expect("a key");
    assert_eq!(make(&shop, &second, NEW_PASSWORD).send().await.status, 400);
    shop.clock.advance_secs(899);
    assert_eq!(make(&shop, &third, NEW_PASSWORD).send().await.status, 200);
}

#[tokio::test]
async fn the_link_works_from_this_machine_and_its_local_network_alone() {
    let (shop, key) = new_shop().await;
    for address in ["203.0.113.9:1", "[2001:db8::1]:1", "[::ffff:8.8.8.8]:1", "172.32.0.1:1"] {
        let asked = make(&shop, &key, NEW_PASSWORD).from(from(address)).send().await;
        assert_eq!(asked.status, 403, "{address}");
        let looked = shop.ask_admin("GET", "setup/").header("X-Setup-Token", &key).from(from(address)).send().await;
        assert_eq!(looked.json()["is_link_good"], false, "{address}");
    }
    let proxied = make(&shop, &key, NEW_PASSWORD).from(from("10.0.0.1:1")).header("X-Forwarded-For", "203.0.113.9");
    assert_eq!(proxied.send().await.status, 403, "behind a proxy it is the client that counts");
    let circuit = make(&shop, &key, NEW_PASSWORD).on_circuit(ip2tor_shop::http::Surface::Operators, 1);
    assert_eq!(circuit.send().await.status, 403);
    let foreign = make(&shop, &key, NEW_PASSWORD).header("Origin", "http://evil.example").send().await;
    assert_eq!(foreign.status, 403);
    assert_eq!(administrators(&shop), 0);
    for address in ["127.0.0.1:1", "[::1]:1", "172.16.0.1:1", "169.254.1.1:1", "[fd00::1]:1", "[fe80::1]:1"] {
        let looked = shop.ask_admin("GET", "setup/").header("X-Setup-Token", &key).from(from(address)).send().await;
        assert_eq!(looked.json()["is_link_good"], true, "{address}");
    }
}

#[tokio::test]
async fn a_shop_with_an_administrator_has_no_link() {
    let shop = TestShop::new();
    assert_eq!(link(&shop).await, None);
    assert_eq!(look(&shop, "").await, (json!(false), json!(false)));
    let asked = make(&shop, "", NEW_PASSWORD).send().await;
    assert!(asked.status == 400 && asked.text().contains("administrator already"), "{}", asked.text());
}
