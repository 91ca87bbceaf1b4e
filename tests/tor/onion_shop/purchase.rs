//! A bridge bought, activated and extended over the shop's onion address, with a Lightning node
//! that is itself behind an onion service.

use serde_json::Value;

use crate::onion_shop::client::Client;
use crate::onion_shop::process::ShopProcess;
use crate::onion_shop::world::{LND_PORT, World, until};
use crate::tor_network::TorNetwork;

/// Places an order; the path to poll.
pub async fn place(buyer: &Client, world: &World, target: &str) -> String {
    let form = format!("product=tor_bridge&host_id={}&tos_accepted=true&target={target}&comment=", world.host_id);
    let placed = buyer.json(&["--data", &form], "/api/v1/public/order/").await;
    format!("/api/v1/public/pos/{}/", placed["id"].as_str().unwrap())
}

/// An order and what its polls showed when an invoice was there.
pub async fn order(buyer: &Client, world: &World, target: &str) -> (String, Value) {
    let path = place(buyer, world, target).await;
    let order = polled(buyer, &path).await;
    (path, order)
}

/// Polls as RaspiBlitz does: until there is an invoice to pay, or the order is rejected.
pub async fn polled(buyer: &Client, path: &str) -> Value {
    let is_over = |order: &Value| order["status"] == "R" || order["ln_invoices"][0]["payment_request"].is_string();
    until("the order has an invoice or is rejected", async || is_over(&buyer.json(&[], path).await)).await;
    let order = buyer.json(&[], path).await;
    assert!(order["item_details"][0]["product"]["id"].is_string(), "{order}");
    order
}

/// Pays the order's invoice; returns as soon as the node has the money.
fn pay(world: &World, order: &Value) {
    let invoice = &order["ln_invoices"][0];
    let hash = data_encoding::BASE64.decode(invoice["payment_hash"].as_str().unwrap().as_bytes()).unwrap();
    let msat = invoice["msatoshi"].as_u64().unwrap();
    let hash = ip2tor_shop::domain::lightning::PaymentHash(hash.try_into().unwrap());
    world.simulator.node().arrive(hash, &[msat], msat).unwrap();
}

/// The host's script: checks in.
async fn check_in(host: &Client, world: &World) {
    let token = format!("Authorization: Token {}", world.token);
    host.json(&["--header", &token, "--request", "POST"], &format!("/api/v1/hosts/{}/check_in/", world.host_id)).await;
}

/// The host's script: activates what is paid.
async fn activate(host: &Client, world: &World) {
    let token = format!("Authorization: Token {}", world.token);
    let list = format!("/api/v1/tor_bridges/?host={}&status=P&format=json", world.host_id);
    until("the host sees a bridge to activate", async || {
        host.json(&["--header", &token], &list).await.as_array().is_some_and(|list| !list.is_empty())
    })
    .await;
    let bridges = host.json(&["--header", &token], &list).await;
    let path = format!("/api/v1/tor_bridges/{}/", bridges[0]["id"].as_str().unwrap());
    host.json(&["--header", &token, "--request", "PATCH", "--data", "status=A"], &path).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_is_bought_activated_and_extended_over_the_onion_and_a_restart_keeps_the_address() {
    let Some(network) = TorNetwork::shared() else { return };
    let mut world = World::new(network, "purchase").await;
    world.set("onion", "onion_location", true);
    let shop = ShopProcess::start(&world.config()).await;
    let onion = world.onion();
    let buyer = Client::through_tor(network, &onion, "buyer");
    let host = Client::through_tor(network, &onion, "host");
    check_in(&host, &world).await;
    until("the node behind the onion service is alive and the host is offered", async || buyer.sees_a_host().await)
        .await;

    let target = format!("{}:{LND_PORT}", world.node_onion.address);
    let (path, first) = order(&buyer, &world, &target).await;
    assert_eq!(first["status"], "T", "{first}");
    let bridge = first["item_details"][0]["product"]["id"].as_str().unwrap().to_owned();
    let bridge = format!("/api/v1/public/tor_bridges/{bridge}/");
    pay(&world, &first);
    activate(&host, &world).await;
    let active = buyer.json(&[], &bridge).await;
    assert_eq!((&active["status"], &active["target"]), (&Value::from("A"), &Value::from(target)), "{active}");
    until("the order is paid", async || buyer.json(&[], &path).await["status"] == "P").await;

    let extension = buyer.json(&["--request", "POST"], &format!("{bridge}extend/")).await;
    let path = format!("/api/v1/public/pos/{}/", extension["po_id"].as_str().unwrap());
    pay(&world, &polled(&buyer, &path).await);
    until("the bridge runs longer", async || {
        buyer.json(&[], &bridge).await["suspend_after"].as_str() > active["suspend_after"].as_str()
    })
    .await;

    let tcp = Client::over_tcp(shop.tcp);
    until("readyz says that the watchdog reached the address", async || {
        let ready = tcp.json(&[], "/readyz").await;
        let (onion_part, address) = (&ready["onion"], Value::from(onion.as_str()));
        (&onion_part["address"], &onion_part["bootstrap"]["percent"]) == (&address, &Value::from(100))
            && onion_part["reachability"] == "reachable"
            && onion_part["last_success"].is_string()
            && onion_part["latency_ms"].is_u64()
    })
    .await;

    let second = ShopProcess::fails(&world.config()).await;
    assert!(second.contains("another process") || second.contains("is running"), "{second}");
    shop.stop().await;
    let _shop = ShopProcess::start(&world.config()).await;
    assert_eq!(world.onion(), onion);
    assert_eq!(buyer.ask(&[], &bridge).await.status, 200, "the same address answers after a restart");
}
