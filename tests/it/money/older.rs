//! A database that came back older than the world, however it was put back; and a second copy of the shop that is alive.
//! Invoices at the node that the shop's secret has made tell of both, and of nothing else.

use std::path::Path;
use std::sync::Arc;

use ip2tor_lnd_simulator::State;
use ip2tor_shop::background::nodes::registry::Registry;
use ip2tor_shop::background::{self, Tasks};
use ip2tor_shop::domain::id::{OrderId, SystemRandom};
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::lightning::dial::Dial;
use ip2tor_shop::services::orders;
use ip2tor_shop::services::products::expire;
use ip2tor_shop::services::{Principal, Session, Settings, Shop, doctor, hosts};
use ip2tor_shop::store::{Db, alerts};

use crate::money::rig::{Rig, Setup};

/// Hosts that may have what the database does not know.
const UNSWEPT: &str = "SELECT count(*) FROM host WHERE unswept_since IS NOT NULL";
/// Everything that tells of a copy, closed or not.
const TOLD: &str = "SELECT count(*) FROM alert WHERE topic IN ('database_older', 'second_copy')";
/// Nodes of which all that they have was read.
const READ: &str = "SELECT count(*) FROM node WHERE invoices_read > 0";

impl Rig {
    async fn put_back(&mut self, copy: &Path) {
        self.tasks.stop().await;
        self.start_shop_on(copy);
    }

    /// The shop compares its node's invoices with its own, to the end.
    pub(in crate::money) async fn compared(&self) {
        compared(&self.shop, &self.registry, self.node).await;
    }

    async fn lost_bridge(&self) -> OrderId {
        self.check_in().await;
        self.active_bridge().await.0
    }
}

/// Rings until a comparison has begun after now and ended: it notes that it has read all.
async fn compared(shop: &Shop, registry: &Registry, node: ip2tor_shop::domain::id::NodeId) {
    let entry = registry.get(node).expect("the node");
    let mut strangers = background::nodes::follow::Strangers::default();
    entry.compare.notify_one();
    background::nodes::follow::compare(shop, &entry, &mut strangers).await.expect("compared");
}

/// A second copy of the shop, with all that runs in one.
struct Copy {
    shop: Shop,
    registry: Arc<Registry>,
    tasks: Tasks,
}

impl Copy {
    async fn start(rig: &Rig, database: &Path) -> Self {
        let taken = rusqlite::Connection::open(database).expect("it opens");
        taken.execute("UPDATE node SET invoices_read = 0", []).expect("as if nothing was read yet");
        drop(taken);
        let db = Db::open(database).expect("the copy opens");
        let settings: Settings = (*rig.shop.settings).clone();
        let shop = Shop::new(db, rig.clock.clone(), Arc::new(SystemRandom), settings).expect("a shop");
        let tasks = Tasks::default();
        let registry = background::start(&shop, Dial::direct(), None, &tasks);
        let copy = Self { shop, registry, tasks };
        rig.wait_until("the copy has looked", || copy.count(READ) == 1).await;
        copy
    }

    fn count(&self, sql: &str) -> i64 {
        self.shop
            .db
            .read(|db| db.query_row(sql, [], |row| row.get(0)).map_err(ip2tor_shop::store::StoreError::from))
            .expect("the query runs")
    }

    fn has_told(&self, topic: &str) -> bool {
        let open = self.shop.db.read(|db| alerts::list(db, false)).expect("the alerts");
        open.iter().any(|alert| alert.topic.name() == topic)
    }
}

// ---- older than the world -----------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_simply_put_back_is_treated_like_a_restored_backup() {
    let mut rig = Rig::new(Setup::default()).await;
    let (known, _) = rig.active_bridge().await;
    let copy = rig.back_up();
    let lost = rig.lost_bridge().await;
    rig.put_back(&copy).await;

    rig.wait_until("it is noticed", || rig.open_alerts("database_older") == 1).await;
    assert_eq!(rig.count(UNSWEPT), 1, "what was sold since stands on the host");
    let named = format!("SELECT count(*) FROM alert WHERE topic = 'database_older' AND text LIKE '%{lost}%'");
    assert_eq!(rig.count(&named), 1);
    rig.wait_until("what was paid since is told", || rig.open_alerts("unknown_payment") == 1).await;
    rig.wait_until("history was looked through", || rig.count("SELECT max(history_due) FROM node") == 0).await;
    let restored = "SELECT value FROM meta WHERE key = 'restored_orders'";
    assert_eq!(rig.count(restored), rig.count("SELECT max(seq) FROM purchase_order"), "debts of {known} are in doubt");
    let session = Session::on_command_line(rig.now());
    let findings = session.read(&rig.shop.db, |tx| doctor::examine(tx, &rig.shop.settings)).expect("findings");
    assert!(findings.iter().any(|finding| finding.about == "copies"), "{findings:?}");
    assert_eq!(rig.open_alerts("second_copy"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_ordered_before_the_shop_knew_ends_unpaid_since_its_port_was_not_tried() {
    let mut rig = Rig::new(Setup::default()).await;
    let (older, _) = rig.ordered().await;
    let copy = rig.back_up();
    let (lost, _) = rig.ordered().await;
    rig.sim().node().cancel(rig.hash(lost)).expect("cancelled there");
    rig.clock.advance_secs(30);
    rig.sim().faults().always("ListInvoices", ip2tor_lnd_simulator::Fault::Slow(std::time::Duration::from_secs(3)));
    rig.put_back(&copy).await;
    rig.check_in().await;
    let (order, _) = rig.ordered().await;
    assert_eq!((rig.order_status(order), rig.count(TOLD)), ("T", 0), "it was faster");
    rig.sim().faults().clear();
    rig.wait_until("it is noticed", || rig.open_alerts("database_older") == 1).await;
    rig.wait_order_as_time_passes(order, "R").await;
    assert_eq!(rig.order_status(older), "T", "its port was its own before the copy was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_is_lost_and_was_never_paid_tells_it_too_even_when_its_invoice_is_over() {
    let mut rig = Rig::new(Setup::default()).await;
    let copy = rig.back_up();
    rig.check_in().await;
    let (lost, _) = rig.ordered().await;
    rig.sim().node().cancel(rig.hash(lost)).expect("cancelled there");
    rig.put_back(&copy).await;
    rig.wait_until("it is noticed", || rig.open_alerts("database_older") == 1).await;
    assert_eq!((rig.count(UNSWEPT), rig.open_alerts("unknown_payment")), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_attempt_at_an_order_that_the_database_knows_tells_it_too() {
    let mut rig = Rig::new(Setup::default()).await;
    let (order, _) = rig.ordered().await;
    let copy = rig.back_up();
    let taken = rusqlite::Connection::open(&copy).expect("it opens");
    taken.execute_batch("PRAGMA foreign_keys = OFF; UPDATE invoice_attempt SET payment_hash = zeroblob(32); UPDATE invoice SET payment_hash = zeroblob(32)")
        .expect("as if this attempt came later");
    drop(taken);
    rig.put_back(&copy).await;
    rig.wait_until("it is noticed", || rig.open_alerts("database_older") == 1).await;
    assert_eq!(rig.count(&format!("SELECT count(*) FROM alert WHERE text LIKE '%{order}%'")), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_lost_is_told_once_and_a_host_that_was_swept_stays_so() {
    let mut rig = Rig::new(Setup::default()).await;
    let copy = rig.back_up();
    rig.lost_bridge().await;
    rig.put_back(&copy).await;
    rig.wait_until("it is noticed", || rig.open_alerts("database_older") == 1).await;
    rig.swept().await;
    rig.execute("UPDATE alert SET closed_at = last_at");
    // As after a crash before it was stored how far was read.
    rig.execute("UPDATE node SET invoices_read = 0");
    rig.restart_shop().await;
    rig.wait_until("all was read again", || rig.count(READ) == 1).await;
    rig.compared().await;
    assert_eq!((rig.count(UNSWEPT), rig.open_alerts("database_older")), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lost_order_holds_goes_back_when_no_living_copy_would_hold_it_any_more() {
    let mut rig = Rig::new(Setup::holding()).await;
    let copy = rig.back_up();
    rig.check_in().await;
    let (lost, _) = rig.held_bridge().await;
    let hash = rig.hash(lost);
    rig.put_back(&copy).await;
    rig.wait_until("it is noticed", || rig.open_alerts("database_older") == 1).await;
    rig.compared().await;
    let state = || rig.sim().node().invoice(hash).map(|invoice| invoice.state());
    assert_eq!(state(), Some(State::Accepted), "a copy that is alive may be delivering it");
    rig.clock.advance_secs(150);
    rig.wait_until("the buyer has it back", || state() == Some(State::Canceled)).await;
}

// ---- what is no such sign -----------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_the_shop_has_deleted_itself_tell_nothing() {
    let mut rig = Rig::new(Setup::default()).await;
    let (first, _) = rig.ordered().await;
    rig.clock.advance_secs(1000);
    expire::close_unpaid(&rig.shop).await.expect("closed");
    rig.wait_order_as_time_passes(first, "R").await;
    rig.check_in().await;
    rig.active_bridge().await;
    rig.clock.advance_secs(15 * 86_400);
    assert_eq!(expire::delete_unpaid(&rig.shop).await, Ok(Some(1)));
    assert!(orders::place::view(&rig.shop, first).is_err(), "nothing is left of it but a line");
    rig.execute("UPDATE node SET invoices_read = 0");
    rig.restart_shop().await;
    rig.wait_until("all was read again", || rig.count(READ) == 1).await;
    assert_eq!((rig.count(TOLD), rig.count(UNSWEPT)), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_that_was_made_just_before_a_crash_tells_nothing() {
    for fault in [ip2tor_lnd_simulator::Fault::ResetAfter, ip2tor_lnd_simulator::Fault::Unavailable] {
        let mut rig = Rig::new(Setup::default()).await;
        rig.sim().faults().always("AddInvoice", fault);
        rig.order().await.expect("accepted");
        rig.wait_until("the node was asked", || rig.sim().node().invoices_read() < u64::MAX).await;
        rig.restart_shop().await;
        rig.sim().faults().clear();
        rig.wait_until("it is known what became of it", || rig.count("SELECT count(*) FROM effect") == 0).await;
        rig.compared().await;
        assert_eq!((rig.count(TOLD), rig.count(UNSWEPT)), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_a_backup_that_lacks_nothing_and_another_shop_on_the_node_tell_nothing() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.active_bridge().await;
    rig.foreign_settlement(&format!("PO: {}", OrderId(ip2tor_shop::domain::id::Random::uuid(&SystemRandom))), 1).await;
    let copy = rig.back_up();
    rig.put_back(&copy).await;
    rig.wait_until("all was read", || rig.count(READ) == 1).await;
    rig.restart_shop().await;
    rig.check_in().await;
    rig.active_bridge().await;
    rig.compared().await;
    assert_eq!((rig.count(TOLD), rig.count(UNSWEPT)), (0, 0));
}

// ---- a second copy ------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn two_copies_that_are_alive_tell_of_each_other_and_neither_gives_the_others_money_back() {
    let rig = Rig::new(Setup::holding()).await;
    rig.active_bridge().await;
    // One holds for an hour, and the other believes that nobody does for more than 90 seconds.
    let copy = Copy::start(&rig, &rig.back_up()).await;
    rig.execute("UPDATE host SET hold_limit_secs = 3600");
    rig.check_in().await;
    let (order, product) = rig.held_bridge().await;
    // By itself: only what has followed the node since it began can tell the one from the other.
    copy.registry.get(rig.node).expect("the node").compare.notify_one();
    rig.wait_until("the second has noticed", || copy.has_told("second_copy")).await;
    assert!(!copy.has_told("database_older"));

    for _ in 0..3 {
        rig.clock.advance_secs(300);
        copy.registry.get(rig.node).expect("the node").compare.notify_one();
        compared(&copy.shop, &copy.registry, rig.node).await;
        assert_eq!(rig.at_node(order), Some(State::Accepted), "it belongs to the other");
    }
    rig.report(product, ProductStatus::Active).await.expect("activated");
    rig.wait_order(order, "P").await;

    // The other way round.
    hosts::check_ins::check_in(&copy.shop, &Principal::Host(rig.host), rig.host, 0, String::new())
        .await
        .expect("check-in");
    copy.shop
        .db
        .write_blocking(|db| {
            db.execute("UPDATE host SET unswept_since = NULL", [])
                .map(drop)
                .map_err(ip2tor_shop::store::StoreError::from)
        })
        .expect("swept");
    let theirs = orders::place::place(&copy.shop, rig.bridge_request()).await.expect("accepted");
    let view = || orders::place::view(&copy.shop, theirs).expect("the order");
    rig.wait_until("its invoice", || view().purchase.invoice.payment_request.is_some()).await;
    rig.registry.get(rig.node).expect("the node").compare.notify_one();
    rig.wait_until("the first has noticed", || rig.open_alerts("second_copy") == 1).await;
    rig.clock.advance_secs(300);
    rig.compared().await;
    let state = rig.sim().node().invoice(view().purchase.invoice.hash).map(|invoice| invoice.state());
    assert_eq!(state, Some(State::Open), "nor is what can still be paid there ended");
    copy.tasks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_the_operator_says_that_one_alone_is_left_nobody_can_pay_the_other() {
    let rig = Rig::new(Setup::default()).await;
    rig.active_bridge().await;
    let copy = Copy::start(&rig, &rig.back_up()).await;
    rig.check_in().await;
    let (order, _) = rig.ordered().await;
    copy.registry.get(rig.node).expect("the node").compare.notify_one();
    rig.wait_until("it is noticed", || copy.has_told("second_copy")).await;
    rig.tasks.stop().await;
    let close = |db: &ip2tor_shop::store::Connection| {
        db.execute("UPDATE alert SET closed_at = last_at", []).map(drop).map_err(ip2tor_shop::store::StoreError::from)
    };
    copy.shop.db.write_blocking(close).expect("closed");
    copy.registry.get(rig.node).expect("the node").compare.notify_one();
    rig.wait_until("its invoice is cancelled", || rig.at_node(order) == Some(State::Canceled)).await;
    copy.tasks.stop().await;
}
