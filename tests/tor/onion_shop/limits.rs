//! Many clients at once, and one that wants too much.

use crate::onion_shop::client::Client;
use crate::onion_shop::process::ShopProcess;
use crate::onion_shop::world::{World, until};
use crate::tor_network::TorNetwork;

/// Clients at once, each on a circuit of its own.
const CLIENTS: usize = 50;

/// Orders that one circuit may place at once, of six times as many in an hour.
const AT_ONCE: usize = 10;
/// Orders that it tries to place.
const ORDERS: usize = 15;
/// A well-formed address that nobody publishes.
const NOBODY: &str = "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion";

#[tokio::test(flavor = "multi_thread")]
async fn fifty_clients_on_fifty_circuits_are_served_at_once_and_a_greedy_one_is_told_to_wait() {
    let Some(network) = TorNetwork::shared() else { return };
    let mut world = World::new(network, "crowd").await;
    world.set("http", "circuit_orders_per_hour", 6 * AT_ONCE as i64);
    let shop = ShopProcess::start(&world.config()).await;
    let onion = world.onion();
    let client = |name: &str| Client::through_tor(network, &onion, name);
    client("first").ask(&[], "/").await;
    let tcp = Client::over_tcp(shop.tcp);
    until("the shop takes orders", async || tcp.sees_a_host().await).await;
    let crowd = (0..CLIENTS).map(|number| {
        let client = client(&format!("client{number}"));
        tokio::spawn(async move { client.ask(&[], "/api/v1/public/hosts/").await })
    });
    for client in crowd.collect::<Vec<_>>() {
        assert_eq!(client.await.unwrap().status, 200);
    }

    // curl sends all of these on one connection: one circuit. Another attempt is on another one.
    let form = format!("product=tor_bridge&host_id={}&tos_accepted=true&target={NOBODY}:80", world.host_id);
    let all = ["--include", "--data", &form];
    let answers = client("greedy").curl(&all, &format!("/api/v1/public/order/?number=[1-{ORDERS}]")).await;
    let answers = answers.to_lowercase();
    let count = |text: &str| answers.matches(text).count();
    assert_eq!((count("http/1.1 201"), count("http/1.1 429")), (AT_ONCE, ORDERS - AT_ONCE), "{answers}");
    assert_eq!(count("retry-after: "), ORDERS - AT_ONCE, "{answers}");
    let patient = client("patient").ask(&["--data", &form], "/api/v1/public/order/").await;
    assert_eq!(patient.status, 201, "another circuit may order");
}
