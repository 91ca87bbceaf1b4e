//! A shop that runs as another user than lightningd, whose folders are closed to others.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::process::{Command, Output};

use super::scenes;
use crate::live::process::BIN;
use crate::shop::{Shop, said};

/// Anybody else than lightningd's user: the user and the group `nobody`.
const OTHER: u32 = 65_534;

scenes! {
    /// What `docs/OPERATING.md` says of it, as far as it says that this works.
    fn a_closed_folder_is_named_and_a_socket_elsewhere_lets_the_shop_in(network) {
        let shop = Shop::prepare("");
        if std::fs::metadata(shop.dir.path()).unwrap().uid() != 0 {
            println!("not run: only root can ask as another user");
            return;
        }
        give_away(&shop);
        // The folder of the tests is none of lightningd's.
        let tests = network.cln.dir.parent().unwrap().to_owned();
        set_mode(&tests, 0o755);
        network.restart_cln(&["--rpc-file-mode=0666"]);
        let refused = add(&shop, &network.cln.socket());
        let closed = format!("the folder {} is closed", network.cln.dir.join("regtest").display());
        assert!(!refused.status.success() && said(&refused).contains(&closed), "{}", said(&refused));

        let folder = tests.join("socket");
        std::fs::create_dir_all(&folder).unwrap();
        chown(&folder, Some(0), Some(OTHER)).unwrap();
        set_mode(&folder, 0o2750);
        let file = format!("--rpc-file={}", folder.join("lightning-rpc").display());
        network.restart_cln(&[&file]);
        let refused = add(&shop, &network.cln.socket());
        assert!(!refused.status.success() && said(&refused).contains("rpc-file-mode=0660"), "{}", said(&refused));
        network.restart_cln(&[&file, "--rpc-file-mode=0660"]);
        let added = add(&shop, &network.cln.socket());
        assert!(added.status.success(), "{}", said(&added));
    }
}

/// Makes a prepared shop the other user's, with a copy of the program, which may lie where they can't look.
fn give_away(shop: &Shop) {
    std::fs::copy(BIN, shop.dir.path().join("ip2tor-shop")).unwrap();
    let all = Command::new("chown").arg("-R").arg(format!("{OTHER}:{OTHER}")).arg(shop.dir.path()).status();
    assert!(all.unwrap().success());
}

/// Adds the node as the other user.
fn add(shop: &Shop, socket: &Path) -> Output {
    let mut command = Command::new("setpriv");
    command.args([format!("--reuid={OTHER}"), format!("--regid={OTHER}"), "--clear-groups".to_owned()]);
    command.arg(shop.dir.path().join("ip2tor-shop")).args(["node", "add", "--kind", "cln", "--host"]).arg(socket);
    command.arg("--config").arg(shop.dir.path().join("config.toml")).env_remove("RUST_LOG");
    command.output().unwrap()
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
