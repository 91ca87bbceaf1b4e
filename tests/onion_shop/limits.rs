//! Many clients at once.

use crate::client::Client;
use crate::process::ShopProcess;
use crate::tor_network::TorNetwork;
use crate::world::{World, until};

/// Clients at once, each on a circuit of its own.
const CLIENTS: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_clients_on_fifty_circuits_are_served_at_once() {
    let Some(network) = TorNetwork::shared() else { return };
    let world = World::new(network, "crowd").await;
    let _shop = ShopProcess::start(&world.config()).await;
    let one = Client::through_tor(network, &world.onion(), "first");
    until("the shop answers over the onion", async || one.ask(&[], "/").await.is_ok()).await;
    let crowd = (0..CLIENTS).map(|number| {
        let client = one.renamed(&format!("client{number}"));
        tokio::spawn(async move { client.ask(&[], "/api/v1/public/hosts/").await })
    });
    for client in crowd.collect::<Vec<_>>() {
        assert_eq!(client.await.unwrap().unwrap().status, 200);
    }
}
