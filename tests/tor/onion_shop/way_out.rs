//! The ways out other than the embedded Tor client: a SOCKS proxy, and none at all.

use crate::onion_shop::client::Client;
use crate::onion_shop::process::ShopProcess;
use crate::onion_shop::world::{World, until};
use crate::tor_network::TorNetwork;

#[tokio::test(flavor = "multi_thread")]
async fn a_socks_proxy_is_the_way_to_a_node_behind_an_onion_service() {
    let Some(network) = TorNetwork::shared() else { return };
    let mut world = World::new(network, "socks").await;
    world.set("onion", "enabled", false);
    world.set("onion", "socks_proxy", network.socks().to_string());
    let shop = ShopProcess::start(&world.config()).await;
    let client = Client::over_tcp(shop.tcp);
    until("the node is reached through the proxy", async || client.sees_a_host().await).await;
    until("the command goes the same way", async || {
        world.command(&["node", "check"]).is_ok_and(|checked| checked.contains("ok"))
    })
    .await;

    world.set("onion", "socks_proxy", "127.0.0.1:1");
    let refused = world.command(&["node", "check"]).unwrap_err();
    assert!(refused.contains("SOCKS proxy"), "a proxy that is gone is no reason to go another way: {refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tor_a_node_behind_an_onion_service_is_refused_with_the_remedy() {
    let Some(network) = TorNetwork::shared() else { return };
    let mut world = World::new(network, "without").await;
    world.set("onion", "enabled", false);
    let refused = world.command(&["node", "check"]).unwrap_err();
    assert!(refused.contains("can be reached through Tor only"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_beside_the_running_shop_reaches_a_node_behind_an_onion_service() {
    let Some(network) = TorNetwork::shared() else { return };
    let world = World::new(network, "beside").await;
    let _shop = ShopProcess::start(&world.config()).await;
    until("the command reaches the node", async || world.command(&["node", "check"]).is_ok()).await;
}
