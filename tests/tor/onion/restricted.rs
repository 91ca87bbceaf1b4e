//! The admin's onion service: only clients on the list can find it.

use std::path::Path;

use arti_client::TorClient;
use arti_client::config::TorClientConfigBuilder;
use ip2tor_shop::onion::{AuthorizedClients, DialError, Isolation, Tor, authorized, keys};
use tor_keymgr::KeystoreSelector;

use crate::onion::shop::{fetch, fetch_once, insist, serve, settings, visitor};
use crate::tor_network::{TorNetwork, c_tor_address};

/// Makes a key for finding the service at `address` in the state of a client; its public half.
fn make_client_key(dir: &Path, address: &str) -> String {
    let config = TorClientConfigBuilder::from_directories(dir.join("state"), dir.join("cache")).build().unwrap();
    let client = TorClient::builder().config(config).create_inert().unwrap();
    let address = address.parse().unwrap();
    client.generate_service_discovery_key(KeystoreSelector::Primary, address).unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restricted_service_admits_authorized_clients_only() {
    let Some(network) = TorNetwork::shared() else { return };
    let (dir, laptop_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let config = settings(network, dir.path());
    let service_dir = dir.path().join("key");
    let address = c_tor_address(&service_dir);
    let key = service_dir.join("hs_ed25519_secret_key");
    keys::import(&config.state_dir, "admin", &key, &std::fs::read(&key).unwrap(), None).unwrap();

    let tor = Tor::new(config.clone()).unwrap();
    let nobody = AuthorizedClients::for_admin(&config).unwrap();
    assert!(tor.launch("admin", 80, Some(nobody)).is_err(), "a list of nobody is a mistake");

    let key = make_client_key(laptop_dir.path(), &address);
    authorized::authorize(&config.state_dir, "admin", "laptop", &key).unwrap();
    let clients = AuthorizedClients::for_admin(&config).unwrap();
    let service = tor.launch("admin", 80, Some(clients)).unwrap();
    assert_eq!(service.address(), address);
    let _server = serve(service);

    let laptop = Tor::new(settings(network, laptop_dir.path())).unwrap();
    assert_eq!(fetch(&laptop, &address, "/healthz").await, "ok", "the laptop is admitted");
    let (_dir, stranger) = visitor(network).await;
    // A stranger asks all directories, one after the other: not in the time of a first attempt when
    // the machine is busy.
    insist("the stranger is refused", async |limit| {
        match fetch_once(&stranger, &address, "/healthz", Isolation::fresh(), limit).await {
            Ok(_) => panic!("a stranger must not get in"),
            Err(DialError::NeedsAuthorization) => Ok(()),
            Err(error) => Err(error),
        }
    })
    .await;
}
