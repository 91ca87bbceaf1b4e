//! What a shop needs around it: a simulated Lightning node, C-tor in front of it, a host, a
//! configuration.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ip2tor_lnd_simulator::{Options, Running, Simulator};
use ip2tor_shop::domain::host::PortKind;
use ip2tor_shop::domain::host_rules::HostChange;
use ip2tor_shop::domain::id::SystemRandom;
use ip2tor_shop::domain::node::NodeKind;
use ip2tor_shop::domain::operator::Role;
use ip2tor_shop::domain::time::{Clock, SystemClock};
use ip2tor_shop::onion::keys;
use ip2tor_shop::services::hosts;
use ip2tor_shop::services::hosts::manage::{Added, NewHost};
use ip2tor_shop::services::nodes;
use ip2tor_shop::services::nodes::manage::NodeChange;
use ip2tor_shop::services::{Error, Session, Tx, operators};
use ip2tor_shop::store::Db;
use tempfile::TempDir;
use toml::{Table, Value};

use crate::tor_network::{CTorService, TorNetwork};

/// The port of LND, here and behind the onion service.
pub const LND_PORT: u16 = 10009;
/// How long anything on the private network may take; the machine may be busy.
pub const LIMIT: Duration = Duration::from_secs(240);

/// A shop's surroundings. The shop itself is started by each test.
pub struct World {
    pub dir: TempDir,
    pub simulator: Running,
    /// C-tor's onion service with the node on [`LND_PORT`], which speaks TLS.
    pub node_onion: CTorService,
    pub host_id: String,
    pub token: String,
    config: Table,
}

impl World {
    /// A node behind an onion service, a host, and a shop that has never run. `name` (letters and
    /// digits) is unlike that of any other world in this process.
    pub async fn new(network: &TorNetwork, name: &str) -> Self {
        ip2tor_shop::onion::tls::install_provider();
        let dir = tempfile::tempdir().unwrap();
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let simulator = Simulator::start(Options::new(any_port, dir.path().join("lnd"))).await.unwrap();
        let node_onion = network.onion_service(name, &[(LND_PORT, simulator.local_addr())]);
        let added = seed(&dir, &node_onion.address);
        let config = toml::from_str(
            "[http]\nlisten = \"127.0.0.1:0\"\n[lightning]\nallow_regtest = true\n[probe]\npolicy = \"warn\"\n",
        );
        let mut world = Self {
            host_id: added.host.id.to_string(),
            token: added.token,
            config: config.unwrap(),
            dir,
            simulator,
            node_onion,
        };
        world.set("", "data_dir", world.dir.path().join("shop").display().to_string());
        world.set("onion", "arti", network.arti());
        world
    }

    /// Changes a setting of the next start; `section` is `a.b` or empty for the top.
    pub fn set(&mut self, section: &str, key: &str, value: impl Into<Value>) {
        let mut table = &mut self.config;
        for name in section.split('.').filter(|name| !name.is_empty()) {
            let inner = table.entry(name).or_insert_with(|| Table::new().into());
            table = inner.as_table_mut().unwrap();
        }
        table.insert(key.to_owned(), value.into());
    }

    /// Writes the configuration file.
    pub fn config(&self) -> PathBuf {
        let file = self.dir.path().join("config.toml");
        std::fs::write(&file, self.config.to_string()).unwrap();
        file
    }

    /// What a command of the shop prints, on standard output or, when it fails, on standard error.
    pub fn command(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ip2tor-shop"));
        let output = command.args(arguments).arg("--config").arg(self.config()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        let said = text(&output.stdout);
        if output.status.success() { Ok(said) } else { Err(said + &text(&output.stderr)) }
    }

    /// The folder where Tor keeps the shop's keys.
    pub fn state_dir(&self) -> PathBuf {
        self.dir.path().join("shop/tor")
    }

    /// The shop's onion address; there from its first start on.
    pub fn onion(&self) -> String {
        keys::address(&self.state_dir(), "shop").unwrap()
    }
}

fn seed(dir: &TempDir, node_onion: &str) -> Added {
    std::fs::create_dir(dir.path().join("shop")).unwrap();
    let db = Db::open(&dir.path().join("shop/shop.sqlite3")).unwrap();
    let session = Session::on_command_line(SystemClock.now());
    let file = |name: &str| Some(dir.path().join("lnd").join(name).display().to_string());
    let node = NodeChange {
        host: Some(node_onion.to_owned()),
        port: Some(LND_PORT),
        certificate_file: file("tls.cert"),
        macaroon_file: file("shop.macaroon"),
        ..NodeChange::default()
    };
    let added = session.write(&db, move |tx| {
        operators::manage::add(tx, "me", Role::Administrator, "-")?;
        nodes::manage::add(tx, &SystemRandom, NodeKind::LndGrpc, node, None)?;
        add_host(tx)
    });
    added.unwrap()
}

fn add_host(tx: &Tx<'_>) -> Result<Added, Error> {
    let change = HostChange {
        name: Some("bridge1".to_owned()),
        ip: Some("192.0.2.7".to_owned()),
        offers_tor_bridges: Some(true),
        tor_bridge_duration: Some(86_400),
        ..HostChange::default()
    };
    let span = (PortKind::TorBridge, 20_000, 20_099);
    let added = hosts::manage::add(tx, &SystemRandom, NewHost { change, ranges: vec![span], ..NewHost::default() })?;
    ip2tor_shop::store::hosts::check_in(tx.db, added.host.id, 0, "", tx.now)?;
    Ok(added)
}

/// Waits until `condition` holds.
pub async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    assert!(tokio::time::timeout(LIMIT, wait).await.is_ok(), "waited in vain until {what}");
}
