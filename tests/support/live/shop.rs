//! A shop as an operator sets it up: nodes, an operator and hosts through the command line, a
//! configuration file, and `serve` as a process.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use ip2tor_shop::config::Job;
use serde_json::Value;
use tempfile::TempDir;

use super::http::{Answer, Body, Client};
use super::port::free_port;
use super::process::{BIN, Process, run_json, wait_until};

/// A valid version 3 target.
pub const TARGET: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333";
/// How long a process may take to answer, also in a slow build on a busy machine.
pub const START: Duration = Duration::from_secs(60);
/// Jobs that run when the shop starts and then not while a test lasts.
pub static QUIET_JOBS: LazyLock<String> =
    LazyLock::new(|| Job::ALL.iter().map(|job| format!("{} = \"0 0 0 1 1 *\"\n", job.name())).collect());

/// A simulated node: its folder, its address, its id in the shop.
pub struct Node {
    pub dir: PathBuf,
    pub address: SocketAddr,
    pub id: String,
    pub process: Process,
}

impl Node {
    /// Starts one in a folder of its own, which it makes.
    pub fn start(dir: PathBuf) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let process = start_node(&dir, address);
        Self { dir, address, id: String::new(), process }
    }

    /// Gives it an instruction, such as `chain:hangs`.
    pub fn fault(&self, instruction: &str) {
        let dir = self.dir.display().to_string();
        let told = Command::new(BIN).args(["lnd-simulator", "fault", "--dir", &dir, instruction]).status();
        assert!(told.expect("the command runs").success(), "{instruction}");
    }

    /// Starts it again where it was.
    pub fn restart(&mut self) {
        self.process.kill();
        self.process = start_node(&self.dir, self.address);
    }
}

fn start_node(dir: &Path, address: SocketAddr) -> Process {
    let args = ["lnd-simulator", "serve", "--listen", &address.to_string(), "--dir", &dir.display().to_string()];
    let process = Process::start(&args, &dir.with_extension("log"));
    let ready = || std::os::unix::net::UnixStream::connect(dir.join("simulator.sock")).ok();
    wait_until(START, ready).expect("the simulated node answers");
    process
}

/// A host's id and token.
#[derive(Clone)]
pub struct Host {
    pub id: String,
    pub token: String,
}

/// What differs between shops.
pub struct Setup<'a> {
    pub nodes: usize,
    /// The flags of each host beside its name, address and product.
    pub hosts: &'a [&'a [&'a str]],
    /// More of the configuration file, from a section's name on.
    pub config: &'a str,
    pub jobs: &'a str,
}

/// A shop and its nodes.
pub struct Shop {
    pub process: Process,
    pub nodes: Vec<Node>,
    pub hosts: Vec<Host>,
    pub address: SocketAddr,
    pub dir: TempDir,
    config: PathBuf,
}

impl Shop {
    /// Sets everything up and starts it; returns when the shop sells.
    pub fn start(setup: &Setup<'_>) -> Self {
        Self::start_with(setup, |config| {
            let mut command = Command::new(BIN);
            command.args(["serve", "--config"]).arg(config);
            command
        })
    }

    /// The same with another way to start `serve`.
    pub fn start_with(setup: &Setup<'_>, serve: impl FnOnce(&Path) -> Command) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let config = write_config(dir.path(), address, setup);
        let mut nodes: Vec<Node> = (0..setup.nodes).map(|i| Node::start(dir.path().join(format!("node{i}")))).collect();
        let hosts = seed(&config, &mut nodes, setup.hosts);
        let process = Process::spawn(serve(&config), &dir.path().join("shop.log"));
        let mut shop = Self { process, nodes, hosts, address, dir, config };
        shop.wait_until_it_answers();
        shop.hosts.iter().for_each(|host| shop.check_in(host));
        shop.wait_until_it_sells();
        shop
    }

    /// Starts the shop again after its process has ended.
    pub fn restart(&mut self) {
        self.process.kill();
        let config = self.config.display().to_string();
        self.process = Process::start(&["serve", "--config", &config], &self.dir.path().join("shop.log"));
        self.wait_until_it_answers();
    }

    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// The configuration file, for commands beside the running shop.
    pub fn config(&self) -> &Path {
        &self.config
    }

    pub fn database(&self) -> PathBuf {
        self.dir.path().join("data").join("shop.sqlite3")
    }

    fn wait_until_it_answers(&mut self) {
        let client = self.client();
        let answers = || client.get("/api/v1/public/hosts/").ok().filter(|answer| answer.status == 200);
        wait_until(START, answers).expect("the shop answers");
    }

    fn check_in(&self, host: &Host) {
        let path = format!("/api/v1/hosts/{}/check_in/", host.id);
        let answer = self.client().as_host(&host.token).send("POST", &path, &Body::None).expect("an answer");
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    fn wait_until_it_sells(&self) {
        let client = self.client();
        let sells = || {
            let list = client.get("/api/v1/public/hosts/").ok()?.json();
            (list.as_array()?.len() == self.hosts.len()).then_some(())
        };
        wait_until(START, sells).expect("all hosts are offered");
    }

    /// Places an order as RaspiBlitz does.
    pub fn order(&self, host: &Host, comment: &str) -> std::io::Result<Answer> {
        order(&self.client(), host, comment)
    }
}

/// Places an order as RaspiBlitz does.
pub fn order(client: &Client, host: &Host, comment: &str) -> std::io::Result<Answer> {
    let form = [
        ("product", "tor_bridge"),
        ("host_id", &host.id),
        ("tos_accepted", "True"),
        ("target", TARGET),
        ("comment", comment),
    ];
    client.send("POST", "/api/v1/public/order/", &Body::Form(&form))
}

fn write_config(dir: &Path, address: SocketAddr, setup: &Setup<'_>) -> PathBuf {
    let file = dir.join("config.toml");
    let text = format!(
        "data_dir = \"{}\"\n[http]\nlisten = \"{address}\"\nadmin_listen = \"off\"\n[lightning]\nallow_regtest = true\n\
         [onion]\nenabled = false\n[probe]\npolicy = \"off\"\n[jobs]\n{}{}",
        dir.join("data").display(),
        setup.jobs,
        setup.config
    );
    std::fs::write(&file, text).expect("the configuration is written");
    file
}

fn seed(config: &Path, nodes: &mut [Node], hosts: &[&[&str]]) -> Vec<Host> {
    let config = config.display().to_string();
    let run = |args: &[&str]| run_json(&[args, &["--config", &config]].concat());
    run(&["operator", "add", "anna", "--role", "administrator"]);
    for (priority, node) in nodes.iter_mut().enumerate() {
        let (port, priority) = (node.address.port().to_string(), priority.to_string());
        let file = |name: &str| node.dir.join(name).display().to_string();
        let (certificate, macaroon) = (file("tls.cert"), file("shop.macaroon"));
        let flags = ["--host", "127.0.0.1", "--port", &port, "--priority", &priority, "--name", "simulated"];
        let files = ["--certificate-file", &certificate, "--macaroon-file", &macaroon];
        node.id = text(&run(&[&["node", "add"], &flags[..], &files].concat())["id"]);
    }
    let add = |(i, flags): (usize, &&[&str])| {
        let name = format!("host{i}");
        let common = ["host", "add", "--name", &name, "--ip", "192.0.2.1", "--offers-tor-bridges=true"];
        let added = run(&[&common, *flags].concat());
        Host { id: text(&added["id"]), token: text(&added["token"]) }
    };
    hosts.iter().enumerate().map(add).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
