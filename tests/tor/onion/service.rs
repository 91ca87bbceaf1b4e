//! Starting, reaching and restarting the shop's onion service.

use std::path::PathBuf;
use std::process::Command;

use ip2tor_shop::onion::{OnionConfig, Tor};

use crate::onion::shop::{LIMIT, Shop, fetch, settings, until, until_reachable, visitor};
use crate::tor_network::TorNetwork;

/// What `curl` gets through C-tor.
pub fn curl(network: &TorNetwork, url: &str) -> Result<String, String> {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--fail", "--max-time", "20"])
        .args(["--socks5-hostname", &network.socks().to_string(), url])
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shop_is_reachable_with_curl_through_c_tor_and_with_arti() {
    let Some(network) = TorNetwork::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::start(network, dir.path()).await;
    let (_dir, visitor) = visitor(network).await;
    until_reachable(&visitor, &shop.address).await;
    let url = format!("http://{}/healthz", shop.address);
    until("curl gets an answer", async || curl(network, &url).as_deref() == Ok("ok")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_is_known_at_once_and_progress_ends_at_ready() {
    let Some(network) = TorNetwork::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let tor = Tor::new(settings(network, dir.path())).unwrap();
    let mut progress = tor.bootstrap_progress();
    let service = tor.launch("shop", 80, None).unwrap();
    assert!(service.address().ends_with(".onion") && service.address().len() == 62, "{}", service.address());
    let last = tokio::time::timeout(LIMIT, progress.wait_for(|progress| progress.ready)).await;
    let last = last.expect("Tor is ready in time").unwrap();
    assert_eq!(last.percent, 100, "{last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_survives_a_restart_and_a_new_client() {
    let Some(network) = TorNetwork::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let first = Shop::start(network, dir.path()).await;
    let address = first.address.clone();
    drop(first);
    let second = Shop::start(network, dir.path()).await;
    assert_eq!(second.address, address);

    second.tor.replace_client(false).await.unwrap();
    until_reachable(&second.tor, &address).await;
    second.tor.replace_client(true).await.unwrap();
    assert!(dir.path().join("state/state/guards.json.aside").exists());
    until_reachable(&second.tor, &address).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_service_cannot_be_launched_twice() {
    let Some(network) = TorNetwork::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let tor = Tor::new(settings(network, dir.path())).unwrap();
    let service = tor.launch("shop", 80, None).unwrap();
    assert!(tor.launch("shop", 80, None).is_err_and(|error| error.to_string().contains("runs already")));
    drop(service);
    until("the nickname is free again", async || tor.launch("shop", 80, None).is_ok()).await;
}

/// The environment variable that tells a second process which state to try.
const SECOND_PROCESS: &str = "SECOND_PROCESS_STATE";

/// Plays the second process for the test below; passes when it is let in.
#[tokio::test]
#[ignore = "not a test of its own: the next one runs it in a second process"]
async fn a_second_process_tries_the_same_state() {
    let state_dir = PathBuf::from(std::env::var_os(SECOND_PROCESS).unwrap());
    let cache_dir = state_dir.with_file_name("second-cache");
    let config = OnionConfig { state_dir, cache_dir, ..OnionConfig::default() };
    if let Err(error) = Tor::new(config) {
        panic!("{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_state_is_refused() {
    let Some(network) = TorNetwork::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::start(network, dir.path()).await;
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "onion::service::a_second_process_tries_the_same_state"])
        .env(SECOND_PROCESS, dir.path().join("state"))
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("in use by another process: stop the other shop first"), "{said}");
    assert_eq!(fetch(&shop.tor, &shop.address, "/healthz").await, "ok", "the first one goes on");
}
