//! What befalls operators, with the real program: a restore that is killed, an onion key that is lost, things pasted
//! wrongly, and a command beside a running shop.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use ip2tor_lnd_simulator::{Options, Running as LndRunning, Simulator};
use serde_json::Value;

const BIN: &str = env!("CARGO_BIN_EXE_ip2tor-shop");

/// A network that does not exist: Tor starts, and reaches nobody.
const NO_NETWORK: &str = "[onion.arti.tor_network]\n\
    authorities = { v3idents = [\"0000000000000000000000000000000000000001\"] }\n\
    fallback_caches = [{ rsa_identity = \"0000000000000000000000000000000000000001\", \
    ed_identity = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\", orports = [\"127.0.0.1:1\"] }]\n";

/// A folder with a configuration and the data of a shop.
struct Shop(tempfile::TempDir);

impl Shop {
    fn new(more: &str) -> Self {
        let shop = Self(tempfile::tempdir().unwrap());
        let data = shop.data();
        let config = format!("data_dir = {:?}\n[http]\nlisten = \"127.0.0.1:0\"\n{more}", data.to_str().unwrap());
        std::fs::write(shop.config(), config).unwrap();
        shop
    }

    fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("config.toml")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(BIN);
        command.args(args).arg("--config").arg(self.config()).env_remove("RUST_LOG");
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.run(&[args, &["--json"]].concat());
        assert!(output.status.success(), "{args:?}: {}", text(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn refusal(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", text(&output));
        text(&output)
    }

    /// Starts the shop; returns when it answers, with what it says of itself.
    fn start(&self) -> (Running, Value) {
        let log = std::fs::File::create(self.0.path().join("log")).unwrap();
        let mut process = self.command(&["serve", "--json"]).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut told = serde_json::Deserializer::from_reader(process.stdout.take().unwrap()).into_iter::<Value>();
        let running = Running(process);
        let told = told.next().unwrap_or_else(|| panic!("{}", self.log())).unwrap();
        (running, told)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.0.path().join("log")).unwrap()
    }
}

/// A running shop; killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

/// What the shop says of its onion key, beside whatever else there is to say.
fn onion_alert(shop: &Shop) -> Option<String> {
    let alerts = shop.json(&["alerts"]);
    let alert = alerts.as_array().unwrap().iter().find(|alert| alert["topic"] == "onion_key_lost")?;
    Some(alert["text"].as_str().unwrap().to_owned())
}

fn answers(told: &Value) -> bool {
    let address = told["shop_url"].as_str().unwrap().strip_prefix("http://").unwrap();
    std::net::TcpStream::connect(address).is_ok()
}

#[test]
fn a_restore_that_is_killed_leaves_the_old_shop_or_the_new_one_and_never_an_empty_one() {
    let from = Shop::new("[onion]\nenabled = false\n");
    from.json(&["operator", "add", "new", "--role", "administrator"]);
    let file = from.json(&["backup", "create"])["file"].as_str().unwrap().to_owned();
    let mut after_the_decision = 0;
    for round in 0..12 {
        let shop = Shop::new("[onion]\nenabled = false\n");
        shop.json(&["operator", "add", "old", "--role", "administrator"]);
        let restore = ["backup", "restore", file.as_str(), "--force"];
        let mut process = shop.command(&restore).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // At another moment each time: when the copy appears, when it is decided, or when the old one is away.
        let sign = [
            shop.data().join("shop.sqlite3.restoring"),
            shop.data().join("restore.pending"),
            shop.data().join("restore.pending.new"),
        ][round % 3]
            .clone();
        while process.try_wait().unwrap().is_none() && !sign.exists() {
            std::hint::spin_loop();
        }
        let _ = process.kill();
        process.wait().unwrap();
        after_the_decision += usize::from(shop.data().join("restore.pending").exists());
        let operators = shop.json(&["operator", "list"]);
        let names: Vec<_> =
            operators.as_array().unwrap().iter().map(|operator| operator["name"].as_str().unwrap()).collect();
        assert!(names == ["old"] || names == ["new"], "round {round}: {names:?}");
        assert!(!shop.data().join("restore.pending").exists());
    }
    eprintln!("{after_the_decision} of 12 were killed between the decision and the end");
}

#[test]
fn a_lost_onion_key_stops_the_onion_part_alone_and_comes_back_from_the_backup_that_the_alert_names() {
    let shop = Shop::new(NO_NETWORK);
    shop.json(&["operator", "add", "anna", "--role", "administrator"]);
    let (running, told) = shop.start();
    let address = told["onion"].as_str().unwrap().to_owned();
    drop(running);
    let backup = shop.json(&["backup", "create"])["file"].as_str().unwrap().to_owned();
    std::fs::remove_dir_all(shop.data().join("tor")).unwrap();

    let (running, told) = shop.start();
    assert!(told["onion"].is_null() && answers(&told), "{told}");
    let alert = shop.json(&["alerts"])[0].clone();
    assert_eq!(alert["topic"], "onion_key_lost", "{alert}");
    let says = alert["text"].as_str().unwrap();
    assert!(says.contains(&address) && says.contains(&format!("onion import {backup}")), "{says}");
    assert!(shop.refusal(&["onion", "address"]).contains(&address));
    assert!(text(&shop.run(&["doctor"])).contains("is gone"));
    assert!(shop.refusal(&["onion", "import", &backup]).contains("stop it first"));
    drop(running);

    assert_eq!(shop.json(&["onion", "import", &backup])["address"], address.as_str());
    let (running, told) = shop.start();
    assert_eq!(told["onion"], address.as_str());
    assert_eq!(shop.json(&["alerts"]), serde_json::json!([]));
    drop(running);

    // Another nickname has no key; a database without its folder has none either.
    let config = std::fs::read_to_string(shop.config()).unwrap();
    std::fs::write(shop.config(), config.replace("[onion.arti", "[onion]\nnickname = \"another\"\n[onion.arti"))
        .unwrap();
    let (running, told) = shop.start();
    assert!(told["onion"].is_null());
    let says = shop.json(&["alerts"])[0]["text"].as_str().unwrap().to_owned();
    assert!(says.contains("set onion.nickname = \"shop\""), "{says}");
    drop(running);

    assert_eq!(shop.json(&["onion", "reset", "--yes-lose-the-address"])["lost"], address.as_str());
    let (running, told) = shop.start();
    assert!(told["onion"].as_str().is_some_and(|new| new != address), "{told}");
    drop(running);
    let other = shop.json(&["onion", "address"])["address"].clone();
    assert!(shop.refusal(&["onion", "import", &backup]).contains(other.as_str().unwrap()));
}

/// Puts what `broken` makes in the place of `path`, and gives back how to undo it.
fn instead_of<T: Fn(&Path)>(path: &Path, broken: T) -> impl FnOnce() + use<T> {
    let (path, aside) = (path.to_owned(), path.with_extension("aside"));
    std::fs::rename(&path, &aside).unwrap();
    broken(&path);
    move || {
        std::fs::remove_file(&path).unwrap();
        std::fs::rename(&aside, &path).unwrap();
    }
}

#[test]
fn a_broken_way_to_the_onion_key_stops_the_onion_part_alone_and_is_told_as_what_it_is() {
    const KEY: &str = "tor/keystore/hss/shop/ks_hs_id.ed25519_expanded_private";
    let shop = Shop::new(NO_NETWORK);
    shop.json(&["operator", "add", "anna", "--role", "administrator"]);
    let (running, told) = shop.start();
    let address = told["onion"].as_str().unwrap().to_owned();
    drop(running);
    let link = |path: &Path| std::os::unix::fs::symlink("/nowhere/usb", path).unwrap();
    let file = |path: &Path| std::fs::write(path, "").unwrap();
    let fifo = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    let links = ["tor", "tor/keystore", "tor/keystore/hss/shop", KEY].map(|path| (path, &link as &dyn Fn(&Path)));
    let files = ["tor", "tor/keystore", "tor-cache"].map(|path| (path, &file as &dyn Fn(&Path)));
    for (path, broken) in links.into_iter().chain(files).chain([(KEY, &fifo as &dyn Fn(&Path))]) {
        let undo = instead_of(&shop.data().join(path), broken);
        let (running, told) = shop.start();
        assert!(told["onion"].is_null() && answers(&told), "{path}: {told}");
        let says = onion_alert(&shop).unwrap();
        assert!(says.contains(path) && says.contains("is off") && !says.contains("is gone"), "{path}: {says}");
        drop(running);
        undo();
    }
    let (running, told) = shop.start();
    assert_eq!(told["onion"], address.as_str());
    assert_eq!(onion_alert(&shop), None);
    drop(running);

    // The first start of all, with a folder for Tor that can't be made.
    let new = Shop::new(&format!("[onion]\nstate_dir = \"/dev/null/tor\"\n{NO_NETWORK}"));
    let (_running, told) = new.start();
    assert!(told["onion"].is_null() && answers(&told), "{told}");
    assert!(onion_alert(&new).unwrap().contains("/dev/null"));
}

#[test]
fn an_onion_key_of_another_user_is_to_be_given_back_and_is_not_called_lost() {
    let shop = Shop::new(NO_NETWORK);
    shop.json(&["operator", "add", "anna", "--role", "administrator"]);
    drop(shop.start());
    for path in ["tor/keystore/hss/shop/ks_hs_id.ed25519_expanded_private", "tor"] {
        let path = shop.data().join(path);
        if std::os::unix::fs::chown(&path, Some(4_000_000), None).is_err() {
            return; // only root may give a file away
        }
        let (_running, told) = shop.start();
        assert!(told["onion"].is_null() && answers(&told), "{told}");
        let says = onion_alert(&shop).unwrap();
        assert!(says.contains("sudo chown -R ") && says.contains(path.to_str().unwrap()), "{says}");
        assert!(!says.contains("is gone") && !says.contains("onion reset"), "{says}");
        std::os::unix::fs::chown(
            &path,
            Some(std::os::unix::fs::MetadataExt::uid(&shop.0.path().metadata().unwrap())),
            None,
        )
        .unwrap();
    }
}

#[test]
fn a_data_folder_that_root_has_copied_is_told_in_one_round() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65_534;
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("config.toml"), "").unwrap();
    for (path, mode) in [(dir.path(), 0o755), (data.as_path(), 0o700)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    if data.metadata().unwrap().uid() != 0 {
        return; // only root may run a command as another user
    }
    let mut command = Command::new(BIN);
    command.args(["operator", "list", "--data-dir"]).arg(&data).uid(NOBODY).gid(NOBODY);
    let Ok(output) = command.output() else { return }; // the program lies where nobody else may run it
    let says = text(&output);
    assert!(says.contains("sudo chown -R ") && says.contains(&format!(": {})", data.display())), "{says}");
    assert!(!says.contains("config.toml") && !says.contains("chgrp"), "{says}");
}

#[test]
fn a_key_that_may_not_be_read_is_not_called_damaged_and_not_reset() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65_534;
    let shop = Shop::new(NO_NETWORK);
    shop.json(&["operator", "add", "anna", "--role", "administrator"]);
    drop(shop.start());
    if shop.data().metadata().unwrap().uid() != 0 {
        return; // only root may run a command as another user
    }
    let key = shop.data().join("tor/keystore/hss/shop/ks_hs_id.ed25519_expanded_private");
    std::fs::set_permissions(shop.0.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    assert!(Command::new("chown").args(["-R", "65534:65534"]).arg(shop.data()).status().unwrap().success());
    std::os::unix::fs::chown(&key, Some(0), Some(0)).unwrap();
    for args in [&["onion", "address"][..], &["onion", "reset", "--yes-lose-the-address"], &["doctor"]] {
        let mut command = shop.command(args);
        let Ok(output) = command.uid(NOBODY).gid(NOBODY).output() else { return };
        let says = text(&output);
        assert!(says.contains("sudo chown -R ") && !says.contains("damaged"), "{args:?}: {says}");
    }
    assert!(key.exists());
}

#[test]
fn an_expired_certificate_that_is_stored_untested_is_told() {
    let shop = Shop::new("[onion]\nenabled = false\n");
    shop.json(&["operator", "add", "anna", "--role", "administrator"]);
    let files = tempfile::tempdir().unwrap();
    let (certificate, macaroon) = (files.path().join("tls.cert"), files.path().join("macaroon"));
    let mut params = rcgen::CertificateParams::new(vec!["node.example".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2020, 1, 2);
    let key = rcgen::KeyPair::generate().unwrap();
    std::fs::write(&certificate, params.self_signed(&key).unwrap().pem()).unwrap();
    let rights = [("invoices", "read"), ("invoices", "write")];
    let minted = ip2tor_shop::lightning::macaroon::Macaroon::mint(b"root", b"0", [7; 16], &rights);
    std::fs::write(&macaroon, minted.encode()).unwrap();
    let (certificate, macaroon) = (certificate.to_str().unwrap(), macaroon.to_str().unwrap());
    let files = ["--certificate-file", certificate, "--macaroon-file", macaroon];
    let added = shop.run(&[&["node", "add", "--untested", "--host=node.example"][..], &files].concat());
    assert!(added.status.success(), "{}", text(&added));
    assert!(text(&added).contains("warning: the certificate has ended on 2020-01-02"), "{}", text(&added));
}

#[test]
fn what_is_pasted_is_refused_where_it_is_given_with_its_flag() {
    let shop = Shop::new("[onion]\nenabled = false\n");
    shop.json(&["operator", "add", "anna", "--role", "administrator"]);
    let file = |name: &str, content: &[u8]| {
        let path = shop.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let macaroon = ip2tor_shop::lightning::macaroon::Macaroon::mint(b"root", b"0", [7; 16], &[("invoices", "write")]);
    let hex = hex::encode(macaroon.encode());
    let good = file("good", format!("\u{feff}\"{hex}\"\r\n").as_bytes());
    let half = file("half", &hex.as_bytes()[..40]);
    let key = file("key", b"-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n");
    for (args, says) in [
        (&["--host=127.0.0.1", "--macaroon-file", &half][..], "--macaroon-file"),
        (&["--host=127.0.0.1", "--macaroon-file", &good, "--certificate-file", &key], "--certificate-file"),
        (&["--host=https://node.example", "--macaroon-file", &good], "--host"),
        (&["--host=[::1]:10009", "--macaroon-file", &good], "--host"),
        (&["--host=127.0.0.1", "--details-macaroon-file", &key, "--macaroon-file", &good], "--details-macaroon-file"),
    ] {
        let refusal = shop.refusal(&[&["node", "add"], args].concat());
        assert!(refusal.contains(says), "{args:?}: {refusal}");
    }
    assert_eq!(shop.json(&["node", "list"]), serde_json::json!([]));
    let password = file("password", "\u{feff}  correct horse \r\nfrom the manager\r\n".as_bytes());
    shop.json(&["operator", "add", "bert", "--password-file", &password]);
    let blank = file("blank", b"\nsecret\n");
    assert!(shop.refusal(&["operator", "add", "carl", "--password-file", &blank]).contains("first line is empty"));
    let level = file("level.toml", b"[log]\nlevel = \"verbose\"\n");
    let output = Command::new(BIN).args(["check-config", "--config", &level]).output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(text(&output).contains("log.level"), "{}", text(&output));
}

#[test]
fn checking_a_node_beside_a_running_shop_changes_nothing_of_what_it_sells() {
    let shop = Shop::new("[onion]\nenabled = false\n");
    shop.json(&["operator", "add", "anna", "--role", "administrator"]);
    let file = shop.0.path().join("macaroon");
    let rights = [("invoices", "read"), ("invoices", "write"), ("info", "read")];
    let macaroon = ip2tor_shop::lightning::macaroon::Macaroon::mint(b"root", b"0", [7; 16], &rights);
    std::fs::write(&file, macaroon.encode()).unwrap();
    // A node that this command can't reach; the shop may.
    let database = rusqlite::Connection::open(shop.data().join("shop.sqlite3")).unwrap();
    let add = "INSERT INTO node (id, operator_id, kind, name, host, port, macaroon_file, is_alive, checked_at, network, \
               created_at, modified_at) SELECT x'11111111111111111111111111111111', id, 'lnd_grpc', 'n', '127.0.0.1', 1, \
               ?, 1, 1, 'mainnet', 0, 0 FROM operator";
    database.execute(add, [file.to_str().unwrap()]).unwrap();
    let stored = || -> (bool, Option<String>) {
        let row = "SELECT is_alive, last_error FROM node";
        database.query_row(row, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    let running = std::fs::File::create(shop.data().join("instance.lock")).unwrap();
    running.try_lock().unwrap();
    let checked = shop.run(&["node", "check"]);
    assert_eq!((checked.status.code(), stored()), (Some(1), (true, None)), "{}", text(&checked));
    assert!(text(&checked).contains("refused"), "it is told all the same: {}", text(&checked));
    assert_eq!(shop.json(&["alerts"]), serde_json::json!([]));
    drop(running);
    shop.run(&["node", "check"]);
    assert!(!stored().0, "without a running shop it is stored");
}

#[test]
fn a_command_of_a_newer_version_leaves_the_tables_of_a_running_shop_alone() {
    let shop = Shop::new("[onion]\nenabled = false\n");
    shop.json(&["operator", "add", "anna", "--role", "administrator"]);
    let database = rusqlite::Connection::open(shop.data().join("shop.sqlite3")).unwrap();
    let newest =
        "DELETE FROM refinery_schema_history WHERE version = (SELECT max(version) FROM refinery_schema_history)";
    database.execute(newest, []).unwrap();
    let running = std::fs::File::create(shop.data().join("instance.lock")).unwrap();
    running.try_lock().unwrap();
    assert!(shop.refusal(&["operator", "list"]).contains("restart the shop"));
}

#[test]
fn an_empty_or_useless_rust_log_does_not_silence_the_shop() {
    for value in ["", "verbose"] {
        let shop = Shop::new("[onion]\nenabled = false\n");
        let log = std::fs::File::create(shop.0.path().join("log")).unwrap();
        let mut command = shop.command(&["serve", "--json"]);
        let mut process = command.env("RUST_LOG", value).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut told = serde_json::Deserializer::from_reader(process.stdout.take().unwrap()).into_iter::<Value>();
        let running = Running(process);
        told.next().unwrap().unwrap();
        drop(running);
        assert!(shop.log().contains("the shop answers"), "RUST_LOG={value:?}: {}", shop.log());
        assert_eq!(shop.log().contains("RUST_LOG is not used"), !value.is_empty());
    }
}

#[test]
fn a_folder_in_place_of_a_backup_is_answered_with_the_newest_one_in_it() {
    let shop = Shop::new("[onion]\nenabled = false\n");
    shop.json(&["operator", "add", "anna", "--role", "administrator"]);
    let file = shop.json(&["backup", "create"])["file"].as_str().unwrap().to_owned();
    let folder = Path::new(&file).parent().unwrap().to_str().unwrap();
    assert!(shop.refusal(&["backup", "restore", folder, "--force"]).contains(&file));
}

/// A simulated node that lives in this process, as long as its runtime does, and the flags that name it.
fn lnd(shop: &Shop, name: &str) -> (tokio::runtime::Runtime, LndRunning, Vec<String>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = shop.0.path().join(name);
    let node = runtime.block_on(Simulator::start(Options::new(([127, 0, 0, 1], 0).into(), folder.clone()))).unwrap();
    let flags = vec![
        format!("--port={}", node.local_addr().port()),
        format!("--certificate-file={}", folder.join("tls.cert").display()),
        format!("--macaroon-file={}", folder.join("shop.macaroon").display()),
    ];
    (runtime, node, flags)
}

fn with<'a>(args: &[&'a str], flags: &'a [String]) -> Vec<&'a str> {
    args.iter().copied().chain(flags.iter().map(String::as_str)).collect()
}

/// A shop that may sell by nodes on regtest.
fn on_regtest() -> Shop {
    let shop = Shop::new("[onion]\nenabled = false\n[lightning]\nallow_regtest = true\n");
    shop.json(&["operator", "add", "anna", "--role", "administrator"]);
    shop
}

#[test]
fn a_node_whose_clock_is_behind_is_told_when_it_is_added_and_does_not_pass_its_check() {
    let shop = on_regtest();
    let (_runtime, node, flags) = lnd(&shop, "lnd");
    node.node().set_clock_ahead(-3600);
    let added = shop.run(&with(&["node", "add", "--host=127.0.0.1"], &flags));
    assert!(added.status.success() && text(&added).contains("its clock is -36"), "{}", text(&added));
    let checked = shop.run(&["node", "check"]);
    assert_eq!(checked.status.code(), Some(1), "{}", text(&checked));
    assert!(text(&checked).contains("clocks apart"), "{}", text(&checked));
    assert_eq!(shop.json(&["alerts"])[0]["topic"], "clocks_apart");
    assert!(text(&shop.run(&["doctor"])).contains("this machine's clock says"));
}

#[test]
fn a_node_is_not_pointed_to_another_wallet_while_it_is_not_known_what_the_first_has_paid() {
    let shop = on_regtest();
    let (_first_runtime, _first, flags) = lnd(&shop, "first");
    let added = shop.json(&with(&["node", "add", "--host=127.0.0.1"], &flags));
    let (id, port) = (added["id"].as_str().unwrap(), added["port"].clone());
    shop.json(&["node", "check", id]);
    let database = rusqlite::Connection::open(shop.data().join("shop.sqlite3")).unwrap();
    database
        .execute_batch(
            "PRAGMA foreign_keys = OFF; INSERT INTO refund (payment_hash, order_id, node_id, bolt11, amount, fee_limit, \
             state, created_at, modified_at) SELECT zeroblob(32), zeroblob(16), id, '', 1, 1, 'intended', 0, 0 FROM node",
        )
        .unwrap();
    let (_second_runtime, _second, flags) = lnd(&shop, "second");
    let refused = shop.refusal(&with(&["node", "set", id, "--moved"], &flags));
    assert!(refused.contains("another node") && refused.contains("Nothing was stored"), "{refused}");
    assert_eq!(shop.json(&["node", "list"])[0]["port"], port);
}
