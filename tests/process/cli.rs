//! The command line as scripts use it: the built program, its output and its exit codes.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use serde_json::Value;

const BIN: &str = env!("CARGO_BIN_EXE_ip2tor-shop");

/// A data folder to run commands on.
struct Shop(tempfile::TempDir);

impl Shop {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with_operator() -> Self {
        let shop = Self::new();
        shop.json(&["operator", "add", "anna", "--role", "administrator"]);
        shop
    }

    /// From now on nodes on regtest may sell.
    fn permit_regtest(&self) {
        let config = format!("data_dir = \"{}\"\n[lightning]\nallow_regtest = true\n", self.0.path().display());
        std::fs::write(self.config(), config).unwrap();
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("config.toml")
    }

    fn run(&self, args: &[&str]) -> Output {
        let config = self.config();
        let (flag, place) =
            if config.exists() { ("--config", config) } else { ("--data-dir", self.0.path().to_owned()) };
        run(&[args, &[flag, place.to_str().unwrap()]].concat())
    }

    /// The document that a command prints; it must succeed.
    fn json(&self, args: &[&str]) -> Value {
        let output = self.run(&[args, &["--json"]].concat());
        assert!(output.status.success(), "{args:?}: {}{}", stderr(&output), stdout(&output));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{args:?}: {error}: {}", stdout(&output)))
    }

    /// What a command that must fail says.
    fn refusal(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", stdout(&output));
        assert!(output.stdout.is_empty(), "{args:?}: {}", stdout(&output));
        stderr(&output)
    }
}

fn run(args: &[&str]) -> Output {
    Command::new(BIN).args(args).env_remove("RUST_LOG").output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The one document that a command prints with `--json` when it fails.
fn error_document(output: &Output) -> Value {
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}{}", stdout(output), stderr(output)));
    let error = document["error"].as_str().unwrap();
    assert!(stderr(output).contains(error.lines().next().unwrap()), "{error}: {}", stderr(output));
    assert!(document["fields"].is_object(), "{document}");
    document
}

/// The flags for a host of the recorded fixture: field names with dashes.
fn host_flags(host: &Value) -> Vec<String> {
    let mut flags = vec!["host".to_owned(), "add".to_owned()];
    for (field, value) in host.as_object().unwrap() {
        match value {
            Value::Array(ranges) => flags.extend(ranges.iter().map(|range| {
                let flag = if range["type"] == "T" { "port-range" } else { "tunnel-port-range" };
                format!("--{flag}={}-{}", range["start"], range["end"])
            })),
            Value::String(text) => flags.push(format!("--{}={text}", field.replace('_', "-"))),
            other => flags.push(format!("--{}={other}", field.replace('_', "-"))),
        }
    }
    flags
}

fn fixture_host() -> Value {
    serde_json::json!({
        "name": "host1", "ip": "192.168.0.101", "description": "desc host1",
        "port_ranges": [{"type": "T", "start": 21212, "end": 21221}, {"type": "R", "start": 30100, "end": 30150}],
        "is_enabled": true, "is_test_host": false, "is_testnet": false, "offers_tor_bridges": true,
        "tor_bridge_duration": 86400, "tor_bridge_price_initial": 25000, "tor_bridge_price_extension": 20000,
        "offers_nostr_aliases": false, "nostr_alias_port": 80, "nostr_alias_duration": 2592000,
        "nostr_alias_price_initial": 25000000, "nostr_alias_price_extension": 20000000,
        "offers_rssh_tunnels": false, "rssh_tunnel_price": 1000, "terms_of_service": "Be nice",
        "terms_of_service_url": "https://example.org/tos", "bridge_bandwidth_initial": 1073741824
    })
}

#[test]
fn a_host_of_the_fixture_can_be_added_with_a_flag_for_every_field() {
    let shop = Shop::with_operator();
    let fixture = fixture_host();
    let flags = host_flags(&fixture);
    let added = shop.json(&flags.iter().map(String::as_str).collect::<Vec<_>>());
    let token = added["token"].as_str().unwrap();
    assert!(token.len() == 40 && token.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let shown = shop.json(&["host", "show", added["id"].as_str().unwrap()]);
    for (field, value) in fixture.as_object().unwrap().iter().filter(|(field, _)| *field != "port_ranges") {
        assert_eq!(&shown[field], value, "{field}");
    }
    assert_eq!(shown["owner"], "anna");
    let spans: Vec<_> = shown["port_ranges"].as_array().unwrap().iter().map(|range| range["type"].clone()).collect();
    assert_eq!(spans, ["T", "R"]);
}

#[test]
fn a_host_is_changed_listed_and_given_a_new_token() {
    let shop = Shop::with_operator();
    let added = shop.json(&["host", "add", "--ip=192.0.2.1", "--name=one"]);
    let id = added["id"].as_str().unwrap();
    let changed = shop.json(&["host", "set", id, "--is-enabled=false", "--grace-secs=900", "--use-holds=false"]);
    assert_eq!(changed["changed"].as_array().unwrap().len(), 3);
    let rotated = shop.json(&["host", "rotate-token", id]);
    assert_ne!(rotated["token"], added["token"]);
    assert_eq!(rotated["old_token_ended"], false);
    assert_eq!(shop.json(&["host", "rotate-token", id, "--now"])["old_token_ended"], true);
    assert_eq!(shop.json(&["host", "set", id, "--late=400"])["changed"][0], "late_secs 360->400");
    assert_eq!(shop.json(&["host", "set", id, "--swept"])["changed"].as_array().unwrap().len(), 0, "nothing to sweep");
    let list = shop.json(&["host", "list"]);
    assert_eq!((list[0]["is_enabled"].clone(), list[0]["grace_secs"].clone()), (false.into(), 900.into()));
    assert!(stdout(&shop.run(&["host", "list"])).contains("192.0.2.1"));
    assert!(stdout(&shop.run(&["host", "show", id])).contains("grace_secs"));
}

#[test]
fn a_host_of_an_old_shop_is_taken_over_unchanged() {
    let shop = Shop::with_operator();
    let id = "0ba22cbf-5a4c-4a29-94c1-cd6de5ee2a4e";
    let token = "00112233445566778899aabbccddeeff00112233";
    let added = shop.json(&["host", "add", "--ip=192.0.2.1", "--name=one", "--id", id, "--token", token]);
    assert_eq!((added["id"].as_str(), added["token"].as_str()), (Some(id), Some(token)));
}

#[test]
fn overlapping_ranges_are_refused_and_nothing_is_stored() {
    let shop = Shop::with_operator();
    shop.json(&["host", "add", "--ip=192.0.2.1", "--name=one", "--port-range=20000-20099"]);
    let refusal = shop.refusal(&["host", "add", "--ip=192.0.2.1", "--name=two", "--port-range=20050-20149"]);
    assert!(
        refusal.contains("--port-range") && refusal.contains("20000-20099") && refusal.contains("one"),
        "{refusal}"
    );
    let tunnels = ["--port-range=20100-20199", "--tunnel-port-range=20000-20009"];
    let refusal = shop.refusal(&[&["host", "add", "--ip=192.0.2.1", "--name=two"][..], &tunnels].concat());
    assert!(refusal.contains("--tunnel-port-range"), "{refusal}");
    assert_eq!(shop.json(&["host", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn a_host_without_an_owner_is_the_only_administrators() {
    let shop = Shop::with_operator();
    shop.json(&["operator", "add", "bert"]);
    let add = |name: &str| shop.run(&["host", "add", "--ip=192.0.2.1", "--name", name]);
    assert!(add("one").status.success());
    assert_eq!(shop.json(&["host", "list"])[0]["owner"], "anna");
    shop.json(&["operator", "add", "carl", "--role", "administrator"]);
    assert!(stderr(&add("two")).contains("--owner"));
}

#[test]
fn a_changed_price_is_told_as_an_amount() {
    let shop = Shop::with_operator();
    let added = shop.json(&["host", "add", "--ip=192.0.2.1", "--name=one"]);
    let changed = shop.json(&["host", "set", added["id"].as_str().unwrap(), "--tor-bridge-price-initial=30000"]);
    assert_eq!(changed["changed"], serde_json::json!(["tor_bridge_price_initial 25000 msat->30000 msat"]));
}

#[test]
fn what_cannot_be_printed_is_a_failure_and_a_reader_that_left_is_none() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    assert_eq!(Command::new(BIN).arg("openapi").stdout(full).status().unwrap().code(), Some(1));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(Command::new(BIN).arg("openapi").stdout(writer).status().unwrap().code(), Some(0));
}

#[test]
fn a_list_of_nothing_is_no_request() {
    assert_eq!(run(&["order", "list", "--limit=0", "--data-dir=/nowhere"]).status.code(), Some(2));
}

#[test]
fn an_address_in_use_is_told_with_the_setting_and_leaves_no_alert() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let shop = Shop::new();
    let refusal = shop.refusal(&["demo", "--listen", &address]);
    assert!(refusal.contains("--listen") && refusal.contains("http.listen"), "{refusal}");
    assert_eq!(shop.json(&["alerts"]), serde_json::json!([]));
}

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
fn a_simulated_node_prints_one_document_for_each_command() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let args = ["lnd-simulator", "serve", "--json", "--listen=127.0.0.1:0", "--rest=127.0.0.1:0", "--lightning-rpc"];
    let mut process = Command::new(BIN)
        .args(args)
        .args(["--dir", path])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut documents = serde_json::Deserializer::from_reader(process.stdout.take().unwrap()).into_iter::<Value>();
    let node = documents.next().unwrap().unwrap();
    assert!(node["rest"].is_string() && Path::new(node["lightning_rpc"].as_str().unwrap()).exists(), "{node}");
    let fault = run(&["lnd-simulator", "fault", "--json", "--dir", path, "streams:drop"]);
    assert_eq!(serde_json::from_slice::<Value>(&fault.stdout).unwrap()["done"], true);
    let pay = run(&["lnd-simulator", "pay", "--json", "--dir", path, "lnbcrt1nonsense"]);
    assert_eq!(pay.status.code(), Some(1));
    assert!(error_document(&pay)["error"].is_string());
    process.kill().unwrap();
    process.wait().unwrap();
}

#[test]
fn every_wrong_field_of_a_host_is_named_by_its_flag() {
    let shop = Shop::with_operator();
    let refusal = shop.refusal(&["host", "add", "--ip=nowhere", "--name=www", "--grace-secs=1"]);
    for flag in ["--ip:", "--name:", "--grace-secs:"] {
        assert!(refusal.contains(flag), "{refusal}");
    }
}

#[test]
fn with_json_every_failure_is_one_document_that_tells_why() {
    let shop = Shop::with_operator();
    let output = shop.run(&["host", "add", "--ip=nowhere", "--name=www", "--port-range=9-5", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(error_document(&output)["error"].as_str().unwrap().contains("--port-range"));
    let output = shop.run(&["host", "add", "--ip=nowhere", "--name=www", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let document = error_document(&output);
    assert!(document["fields"]["ip"][0].is_string() && document["fields"]["name"][0].is_string(), "{document}");
    assert!(document["error"].as_str().unwrap().contains("--ip: "), "{document}");
    let output = shop.run(&["host", "list", "--bogus", "--json"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(error_document(&output)["error"], "unexpected argument '--bogus' found");
    let output = run(&["host", "list", "--json", "--data-dir", "/no/such/folder"]);
    assert_eq!((output.status.code(), &error_document(&output)["fields"]), (Some(1), &serde_json::json!({})));
    std::fs::write(shop.config(), "[http]\nlisten = 5\n").unwrap();
    let output = shop.run(&["host", "list", "--json"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(error_document(&output)["fields"]["http.listen"][0].is_string());
}

#[test]
fn a_wrong_value_is_named_by_the_argument_that_it_came_from() {
    let shop = Shop::new();
    assert!(shop.refusal(&["operator", "add", "a b"]).contains("error: NAME: "));
    let file = shop.0.path().join("password");
    std::fs::write(&file, "short").unwrap();
    let refusal = shop.refusal(&["operator", "add", "anna", "--password-file", file.to_str().unwrap()]);
    assert!(refusal.contains("--password-file or --password-stdin or --password-from: "), "{refusal}");
    let ports = stderr(&run(&["host", "ports"]));
    assert!(ports.contains("--premium") && ports.contains("--silver"), "{ports}");
}

#[test]
fn serve_tells_a_script_where_the_shop_is_as_soon_as_it_answers() {
    let shop = Shop::new();
    let place = shop.0.path().to_str().unwrap();
    let config = format!("data_dir = \"{place}\"\n[http]\nlisten = \"127.0.0.1:0\"\n[onion]\nenabled = false\n");
    std::fs::write(shop.config(), config).unwrap();
    let mut command = Command::new(BIN);
    command.args(["serve", "--json", "--config"]).arg(shop.config()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut process = command.spawn().unwrap();
    let mut documents = serde_json::Deserializer::from_reader(process.stdout.take().unwrap()).into_iter::<Value>();
    let told = documents.next().unwrap().unwrap();
    let address = told["shop_url"].as_str().unwrap().strip_prefix("http://").unwrap();
    let answers = std::net::TcpStream::connect(address);
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(answers.is_ok() && told["data_dir"] == place, "{told}");
}

#[test]
fn special_port_numbers_are_proposed_with_the_rest() {
    let document: Value = serde_json::from_slice(&run(&["host", "ports", "--premium", "--json"]).stdout).unwrap();
    assert_eq!(document["special"].as_array().unwrap().len(), 5);
    assert_eq!(document["rest"][0], serde_json::json!({"start": 10000, "end": 11110}));
    let text = stdout(&run(&["host", "ports", "--silver", "--min-port=22920", "--max-port=22924"]));
    assert!(text.contains("--port-range 22922-22922"), "{text}");
    assert_eq!(run(&["host", "ports"]).status.code(), Some(2));
}

#[test]
fn an_operators_password_is_given_or_made_and_shown_once() {
    let shop = Shop::new();
    let made = shop.json(&["operator", "add", "anna", "--role", "administrator"]);
    assert_eq!(made["password"].as_str().map(str::len), Some(24));
    let file = shop.0.path().join("password");
    std::fs::write(&file, "correct horse\n").unwrap();
    let given = shop.json(&["operator", "add", "bert", "--password-file", file.to_str().unwrap()]);
    assert_eq!(given.get("password"), None);
    let list = shop.json(&["operator", "list"]);
    assert_eq!((list[0]["role"].as_str(), list[1]["role"].as_str()), (Some("administrator"), Some("operator")));
    assert!(list[0].get("password").is_none());
    shop.json(&["operator", "set-password", "bert"]);
    assert!(shop.refusal(&["operator", "add", "anna"]).contains("anna"));
    assert!(shop.refusal(&["operator", "set-password", "carl"]).contains("list"));
}

#[test]
fn the_site_and_the_deny_lists_are_kept() {
    let shop = Shop::new();
    shop.json(&["site", "set", "--domain", "shop.example", "--name", "A Shop"]);
    assert_eq!(shop.json(&["site", "show"]), serde_json::json!({"domain": "shop.example", "name": "A Shop"}));
    let target = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
    let entry = shop.json(&["deny", "add", "--target", &target.to_uppercase(), "--comment", "abuse"]);
    assert_eq!((entry["value"].as_str(), entry["is_denied"].as_bool()), (Some(target), Some(true)));
    assert!(shop.refusal(&["deny", "add", "--target", "abc.onion"]).contains("--target: "));
    assert!(shop.refusal(&["deny", "add", "--ip", "1.2.3"]).contains("--ip: "));
    shop.json(&["deny", "add", "--ip", "192.0.2.9", "--status", "in_review"]);
    assert_eq!(shop.json(&["deny", "list"]).as_array().unwrap().len(), 2);
    shop.json(&["deny", "remove", "--target", target]);
    assert_eq!(shop.json(&["deny", "list"])[0]["is_denied"], false);
    assert!(!shop.refusal(&["deny", "remove", "--target", target]).is_empty());
}

#[test]
fn a_node_is_added_with_its_files_changed_and_removed() {
    let shop = Shop::with_operator();
    let macaroon = shop.0.path().join("invoice.macaroon");
    let secret =
        ip2tor_shop::lightning::macaroon::Macaroon::mint(b"root", b"0", [7; 16], &[("invoices", "write")]).encode();
    std::fs::write(&macaroon, &secret).unwrap();
    let file = macaroon.to_str().unwrap();
    let add = ["node", "add", "--host=127.0.0.1", "--macaroon-file", file, "--priority=5"];
    assert!(shop.refusal(&add).contains("Nothing was stored; --untested"), "no node is there");
    assert_eq!(shop.json(&["node", "list"]), serde_json::json!([]));
    let node = shop.json(&[&add[..], &["--untested"]].concat());
    assert_eq!((node["port"].as_u64(), node["macaroon_file"].as_str()), (Some(10_009), Some(file)));
    let id = node["id"].as_str().unwrap();
    shop.json(&["node", "set", id, "--macaroon-file", file, "--store-credentials", "--priority=-1", "--untested"]);
    let listed = shop.run(&["node", "list", "--json"]);
    assert!(!stdout(&listed).contains(&hex::encode(&secret)[..40]));
    assert_eq!(shop.json(&["node", "list"])[0]["macaroon_file"], Value::Null);
    shop.json(&["node", "remove", id]);
    assert_eq!(shop.json(&["node", "list"]), serde_json::json!([]));
    assert!(shop.refusal(&["node", "add", "--host=127.0.0.1"]).contains("--macaroon-file"));
}

#[test]
fn an_empty_shop_says_so() {
    let shop = Shop::with_operator();
    for args in [["host", "list"], ["node", "list"], ["deny", "list"]] {
        assert_eq!(shop.json(&args), serde_json::json!([]), "{args:?}");
        assert!(!stdout(&shop.run(&args)).trim().is_empty(), "{args:?}");
    }
    assert_eq!(shop.json(&["alerts"]), serde_json::json!([]));
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

/// A simulated node in a process of its own; ends with the test.
struct Simulator {
    process: Child,
    /// Kept open: it prints more than its first line.
    _output: BufReader<ChildStdout>,
    dir: tempfile::TempDir,
    port: String,
}

impl Simulator {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let args = ["lnd-simulator", "serve", "--listen", "127.0.0.1:0", "--dir", dir.path().to_str().unwrap()];
        let mut process = Command::new(BIN).args(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let port = line.split_once("127.0.0.1:").unwrap().1.split(' ').next().unwrap().to_owned();
        Self { process, _output: output, dir, port }
    }

    fn file(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }
}

impl Simulator {
    /// Ends it; its files stay until the end of the test.
    fn stop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop();
    }
}

#[test]
fn a_node_on_a_network_that_no_host_sells_for_does_not_pass_its_check() {
    let shop = Shop::with_operator();
    let simulator = Simulator::start();
    shop.json(&[
        "node",
        "add",
        "--host=127.0.0.1",
        "--port",
        &simulator.port,
        "--certificate-file",
        &simulator.file("tls.cert"),
        "--macaroon-file",
        &simulator.file("shop.macaroon"),
    ]);
    let is_refused = || {
        let check = shop.run(&["node", "check"]);
        let text = stdout(&check);
        assert_eq!(check.status.code(), Some(1), "{text}");
        assert!(text.contains("wrong network") && text.contains("allow_regtest"), "{text}");
        let listed = &shop.json(&["node", "list"])[0]["last_error"];
        assert!(listed.as_str().is_some_and(|problem| problem.contains("wrong network")), "{listed}");
    };
    is_refused();
    shop.json(&["host", "add", "--ip=192.0.2.1", "--name=one"]);
    is_refused();
    let doctor = stdout(&shop.run(&["doctor"]));
    let bad = |about: &str| doctor.lines().any(|line| line.starts_with(&format!("bad     {about} ")));
    assert!(bad("hosts") && bad("nodes"), "{doctor}");
    shop.permit_regtest();
    assert_eq!(shop.json(&["node", "check"])[0]["ok"], true);

    let node = &shop.json(&["node", "list"])[0];
    assert!(node["alias"].is_string() && node["uris"].is_array() && node["version"].is_string(), "{node}");
    assert!(node["active_channels"].is_u64() && node["block_height"].is_u64(), "{node}");
    assert_eq!(node["synced_to_chain"], true);
}

#[test]
fn node_check_says_what_the_node_is_or_exactly_what_is_wrong() {
    let shop = Shop::with_operator();
    shop.permit_regtest();
    let mut simulator = Simulator::start();
    let (certificate, macaroon) = (simulator.file("tls.cert"), simulator.file("invoice.macaroon"));
    let node = shop.json(&[
        "node",
        "add",
        "--host=127.0.0.1",
        "--port",
        &simulator.port,
        "--certificate-file",
        &certificate,
        "--macaroon-file",
        &macaroon,
    ]);
    let id = node["id"].as_str().unwrap();
    let checks = shop.json(&["node", "check", id]);
    assert_eq!(checks[0]["ok"], true, "{checks}");
    assert_eq!(shop.json(&["node", "list"])[0]["is_alive"], true);

    for (file, why) in [("admin.macaroon", "too powerful"), ("readonly.macaroon", "lacks invoices:write")] {
        let set = ["node", "set", id, "--macaroon-file", &simulator.file(file)];
        let text = shop.refusal(&set);
        assert!(text.contains(why) && text.contains("Nothing was stored"), "{text}");
    }
    assert_eq!(shop.json(&["node", "list"])[0]["macaroon_file"], macaroon.as_str(), "what works stays");
    shop.json(&["node", "set", id, "--macaroon-file", &simulator.file("admin.macaroon"), "--untested"]);
    let refused = shop.run(&["node", "check", id]);
    assert_eq!(refused.status.code(), Some(1), "a macaroon that can spend is refused: {}", stdout(&refused));
    shop.json(&["node", "set", id, "--allow-spending=true"]);
    assert_eq!(shop.json(&["node", "check"])[0]["network"], "regtest");

    simulator.stop();
    let gone = shop.run(&["node", "check"]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(stdout(&gone).contains("refused"), "{}", stdout(&gone));
    assert_eq!((stdout(&gone).lines().count(), stderr(&gone).as_str()), (1, ""), "it is said once");
    let document = shop.run(&["node", "check", "--json"]);
    assert_eq!(serde_json::from_slice::<Value>(&document.stdout).unwrap()[0]["ok"], false);
    assert_eq!(
        shop.json(&["alerts"]),
        Value::Array(Vec::new()),
        "it may only be restarted: nobody is alarmed within two minutes"
    );
}

#[test]
fn a_node_is_tried_before_it_is_stored() {
    let shop = Shop::with_operator();
    shop.permit_regtest();
    let mut simulator = Simulator::start();
    let (certificate, macaroon) = (simulator.file("tls.cert"), simulator.file("shop.macaroon"));
    let files = ["--certificate-file", &certificate, "--macaroon-file", &macaroon, "--host=127.0.0.1"];
    let wrong_port = shop.refusal(&[&["node", "add", "--port=1"], &files[..]].concat());
    assert!(wrong_port.contains("nothing listens") && wrong_port.contains("--untested"), "{wrong_port}");
    let added = shop.run(&[&["node", "add", "--port", &simulator.port], &files[..]].concat());
    assert!(stdout(&added).contains("ok: lnd-simulator"), "{}", stdout(&added));
    let id = shop.json(&["node", "list"])[0]["id"].as_str().unwrap().to_owned();
    simulator.stop();
    // What has nothing to do with access needs no node.
    shop.json(&["node", "set", &id, "--priority=3", "--name=alice"]);
    shop.json(&["node", "set", &id, "--is-enabled=false"]);
    assert!(shop.refusal(&["node", "set", &id, "--is-enabled=true"]).contains("nothing listens"));
    shop.json(&["node", "set", &id, "--is-enabled=true", "--untested"]);
    let paying = shop.refusal(&["node", "set", &id, "--payment-macaroon-file", &macaroon]);
    assert!(paying.contains("it can't pay"), "{paying}");
}

#[test]
fn a_core_lightning_node_takes_a_socket_and_nothing_else() {
    let shop = Shop::with_operator();
    shop.permit_regtest();
    let mut simulator = Simulator::start();
    let [certificate, macaroon] = ["tls.cert", "shop.macaroon"].map(|name| simulator.file(name));
    simulator.stop();
    for flag in [["--port", "9835"], ["--macaroon-file", &macaroon], ["--certificate-file", &certificate]] {
        let text = shop.refusal(&[&["node", "add", "--kind=cln", "--host=/run/cln/lightning-rpc"], &flag[..]].concat());
        assert!(text.contains(flag[0]) && text.contains("by its socket alone"), "{text}");
    }
    let long = format!("/{}/lightning-rpc", "a".repeat(93));
    let text = shop.refusal(&["node", "add", "--kind=cln", "--host", &long]);
    assert!(text.contains("at most 107 bytes"), "{text}");
    let missing = shop.refusal(&["node", "add", "--kind=cln", "--host=/run/no/lightning-rpc"]);
    assert!(missing.contains("no lightningd listens at /run/no/lightning-rpc"), "{missing}");
    let added = shop.json(&["node", "add", "--kind=cln", "--host=/run/no/bitcoin/lightning-rpc", "--untested"]);
    assert_eq!(added["name"], "bitcoin/lightning-rpc");
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
fn the_doctor_says_what_is_missing_and_fails_when_it_is_bad() {
    let shop = Shop::with_operator();
    let output = shop.run(&["doctor", "--json"]);
    assert_eq!(output.status.code(), Some(1), "no node: nobody can pay");
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    let find = |about: &str| findings.as_array().unwrap().iter().find(|finding| finding["about"] == about).unwrap();
    assert_eq!((&find("database")["grade"], &find("nodes")["grade"]), (&"good".into(), &"bad".into()));
    assert_eq!(find("onion")["text"], "no address yet: the next start makes one");
}

#[test]
fn a_clock_is_accepted_by_whoever_knows_what_day_it_is() {
    let shop = Shop::with_operator();
    let database = rusqlite::Connection::open(shop.0.path().join("shop.sqlite3")).unwrap();
    // The shop has run in 2100.
    database.execute("INSERT INTO meta (key, value) VALUES ('newest_time', 4102444800000)", []).unwrap();
    let shown = shop.json(&["clock", "show"]);
    assert_eq!((&shown["is_behind"], &shown["newest"]), (&true.into(), &"2100-01-01T00:00:00Z".into()));
    assert!(stdout(&shop.run(&["doctor"])).contains("clock accept --today"));
    assert!(shop.refusal(&["clock", "accept", "--today", "2001-01-01"]).contains("set it first"));
    assert_eq!(shop.run(&["clock", "accept", "--today", "yesterday"]).status.code(), Some(2));

    let today = &shown["now"].as_str().unwrap()[..10];
    let accepted = shop.json(&["clock", "accept", "--today", today]);
    assert_eq!((&accepted["accepted"], &accepted["products"]), (&true.into(), &serde_json::json!([])));
    assert_eq!(shop.json(&["clock", "show"])["is_behind"], false);
    assert_eq!(shop.json(&["clock", "accept", "--today", today])["accepted"], false);
}

#[test]
fn wrong_usage_exits_with_2() {
    for args in [&["host", "list", "--bogus"][..], &["nonsense"], &["deny", "add"], &["site", "set", "--data-dir=x"]] {
        assert_eq!(run(args).status.code(), Some(2), "{args:?}");
    }
    assert!(run(&["--version"]).status.success());
}

#[test]
fn a_node_that_makes_no_invoice_or_cancels_none_is_not_stored() {
    let shop = Shop::with_operator();
    shop.permit_regtest();
    let simulator = Simulator::start();
    let folder = simulator.dir.path().to_str().unwrap();
    let (certificate, macaroon) = (simulator.file("tls.cert"), simulator.file("shop.macaroon"));
    let files = ["--certificate-file", &certificate, "--macaroon-file", &macaroon];
    let add = [&["node", "add", "--host=127.0.0.1", "--port", &simulator.port], &files[..]].concat();
    for call in ["AddInvoice", "CancelInvoice"] {
        // The first one is the question whether the node serves the call at all.
        let fault = format!("{call}:unavailable");
        assert!(run(&["lnd-simulator", "fault", "--dir", folder, &fault]).status.success());
        assert!(shop.refusal(&add).contains("Nothing was stored"), "{call}");
        assert_eq!(shop.json(&["node", "list"]), serde_json::json!([]));
        assert!(run(&["lnd-simulator", "fault", "--dir", folder, "clear"]).status.success());
    }
    shop.json(&add);
}

#[test]
fn a_name_that_does_something_to_a_terminal_is_refused_and_one_that_is_stored_is_shown_by_its_numbers() {
    let shop = Shop::with_operator();
    let rude = "--name=a\u{1b}[2Jb";
    let refused = shop.refusal(&["host", "add", "--ip=192.0.2.1", rude]);
    assert!(refused.contains("--name") && refused.contains("Control characters"), "{refused}");
    let deny = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
    for sign in ["\u{1b}", "\u{202e}", "\u{200b}"] {
        let rude = |flag: &str| format!("{flag}a{sign}b");
        for (args, flag) in [
            (&["host", "add", "--ip=192.0.2.1"][..], "--name="),
            (&["host", "add", "--ip=192.0.2.1", "--name=one"], "--description="),
            (&["host", "add", "--ip=192.0.2.1", "--name=one"], "--terms-of-service="),
            (&["host", "add", "--ip=192.0.2.1", "--name=one"], "--terms-of-service-url=https://"),
            (&["node", "add", "--untested", "--kind=cln"], "--host=/"),
            (&["node", "add", "--untested", "--kind=cln", "--host=/run/socket"], "--name="),
            (&["deny", "add", "--target", deny], "--comment="),
            (&["operator", "add"], ""),
        ] {
            let refused = shop.refusal(&[args, &[rude(flag).as_str()]].concat());
            let named = flag.split('=').next().unwrap();
            assert!(
                refused.contains(named) && refused.contains("can't be seen") && !refused.contains(sign),
                "{refused:?}"
            );
        }
        let misused = shop.run(&["order", "show", sign]);
        assert!(misused.status.code() == Some(2) && !stderr(&misused).contains(sign), "{}", stderr(&misused));
    }
    let host = shop.json(&["host", "add", "--ip=192.0.2.1", "--name=one"]);
    let database = rusqlite::Connection::open(shop.0.path().join("shop.sqlite3")).unwrap();
    database.execute("UPDATE host SET description = 'a' || char(27) || '[2Jb'", []).unwrap();
    let id = host["id"].as_str().unwrap();
    for args in [&["host", "show", id][..], &["host", "show", id, "--json"]] {
        let shown = stdout(&shop.run(args));
        assert!(!shown.contains('\u{1b}') && shown.contains("[2Jb"), "{args:?}: {shown:?}");
    }
}

#[test]
fn the_unit_leaves_no_picture_of_the_shops_memory_on_the_disk_and_bounds_it() {
    let unit = include_str!("../../packaging/ip2tor-shop.service");
    for setting in ["LimitCORE=0", "MemoryMax="] {
        assert!(unit.lines().any(|line| line.starts_with(setting)), "{setting}");
    }
}
