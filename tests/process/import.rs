//! `import old-shop` as an operator types it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::live::process::Process;

const BIN: &str = env!("CARGO_BIN_EXE_ip2tor-shop");

/// A network that does not exist: Tor starts, and reaches nobody.
const NO_NETWORK: &str = "[onion.arti.tor_network]\n\
    authorities = { v3idents = [\"0000000000000000000000000000000000000001\"] }\n\
    fallback_caches = [{ rsa_identity = \"0000000000000000000000000000000000000001\", \
    ed_identity = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\", orports = [\"127.0.0.1:1\"] }]\n";

pub fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/old_shop.json")
}

pub fn run(dir: &Path, args: &[&str]) -> Output {
    let place = ["--data-dir", dir.to_str().unwrap()];
    Command::new(BIN).args(args).args(place).env_remove("RUST_LOG").output().unwrap()
}

pub fn import(dir: &Path, dump: &Path, more: &[&str]) -> Output {
    run(dir, &[&["import", "old-shop", dump.to_str().unwrap()], more].concat())
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_dry_run_makes_nothing_and_the_real_one_makes_the_shop_and_its_report_once() {
    let dir = tempfile::tempdir().unwrap();
    let rehearsed = import(dir.path(), &sample(), &[]);
    assert!(rehearsed.status.success(), "{}", stderr(&rehearsed));
    assert!(stdout(&rehearsed).contains("Nothing was changed"), "{}", stdout(&rehearsed));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "no database is made for a look");

    let done = import(dir.path(), &sample(), &["--yes", "--json"]);
    assert!(done.status.success(), "{}", stderr(&done));
    let document: Value = serde_json::from_slice(&done.stdout).unwrap();
    let count = |list: &str| document[list].as_array().unwrap().len();
    assert_eq!((document["done"].as_bool(), count("taken") + count("dropped")), (Some(true), 44));
    let report = Path::new(document["report"].as_str().unwrap());
    assert_eq!(report.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(report).unwrap();
    for object in document["dropped"].as_array().unwrap() {
        assert!(text.contains(object["pk"].as_str().unwrap()), "{object}");
    }

    let again = import(dir.path(), &sample(), &["--yes"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("not empty (2 operators"), "{}", stderr(&again));
    assert!(stderr(&import(dir.path(), &sample(), &[])).contains("--yes would be refused"));
    let bridges = run(dir.path(), &["bridge", "list", "--json"]);
    let bridges: Value = serde_json::from_slice(&bridges.stdout).unwrap();
    assert_eq!(bridges.as_array().unwrap().len(), 3, "two bridges and an alias: {bridges}");
}

#[test]
fn files_that_are_not_what_was_asked_for_are_told_as_what_is_wrong_and_make_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let shop = dir.path().join("shop");
    let file = dir.path().join("dump.json");
    let refusal = |more: &[&str]| {
        let refused = import(&shop, &file, &[more, &["--yes"]].concat());
        assert_eq!(refused.status.code(), Some(1), "{}", stdout(&refused));
        assert!(!shop.exists(), "nothing is made");
        stderr(&refused)
    };
    assert!(refusal(&[]).contains("can't read"));
    let whole = std::fs::read(sample()).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    assert!(refusal(&[]).contains("is cut off (line"));
    std::fs::write(&file, "SQLite format 3\0").unwrap();
    assert!(refusal(&[]).contains("not what `dumpdata` writes"));
    let hostile = String::from_utf8(whole.clone()).unwrap().replace("\"203.0.113.7\"", "\"\\u001b[2J0.0.0.0\"");
    std::fs::write(&file, hostile).unwrap();
    let told = refusal(&[]);
    assert!(told.contains("is the address of no machine") && !told.contains('\u{1b}'), "{told}");
    std::fs::write(&file, &whole).unwrap();
    assert!(refusal(&["--env", "/dev/zero"]).contains("no regular file"));
    let key = dir.path().join("key");
    std::fs::write(&key, "not a key").unwrap();
    assert!(refusal(&["--onion-key", key.to_str().unwrap()]).contains("hs_ed25519_secret_key"));
}

/// A key as the Tor of the old shop keeps it.
fn old_key(dir: &Path) -> PathBuf {
    let key = dir.join("hs_ed25519_secret_key");
    let mut content = b"== ed25519v1-secret: type0 ==\0\0\0".to_vec();
    content.extend((0..64).map(|byte: u8| byte * 3 + 8));
    content[32] &= 248;
    content[63] = content[63] & 127 | 64;
    std::fs::write(&key, content).unwrap();
    key
}

/// Starts the shop; returns when it answers, with what it says of itself.
pub fn serve(dir: &Path) -> (Process, Value) {
    let mut command = Command::new(BIN);
    command.args(["serve", "--json", "--data-dir", dir.to_str().unwrap()]).env_remove("RUST_LOG");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let told = serde_json::Deserializer::from_reader(child.stdout.take().unwrap()).into_iter::<Value>().next();
    (Process::adopt(child, &dir.join("log")), told.unwrap().unwrap())
}

/// Runs the shop until it answers; returns its onion address.
fn served(dir: &Path) -> String {
    serve(dir).1["onion"].as_str().unwrap().to_owned()
}

#[test]
fn the_onion_address_of_the_old_shop_is_taken_over_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let shop = dir.path().join("shop");
    let key = old_key(dir.path());
    let key = key.to_str().unwrap();
    let rehearsed = import(&shop, &sample(), &["--onion-key", key, "--json"]);
    let rehearsed: Value = serde_json::from_slice(&rehearsed.stdout).unwrap();
    assert!(!shop.exists(), "the key is only read");
    let done = import(&shop, &sample(), &["--onion-key", key, "--yes", "--json"]);
    assert!(done.status.success(), "{}", stderr(&done));
    let done: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert!(done["onion_address"].as_str().unwrap().ends_with(".onion"), "{done}");
    assert_eq!(done["onion_address"], rehearsed["onion_address"]);
    let address = run(&shop, &["onion", "address"]);
    assert_eq!(stdout(&address).trim(), done["onion_address"].as_str().unwrap());
}

#[test]
fn an_empty_shop_that_has_run_gives_its_address_up_for_that_of_the_old_shop() {
    let dir = tempfile::tempdir().unwrap();
    let shop = dir.path().join("shop");
    std::fs::create_dir(&shop).unwrap();
    std::fs::set_permissions(&shop, std::fs::Permissions::from_mode(0o700)).unwrap();
    std::fs::write(shop.join("config.toml"), format!("[http]\nlisten = \"127.0.0.1:0\"\n{NO_NETWORK}")).unwrap();
    let own = served(&shop);
    let key = old_key(dir.path());
    let key = key.to_str().unwrap();
    let rehearsed = import(&shop, &sample(), &["--onion-key", key]);
    let told = stderr(&rehearsed);
    assert!(rehearsed.status.success() && told.contains(&own) && told.contains("gives it up"), "{told}");
    assert_eq!(stdout(&run(&shop, &["onion", "address"])).trim(), own, "a look changes nothing");

    let done = import(&shop, &sample(), &["--onion-key", key, "--yes", "--json"]);
    assert!(done.status.success(), "{}", stderr(&done));
    let done: Value = serde_json::from_slice(&done.stdout).unwrap();
    let address = done["onion_address"].as_str().unwrap();
    assert_ne!(address, own);
    assert_eq!(served(&shop), address, "the shop comes up with it");
    let again = import(&shop, &sample(), &["--onion-key", key, "--yes"]);
    assert!(stderr(&again).contains("not empty"), "{}", stderr(&again));
    assert_eq!(stdout(&run(&shop, &["onion", "address"])).trim(), address);
}

#[test]
fn a_shop_that_runs_takes_nothing_over() {
    let dir = tempfile::tempdir().unwrap();
    let lock = ip2tor_shop::services::instance::InstanceLock::take(dir.path()).unwrap();
    let refused = import(dir.path(), &sample(), &["--yes"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("stop it first"), "{}", stderr(&refused));
    drop(lock);
    assert!(import(dir.path(), &sample(), &["--yes"]).status.success());
}
