//! The address moves with its key: to an empty state directory, from C-tor and back.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use ip2tor_shop::onion::keys::{self, KeyFormat};

use crate::onion::shop::Shop;
use crate::tor_network::{TorNetwork, c_tor_address};

#[tokio::test(flavor = "multi_thread")]
async fn the_address_moves_with_an_exported_key_into_an_empty_state() {
    let Some(network) = TorNetwork::shared() else { return };
    let (old_dir, new_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let old = Shop::start(network, old_dir.path()).await;
    let address = old.address.clone();
    let backup = old_dir.path().join("backup");
    keys::export(&old_dir.path().join("state"), "shop", &backup, KeyFormat::Arti).unwrap();
    drop(old);

    assert_eq!(
        keys::import(&new_dir.path().join("state"), "shop", &backup, &std::fs::read(&backup).unwrap(), None).unwrap(),
        address
    );
    let new = Shop::start(network, new_dir.path()).await;
    assert_eq!(new.address, address);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_moves_from_c_tor_and_back() {
    let Some(network) = TorNetwork::shared() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (theirs, back) = (dir.path().join("theirs"), dir.path().join("back"));
    let address = c_tor_address(&theirs);

    let state = dir.path().join("state");
    let key = theirs.join("hs_ed25519_secret_key");
    assert_eq!(keys::import(&state, "shop", &key, &std::fs::read(&key).unwrap(), None).unwrap(), address);
    let shop = Shop::start(network, dir.path()).await;
    assert_eq!(shop.address, address);
    drop(shop);

    fs::create_dir(&back).unwrap();
    fs::set_permissions(&back, fs::Permissions::from_mode(0o700)).unwrap();
    keys::export(&state, "shop", &back.join("hs_ed25519_secret_key"), KeyFormat::CTor).unwrap();
    assert_eq!(c_tor_address(&back), address);
}
