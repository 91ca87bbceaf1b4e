//! A shop with its workers, a simulated node and a host, in one process; the clock is moved by hand.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ip2tor_lnd_simulator::{Options, Running, Simulator, State};
use ip2tor_shop::background::nodes::registry::Registry;
use ip2tor_shop::background::{self, Tasks};
use ip2tor_shop::domain::host::{Host, PortKind};
use ip2tor_shop::domain::id::{HostId, NodeId, OperatorId, OrderId, ProductId, Random, SystemRandom};
use ip2tor_shop::domain::lightning::PaymentHash;
use ip2tor_shop::domain::node::NodeKind;
use ip2tor_shop::domain::operator::Role;
use ip2tor_shop::domain::product::{ProductKind, ProductStatus};
use ip2tor_shop::domain::time::{Clock, ManualClock, Timestamp};
use ip2tor_shop::lightning::dial::Dial;
use ip2tor_shop::services::backup::Places;
use ip2tor_shop::services::hosts::check_ins;
use ip2tor_shop::services::orders;
use ip2tor_shop::services::orders::place::{OrderRequest, OrderView, OrderedProduct};
use ip2tor_shop::services::products;
use ip2tor_shop::services::products::view::ProductPatch;
use ip2tor_shop::services::{Error, Principal, Settings, Shop};
use ip2tor_shop::store::{Db, StoreError};
use tempfile::TempDir;

pub use crate::support::START;
use crate::support::seed::{Seed, SeedNode, selling};

/// A valid version 3 target.
pub const TARGET: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333";

/// Everything that is expected happens within this, also on a machine that is slow and busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// The folder and name of the first node.
pub const NODE: &str = "lnd";
/// The folder and name of the second node.
pub const SPARE: &str = "lnd2";
/// How many nodes the shop knows to be alive.
pub const ALIVE_NODES: &str = "SELECT count(*) FROM node WHERE is_alive = 1";

/// Everything that a purchase needs.
pub struct Rig {
    pub dir: TempDir,
    pub clock: Arc<ManualClock>,
    pub sim: Option<Running>,
    pub sim_addr: SocketAddr,
    /// How the shop speaks to its first node.
    pub kind: NodeKind,
    rest_addr: SocketAddr,
    pub shop: Shop,
    pub registry: Arc<Registry>,
    pub tasks: Tasks,
    pub host: HostId,
    pub node: NodeId,
    /// The second node, tried after the first.
    pub spare: Option<Spare>,
    settings: Settings,
}

/// A second node of the same operator.
pub struct Spare {
    pub sim: Running,
    pub node: NodeId,
}

/// What differs between tests.
pub struct Setup {
    pub ports: u16,
    pub use_holds: bool,
    pub duration: i64,
    /// Whether there is a second node.
    pub spare: bool,
    /// How the shop speaks to its first node; to the second it speaks gRPC.
    pub kind: NodeKind,
    pub settings: Settings,
}

impl Default for Setup {
    fn default() -> Self {
        let settings = Settings { allow_regtest: true, ..Settings::default() };
        Self { ports: 100, use_holds: false, duration: 86_400, spare: false, kind: NodeKind::LndGrpc, settings }
    }
}

impl Setup {
    /// A host whose first purchases are paid by hold invoices.
    pub fn holding() -> Self {
        Self { use_holds: true, ..Self::default() }
    }

    /// Two nodes.
    pub fn two_nodes() -> Self {
        Self { spare: true, ..Self::default() }
    }
}

impl Rig {
    /// A running shop whose node is alive.
    pub async fn new(setup: Setup) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(ManualClock::new(START));
        let (sim_addr, rest_addr) = (free_address(), free_address());
        let sim = start_simulator(&dir, NODE, &clock, sim_addr, rest_addr).await;
        let db = Db::open(&dir.path().join("shop.sqlite3")).expect("a database");
        let node = NodeId(SystemRandom.uuid());
        let host = new_host(&setup);
        let host_id = host.id;
        let ports = (PortKind::TorBridge, 20_000, 20_000 + setup.ports - 1);
        let mut seed = Seed::default()
            .person(1, "operator", Role::Administrator, "-")
            .host(host, [1; 32], &[ports])
            .node(seed_node(&dir, NODE, &sim, setup.kind, node, 0));
        let spare = if setup.spare { Some(Spare::start(&dir, &clock).await) } else { None };
        if let Some(spare) = &spare {
            seed = seed.node(seed_node(&dir, SPARE, &spare.sim, NodeKind::LndGrpc, spare.node, 1));
        }
        seed.store(&db);
        let nodes = 1 + i64::from(setup.spare);
        let (shop, registry, tasks) = start_shop(db, &clock, &setup.settings);
        let settings = setup.settings;
        let sim = Some(sim);
        let (kind, host) = (setup.kind, host_id);
        let rig =
            Self { dir, clock, sim, sim_addr, kind, rest_addr, shop, registry, tasks, host, node, spare, settings };
        rig.wait_until("all nodes are alive", || rig.count(ALIVE_NODES) == nodes).await;
        rig
    }

    /// Ends the shop's tasks and starts it again on the same database.
    pub async fn restart_shop(&mut self) {
        self.tasks.stop().await;
        let path = self.shop.db.path().to_owned();
        self.start_shop_on(&path);
    }

    /// Starts the shop on a database; it must have been stopped.
    pub fn start_shop_on(&mut self, path: &Path) {
        let db = Db::open(path).expect("the database opens");
        (self.shop, self.registry, self.tasks) = start_shop(db, &self.clock, &self.settings);
    }

    /// A copy of the database as it is now, as a backup has it.
    pub fn back_up(&self) -> PathBuf {
        let copy = self.dir.path().join("backup.sqlite3");
        let database = rusqlite::Connection::open(self.shop.db.path()).expect("the database opens");
        database.execute("VACUUM INTO ?", [copy.display().to_string()]).expect("a copy of the database");
        copy
    }

    /// Where a shop of this name has its files.
    pub fn places(&self, name: &str) -> Places {
        let data_dir = self.dir.path().join(name);
        Places {
            database: data_dir.join("shop.sqlite3"),
            backup_dir: data_dir.join("backups"),
            onion_state_dir: data_dir.join("tor"),
            config_file: None,
            data_dir,
        }
    }

    /// The first node is one of Core Lightning from now on, as far as the shop can see.
    pub async fn use_core_lightning(&self) {
        let socket = self.sim().lightning_rpc().display().to_string();
        self.execute(&format!(
            "UPDATE node SET kind = 'cln', host = '{socket}', port = 0, certificate_file = NULL, macaroon_file = NULL \
             WHERE priority = 0"
        ));
        let is_used = || self.registry.get(self.node).is_ok_and(|entry| !entry.node.can_hold());
        self.wait_until("it is used", is_used).await;
    }

    /// Ends the node.
    pub async fn stop_node(&mut self) {
        if let Some(sim) = self.sim.take() {
            sim.shutdown().await;
        }
    }

    /// Starts the node again at the same address.
    pub async fn start_node(&mut self) {
        self.sim = Some(start_simulator(&self.dir, NODE, &self.clock, self.sim_addr, self.rest_addr).await);
    }

    /// Ends the second node.
    pub async fn stop_spare(&mut self) {
        if let Some(spare) = self.spare.take() {
            spare.sim.shutdown().await;
        }
    }

    /// The first node.
    pub fn sim(&self) -> &Running {
        self.sim.as_ref().expect("the node runs")
    }

    /// The second node.
    pub fn spare(&self) -> &Spare {
        self.spare.as_ref().expect("there is a second node")
    }

    /// The first node is asked now what it is.
    pub fn check_node(&self) {
        self.registry.get(self.node).expect("the node").check.notify_one();
    }

    /// Open alerts that wake somebody up.
    pub fn critical_alerts(&self) -> i64 {
        self.count("SELECT count(*) FROM alert WHERE severity = 'critical' AND closed_at IS NULL")
    }

    /// The state of an order's invoice at the first node.
    pub fn at_node(&self, order: OrderId) -> Option<State> {
        self.sim().node().invoice(self.hash(order)).map(|invoice| invoice.state())
    }

    /// Polls until `done`, at most a minute of real time.
    pub async fn wait_until(&self, what: &str, done: impl Fn() -> bool) {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < PATIENCE, "still not true: {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The same while the shop's clock runs: intents that failed are tried again later each time.
    pub async fn wait_until_as_time_passes(&self, what: &str, done: impl Fn() -> bool) {
        let begun = Instant::now();
        while !done() {
            assert!(begun.elapsed() < PATIENCE, "still not true: {what}");
            self.clock.advance_secs(1);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Polls until the order has this status, while the shop's clock runs.
    pub async fn wait_order_as_time_passes(&self, order: OrderId, status: &str) {
        let what = format!("the order is {status}");
        self.wait_until_as_time_passes(&what, || self.order_status(order) == status).await;
    }

    pub async fn check_in(&self) {
        check_ins::check_in(&self.shop, &Principal::Host(self.host), self.host, 0, String::new())
            .await
            .expect("check-in");
    }

    pub fn bridge_request(&self) -> OrderRequest {
        OrderRequest {
            product: OrderedProduct::TorBridge,
            host_id: self.host,
            periods: 1,
            tos_accepted: true,
            comment: None,
            target: Some(TARGET.to_owned()),
            alias: None,
            public_key: None,
            client_ip: None,
        }
    }

    pub async fn order(&self) -> Result<OrderId, Error> {
        orders::place::place(&self.shop, self.bridge_request()).await
    }

    pub fn view(&self, order: OrderId) -> OrderView {
        orders::place::view(&self.shop, order).expect("the order exists")
    }

    /// Orders a bridge and waits for its payment request.
    pub async fn ordered(&self) -> (OrderId, ProductId) {
        let order = self.order().await.expect("the order is accepted");
        self.wait_until("the invoice is made", || self.view(order).purchase.invoice.payment_request.is_some()).await;
        (order, self.view(order).product.id)
    }

    pub fn hash(&self, order: OrderId) -> PaymentHash {
        self.view(order).purchase.invoice.hash
    }

    /// A payment of the whole price arrives at the node.
    pub fn pay(&self, order: OrderId) {
        let amount = self.view(order).purchase.price.0;
        self.pay_msat(order, amount);
    }

    pub fn pay_msat(&self, order: OrderId, amount: u64) {
        self.sim().node().arrive(self.hash(order), &[amount], amount).expect("the payment arrives");
    }

    pub fn order_status(&self, order: OrderId) -> &'static str {
        self.view(order).purchase.status.letter()
    }

    pub fn product_status(&self, product: ProductId) -> ProductStatus {
        products::view::public(&self.shop, product, ProductKind::TorBridge).expect("the product exists").status
    }

    /// The host reports a status.
    pub async fn report(&self, product: ProductId, status: ProductStatus) -> Result<(), Error> {
        let patch = ProductPatch { status: Some(status), ..ProductPatch::default() };
        let scope = Principal::Host(self.host);
        products::view::patch(&self.shop, &scope, product, ProductKind::TorBridge, patch).await.map(drop)
    }

    /// The host asks what it is to activate.
    pub async fn poll(&self) -> Vec<ProductId> {
        let status = Some(ProductStatus::NeedsActivate);
        let listed =
            products::view::list(&self.shop, &Principal::Host(self.host), ProductKind::TorBridge, None, status).await;
        listed.expect("a list").into_iter().map(|view| view.product.id).collect()
    }

    pub async fn wait_order(&self, order: OrderId, status: &str) {
        self.wait_until(&format!("the order is {status}"), || self.order_status(order) == status).await;
    }

    pub async fn wait_product(&self, product: ProductId, status: ProductStatus) {
        self.wait_until(&format!("the product is {status:?}"), || self.product_status(product) == status).await;
    }

    /// Orders, pays and activates a bridge.
    pub async fn active_bridge(&self) -> (OrderId, ProductId) {
        let (order, product) = self.ordered().await;
        self.pay(order);
        self.wait_product(product, ProductStatus::NeedsActivate).await;
        self.report(product, ProductStatus::Active).await.expect("the activation is accepted");
        self.wait_order(order, "P").await;
        (order, product)
    }

    pub fn count(&self, sql: &str) -> i64 {
        self.shop
            .db
            .read(|db| db.query_row(sql, [], |row| row.get(0)).map_err(StoreError::from))
            .expect("the query runs")
    }

    /// Changes the database past the shop.
    pub fn execute(&self, sql: &str) {
        let sql = sql.to_owned();
        self.shop
            .db
            .write_blocking(move |db| db.execute(&sql, []).map(drop).map_err(StoreError::from))
            .expect("the statement runs");
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

impl Spare {
    async fn start(dir: &TempDir, clock: &Arc<ManualClock>) -> Self {
        let sim = start_simulator(dir, SPARE, clock, free_address(), free_address()).await;
        Self { sim, node: NodeId(SystemRandom.uuid()) }
    }
}

/// Where a node can be started again after it was ended.
fn free_address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, crate::port::free_port()).into()
}

/// Where a node of this kind is reached: host and port.
pub fn address(kind: NodeKind, sim: &Running) -> (String, u16) {
    let local = || "127.0.0.1".to_owned();
    match kind {
        NodeKind::LndGrpc => (local(), sim.local_addr().port()),
        NodeKind::LndRest => (local(), sim.rest_addr().expect("it serves REST").port()),
        NodeKind::Cln => (sim.lightning_rpc().display().to_string(), 0),
    }
}

async fn start_simulator(
    dir: &TempDir,
    name: &str,
    clock: &Arc<ManualClock>,
    listen: SocketAddr,
    rest: SocketAddr,
) -> Running {
    let mut options = Options::new(listen, dir.path().join(name));
    options.rest_listen = Some(rest);
    options.lightning_rpc = true;
    options.clock = clock.clone();
    options.lightning_rpc = true;
    Simulator::start(options).await.expect("the simulated node starts")
}

fn start_shop(db: Db, clock: &Arc<ManualClock>, settings: &Settings) -> (Shop, Arc<Registry>, Tasks) {
    let shop = Shop::new(db, clock.clone(), Arc::new(SystemRandom), settings.clone()).expect("a shop");
    let tasks = Tasks::default();
    let registry = background::start(&shop, Dial::direct(), None, &tasks);
    (shop, registry, tasks)
}

fn new_host(setup: &Setup) -> Host {
    let host = selling(HostId(SystemRandom.uuid()), "host1");
    Host { tor_bridge_duration: setup.duration, use_holds: setup.use_holds, ..host }
}

/// How the shop reaches a simulated node.
fn seed_node(dir: &TempDir, name: &str, sim: &Running, kind: NodeKind, id: NodeId, priority: i64) -> SeedNode {
    let (host, port) = address(kind, sim);
    let lnd = dir.path().join(name);
    // Core Lightning has neither.
    let file = |file: &str| (kind != NodeKind::Cln).then(|| lnd.join(file).display().to_string());
    let (certificate_file, macaroon_file) = (file("tls.cert"), file("shop.macaroon"));
    SeedNode { kind, host, port, certificate_file, macaroon_file, priority, ..SeedNode::new(id, OperatorId(1), name) }
}
