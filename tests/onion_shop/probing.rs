//! Targets that can't work, and what an order says about them under each policy.

use serde_json::Value;

use crate::client::Client;
use crate::process::ShopProcess;
use crate::purchase::{order, polled};
use crate::tor_network::TorNetwork;
use crate::world::{LND_PORT, World, until};

/// A well-formed address that nobody publishes.
const NOBODY: &str = "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion";

/// A shop that takes orders, and a client over TCP.
async fn selling(world: &World) -> (ShopProcess, Client) {
    let shop = ShopProcess::start(&world.config()).await;
    let client = Client::over_tcp(shop.tcp);
    until("the host is offered", async || client.sees_a_host().await).await;
    (shop, client)
}

fn message(order: &Value) -> String {
    order["message"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warning_names_the_failing_stage_and_a_rejection_comes_instead_of_an_invoice() {
    let Some(network) = TorNetwork::shared() else { return };
    let mut world = World::new(network, "probes").await;
    let (shop, client) = selling(&world).await;
    let (path, warned) = order(&client, &world, &format!("{NOBODY}:80")).await;
    assert_eq!(warned["status"], "T", "a warning never holds an invoice up: {warned}");
    until("the order carries the warning", async || {
        message(&client.json(&[], &path).await).contains("could not be found")
    })
    .await;
    shop.stop().await;

    world.set("probe", "policy", "reject");
    let (_shop, client) = selling(&world).await;
    until("the shop can be a target itself", async || {
        client.ask(&[], "/readyz").await.is_ok_and(|ready| ready.body.contains("\"reachable\""))
    })
    .await;
    let node = &world.node_onion.address;
    let (_, good) = order(&client, &world, &format!("{node}:{LND_PORT}")).await;
    assert_eq!((good["status"].as_str(), message(&good).as_str()), (Some("T"), ""), "{good}");

    for (target, stage) in [
        (format!("{NOBODY}:80"), "could not be found"),
        (format!("{node}:1"), "nothing answers on port 1"),
        (format!("{}:80", world.onion()), "does not speak TLS"),
    ] {
        let form = format!("product=tor_bridge&host_id={}&tos_accepted=true&target={target}", world.host_id);
        let placed = client.json(&["--data", &form], "/api/v1/public/order/").await;
        let path = format!("/api/v1/public/pos/{}/", placed["id"].as_str().unwrap());
        assert_eq!(client.json(&[], &path).await["status"], "L", "the order waits for its probe");
        let refused = polled(&client, &path).await;
        assert_eq!(
            (refused["status"].as_str(), &refused["ln_invoices"][0]["payment_request"]),
            (Some("R"), &Value::Null)
        );
        assert!(message(&refused).contains(stage), "{target}: {refused}");
    }
}
