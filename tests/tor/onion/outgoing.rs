//! Connections to other onion services: the target probe, and the SOCKS proxy as the way out.

use std::time::Duration;

use ip2tor_shop::onion::probe::port::{PortVerdict, try_port};
use ip2tor_shop::onion::probe::{Target, Verdict, probe};
use ip2tor_shop::onion::{Dialer, Isolation, OnionConfig, Tor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::onion::shop::{Shop, connect, settings, until, visitor};
use crate::tor_network::TorNetwork;

/// A well-formed address that nobody publishes.
const NOBODY: &str = "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion";
/// More than the 20 s of a real probe: the machine may be busy.
const BUDGET: Duration = Duration::from_secs(30);

fn target(host: &str, port: u16, tls: bool) -> Target {
    Target { host: host.to_owned(), port, tls }
}

/// Probes `target` until the verdict is `wanted`: on a busy machine circuits fail for reasons of their
/// own. What does not work is never found good.
async fn finds(dialer: &Dialer, target: &Target, wanted: Verdict) {
    until(&format!("the verdict is {wanted:?}"), async || {
        let verdict = probe(dialer, target, BUDGET).await;
        assert!(!verdict.is_good() || wanted.is_good(), "{target:?}: {verdict:?}");
        verdict == wanted
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_probe_tells_where_a_target_fails() {
    let Some(network) = TorNetwork::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::start(network, dir.path()).await;
    let (_dir, tor) = visitor(network).await;
    let dialer = Dialer::Arti(tor);
    finds(&dialer, &target(&shop.address, 80, false), Verdict::Good).await;
    finds(&dialer, &target(&shop.address, 80, true), Verdict::NoTls { port: 80 }).await;
    finds(&dialer, &target(NOBODY, 80, false), Verdict::NotFound).await;
    finds(&dialer, &target("hello.onion", 80, false), Verdict::BadAddress).await;
    finds(&dialer, &target(&shop.address, 8080, false), Verdict::Closed { port: 8080 }).await;
    shop.handle.take_down();
    until("the service is down", async || {
        probe(&dialer, &target(&shop.address, 80, false), Duration::from_secs(10)).await != Verdict::Good
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socks_proxy_reaches_onions_too() {
    let Some(network) = TorNetwork::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::start(network, dir.path()).await;
    let config = OnionConfig { socks_proxy: Some(network.socks()), ..OnionConfig::default() };
    let dialer = Dialer::new(&config, Some(shop.tor.clone()));
    assert!(matches!(dialer, Dialer::Socks(_)));
    // C-tor asks other relays for the descriptor than arti did, and these may have it a little later.
    let mut stream = connect(&dialer, &shop.address, Isolation::fresh).await;
    stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await.unwrap();
    stream.flush().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("ok"), "{answer}");

    // The proxy's port has the flag ExtendedErrors.
    finds(&dialer, &target(NOBODY, 80, false), Verdict::NotFound).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_to_be_sold_is_tried_through_tor() {
    let Some(network) = TorNetwork::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::start(network, dir.path()).await;
    let config = OnionConfig { socks_proxy: Some(network.socks()), ..OnionConfig::default() };
    let standing = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (taken, unused) = (standing.local_addr().unwrap().port(), free.local_addr().unwrap().port());
    drop(free);
    // The host's address is one of this machine, which arti would not ask for.
    let mut local = settings(network, dir.path().join("other").as_path());
    local.arti.insert("address_filter".to_owned(), toml::toml! { allow_local_addrs = true }.into());
    let arti = Dialer::Arti(Tor::new(local).unwrap());
    let through_proxy = Dialer::new(&config, Some(shop.tor.clone()));
    for dialer in [&arti, &through_proxy] {
        until("a forward that stands is found", async || {
            let verdict = try_port(dialer, "127.0.0.1", taken).await;
            assert_ne!(verdict, PortVerdict::Silent, "it accepts connections");
            verdict == PortVerdict::Answers
        })
        .await;
    }
    until("a free port is found free", async || {
        let verdict = try_port(&arti, "127.0.0.1", unused).await;
        assert_ne!(verdict, PortVerdict::Answers, "nothing is there");
        verdict == PortVerdict::Silent
    })
    .await;
    // C Tor does not always say that a port was refused: then nothing is known of it, and it is not sold.
    assert_ne!(try_port(&through_proxy, "127.0.0.1", unused).await, PortVerdict::Answers);
}
