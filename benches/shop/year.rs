//! What lies on the memory card after a year of orders, few of which are paid. The orders are those of the shop's own
//! code at a node, the jobs and the backups are its own, and the clock is moved. Unpaid orders leave the database after
//! two weeks but for a line: those of the first months are entered as the line that is left, the others live.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use ip2tor_lnd_simulator::Node;
use ip2tor_shop::background::{self, Tasks};
use ip2tor_shop::domain::id::{HostId, OrderId, ProductId, SystemRandom};
use ip2tor_shop::domain::product::{ProductKind, ProductStatus};
use ip2tor_shop::domain::time::{Clock, ManualClock, SystemClock};
use ip2tor_shop::lightning::dial::Dial;
use ip2tor_shop::services::backup::{self, Keep, Places};
use ip2tor_shop::services::orders::place::{OrderRequest, OrderView, OrderedProduct};
use ip2tor_shop::services::products::view::ProductPatch;
use ip2tor_shop::services::{Principal, Settings, Shop, hosts, orders, products};
use ip2tor_shop::store::{StoreError, db};

use crate::table::Table;
use crate::world::{self, World};

const DAY: i64 = 86_400;
const DAYS: u32 = 365;
/// Days whose unpaid orders are placed; `retention.unpaid_days` is fourteen.
const LIVE: u32 = 17;
/// Days after which no backup is left, and more.
const BACKED_UP: u32 = 35;
const UNPAID: usize = 1_000;
const SOLD: usize = 20;
const KIND: ProductKind = ProductKind::TorBridge;

/// One row: all files of the database, and its backups.
pub async fn size(table: &mut Table) {
    let World { dir, simulator, shop, hosts, .. } = World::new().await;
    shop.stop();
    let simulator = simulator.expect("the node runs");
    let year = Year::begin(dir.path(), hosts[0].id, simulator.node());
    for left in (0..DAYS).rev() {
        year.day(left).await;
    }
    let (database, backups, count) = year.sizes();
    let text = format!("{:.0} MB: {:.0} of database, {:.0} in {count} backups", database + backups, database, backups);
    table.row("disk after a year, 1,000 unpaid and 20 sold a day", text, String::new(), "200 MB");
    year.tasks.stop().await;
    simulator.shutdown().await;
}

struct Year<'n> {
    shop: Shop,
    clock: Arc<ManualClock>,
    tasks: Tasks,
    places: Places,
    host: HostId,
    node: &'n Arc<Node>,
}

impl<'n> Year<'n> {
    fn begin(dir: &Path, host: HostId, node: &'n Arc<Node>) -> Self {
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let settings = Settings { allow_regtest: true, ..Settings::default() };
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

    /// A day, after which there are so many left.
    async fn day(&self, left: u32) {
        hosts::check_ins::check_in(&self.shop, &Principal::Host(self.host), self.host, 0, String::new())
            .await
            .expect("noted");
        self.sell().await;
        if left < LIVE {
            self.place(UNPAID).await;
            self.pass(1_000);
            products::expire::close_unpaid(&self.shop).await.expect("closed");
            self.until_nothing_waits().await;
        } else {
            self.enter_lines();
        }
        self.pass(DAY);
        self.night(left).await;
    }

    /// Time passes, at the node as well: its invoices would be over before they are shown.
    fn pass(&self, secs: i64) {
        self.clock.advance_secs(secs);
        self.node.set_clock_ahead(self.clock.now().millis_since(SystemClock.now()) / 1000);
    }

    /// What the jobs do, and what the host does then.
    async fn night(&self, left: u32) {
        products::expire::suspend_expired(&self.shop).await.expect("suspended");
        self.report(ProductStatus::NeedsSuspend, ProductStatus::Suspended).await;
        products::expire::delete_suspended(&self.shop).await.expect("given up");
        products::expire::delete_unpaid(&self.shop).await.expect("deleted");
        if left < BACKED_UP {
            backup::create_scheduled(&self.shop.db, &self.places, self.shop.now()).expect("a backup");
            backup::delete_old(&self.places, Keep { days: 7, weeks: 4 }).expect("old ones are deleted");
        }
    }

    async fn place(&self, count: usize) -> Vec<OrderId> {
        let request = || OrderRequest {
            product: OrderedProduct::TorBridge,
            host_id: self.host,
            periods: 1,
            tos_accepted: true,
            comment: None,
            target: Some(world::TARGET.to_owned()),
            alias: None,
            public_key: None,
            client_ip: None,
        };
        let placed = join_all((0..count).map(|_| orders::place::place(&self.shop, request()))).await;
        self.until_nothing_waits().await;
        placed.into_iter().map(|order| order.expect("the order is accepted")).collect()
    }

    /// Bridges that are paid for and run.
    async fn sell(&self) {
        let sold = self.place(SOLD).await;
        for order in &sold {
            let purchase = self.view(*order).purchase;
            self.node
                .arrive(purchase.invoice.hash, &[purchase.price.0], purchase.price.0)
                .expect("the payment arrives");
        }
        self.until(&sold, |view| view.product.status == ProductStatus::NeedsActivate).await;
        self.report(ProductStatus::NeedsActivate, ProductStatus::Active).await;
        self.until(&sold, |view| view.purchase.invoice.paid_at.is_some()).await;
        self.until_nothing_waits().await;
    }

    /// The host asks for the products with a status and reports another.
    async fn report(&self, from: ProductStatus, to: ProductStatus) {
        let scope = Principal::Host(self.host);
        let listed = products::view::list(&self.shop, &scope, KIND, None, Some(from)).await.expect("a list");
        let report = |product: ProductId| {
            let patch = ProductPatch { status: Some(to), ..ProductPatch::default() };
            let (shop, scope) = (&self.shop, &scope);
            async move { products::view::patch(shop, scope, product, KIND, patch).await.map(drop).expect("reported") }
        };
        join_all(listed.into_iter().map(|view| report(view.product.id))).await;
    }

    /// What is left of orders that were placed today and deleted two weeks later.
    fn enter_lines(&self) {
        let today = self.shop.now().secs() / DAY;
        let lines = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
                     INSERT INTO unpaid_order (id_end, ordered_on) SELECT random(), ?2 FROM n";
        let entered =
            self.shop.db.write_blocking(move |db| db.execute(lines, (UNPAID as i64, today)).map_err(StoreError::from));
        entered.expect("entered");
    }

    fn view(&self, order: OrderId) -> OrderView {
        orders::place::view(&self.shop, order).expect("the order")
    }

    async fn until(&self, orders: &[OrderId], is_so: impl Fn(OrderView) -> bool) {
        while !orders.iter().all(|order| is_so(self.view(*order))) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// Waits until the node has been told everything.
    async fn until_nothing_waits(&self) {
        let waiting = || {
            let count = "SELECT count(*) FROM effect";
            self.shop.db.read(|db| db.query_row(count, [], |row| row.get::<_, i64>(0)).map_err(StoreError::from))
        };
        for look in 1_u32.. {
            if waiting().expect("a count") == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
            if look % 250 == 0 {
                // What has failed is tried again a little later.
                self.clock.advance_secs(1);
            }
        }
    }

    /// Megabytes of the database and of its backups, and how many of these there are.
    fn sizes(&self) -> (f64, f64, usize) {
        let database: u64 = db::files_of(&self.places.database)
            .iter()
            .map(|file| fs::metadata(file).map_or(0, |about| about.len()))
            .sum();
        let backups = backup::list(&self.places).expect("the backups");
        let size: u64 = backups.iter().map(|file| file.size).sum();
        (database as f64 / 1e6, size as f64 / 1e6, backups.len())
    }
}
