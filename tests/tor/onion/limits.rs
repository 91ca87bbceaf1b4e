//! Many clients at once, and one client that wants too much.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join_all;
use ip2tor_shop::onion::{Dialer, Isolation, OnionConfig};

use crate::onion::shop::{ATTEMPT, LIMIT, Shop, connect, fetch, fetch_on, settings, until};
use crate::tor_network::TorNetwork;

#[tokio::test(flavor = "multi_thread")]
async fn fifty_clients_on_fifty_circuits_are_served_and_told_apart() {
    let Some(network) = TorNetwork::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::start(network, dir.path()).await;
    let clients = (0..50).map(|_| fetch(&shop.tor, &shop.address, "/peer"));
    let peers: HashSet<_> = join_all(clients).await.into_iter().collect();
    assert_eq!(peers.len(), 50, "{peers:?}");
    assert!(peers.iter().all(|peer| peer.starts_with("onion-circuit://")), "{peers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_one_circuit_have_one_address() {
    let Some(network) = TorNetwork::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::start(network, dir.path()).await;
    // A circuit can end for reasons of its own: then the scene is played again on another one.
    until("two connections have one address, and another circuit has another", async || {
        let client = Isolation::fresh();
        let first = peer(&shop, client).await;
        assert_ne!(peer(&shop, Isolation::fresh()).await, first);
        peer(&shop, client).await == first
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_circuit_is_closed_and_one_in_use_is_not() {
    let Some(network) = TorNetwork::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::start_with(OnionConfig { idle_circuit_secs: 1, ..settings(network, dir.path()) }).await;
    // As above: a circuit in use can end for other reasons.
    until("only the idle circuit is closed", async || only_the_idle_one_is_closed(&shop).await).await;
}

/// Lets one circuit be idle while another one has a stream; whether only the first is closed.
async fn only_the_idle_one_is_closed(shop: &Shop) -> bool {
    let (idle, busy) = (Isolation::fresh(), Isolation::fresh());
    let dialer = Dialer::Arti(shop.tor.clone());
    let _held_open = connect(&dialer, &shop.address, || busy).await;
    let (idle_before, busy_before) = (peer(shop, idle).await, peer(shop, busy).await);
    // Looking is using: before the look it must have the time to be idle.
    tokio::time::sleep(Duration::from_secs(3)).await;
    peer(shop, idle).await != idle_before && peer(shop, busy).await == busy_before
}

async fn peer(shop: &Shop, isolation: Isolation) -> String {
    fetch_on(&shop.tor, &shop.address, "/peer", isolation).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_circuit_with_too_many_streams_is_closed_and_others_are_not() {
    let Some(network) = TorNetwork::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let config = OnionConfig { max_streams_per_circuit: 3, ..settings(network, dir.path()) };
    let shop = Shop::start_with(config).await;
    let dialer = Dialer::Arti(shop.tor.clone());
    // A circuit can end for reasons of its own: then the scene is played again on another one.
    until("the fourth stream closes the circuit", async || ends_at_the_fourth(&dialer, &shop.address).await).await;
    assert_eq!(fetch(&shop.tor, &shop.address, "/healthz").await, "ok");
}

/// Opens four streams on one circuit; whether the fourth is refused and the others end.
async fn ends_at_the_fourth(dialer: &Dialer, address: &str) -> bool {
    let greedy = Isolation::fresh();
    let mut first = connect(dialer, address, || greedy).await;
    let open = || dialer.connect(address, 80, greedy, LIMIT / 8);
    let (second, third, fourth) = (open().await, open().await, open().await);
    if second.is_err() || third.is_err() || fourth.is_ok() {
        return false;
    }
    let mut byte = [0];
    let read = tokio::time::timeout(LIMIT / 8, tokio::io::AsyncReadExt::read(&mut first, &mut byte)).await;
    read.is_ok_and(|read| !matches!(read, Ok(1..)))
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_limit_of_circuits_a_client_gets_no_answer_until_one_is_free() {
    let Some(network) = TorNetwork::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let config = OnionConfig { max_circuits: 4, idle_circuit_secs: 1, ..settings(network, dir.path()) };
    let shop = Shop::start_with(config).await;
    let dialer = Dialer::Arti(shop.tor.clone());
    // As above: one of the four can end for other reasons, and make room.
    until("a fifth client finds no room", async || the_fifth_must_wait(&dialer, &shop.address).await).await;
}

/// Holds four circuits; whether a fifth gets no answer. One does when another has ended.
async fn the_fifth_must_wait(dialer: &Dialer, address: &str) -> bool {
    let mut held = Vec::new();
    // The circuits over which the shop was found to be reachable are idle, and make room.
    while held.len() < 4 {
        held.push(connect(dialer, address, Isolation::fresh).await);
    }
    let has_no_room = dialer.connect(address, 80, Isolation::fresh(), ATTEMPT).await.is_err();
    held.pop();
    held.push(connect(dialer, address, Isolation::fresh).await);
    has_no_room
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_gets_the_place_of_an_idle_circuit_and_not_of_one_in_use() {
    let Some(network) = TorNetwork::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    // An idle circuit may stay for longer than the test takes.
    let config = OnionConfig { max_circuits: 2, idle_circuit_secs: 3600, ..settings(network, dir.path()) };
    let shop = Shop::start_with(config).await;
    let (dialer, busy) = (Dialer::Arti(shop.tor.clone()), Isolation::fresh());
    let _held_open = connect(&dialer, &shop.address, || busy).await;
    let before = peer(&shop, busy).await;
    for _ in 0..3 {
        // A circuit keeps its place for three seconds after its last stream.
        tokio::time::sleep(Duration::from_secs(4)).await;
        fetch(&shop.tor, &shop.address, "/healthz").await;
    }
    assert_eq!(peer(&shop, busy).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_port_closes_the_circuit() {
    let Some(network) = TorNetwork::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::start(network, dir.path()).await;
    let (dialer, curious) = (Dialer::Arti(shop.tor.clone()), Isolation::fresh());
    let before = fetch_on(&shop.tor, &shop.address, "/peer", curious).await;
    assert!(dialer.connect(&shop.address, 22, curious, LIMIT).await.is_err());
    let after = fetch_on(&shop.tor, &shop.address, "/peer", curious).await;
    assert_ne!(before, after, "a new circuit");
}
