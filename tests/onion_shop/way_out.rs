//! The ways out other than the embedded Tor client: a SOCKS proxy, and none at all.

use crate::client::Client;
use crate::process::ShopProcess;
use crate::tor_network::TorNetwork;
use crate::world::{World, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_socks_proxy_is_the_way_to_a_node_behind_an_onion_service() {
    let Some(network) = TorNetwork::shared() else { return };
    let mut world = World::new(network, "socks").await;
    world.set("onion", "enabled", false);
    world.set("onion", "socks_proxy", network.socks().to_string());
    let shop = ShopProcess::start(&world.config()).await;
    let client = Client::over_tcp(shop.tcp);
    until("the node is reached through the proxy", async || client.sees_a_host().await).await;
}
