//! Lightning nodes on the command line, with simulated ones in processes of their own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

use super::{BIN, Shop, error_document, run, stderr, stdout};

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

    /// Adds it to a shop, with one of its macaroons.
    fn add_to(&self, shop: &Shop, macaroon: &str) -> Value {
        let (certificate, macaroon) = (self.file("tls.cert"), self.file(macaroon));
        let files = ["--certificate-file", &certificate, "--macaroon-file", &macaroon];
        shop.json(&[&["node", "add", "--host=127.0.0.1", "--port", &self.port], &files[..]].concat())
    }

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
    simulator.add_to(&shop, "shop.macaroon");
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
    let macaroon = simulator.file("invoice.macaroon");
    let node = simulator.add_to(&shop, "invoice.macaroon");
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
