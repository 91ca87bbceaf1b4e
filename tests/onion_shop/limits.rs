//! Many clients at once, and one that wants too much.

use crate::client::Client;
use crate::process::ShopProcess;
use crate::tor_network::TorNetwork;
use crate::world::{World, until};

/// Clients at once, each on a circuit of its own.
const CLIENTS: usize = 50;

/// Orders of one circuit: more than it may place at once.
const ORDERS: usize = 15;
/// A well-formed address that nobody publishes.
const NOBODY: &str = "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion";

#[tokio::test(flavor = "multi_thread")]
async fn fifty_clients_on_fifty_circuits_are_served_at_once_and_a_greedy_one_is_told_to_wait() {
    let Some(network) = TorNetwork::shared() else { return };
    let mut world = World::new(network, "crowd").await;
    world.set("http", "orders_per_hour", 20);
    let shop = ShopProcess::start(&world.config()).await;
    let one = Client::through_tor(network, &world.onion(), "first");
    until("the shop answers over the onion", async || one.ask(&[], "/").await.is_ok()).await;
    let tcp = Client::over_tcp(shop.tcp);
    until("the shop takes orders", async || tcp.sees_a_host().await).await;
    let crowd = (0..CLIENTS).map(|number| {
        let client = one.renamed(&format!("client{number}"));
        tokio::spawn(async move { client.ask(&[], "/api/v1/public/hosts/").await })
    });
    for client in crowd.collect::<Vec<_>>() {
        assert_eq!(client.await.unwrap().unwrap().status, 200);
    }

    // curl sends all of these on one connection: one circuit.
    let greedy = one.renamed("greedy");
    let form = format!("product=tor_bridge&host_id={}&tos_accepted=true&target={NOBODY}:80", world.host_id);
    let all = ["--include", "--data", &form];
    let answers = greedy.curl(&all, &format!("/api/v1/public/order/?number=[1-{ORDERS}]")).await.unwrap();
    let count = |text: &str| answers.lines().filter(|line| line.to_lowercase().starts_with(text)).count();
    let refused = count("http/1.1 429");
    assert!((1..=5).contains(&refused), "{refused} of {ORDERS} orders were refused: {answers}");
    assert_eq!(count("retry-after: "), refused);
    let patient = one.renamed("patient").ask(&["--data", &form], "/api/v1/public/order/").await.unwrap();
    assert_eq!(patient.status, 201, "another circuit may order");
}
