//! The operators' own onion service: who is not on its list can't even find it.

use std::time::Duration;

use data_encoding::BASE32_NOPAD;
use tor_llcrypto::pk::curve25519::{PublicKey, StaticSecret};

use crate::onion_shop::client::Client;
use crate::onion_shop::process::ShopProcess;
use crate::onion_shop::world::World;
use crate::tor_network::TorNetwork;

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_service_admits_authorized_clients_only() {
    let Some(network) = TorNetwork::shared() else { return };
    let mut world = World::new(network, "admin").await;
    world.set("onion.admin", "enabled", true);
    let nobody = ShopProcess::fails(&world.config()).await;
    assert!(nobody.contains("onion authorize NAME KEY"), "{nobody}");

    let secret = StaticSecret::from([7; 32]);
    let public = BASE32_NOPAD.encode(PublicKey::from(&secret).as_bytes());
    world.command(&["onion", "authorize", "laptop", &format!("descriptor:x25519:{public}")]).unwrap();
    let shop = ShopProcess::start(&world.config()).await;
    let address = world.command(&["onion", "address", "--admin"]).unwrap();
    assert_ne!(address, world.onion());

    let name = address.strip_suffix(".onion").unwrap();
    let key = format!("{name}:descriptor:x25519:{}", BASE32_NOPAD.encode(&secret.to_bytes()));
    let laptop = network.client("laptop", &key);
    let authorized = Client::through(laptop.socks, &address, "operator");
    assert_eq!(authorized.ask(&[], "/healthz").await.status, 200, "the laptop is admitted");
    let stranger = Client::through_tor(network, &address, "stranger");
    let refused = stranger.attempt(&[], "/healthz", Duration::from_secs(20)).await;
    assert!(refused.is_err(), "{refused:?}");

    let ready = Client::over_tcp(shop.tcp).ask(&[], "/readyz").await;
    assert!(ready.body.contains("bootstrap") && !ready.body.contains(name), "{ready:?}");
    assert!(!ready.body.contains(".onion"), "without onion_location clearnet does not learn of the address: {ready:?}");
}
