//! Where commands work: data folders, configuration, backups, keys.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::{Shop, run, stderr, stdout};

#[test]
fn a_demo_never_touches_the_folder_of_another_shop() {
    let shop = Shop::with_operator();
    let refusal = shop.refusal(&["demo", "--listen", "127.0.0.1:0"]);
    assert!(refusal.contains("shop.sqlite3") && refusal.contains("--data-dir"), "{refusal}");
    assert_eq!(shop.json(&["operator", "list"]).as_array().unwrap().len(), 1);
    assert!(!shop.config().exists());

    let other = Shop::new();
    std::fs::write(other.config(), "[log]\nlevel = \"debug\"\n").unwrap();
    let output = run(&["demo", "--listen", "127.0.0.1:0", "--data-dir", other.0.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("config.toml"), "{}", stderr(&output));
    assert!(std::fs::read_to_string(other.config()).unwrap().contains("debug"));
}

#[test]
fn a_data_folder_brings_its_configuration_with_it() {
    let shop = Shop::with_operator();
    std::fs::write(shop.config(), "data_dir = \"/nowhere\"\n[http]\nlisten = 1\n").unwrap();
    let list = || run(&["operator", "list", "--data-dir", shop.0.path().to_str().unwrap()]);
    let refused = list();
    assert_eq!(refused.status.code(), Some(78));
    assert!(stderr(&refused).contains("http.listen"));
    std::fs::write(shop.config(), "data_dir = \"/nowhere\"\n").unwrap();
    assert!(stdout(&list()).contains("anna"), "the folder that is named is the one that is meant");
}

#[test]
fn a_command_about_no_shop_makes_none() {
    let shop = Shop::new();
    let missing = shop.0.path().join("missing");
    let output = run(&["host", "list", "--data-dir", missing.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(!missing.exists());
}

#[test]
fn a_data_folder_that_is_made_belongs_to_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let shop = Shop::new();
    let dir = shop.0.path().join("new");
    let output = run(&["operator", "add", "anna", "--data-dir", dir.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(std::fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn check_config_reports_all_problems_and_exits_with_78() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.toml");
    let check = |text: &str| {
        std::fs::write(&file, text).unwrap();
        run(&["check-config", "--json", "--config", file.to_str().unwrap()])
    };
    assert!(check("").status.success());
    let output = check("[http]\nlisten = 5\nspeed = 1\n[jobs]\nbackup = \"daily\"");
    assert_eq!(output.status.code(), Some(78));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let keys: Vec<_> = document["problems"].as_array().unwrap().iter().map(|problem| problem["key"].clone()).collect();
    assert_eq!(keys, ["http.listen", "http.speed", "jobs.backup"]);
    for key in ["http.listen", "http.speed", "jobs.backup"] {
        assert!(stderr(&output).contains(key));
    }
    assert_eq!(run(&["host", "list", "--config", file.to_str().unwrap()]).status.code(), Some(78));
    let wrong = [
        "data_dir = \"/a\\u0000b\"",
        "[log]\nlevel = \"ip2tor-shop=debug\"",
        "[http]\ntrusted_proxies = [\"::ffff:10.0.0.0/24\"]",
    ];
    for text in wrong {
        assert_eq!(check(text).status.code(), Some(78), "{text}");
    }
    assert!(check("[http]\ntrusted_proxies = [\"[::1]\", \"::ffff:10.0.0.5\"]").status.success());
}

#[test]
fn check_config_refuses_an_operators_service_that_nobody_may_find_as_serve_does() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("config.toml");
    let (data, file) = (dir.path().join("data"), file.to_str().unwrap());
    let text = format!("data_dir = {:?}\n[onion.admin]\nenabled = true", data.to_str().unwrap());
    std::fs::write(file, text).unwrap();
    let check = || run(&["check-config", "--json", "--config", file]);
    let output = check();
    assert_eq!(output.status.code(), Some(78));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["problems"][0]["key"], "onion.admin.clients", "{document}");
    let key = "descriptor:x25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    assert!(run(&["onion", "authorize", "laptop", key, "--config", file]).status.success());
    assert!(check().status.success());
}

#[test]
fn the_example_configuration_is_valid() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/config.example.toml");
    assert!(run(&["check-config", "--config", file.to_str().unwrap()]).status.success());
}

#[test]
fn an_onion_key_of_c_tor_is_taken_over_and_exported() {
    let shop = Shop::new();
    let key = shop.0.path().join("hs_ed25519_secret_key");
    let mut content = b"== ed25519v1-secret: type0 ==\0\0\0".to_vec();
    // An expanded key: a clamped scalar, and a prefix that may be anything.
    content.extend([8u8].iter().chain(&[7; 30]).chain(&[0x47]).chain(&[9; 32]));
    std::fs::write(&key, content).unwrap();
    shop.refusal(&["onion", "address"]);
    let imported = shop.json(&["onion", "import", key.to_str().unwrap()]);
    assert!(imported["address"].as_str().unwrap().ends_with(".onion"));
    assert_eq!(shop.json(&["onion", "address"]), imported);
    let copy = shop.0.path().join("copy");
    shop.json(&["onion", "export", copy.to_str().unwrap(), "--format", "c-tor"]);
    assert_eq!(Shop::new().json(&["onion", "import", copy.to_str().unwrap()]), imported);
    assert_eq!(shop.run(&["onion", "reset"]).status.code(), Some(2));
    assert_eq!(shop.json(&["onion", "reset", "--yes-lose-the-address"])["lost"], imported["address"]);
}

#[test]
fn a_backup_moves_a_shop_to_another_folder() {
    let old = Shop::with_operator();
    let host = old.json(&["host", "add", "--ip=192.0.2.1", "--name=one", "--port-range=20000-20099"]);
    let made = old.json(&["backup", "create"]);
    let file = made["file"].as_str().unwrap();
    assert_eq!(old.json(&["backup", "list"])[0]["file"], made["file"]);

    let new = Shop::new();
    let restored = new.json(&["backup", "restore", file]);
    assert_eq!(restored["onion_key"], false);
    assert_eq!(new.json(&["host", "list"])[0]["id"], host["id"]);
    assert!(new.refusal(&["backup", "restore", file]).contains("--force"));
    let forced = new.run(&["backup", "restore", file, "--force"]);
    assert!(stdout(&forced).contains("Moved aside") && stdout(&forced).contains("never run again"));
    assert!(new.refusal(&["backup", "restore", "/no/such/file"]).contains("/no/such/file"));
}

#[test]
fn a_backup_by_hand_says_when_it_takes_the_last_tenth_of_a_disk() {
    let shop = Shop::with_operator();
    let told = |answer: &Output| String::from_utf8_lossy(&answer.stderr).contains("less than a tenth of the disk");
    // Larger than any disk, without taking room on it; SQLite goes by the size that is in the database, and cuts the file
    // to it whenever it moves something into it.
    let database = shop.0.path().join("shop.sqlite3");
    let large = std::fs::File::options().write(true).open(database).unwrap();
    let elsewhere = shop.0.path().join("elsewhere.backup");
    for command in [&["backup", "create"][..], &["backup", "create", "--output", elsewhere.to_str().unwrap()]] {
        large.set_len(8 << 40).unwrap();
        let made = shop.run(command);
        assert!(made.status.success() && told(&made), "{made:?}");
    }
}

#[test]
fn a_backup_is_made_under_no_name_that_sqlite_takes_for_a_part_of_the_database() {
    let shop = Shop::with_operator();
    let name = shop.0.path().file_name().unwrap().to_str().unwrap();
    let journal = shop.0.path().join("..").join(name).join("shop.sqlite3-journal");
    assert!(shop.refusal(&["backup", "create", "--output", journal.to_str().unwrap()]).contains("the shop itself"));
    shop.json(&["host", "add", "--ip=192.0.2.1", "--name=one", "--port-range=20000-20099"]);
}

#[test]
fn the_unit_leaves_no_picture_of_the_shops_memory_on_the_disk_and_bounds_it() {
    let unit = include_str!("../../../packaging/ip2tor-shop.service");
    for setting in ["LimitCORE=0", "MemoryMax="] {
        assert!(unit.lines().any(|line| line.starts_with(setting)), "{setting}");
    }
}
