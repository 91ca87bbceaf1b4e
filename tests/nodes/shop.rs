//! The shop as its operator sets it up: commands, a configuration file, `serve` as a process; and what its buyers and
//! hosts do there.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::PATIENCE;
use crate::live::http::{Answer, Body, Client};
use crate::live::port::free_port;
use crate::live::process::{BIN, Process, wait_until};
use crate::live::shop::{Host, order};

/// A host that takes payments only once it has delivered.
pub const HOLDS: &[&str] = &["--use-holds=true", "--port-range", "20000-20999"];
/// One that takes them at once.
pub const PLAIN: &[&str] = &["--use-holds=false", "--port-range", "21000-21999"];
/// Everything that is due is done within seconds, unless a configuration says otherwise.
const JOBS: &str = "close_unpaid = \"*/2 * * * * *\"\nrescan = \"*/5 * * * * *\"\n\
    suspend_expired = \"*/2 * * * * *\"\nbackup = \"0 0 0 1 1 *\"\n";

/// Open invoices are never compared by schedule: what a stream does not tell has to be found otherwise.
pub const NO_RESCAN: &str = "rescan = \"0 0 0 1 1 *\"\n";

/// A shop with one node.
pub struct Shop {
    pub process: Process,
    pub dir: TempDir,
    /// The id of its node.
    pub node: String,
    hosts: Vec<Host>,
    address: SocketAddr,
}

/// An order whose invoice has been made.
pub struct Sale {
    pub order: String,
    pub product: String,
    pub request: String,
    /// The payment hash, hexadecimal.
    pub hash: String,
    host: usize,
}

impl Shop {
    /// Sells for hosts with these flags through the node that `record` describes.
    pub fn start(record: &[String], hosts: &[&[&str]]) -> Self {
        Self::start_with(record, hosts, "")
    }

    /// The same with more of the configuration file: one line of the jobs' section, or other sections.
    pub fn start_with(record: &[String], hosts: &[&[&str]], config: &str) -> Self {
        let mut shop = Self::prepare(config);
        let record: Vec<&str> = record.iter().map(String::as_str).collect();
        shop.node = text(&shop.run(&[&["node", "add"], &record[..]].concat())["id"]);
        shop.add_hosts(hosts);
        shop.serve();
        shop.await_offers();
        shop
    }

    /// Configuration and operator; nothing runs yet.
    pub fn prepare(config: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let data = dir.path().join("data");
        let is_said =
            |line: &&str| line.split(' ').next().is_some_and(|name| config.starts_with(&format!("{name} = ")));
        let jobs: String = JOBS.lines().filter(|line| !is_said(line)).map(|line| format!("{line}\n")).collect();
        let text = format!(
            "data_dir = \"{}\"\n[http]\nlisten = \"{address}\"\nadmin_listen = \"off\"\n[lightning]\nallow_regtest = true\n[onion]\n\
             enabled = false\n[probe]\npolicy = \"off\"\n[jobs]\n{jobs}{config}",
            data.display()
        );
        std::fs::write(dir.path().join("config.toml"), text).expect("the configuration is written");
        let mut idle = Command::new("true");
        idle.current_dir(dir.path());
        let process = Process::spawn(idle, &dir.path().join("shop.log"));
        let shop = Self { process, dir, node: String::new(), hosts: Vec::new(), address };
        shop.run(&["operator", "add", "anna", "--role", "administrator"]);
        shop
    }

    pub fn add_hosts(&mut self, hosts: &[&[&str]]) {
        for (number, flags) in hosts.iter().enumerate() {
            let (name, ip) = (format!("host{number}"), format!("192.0.2.{}", number + 1));
            let common = ["host", "add", "--name", &name, "--ip", &ip, "--offers-tor-bridges=true"];
            let added = self.run(&[&common, *flags].concat());
            self.hosts.push(Host { id: text(&added["id"]), token: text(&added["token"]) });
        }
    }

    /// Starts `serve`, again after it was killed; hosts check in.
    pub fn serve(&mut self) {
        self.process.kill();
        self.process = Process::start(&["serve", "--config", &self.config()], &self.dir.path().join("shop.log"));
        let answers = || self.client().get("/healthz").ok();
        wait_until(PATIENCE, answers).expect("the shop answers");
        self.check_in();
    }

    pub fn check_in(&self) {
        for host in &self.hosts {
            let path = format!("/api/v1/hosts/{}/check_in/", host.id);
            let answer = self.client().as_host(&host.token).send("POST", &path, &Body::None).expect("an answer");
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }

    /// Waits until buyers are offered every host.
    pub fn await_offers(&self) {
        let all = || (self.offered() == self.hosts.len()).then_some(());
        wait_until(PATIENCE, all).unwrap_or_else(|| panic!("the hosts are not offered: {}", self.log()));
    }

    /// How many hosts are offered now.
    pub fn offered(&self) -> usize {
        let list = self.client().get("/api/v1/public/hosts/").expect("an answer").json();
        list.as_array().map_or(0, Vec::len)
    }

    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    fn config(&self) -> String {
        self.dir.path().join("config.toml").display().to_string()
    }

    pub fn database(&self) -> PathBuf {
        self.dir.path().join("data/shop.sqlite3")
    }

    /// What the shop has logged so far.
    pub fn log(&self) -> String {
        self.process.said()
    }

    /// Runs a command beside the shop, to its end.
    pub fn command(&self, args: &[&str]) -> Output {
        let mut command = Command::new(BIN);
        command.args(args).args(["--json", "--config", &self.config()]).env_remove("RUST_LOG");
        command.output().expect("it runs")
    }

    /// Runs a command that must succeed; its document.
    pub fn run(&self, args: &[&str]) -> Value {
        let output = self.command(args);
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{args:?}: {error}"))
    }

    /// Starts a command without waiting for its end.
    pub fn begin(&self, args: &[&str]) -> Process {
        let config = self.config();
        let args = [args, &["--config", &config]].concat();
        Process::start(&args, &self.dir.path().join("command.log"))
    }

    /// Topics of the open alerts.
    pub fn alerts(&self) -> Vec<String> {
        let list = self.run(&["alerts"]);
        list.as_array().expect("a list").iter().map(|alert| text(&alert["topic"])).collect()
    }

    /// Orders at the host with this number, and waits for the invoice.
    pub fn order(&self, host: usize) -> Sale {
        self.sale(host, self.place(host))
    }

    /// Orders there; the order's id.
    pub fn place(&self, host: usize) -> String {
        let placed = order(&self.client(), &self.hosts[host], "nodes").expect("an answer");
        assert_eq!(placed.status, 201, "{placed:?}");
        text(&placed.json()["id"])
    }

    /// Orders one more period of what was sold.
    pub fn extend(&self, sale: &Sale) -> Sale {
        let path = format!("/api/v1/public/tor_bridges/{}/extend/", sale.product);
        let answer = self.client().send("POST", &path, &Body::None).expect("an answer");
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        let id = text(&answer.json()["po_id"]);
        self.sale(sale.host, id)
    }

    fn sale(&self, host: usize, order: String) -> Sale {
        let payable = || {
            let view = self.order_view(&order);
            view["ln_invoices"][0]["payment_request"].is_string().then_some(view)
        };
        let view = wait_until(PATIENCE, payable).unwrap_or_else(|| panic!("no invoice: {}", self.order_view(&order)));
        let (item, invoice) = (&view["item_details"][0]["product"], &view["ln_invoices"][0]);
        let base64 = data_encoding::BASE64.decode(text(&invoice["payment_hash"]).as_bytes()).expect("Base64");
        Sale {
            product: text(&item["id"]),
            request: text(&invoice["payment_request"]),
            hash: hex::encode(base64),
            order,
            host,
        }
    }

    pub fn order_view(&self, order: &str) -> Value {
        self.get(&format!("public/pos/{order}/"))
    }

    pub fn bridge(&self, sale: &Sale) -> Value {
        self.get(&format!("public/tor_bridges/{}/", sale.product))
    }

    fn get(&self, path: &str) -> Value {
        let answer = self.client().get(&format!("/api/v1/{path}")).expect("an answer");
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// Waits until the order has this status.
    pub fn await_order(&self, sale: &Sale, status: &str) -> Value {
        let has = || Some(self.order_view(&sale.order)).filter(|view| view["status"] == status);
        wait_until(PATIENCE, has).unwrap_or_else(|| panic!("not {status}: {}", self.order_view(&sale.order)))
    }

    /// Waits until the bridge has this status.
    pub fn await_bridge(&self, sale: &Sale, status: &str) -> Value {
        let has = || Some(self.bridge(sale)).filter(|view| view["status"] == status);
        wait_until(PATIENCE, has).unwrap_or_else(|| panic!("not {status}: {}", self.bridge(sale)))
    }

    /// The host says what became of a bridge.
    pub fn report(&self, sale: &Sale, status: &str) -> Answer {
        let path = format!("/api/v1/tor_bridges/{}/", sale.product);
        let host = self.client().as_host(&self.hosts[sale.host].token);
        host.send("PATCH", &path, &Body::Json(json!({"status": status}))).expect("an answer")
    }

    /// The host sees that the bridge is wanted, and forwards it.
    pub fn deliver(&self, sale: &Sale) {
        self.await_bridge(sale, "P");
        let answer = self.report(sale, "A");
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

/// Everything that a command has printed.
pub fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
