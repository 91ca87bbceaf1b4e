//! What the shop writes to the memory card: while nothing happens, while ten hosts poll, and what there is after a
//! year of orders.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ip2tor_shop::background::{self, Tasks};
use ip2tor_shop::domain::id::{HostId, SystemRandom};
use ip2tor_shop::domain::product::{ProductKind, ProductStatus};
use ip2tor_shop::domain::time::{Clock, ManualClock, SystemClock};
use ip2tor_shop::lightning::dial::Dial;
use ip2tor_shop::services::backup::{self, Keep, Places};
use ip2tor_shop::services::orders;
use ip2tor_shop::services::orders::place::{OrderRequest, OrderedProduct};
use ip2tor_shop::services::products::view::ProductPatch;
use ip2tor_shop::services::{Principal, Settings, Shop, hosts, products};
use ip2tor_shop::store::StoreError;

use crate::load::{self, Connection};
use crate::table::Table;
use crate::world::{self, World};

/// How long the writes are counted: what is kept in memory is stored every ten minutes.
const WINDOW: Duration = Duration::from_secs(600);

/// Writes of a shop without hosts, and of one with ten, at the same time.
pub async fn writes(table: &mut Table) {
    let (idle, busy) = (World::new().await, World::new().await);
    // The start writes what a start writes.
    poll(&busy, Duration::from_secs(20)).await;
    let counts = [Writes::begin(&idle), Writes::begin(&busy)];
    poll(&busy, WINDOW).await;
    let [idle_row, busy_row] = counts.map(Writes::end);
    table.row("writes, idle", idle_row, String::new(), "1 sync a minute, 5 MB a day");
    table.row("writes, ten hosts poll every 2 s", busy_row, String::new(), "4 a minute, 20 MB a day");
    idle.end().await;
    busy.end().await;
}

/// All hosts do every two seconds what their scripts do: look for work, and check in.
async fn poll(world: &World, time: Duration) {
    let mut connection = Connection::open(world.address).await.expect("the shop accepts");
    let start = Instant::now();
    while start.elapsed() < time {
        for host in &world.hosts {
            for path in [
                format!("/api/v1/tor_bridges/?host={}&status=P", host.id),
                format!("/api/v1/tor_bridges/?host={}&status=S", host.id),
                format!("/api/v1/hosts/{}/check_in/", host.id),
            ] {
                let (status, _) = connection.call(&load::get(&path, Some(&host.token))).await.expect("an answer");
                assert_eq!(status, 200, "{path}");
            }
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}

/// Counts what a process writes and syncs.
struct Writes {
    pid: u32,
    tracer: Option<Child>,
    trace: PathBuf,
    bytes: u64,
    start: Instant,
}

impl Writes {
    fn begin(world: &World) -> Self {
        let (pid, trace) = (world.shop.child.id(), world.dir.path().join("syncs"));
        let tracer = Command::new("strace")
            .args(["-f", "-q", "-e", "trace=fsync,fdatasync", "-o"])
            .arg(&trace)
            .args(["-p", &pid.to_string()])
            .stderr(Stdio::null())
            .spawn();
        Self { pid, tracer: tracer.ok(), trace, bytes: written(pid), start: Instant::now() }
    }

    fn end(self) -> String {
        let minutes = self.start.elapsed().as_secs_f64() / 60.0;
        let megabytes = (written(self.pid) - self.bytes) as f64 / 1e6 / minutes * 1440.0;
        let syncs = self.tracer.map_or_else(
            || "syncs not counted: there is no strace".to_owned(),
            |mut tracer| {
                let _ = Command::new("kill").args(["-INT", &tracer.id().to_string()]).status();
                let _ = tracer.wait();
                let lines = fs::read_to_string(&self.trace).unwrap_or_default();
                let syncs = lines.lines().filter(|line| line.contains("sync(")).count();
                format!("{:.1} syncs a minute", syncs as f64 / minutes)
            },
        );
        format!("{syncs}, {megabytes:.1} MB a day")
    }
}

/// Bytes that a process has sent to the disk so far.
fn written(pid: u32) -> u64 {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).expect("the process runs");
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).expect("a number of bytes")
}

const DAY: i64 = 86_400;
const DAYS: u32 = 365;
const UNPAID: usize = 1_000;
const SOLD: usize = 20;

/// A year of orders, of which few are paid: what there is then. The jobs are those of the shop, the clock is moved.
pub async fn year(table: &mut Table) {
    let World { dir, simulator, shop, hosts, .. } = World::new().await;
    shop.stop();
    let year = Year::begin(dir.path(), hosts[0].id, simulator.as_ref().expect("the node runs").node());
    for _ in 0..DAYS {
        year.day().await;
    }
    let (database, backups) = year.sizes();
    let text = format!("{:.0} MB, {:.0} of them in backups", (database + backups) as f64 / 1e6, backups as f64 / 1e6);
    table.row("disk after a year, 1,000 unpaid and 20 sold a day", text, String::new(), "200 MB");
    year.tasks.stop().await;
    if let Some(simulator) = simulator {
        simulator.shutdown().await;
    }
}

struct Year<'n> {
    shop: Shop,
    clock: Arc<ManualClock>,
    tasks: Tasks,
    places: Places,
    host: HostId,
    node: &'n Arc<ip2tor_lnd_simulator::Node>,
}

impl<'n> Year<'n> {
    fn begin(dir: &Path, host: HostId, node: &'n Arc<ip2tor_lnd_simulator::Node>) -> Self {
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let settings = Settings { allow_regtest: true, max_holds_per_node: 0, ..Settings::default() };
        let shop = Shop::new(world::open(dir), clock.clone(), Arc::new(SystemRandom), settings).expect("a shop");
        let tasks = Tasks::default();
        background::start(&shop, Dial::direct(), None, &tasks);
        let places = Places {
            data_dir: dir.to_owned(),
            database: dir.join("shop.sqlite3"),
            backup_dir: dir.join("backups"),
            onion_state_dir: dir.join("tor"),
            config_file: None,
        };
        Self { shop, clock, tasks, places, host, node }
    }

    async fn day(&self) {
        self.check_in().await;
        for i in 0..UNPAID + SOLD {
            let order = orders::place::place(&self.shop, self.request()).await.expect("the order is accepted");
            if i < SOLD {
                self.sell(order).await;
            }
        }
        self.until_nothing_waits().await;
        self.clock.advance_secs(1_000);
        products::expire::close_unpaid(&self.shop).await.expect("closed");
        self.until_nothing_waits().await;
        self.clock.advance_secs(DAY - 1_000);
        products::expire::suspend_expired(&self.shop).await.expect("suspended");
        products::expire::delete_unpaid(&self.shop).await.expect("deleted");
        backup::create_scheduled(&self.shop.db, &self.places, self.shop.now()).expect("a backup");
        backup::delete_old(&self.places, Keep { days: 7, weeks: 4 }).expect("old ones are deleted");
    }

    fn request(&self) -> OrderRequest {
        OrderRequest {
            product: OrderedProduct::TorBridge,
            host_id: self.host,
            tos_accepted: true,
            comment: None,
            target: Some(world::TARGET.to_owned()),
            alias: None,
            public_key: None,
            client_ip: None,
        }
    }

    async fn check_in(&self) {
        let scope = Principal::Host(self.host);
        hosts::check_ins::check_in(&self.shop, &scope, self.host, 0, String::new()).await.expect("checked in");
    }

    async fn sell(&self, order: ip2tor_shop::domain::id::OrderId) {
        self.until_nothing_waits().await;
        let view = orders::place::view(&self.shop, order).expect("the order");
        let amount = view.purchase.price.0;
        self.node.arrive(view.purchase.invoice.hash, &[amount], amount).expect("the payment arrives");
        while orders::place::view(&self.shop, order).expect("the order").product.status != ProductStatus::NeedsActivate
        {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let patch = ProductPatch { status: Some(ProductStatus::Active), ..ProductPatch::default() };
        let (scope, kind) = (Principal::Host(self.host), ProductKind::TorBridge);
        products::view::patch(&self.shop, &scope, view.product.id, kind, patch).await.expect("activated");
    }

    /// Waits until the node has been told everything.
    async fn until_nothing_waits(&self) {
        let waiting = || {
            let count = "SELECT count(*) FROM effect";
            self.shop.db.read(|db| db.query_row(count, [], |row| row.get::<_, i64>(0)).map_err(StoreError::from))
        };
        while waiting().expect("a count") > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn sizes(&self) -> (u64, u64) {
        let size = |path: &Path| fs::metadata(path).map_or(0, |about| about.len());
        let backups = backup::list(&self.places).expect("the backups");
        (size(&self.places.database), backups.iter().map(|file| file.size).sum())
    }
}
