//! Hosts as they are: what they were never told of, what they don't report, what stands on them after a restore, and
//! what they deliver too late.

use std::net::TcpListener;
use std::time::Duration;

use ip2tor_lnd_simulator::Fault;
use ip2tor_shop::domain::host::{PortKind, PortRange};
use ip2tor_shop::domain::id::{OrderId, ProductId};
use ip2tor_shop::domain::product::{ProductKind, ProductStatus};
use ip2tor_shop::domain::purchase::InvoiceState;
use ip2tor_shop::domain::texts::OrderMessage;
use ip2tor_shop::services::doctor::{self, Grade};
use ip2tor_shop::services::hosts::{manage, watch};
use ip2tor_shop::services::orders::place::{OrderRequest, OrderedProduct};
use ip2tor_shop::services::products::operate::{OperatorAction, operate};
use ip2tor_shop::services::{
    Error, Principal, ProbePolicy, Session, Settings, Shop, backup, orders, payments, products,
};
use ip2tor_shop::store::{alerts, hosts};

use crate::money::rig::{ALIVE_NODES, Rig, Setup};

const PORTS: &str = "SELECT count(*) FROM port";

impl Rig {
    /// The texts of open alerts of a topic.
    fn told(&self, topic: &str) -> Vec<String> {
        let open = self.shop.db.read(|db| alerts::list(db, false)).expect("alerts");
        open.into_iter().filter(|alert| alert.topic.name() == topic).map(|alert| alert.text).collect()
    }

    /// What the doctor says about something.
    fn examined(&self, about: &str) -> Option<String> {
        let session = Session::on_command_line(self.now());
        let found = session.read(&self.shop.db, |tx| doctor::examine(tx, &self.shop.settings)).expect("examined");
        let finding = found.into_iter().find(|finding| finding.about == about)?;
        assert_eq!(finding.grade, Grade::Notice);
        Some(finding.text)
    }

    /// The operator has swept the host.
    pub async fn swept(&self) {
        let host = self.host;
        self.shop.tx(&Principal::CommandLine(None), move |tx| manage::swept(tx, host)).await.expect("swept");
    }

    /// The host checks in for so long, and is looked at.
    async fn minutes_pass(&self, minutes: i64) {
        for _ in 0..minutes {
            self.clock.advance_secs(60);
            self.check_in().await;
            watch::look(&self.shop).await.expect("a look");
        }
    }

    /// A paid bridge that its host has activated and is to take down.
    async fn to_be_taken_down(&self) -> ProductId {
        let (_, product) = self.active_bridge().await;
        let administrator = Principal::CommandLine(None);
        operate(&self.shop, &administrator, product, OperatorAction::Suspend).await.expect("suspended");
        product
    }

    /// The host is this machine, with exactly these ports.
    async fn has_ports(&self, ports: &[u16]) {
        self.execute("UPDATE host SET ip = '127.0.0.1'");
        self.execute("DELETE FROM port_range");
        for port in ports {
            let (kind, first, last) = (PortKind::TorBridge, *port, *port);
            let range = PortRange { id: 0, host_id: self.host, kind, first, last, used: 0 };
            self.shop.db.write(move |db| hosts::add_range(db, &range)).await.expect("a port");
        }
    }

    /// A backup of the shop is restored, and the shop runs on.
    pub async fn restored(&mut self) {
        let session = Session::on_command_line(self.now());
        let (from, to) = (self.places("old"), self.places("new"));
        let made = backup::create(&self.shop.db, &from, &session, None).expect("a backup");
        self.tasks.stop().await;
        backup::restore(&to, &made.path, false, &session).expect("restored");
        self.start_shop_on(&to.database);
        self.wait_until("the node is alive", || self.count(ALIVE_NODES) == 1).await;
        self.check_in().await;
    }

    fn port(&self, order: OrderId) -> Option<u16> {
        self.view(order).product.port
    }
}

/// A forward that stands, and its port.
fn forward() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

// ---- what a host was told of --------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn what_no_host_was_told_of_is_free_at_once_when_its_payment_goes_back() {
    let rig = Rig::new(Setup { ports: 1, ..Setup::holding() }).await;
    for _ in 0..3 {
        rig.check_in().await;
        let (order, product) = rig.ordered().await;
        rig.pay(order);
        rig.wait_product(product, ProductStatus::NeedsActivate).await;
        rig.clock.advance_secs(90);
        rig.wait_order(order, "R").await;
        assert_eq!((rig.product_status(product), rig.count(PORTS)), (ProductStatus::Suspended, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_was_told_of_keeps_its_port_until_it_reports() {
    let rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.ordered().await;
    rig.pay(order);
    rig.wait_product(product, ProductStatus::NeedsActivate).await;
    assert_eq!(rig.poll().await, [product]);
    rig.clock.advance_secs(90);
    rig.wait_order(order, "R").await;
    assert_eq!((rig.product_status(product), rig.count(PORTS)), (ProductStatus::NeedsSuspend, 1));
    rig.report(product, ProductStatus::Suspended).await.expect("taken down");
    assert_eq!(rig.count(PORTS), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_payment_that_no_host_heard_of_is_owed_and_its_product_can_be_delivered_again() {
    let rig = Rig::new(Setup::default()).await;
    let (order, product) = rig.ordered().await;
    rig.pay(order);
    rig.wait_order(order, "P").await;
    rig.clock.advance_secs(30 * 60);
    products::expire::give_up_unactivated(&rig.shop).await.expect("given up");
    let (status, ports) = (rig.product_status(product), rig.count(PORTS));
    assert_eq!((rig.order_status(order), status, ports), ("N", ProductStatus::Suspended, 1), "it is promised still");
    payments::apply::retry_delivery(&rig.shop, order, &Principal::CommandLine(None)).await.expect("again");
    assert_eq!(rig.poll().await, [product]);
    rig.report(product, ProductStatus::Active).await.expect("delivered");
    assert_eq!(rig.order_status(order), "P");
}

// ---- what a host does not report ----------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_that_its_host_does_not_report_as_taken_down_is_told_after_an_hour() {
    let rig = Rig::new(Setup { duration: 0, ..Setup::default() }).await;
    rig.minutes_pass(1).await;
    let product = rig.to_be_taken_down().await;
    rig.minutes_pass(59).await;
    assert_eq!((rig.told("stuck_suspension").len(), rig.examined("suspensions")), (0, None));
    rig.minutes_pass(2).await;
    let command = format!("bridge release {product}");
    assert!(rig.told("stuck_suspension")[0].contains(&command), "{:?}", rig.told("stuck_suspension"));
    assert!(rig.examined("suspensions").expect("a line").contains(&command));
    assert!(!rig.told("stuck_suspension")[0].contains("  "), "{:?}", rig.told("stuck_suspension"));
    let version = rig.count("SELECT occurrences FROM alert WHERE topic = 'stuck_suspension'");
    // Longer than what is told again and again is counted as once.
    rig.minutes_pass(12).await;
    assert_eq!(rig.count("SELECT occurrences FROM alert WHERE topic = 'stuck_suspension'"), version, "once");

    let administrator = Principal::CommandLine(None);
    operate(&rig.shop, &administrator, product, OperatorAction::Release).await.expect("released");
    assert_eq!((rig.told("stuck_suspension").len(), rig.count(PORTS)), (0, 0));
    assert_eq!(rig.examined("suspensions"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_was_away_has_a_moment_when_it_is_back() {
    let rig = Rig::new(Setup { duration: 0, ..Setup::default() }).await;
    rig.minutes_pass(1).await;
    let product = rig.to_be_taken_down().await;
    rig.clock.advance_secs(6 * 3600);
    watch::look(&rig.shop).await.expect("it is away");
    rig.minutes_pass(2).await;
    assert_eq!(rig.told("stuck_suspension").len(), 0);
    rig.minutes_pass(2).await;
    assert_eq!(rig.told("stuck_suspension").len(), 1);
    rig.report(product, ProductStatus::Suspended).await.expect("after all");
    assert_eq!(rig.told("stuck_suspension").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_comes_and_goes_more_often_than_hourly_is_told_of_all_the_same() {
    let rig = Rig::new(Setup { duration: 0, ..Setup::default() }).await;
    rig.minutes_pass(1).await;
    rig.to_be_taken_down().await;
    let mut minutes = 0;
    while rig.told("stuck_suspension").is_empty() && minutes < 180 {
        // One check-in, as seldom as one may come; then it is away for a quarter of an hour.
        rig.minutes_pass(1).await;
        for _ in 0..15 {
            rig.clock.advance_secs(60);
            watch::look(&rig.shop).await.expect("a look");
        }
        minutes += 16;
    }
    assert!((60..96).contains(&minutes), "told after {minutes} minutes");
}

// ---- forwards that stand after a restore --------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_shop_sells_no_port_at_which_something_answers_until_the_host_was_swept() {
    let mut rig = Rig::new(Setup::default()).await;
    let ((standing, taken), (free, other)) = (forward(), forward());
    drop(free);
    rig.has_ports(&[taken, other]).await;
    rig.restored().await;
    let told = rig.told("host_not_swept");
    assert!(told.len() == 1 && told[0].contains(&format!("host set {} --swept", rig.host)), "{told:?}");

    // Whichever port is drawn first: in the end the one is set aside when it was met.
    let (order, _) = rig.ordered().await;
    assert_eq!(rig.port(order), Some(other));
    let message = match rig.order().await {
        Ok(second) => {
            rig.wait_order(second, "R").await;
            rig.view(second).purchase.message.expect("a message").to_string()
        }
        Err(error) => error.to_string(),
    };
    assert!(message.contains("does not have any Tor bridge ports"), "{message}");
    assert!(rig.told("host_not_swept")[0].contains(&taken.to_string()), "{:?}", rig.told("host_not_swept"));
    assert!(rig.examined("sweep").expect("a line").contains("1 ports set aside"));
    assert_eq!((rig.count(PORTS), rig.count("SELECT sum(used) FROM port_range")), (2, 2));
    rig.pay(order);
    rig.wait_order(order, "P").await;

    drop(standing);
    rig.swept().await;
    assert_eq!((rig.told("host_not_swept").len(), rig.examined("sweep"), rig.count(PORTS)), (0, None, 1));
    assert_eq!(rig.count("SELECT sum(used) FROM port_range"), 1);
    let (third, _) = rig.ordered().await;
    assert_eq!(rig.port(third), Some(taken));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_has_no_invoice_before_its_port_was_tried_whatever_is_done_with_targets() {
    for probe in [ProbePolicy::Off, ProbePolicy::Warn, ProbePolicy::Reject] {
        let settings = Settings { allow_regtest: true, probe, ..Settings::default() };
        let mut rig = Rig::new(Setup { settings, ..Setup::default() }).await;
        let (free, port) = forward();
        drop(free);
        rig.has_ports(&[port]).await;
        rig.restored().await;
        rig.tasks.stop().await;
        // A check that the end has cut off may have found nobody.
        rig.execute("UPDATE node SET is_alive = 1");
        let order = rig.order().await.expect("accepted");
        assert_eq!(rig.order_status(order), "L", "{probe:?}");
        assert_eq!(rig.count("SELECT count(*) FROM effect WHERE kind = 'make_invoice'"), 0);
        assert!(rig.view(order).purchase.message.expect("a message").to_string().contains("port"));
        rig.restart_shop().await;
        rig.wait_until("it can be paid", || rig.view(order).purchase.invoice.state == InvoiceState::Open).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_can_not_be_tried_is_not_sold() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.restored().await;
    // No way leads there.
    rig.execute("UPDATE host SET ip = '255.255.255.255'");
    rig.execute("UPDATE port_range SET used = 0");
    let order = rig.order().await.expect("accepted");
    rig.wait_order(order, "R").await;
    let message = rig.view(order).purchase.message.expect("a message").to_string();
    assert!(message.contains("can't be checked"), "{message}");
    assert_eq!(rig.count(PORTS), 0);
    assert!(rig.told("host_not_swept")[0].contains("could not be tried"), "{:?}", rig.told("host_not_swept"));
}

#[tokio::test(flavor = "multi_thread")]
async fn aliases_are_not_sold_on_a_host_that_was_not_swept() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.restored().await;
    let request = || OrderRequest {
        product: OrderedProduct::NostrAlias,
        target: None,
        alias: Some("anna".to_owned()),
        public_key: Some("npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg".to_owned()),
        ..rig.bridge_request()
    };
    let refused = orders::place::place(&rig.shop, request()).await;
    assert!(matches!(&refused, Err(Error::Invalid(_))), "{refused:?}");
    rig.swept().await;
    orders::place::place(&rig.shop, request()).await.expect("swept");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_a_port_for_a_payment_gets_none_on_a_host_that_was_not_swept() {
    let rig = Rig::new(Setup::default()).await;
    let (order, _) = rig.ordered().await;
    payments::apply::apply_gone(&rig.shop, rig.node, rig.hash(order)).await.expect("it is over");
    rig.execute("UPDATE host SET unswept_since = 1");
    assert_eq!(rig.count(PORTS), 0);
    rig.pay(order);
    rig.wait_order(order, "N").await;
    assert_eq!((rig.count(PORTS), rig.view(order).purchase.owed.0), (0, 25_000));
    rig.swept().await;
    payments::apply::retry_delivery(&rig.shop, order, &Principal::CommandLine(None)).await.expect("again");
    assert_eq!((rig.order_status(order), rig.count(PORTS)), ("P", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_pending_in_a_backup_may_have_been_delivered_since() {
    let mut rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.ordered().await;
    rig.pay(order);
    rig.wait_product(product, ProductStatus::NeedsActivate).await;
    rig.restored().await;
    rig.clock.advance_secs(90);
    rig.wait_order(order, "R").await;
    assert_eq!((rig.product_status(product), rig.count(PORTS)), (ProductStatus::NeedsSuspend, 1));
}

// ---- extensions that can be paid ----------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_is_answered_with_an_invoice_that_can_be_paid() {
    let rig = Rig::new(Setup::default()).await;
    let (_, product) = rig.active_bridge().await;
    let extension = orders::extend::extend(&rig.shop, product, ProductKind::TorBridge).await;
    let Ok(orders::extend::Extension::Order(order)) = extension else { panic!("{extension:?}") };
    assert!(rig.view(order).purchase.invoice.payment_request.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_fails_or_says_nothing_gets_no_extension_order() {
    for fault in [Fault::Unavailable, Fault::Slow(Duration::from_secs(60))] {
        let rig = Rig::new(Setup::default()).await;
        let (_, product) = rig.active_bridge().await;
        rig.sim().faults().always("AddInvoice", fault);
        let refused = orders::extend::extend(&rig.shop, product, ProductKind::TorBridge).await;
        assert!(matches!(refused, Err(Error::Unavailable { .. })), "{fault:?}: {refused:?}");
        let open = "SELECT count(*) FROM purchase_order WHERE kind = 'extension' AND status <> 'R'";
        assert_eq!(rig.count(open), 0, "{fault:?}");
        assert_eq!(rig.product_status(product), ProductStatus::Active);
    }
}

// ---- late deliveries ----------------------------------------------------------------------------

impl Rig {
    /// A bridge that was paid plainly and delivered so much later.
    async fn delivered_after(&self, secs: i64) -> (OrderId, ProductId) {
        let (order, product) = self.ordered().await;
        self.pay(order);
        self.wait_product(product, ProductStatus::NeedsActivate).await;
        self.poll().await;
        self.clock.advance_secs(secs);
        self.report(product, ProductStatus::Active).await.expect("delivered");
        self.check_in().await;
        (order, product)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_delivered_after_its_buyer_gave_up_is_noted_and_told_once() {
    let rig = Rig::new(Setup::default()).await;
    let (in_time, _) = rig.delivered_after(360).await;
    assert_eq!((rig.view(in_time).purchase.late_secs, rig.told("late_delivery").len()), (None, 0));
    let (late, product) = rig.delivered_after(361).await;
    let purchase = rig.view(late).purchase;
    assert_eq!((purchase.late_secs, rig.order_status(late), purchase.owed.0), (Some(361), "P", 0));
    assert!(purchase.message.expect("a message").to_string().contains("361 seconds"));
    let told = rig.told("late_delivery");
    assert!(told.len() == 1 && told[0].contains(&format!("order refund {late} BOLT11")), "{told:?}");
    rig.report(product, ProductStatus::Active).await.expect("repeated");
    assert_eq!(rig.count("SELECT occurrences FROM alert WHERE topic = 'late_delivery'"), 1);
    rig.execute("UPDATE host SET late_secs = 1000");
    rig.delivered_after(999).await;
    assert_eq!(rig.told("late_delivery").len(), 1, "each host has its own limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_delivery_that_is_paid_back_takes_the_product_back() {
    let rig = Rig::new(Setup::default()).await;
    let (order, product) = rig.delivered_after(400).await;
    assert_eq!(
        payments::apply::mark_refunded(&rig.shop, order, &Principal::CommandLine(None), "by hand")
            .await
            .map(|owed| owed.0),
        Ok(25_000)
    );
    let view = rig.view(order);
    assert_eq!((rig.order_status(order), view.purchase.refunded.0), ("S", 25_000));
    assert_eq!((view.product.status, rig.told("late_delivery").len()), (ProductStatus::NeedsSuspend, 0));
    rig.report(product, ProductStatus::Suspended).await.expect("taken down");
    assert_eq!(rig.count(PORTS), 0, "it is nobody's any more");
    let again = payments::apply::mark_refunded(&rig.shop, order, &Principal::CommandLine(None), "again").await;
    assert!(again.is_err(), "{again:?}");
    let (in_time, _) = rig.active_bridge().await;
    assert!(
        payments::apply::mark_refunded(&rig.shop, in_time, &Principal::CommandLine(None), "no").await.is_err(),
        "what came in time is kept"
    );
    assert!(OrderMessage::LateReturned.to_string().contains("too late"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_payment_is_never_late_since_it_is_taken_at_the_delivery() {
    let rig = Rig::new(Setup::holding()).await;
    rig.execute("UPDATE host SET hold_limit_secs = 3600");
    let (order, _) = rig.delivered_after(1000).await;
    rig.wait_order(order, "P").await;
    assert_eq!((rig.view(order).purchase.late_secs, rig.told("late_delivery").len()), (None, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_that_has_orders_but_has_lost_its_secret_does_not_begin_with_another() {
    let rig = Rig::new(Setup::default()).await;
    let start = || {
        let (clock, random) = (rig.shop.clock.clone(), rig.shop.random.clone());
        Shop::new(rig.shop.db.clone(), clock, random, Settings::default()).map(drop).map_err(|error| error.to_string())
    };
    rig.execute("DELETE FROM meta WHERE key = 'preimage_secret'");
    assert_eq!(start(), Ok(()), "there is nothing yet that it was needed for");
    rig.ordered().await;
    assert_eq!(start(), Ok(()));
    rig.execute("DELETE FROM meta WHERE key = 'preimage_secret'");
    let error = start().expect_err("the orders' preimages come from it");
    assert!(error.contains("secret") && error.contains("backup restore"), "{error}");
    assert_eq!(rig.count("SELECT count(*) FROM meta WHERE key = 'preimage_secret'"), 0);
    let session = Session::on_command_line(rig.now());
    let found = session.read(&rig.shop.db, |tx| doctor::examine(tx, &rig.shop.settings)).expect("examined");
    assert!(found.iter().any(|finding| finding.grade == Grade::Bad && finding.text.contains("secret")), "{found:?}");
}
