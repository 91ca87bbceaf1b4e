//! What the measurements run against: a shop's process, a simulated node in this one, hosts.

use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ip2tor_lnd_simulator::{Options, Running, Simulator};
use ip2tor_shop::domain::host::PortKind;
use ip2tor_shop::domain::host_rules::HostChange;
use ip2tor_shop::domain::id::{HostId, SystemRandom};
use ip2tor_shop::domain::lightning::PaymentHash;
use ip2tor_shop::domain::node::NodeKind;
use ip2tor_shop::domain::operator::Role;
use ip2tor_shop::domain::time::{Clock, SystemClock};
use ip2tor_shop::services::hosts as hosts_service;
use ip2tor_shop::services::hosts::manage::NewHost;
use ip2tor_shop::services::nodes;
use ip2tor_shop::services::nodes::manage::NodeChange;
use ip2tor_shop::services::{Error, Session, Tx, operators};
use ip2tor_shop::store::{Db, hosts};
use tempfile::TempDir;

use crate::load;
use crate::process::ShopProcess;

/// A valid target.
pub const TARGET: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333";

/// A host of the world.
pub struct HostEntry {
    pub id: HostId,
    pub token: String,
}

pub struct World {
    pub dir: TempDir,
    /// The node; `None` once it was stopped.
    pub simulator: Option<Running>,
    pub shop: ShopProcess,
    pub address: SocketAddr,
    pub hosts: Vec<HostEntry>,
}

impl World {
    /// Ten hosts; the first has nearly all ports.
    pub async fn new() -> Self {
        Self::with("").await
    }

    /// The same with more in its configuration.
    pub async fn with(more: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().expect("a temporary folder");
        let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
        let simulator = Simulator::start(Options::new(any_port, dir.path().join("lnd"))).await.expect("a node");
        let db = open(dir.path());
        let hosts = seed(&db, dir.path(), simulator.local_addr().port());
        drop(db);
        let (config, address) = write_config(dir.path(), more);
        let shop = ShopProcess::start(&config);
        let world = Self { dir, simulator: Some(simulator), shop, address, hosts };
        world.wait_until_it_sells().await;
        world
    }

    async fn wait_until_it_sells(&self) {
        for _ in 0..500 {
            if let Ok(mut connection) = load::Connection::open(self.address).await {
                let answer = connection.call(&load::get("/api/v1/public/hosts/", None)).await;
                if answer.is_ok_and(|(status, body)| status == 200 && body.len() > 10) {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the shop does not sell");
    }

    /// The hosts are alive for another five minutes: a slow machine takes longer than that for all work.
    pub fn check_in(&self) {
        let ids: Vec<_> = self.hosts.iter().map(|host| host.id).collect();
        change(&open(self.dir.path()), move |tx| {
            ids.iter().try_for_each(|id| hosts::check_in(tx.db, *id, 0, "", tx.now).map_err(Error::from))
        });
    }

    /// The shop has no hosts any more.
    pub fn remove_hosts(&self) {
        let ids: Vec<_> = self.hosts.iter().map(|host| host.id).collect();
        change(&open(self.dir.path()), move |tx| {
            ids.iter().try_for_each(|id| hosts::delete(tx.db, *id, tx.author()).map_err(Error::from))
        });
    }

    /// More hosts; the numbers below ten are those that each world has.
    pub fn add_hosts(&self, numbers: Range<u16>) {
        change(&open(self.dir.path()), |tx| numbers.map(|i| add_host(tx, i)).collect::<Result<Vec<_>, _>>());
    }

    /// A form that orders a bridge from a host.
    pub fn order_form(&self, host: usize) -> Vec<u8> {
        let form = format!("product=tor_bridge&host_id={}&tos_accepted=true&target={TARGET}", self.hosts[host].id);
        load::post("/api/v1/public/order/", &form)
    }

    /// Lets a payment of the invoice arrive at the node.
    pub fn pay(&self, hash: PaymentHash, msat: u64) {
        let node = self.simulator.as_ref().expect("the node runs").node();
        node.arrive(hash, &[msat], msat).expect("the payment arrives");
    }

    /// The node goes away.
    pub async fn stop_node(&mut self) {
        if let Some(simulator) = self.simulator.take() {
            simulator.shutdown().await;
        }
    }

    pub async fn end(mut self) {
        self.stop_node().await;
        self.shop.stop();
    }
}

pub fn open(dir: &Path) -> Db {
    Db::open(&dir.join("shop.sqlite3")).expect("a database")
}

/// A configuration with a free port and `more`; the file and the address.
pub fn write_config(dir: &Path, more: &str) -> (PathBuf, SocketAddr) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    let file = dir.join("config.toml");
    let text = format!(
        "data_dir = {dir:?}\n[http]\nlisten = \"{address}\"\n[lightning]\n\
         allow_regtest = true\n[holds]\nmax_open_per_node = 0\n[onion]\nenabled = false\n{more}",
        dir = dir.display().to_string()
    );
    std::fs::write(&file, text).expect("the configuration is written");
    (file, address)
}

/// Runs a change as the command line does.
pub fn change<T: Send + 'static>(db: &Db, run: impl FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static) -> T {
    let session = Session::on_command_line(SystemClock.now());
    session.write(db, run).expect("the change is accepted")
}

fn seed(db: &Db, dir: &Path, lnd_port: u16) -> Vec<HostEntry> {
    let file = |name: &str| Some(dir.join("lnd").join(name).display().to_string());
    let node = NodeChange {
        host: Some("127.0.0.1".to_owned()),
        port: Some(lnd_port),
        certificate_file: file("tls.cert"),
        macaroon_file: file("shop.macaroon"),
        ..NodeChange::default()
    };
    change(db, move |tx| {
        operators::manage::add(tx, "bench", Role::Administrator, "-")?;
        nodes::manage::add(tx, &SystemRandom, NodeKind::LndGrpc, node, None)?;
        (0..10).map(|i| add_host(tx, i)).collect()
    })
}

pub fn add_host(tx: &Tx<'_>, i: u16) -> Result<HostEntry, Error> {
    let change = HostChange {
        name: Some(format!("bench{i}")),
        ip: Some(format!("192.0.2.{}", i + 1)),
        offers_tor_bridges: Some(true),
        ..HostChange::default()
    };
    let span = (PortKind::TorBridge, 10_000, 65_535);
    let added =
        hosts_service::manage::add(tx, &SystemRandom, NewHost { change, ranges: vec![span], ..NewHost::default() })?;
    hosts::check_in(tx.db, added.host.id, 0, "", tx.now)?;
    Ok(HostEntry { id: added.host.id, token: added.token })
}
