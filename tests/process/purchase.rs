//! `demo` from outside, as somebody tries it: a purchase as RaspiBlitz does it, the host's loop by
//! hand and by the agent, Ctrl-C, and a second start that goes on where the first was.

use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::live::http::{Body, Client};
use crate::live::payer::{Paid, pay};
use crate::live::port::free_port;
use crate::live::process::{BIN, Process, wait_until};
use crate::live::shop::{Host, START, order};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const PATIENCE: Duration = Duration::from_secs(60);
const DAY: i64 = 86_400;
const GRACE: i64 = 600;

/// A running `demo`.
pub struct Demo {
    process: Process,
    /// What it has printed.
    details: Value,
    client: Client,
    host: Host,
}

impl Demo {
    pub fn start(dir: &Path, flags: &[&str]) -> Self {
        let (document, log) = (dir.join("demo.out"), dir.join("demo.log"));
        let out = std::fs::File::create(&document).expect("a file for the document");
        let err = std::fs::File::create(&log).expect("a log");
        let mut command = Command::new(BIN);
        command.args(["demo", "--json", "--listen", "127.0.0.1:0", "--data-dir", "demo"]).args(flags);
        command.current_dir(dir).env_remove("RUST_LOG").stdout(out).stderr(err);
        let process = Process::adopt(command.spawn().expect("the demo starts"), &log);
        let whole = || serde_json::from_str(&std::fs::read_to_string(&document).ok()?).ok();
        let details: Value = wait_until(START, whole).expect("one JSON document on stdout");
        let url = details["shop_url"].as_str().expect("a URL");
        let address: SocketAddr = url.strip_prefix("http://").expect("http").parse().expect("an address");
        let host = &details["hosts"][0];
        let host = Host { id: text(&host["id"]), token: text(&host["token"]) };
        Self { process, client: Client::new(address), host, details }
    }

    /// The one URL that a person opens.
    pub fn url(&self) -> String {
        text(&self.details["shop_url"])
    }

    /// Where those who run the shop sign in, and with which name and password.
    pub fn admin(&self) -> (String, String, String) {
        let admin = &self.details["admin"];
        (text(&self.details["admin_url"]), text(&admin["user"]), text(&admin["password"]))
    }

    /// Speaks to it as the public.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// When a bridge ends, as pages write it.
    pub fn end_of(&self, bridge: &str) -> String {
        let end = text(&self.bridge(bridge)["suspend_after"]);
        format!("{} UTC", end[..16].replace('T', " "))
    }

    fn get(&self, path: &str) -> Value {
        let answer = self.client.get(&format!("/api/v1/{path}")).expect("an answer");
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// Polls as a script does.
    fn poll(&self, path: &str, done: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let found = wait_until(PATIENCE, || {
            last = self.get(path);
            done(&last).then(|| last.clone())
        });
        found.unwrap_or_else(|| panic!("{path} stays {last}"))
    }

    /// Calls as the host.
    fn host_call(&self, method: &str, path: &str, body: Value) -> Value {
        let client = self.client.as_host(&self.host.token);
        let body = if body.is_null() { Body::None } else { Body::Json(body) };
        let answer = client.send(method, &format!("/api/v1/{path}"), &body).expect("an answer");
        assert_eq!(answer.status, 200, "{method} {path}: {answer:?}");
        answer.json()
    }

    fn check_in(&self) {
        let answer = self.host_call("POST", &format!("hosts/{}/check_in/", self.host.id), json!({}));
        assert_eq!(answer["check_in"], "ok");
    }

    /// The bridges in a state, as the host's loop asks for them.
    fn ids(&self, status: &str) -> Vec<String> {
        let path = format!("tor_bridges/?host={}&status={status}", self.host.id);
        let list = self.host_call("GET", &path, Value::Null);
        list.as_array().expect("a list").iter().map(|bridge| text(&bridge["id"])).collect()
    }

    fn report(&self, bridge: &str, status: &str) -> Value {
        self.host_call("PATCH", &format!("tor_bridges/{bridge}/"), json!({"status": status}))
    }

    /// Orders as RaspiBlitz does: 201 and `id`.
    fn order(&self) -> String {
        let answer = order(&self.client, &self.host, "blitz").expect("an answer");
        assert_eq!(answer.status, 201, "{answer:?}");
        let id = text(&answer.json()["id"]);
        assert!(answer.header("location").is_some_and(|location| location.contains(&id)), "{answer:?}");
        id
    }

    /// Polls the order until there is exactly one invoice with a payment request; order and invoice.
    fn invoice(&self, order: &str) -> (Value, Value) {
        let order =
            self.poll(&format!("public/pos/{order}/"), |order| order["ln_invoices"][0]["payment_request"].is_string());
        assert_eq!(order["status"], "T");
        assert_eq!(order["ln_invoices"].as_array().map(Vec::len), Some(1));
        assert_eq!(order["item_details"].as_array().map(Vec::len), Some(1));
        (order.clone(), order["ln_invoices"][0].clone())
    }

    /// The folder of the simulated node.
    pub fn lnd_dir(&self) -> PathBuf {
        PathBuf::from(self.details["lnd"]["dir"].as_str().expect("a folder"))
    }

    fn pay(&self, invoice: &Value) {
        self.pay_request(invoice["payment_request"].as_str().expect("a payment request"));
    }

    /// Pays as somebody's wallet.
    pub fn pay_request(&self, request: &str) {
        assert_eq!(pay(&self.lnd_dir(), request, PATIENCE), Paid::Settled);
    }

    /// Orders and pays; the bridge, waiting for its host.
    fn bought(&self) -> String {
        let (order, invoice) = self.invoice(&self.order());
        assert_eq!(invoice["msatoshi"], 25_000, "the advertised price");
        self.pay(&invoice);
        let bridge = text(&order["item_details"][0]["product"]["id"]);
        self.poll(&format!("public/tor_bridges/{bridge}/"), |bridge| bridge["status"] == "P");
        bridge
    }

    fn bridge(&self, id: &str) -> Value {
        self.get(&format!("public/tor_bridges/{id}/"))
    }

    /// Orders one more period and pays it.
    fn extended(&self, bridge: &str) {
        let path = format!("/api/v1/public/tor_bridges/{bridge}/extend/");
        let answer = self.client.send("POST", &path, &Body::None).expect("an answer");
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        let order = text(&answer.json()["po_id"]);
        let (_, invoice) = self.invoice(&order);
        assert_eq!(invoice["msatoshi"], 20_000, "the advertised price of an extension");
        self.pay(&invoice);
        self.poll(&format!("public/pos/{order}/"), |order| order["status"] == "P");
    }

    /// Ctrl-C: a clean end.
    fn interrupt(mut self) {
        self.process.signal("INT");
        let status = self.process.wait(PATIENCE).expect("it ends");
        assert_eq!(status.code(), Some(0), "{}", self.process.said());
        let node: SocketAddr =
            self.details["lnd"]["grpc"].as_str().and_then(|text| text.parse().ok()).expect("an address");
        assert!(self.client.get("/").is_err(), "the shop does not listen any more");
        assert!(TcpStream::connect(node).is_err(), "nor does the node");
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

/// Unix seconds of exactly the format that RaspiBlitz reads.
fn seconds(date: &Value) -> i64 {
    let date = date.as_str().expect("a date");
    assert_eq!((date.len(), date.ends_with('Z')), (20, true), "{date} is %Y-%m-%dT%H:%M:%SZ");
    OffsetDateTime::parse(date, &Rfc3339).expect("a date").unix_timestamp()
}

fn now() -> i64 {
    i64::try_from(crate::live::now()).expect("a date")
}

#[test]
fn a_raspiblitz_buys_uses_and_extends_a_bridge_that_a_person_hosts() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path(), &["--no-agent"]);
    demo.check_in();
    let shown = demo.poll("public/hosts/", |hosts| hosts.as_array().is_some_and(|hosts| !hosts.is_empty()));
    assert_eq!(shown[0]["id"], demo.host.id);
    let bridge = demo.bought();
    assert_eq!(demo.ids("P"), [bridge.as_str()]);
    let before = now();
    assert_eq!(demo.report(&bridge, "A")["status"], "A");
    assert!(demo.ids("P").is_empty());

    let active = demo.bridge(&bridge);
    let end = seconds(&active["suspend_after"]);
    assert_eq!(active["status"], "A");
    // RaspiBlitz wants suspend_after + 600 s to be no less than the duration from now.
    assert!((before + DAY + GRACE..=now() + DAY + GRACE).contains(&end), "time counts from activation: {active}");
    demo.extended(&bridge);
    let extended = demo.bridge(&bridge);
    assert_eq!(seconds(&extended["suspend_after"]), end + DAY + GRACE, "at least one duration more, strictly");
    assert_eq!((&extended["status"], &extended["port"]), (&active["status"], &active["port"]));

    demo_host_suspends(&demo, &bridge);
    demo.extended(&bridge);
    let back = demo.bridge(&bridge);
    assert_eq!((&back["status"], &back["port"]), (&json!("P"), &active["port"]), "the same port: {back}");
    assert_eq!(seconds(&back["suspend_after"]), end + 2 * (DAY + GRACE), "days that were not used are kept");
    demo.report(&bridge, "A");
    demo.interrupt();
}

/// The bandwidth is used up: [S], and the host takes it down: [H].
fn demo_host_suspends(demo: &Demo, bridge: &str) {
    let seen = demo.host_call("GET", &format!("tor_bridges/{bridge}/"), Value::Null);
    let left = seen["bandwidth_remaining"].as_i64().expect("bytes");
    let path = format!("tor_bridges/{bridge}/consume_bandwidth/");
    let used = demo.host_call("PATCH", &path, json!({"amount": "1000"}));
    assert_eq!(used["bandwidth_remaining"], left - 1000);
    assert!(used["bandwidth_last_checked"].is_string());
    demo.host_call("PATCH", &path, json!({"amount": left}));
    assert_eq!(demo.ids("S"), [bridge]);
    assert_eq!(demo.report(bridge, "H")["status"], "H");
    assert!(demo.ids("S").is_empty());
    assert_eq!(demo.bridge(bridge)["status"], "H");
}

#[test]
fn a_second_start_goes_on_where_the_first_was() {
    let dir = tempfile::tempdir().unwrap();
    let first = Demo::start(dir.path(), &["--no-agent"]);
    first.check_in();
    let bridge = first.bought();
    first.report(&bridge, "A");
    let (_, open) = first.invoice(&first.order());
    let (mut details, before) = (first.details.clone(), first.bridge(&bridge));
    first.interrupt();
    details["lnd"]["grpc"] = move_node(dir.path(), &details["lnd"]["grpc"]);

    let second = Demo::start(dir.path(), &["--no-agent"]);
    for key in ["admin", "hosts", "lnd", "data_dir"] {
        assert_eq!(second.details[key], details[key], "{key}");
    }
    assert_eq!(second.bridge(&bridge), before);
    second.check_in();
    // The node remembers its invoices, too.
    second.pay(&open);
    second.extended(&bridge);
    assert_eq!(seconds(&second.bridge(&bridge)["suspend_after"]), seconds(&before["suspend_after"]) + DAY + GRACE);
    second.interrupt();
}

/// Puts another port in the place of the node's, which the kernel chose and may have given away
/// meanwhile; the node's new address.
fn move_node(dir: &Path, grpc: &Value) -> Value {
    let file = dir.join("demo/demo.json");
    let text = std::fs::read_to_string(&file).expect("the demo's memory");
    let mut memory: Value = serde_json::from_str(&text).expect("one JSON document");
    let address = |memory: &Value| json!(format!("127.0.0.1:{}", memory["lnd_port"]));
    assert_eq!(*grpc, address(&memory), "where it was is remembered");
    memory["lnd_port"] = free_port().into();
    std::fs::write(&file, memory.to_string()).expect("it can be changed");
    address(&memory)
}

#[test]
fn a_demo_whose_folder_was_moved_goes_on_from_there() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = Demo::start(old.path(), &["--no-agent"]);
    assert_eq!(first.lnd_dir(), old.path().join("demo/lnd"), "a path that holds in any folder");
    first.interrupt();
    std::fs::rename(old.path().join("demo"), new.path().join("demo")).unwrap();
    let second = Demo::start(new.path(), &["--no-agent"]);
    assert_eq!(second.lnd_dir(), new.path().join("demo/lnd"));
    second.check_in();
    second.bought();
    second.interrupt();
}

#[test]
fn commands_with_the_demos_folder_agree_with_the_running_demo_which_is_alone_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path(), &["--no-agent"]);
    let run = |args: &[&str]| Command::new(BIN).args(args).current_dir(dir.path()).output().expect("it runs");
    let check = run(&["node", "check", "--data-dir", "demo"]);
    assert!(check.status.success(), "{check:?}");
    let config = dir.path().join("demo/config.toml");
    assert_eq!(std::fs::metadata(&config).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(run(&["check-config", "--config", "demo/config.toml"]).status.success());

    let before = demo.get("public/hosts/");
    let (written, node) = (std::fs::read(&config).unwrap(), run(&["node", "list", "--data-dir", "demo"]).stdout);
    let second = run(&["demo", "--listen", "127.0.0.1:0", "--data-dir", "demo", "--onion"]);
    let said = String::from_utf8(second.stderr).unwrap();
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains("a shop is running on") && said.contains("stop it first"), "{said}");
    assert_eq!(std::fs::read(&config).unwrap(), written);
    assert_eq!(run(&["node", "list", "--data-dir", "demo"]).stdout, node);
    assert_eq!(demo.get("public/hosts/"), before);
    demo.interrupt();
}

#[test]
fn a_demo_whose_first_start_was_cut_short_is_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    let first = Demo::start(dir.path(), &["--no-agent"]);
    let token = first.details["hosts"][0]["token"].clone();
    first.interrupt();
    // What is on disk while the database is being filled and nothing was printed yet.
    std::fs::write(dir.path().join("demo/demo.json"), "null").unwrap();
    let second = Demo::start(dir.path(), &["--no-agent"]);
    assert_ne!(second.details["hosts"][0]["token"], token);
    second.check_in();
    second.bought();
    second.interrupt();
}

#[test]
fn with_the_agent_a_paid_bridge_becomes_active_without_further_help() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path(), &[]);
    demo.poll("public/hosts/", |hosts| hosts.as_array().is_some_and(|hosts| !hosts.is_empty()));
    let id = demo.order();
    let (order, invoice) = demo.invoice(&id);
    // Held until the agent has delivered: the payer's call blocks as long.
    demo.pay(&invoice);
    let product = text(&order["item_details"][0]["product"]["id"]);
    assert_eq!(demo.bridge(&product)["status"], "A");
    assert_eq!(demo.poll(&format!("public/pos/{id}/"), |order| order["status"] == "P")["ln_invoices"][0]["status"], 2);
    demo.interrupt();
}

#[test]
fn a_person_buys_in_the_demo_with_the_pages_alone_and_reads_where_the_bridge_is() {
    let dir = tempfile::tempdir().unwrap();
    let demo = Demo::start(dir.path(), &[]);
    demo.poll("public/hosts/", |hosts| hosts.as_array().is_some_and(|hosts| !hosts.is_empty()));
    let page = |path: &str| demo.client.get(path).expect("an answer").body;
    let between = |text: &str, before: &str, after: &str| {
        let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
        rest.split(after).next().expect("a first part").to_owned()
    };
    let host = format!("/shop/hosts/{}/", demo.host.id);
    assert!(page("/").contains(&format!("href=\"{host}\"")), "the first page leads there");
    let token = between(&page(&host), "name=\"token\" value=\"", "\"");
    let target = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:443";
    let fields = [("product", "tor_bridge"), ("token", &token), ("target", target), ("tos_accepted", "true")];
    let placed = demo.client.send("POST", &host, &Body::Form(&fields)).expect("an answer");
    assert_eq!(placed.status, 303, "{placed:?}");
    let order = placed.header("location").expect("the order's page").to_owned();
    let state = || between(&page(&order), "data-state=\"", "\"");
    assert!(wait_until(PATIENCE, || (state() == "to_pay").then_some(())).is_some());
    let pay = between(&page(&order), "method=\"post\" action=\"", "\"");
    for _ in 0..2 {
        let paid = demo.client.send("POST", &pay, &Body::Form(&[])).expect("an answer");
        assert_eq!(paid.status, 303, "pressed twice is paid once: {paid:?}");
    }
    assert!(wait_until(PATIENCE, || (state() == "active").then_some(())).is_some());
    assert!(page(&order).contains("<h1>Active at 127.0.0.1:2"));
    demo.interrupt();
}
