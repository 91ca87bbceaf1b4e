//! Targets that can't work, and what an order says about them under each policy.

use serde_json::Value;

use crate::onion_shop::client::Client;
use crate::onion_shop::process::ShopProcess;
use crate::onion_shop::purchase::{order, place};
use crate::onion_shop::world::{LND_PORT, World, until};
use crate::tor_network::TorNetwork;

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
    until("a warning names the failing stage", async || {
        let (path, order) = order(&client, &world, &format!("{NOBODY}:80")).await;
        assert_eq!(order["status"], "T", "a warning never holds an invoice up: {order}");
        until("the order carries a warning", async || !message(&client.json(&[], &path).await).is_empty()).await;
        message(&client.json(&[], &path).await).contains("could not be found")
    })
    .await;
    shop.stop().await;

    world.set("probe", "policy", "reject");
    let (_shop, client) = selling(&world).await;
    until("the shop can be a target itself", async || client.ask(&[], "/readyz").await.body.contains("\"reachable\""))
        .await;
    let node = &world.node_onion.address;
    until("a good target gets its invoice without a warning", async || {
        let (_, order) = order(&client, &world, &format!("{node}:{LND_PORT}")).await;
        (order["status"].as_str(), message(&order).as_str()) == (Some("T"), "")
    })
    .await;

    let path = place(&client, &world, &format!("{NOBODY}:80")).await;
    assert_eq!(client.json(&[], &path).await["status"], "L", "the order waits for its probe");
    for (target, stage) in [
        (format!("{NOBODY}:80"), "could not be found"),
        (format!("{node}:1"), "nothing answers on port 1"),
        (format!("{}:80", world.onion()), "does not speak TLS"),
    ] {
        until(&format!("{target} is rejected: {stage}"), async || is_rejected(&client, &world, &target, stage).await)
            .await;
    }
}

/// Orders once; whether it is rejected for what `stage` says. On a busy machine a probe is late, or
/// finds that circuits fail, and then says that. What does not work is never found good.
async fn is_rejected(client: &Client, world: &World, target: &str, stage: &str) -> bool {
    let (_, order) = order(client, world, target).await;
    assert_ne!(message(&order), "", "{target}: {order}");
    let (status, invoice) = (&order["status"], &order["ln_invoices"][0]["payment_request"]);
    assert_eq!(status == "R", invoice.is_null(), "a rejection comes instead of an invoice: {order}");
    status == "R" && message(&order).contains(stage)
}
