//! Hold invoices: the buyer pays only for what is delivered. One group of tests per rule.

use ip2tor_lnd_simulator::State;
use ip2tor_shop::domain::id::{OrderId, ProductId};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::product::{ProductKind, ProductStatus};
use ip2tor_shop::domain::purchase::InvoiceState;
use ip2tor_shop::domain::texts::{Ending, OrderMessage};
use ip2tor_shop::services::orders;
use ip2tor_shop::services::orders::extend::Extension;
use ip2tor_shop::services::products::operate::OperatorAction;
use ip2tor_shop::services::{Error, Principal, Settings, nodes, payments, products};
use ip2tor_shop::store::node_state::{self, LiveHolds};
use ip2tor_shop::store::{Connection, StoreError};

use crate::money::rig::{ALIVE_NODES, Rig, Setup};

impl Rig {
    /// Orders a bridge whose payment arrives and is held; its host is told of it.
    pub async fn held_bridge(&self) -> (OrderId, ProductId) {
        let (order, product) = self.ordered().await;
        assert!(self.view(order).purchase.invoice.is_hold);
        self.pay(order);
        self.wait_product(product, ProductStatus::NeedsActivate).await;
        assert!(self.poll().await.contains(&product));
        (order, product)
    }

    /// A bridge that was paid for, ran, and has been suspended.
    pub async fn suspended_bridge(&self) -> ProductId {
        let (_, product) = self.active_bridge().await;
        self.clock.advance_secs(86_400 + 600);
        products::expire::suspend_expired(&self.shop).await.expect("suspended");
        self.report(product, ProductStatus::Suspended).await.expect("the host has suspended it");
        self.check_in().await;
        product
    }

    /// Orders an extension and waits for its payment request.
    pub async fn extended(&self, product: ProductId) -> OrderId {
        let extension = orders::extend::extend(&self.shop, product, ProductKind::TorBridge).await;
        let Ok(Extension::Order(order)) = extension else { panic!("it can be extended: {extension:?}") };
        self.wait_until("its invoice", || self.view(order).purchase.invoice.payment_request.is_some()).await;
        order
    }

    pub fn message(&self, order: OrderId) -> String {
        self.view(order).purchase.message.map(|message| message.to_string()).unwrap_or_default()
    }

    fn ports_reserved(&self) -> i64 {
        self.count("SELECT count(*) FROM port")
    }
}

// ---- rule 1: while held, and after the delivery -------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_held_payment_is_shown_as_waiting_and_taken_once_the_host_has_delivered() {
    let rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.held_bridge().await;
    let view = rig.view(order);
    assert_eq!((rig.order_status(order), view.purchase.invoice.state), ("T", InvoiceState::Held));
    assert_eq!(rig.message(order), OrderMessage::Held.to_string());
    assert_eq!(rig.at_node(order), Some(State::Accepted));

    rig.clock.advance_secs(45);
    rig.report(product, ProductStatus::Active).await.expect("activated");
    rig.wait_order(order, "P").await;
    let view = rig.view(order);
    assert_eq!((view.purchase.invoice.state, view.purchase.message), (InvoiceState::Paid, None));
    assert_eq!(rig.at_node(order), Some(State::Settled));
    assert_eq!(view.product.suspend_after, Some(rig.now().plus_secs(86_400 + 600)), "counted from the activation");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_activation_and_the_intent_to_settle_are_one_commit_and_the_order_is_paid_when_the_node_says_so() {
    let mut rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.held_bridge().await;
    rig.stop_node().await;
    rig.report(product, ProductStatus::Active).await.expect("activated");
    assert_eq!(rig.count("SELECT count(*) FROM effect WHERE kind = 'settle_invoice'"), 1);
    assert_eq!((rig.order_status(order), rig.view(order).purchase.invoice.state), ("T", InvoiceState::Settling));

    rig.start_node().await;
    rig.wait_order_as_time_passes(order, "P").await;
    assert_eq!(rig.count("SELECT count(*) FROM effect"), 0);
}

// ---- rule 2: the first commit wins --------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn after_the_intent_to_settle_nothing_cancels_any_more() {
    let mut rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.held_bridge().await;
    rig.stop_node().await;
    rig.report(product, ProductStatus::Active).await.expect("activated");
    rig.clock.advance_secs(3600);
    assert_eq!(products::expire::return_overdue_holds(&rig.shop).await, Ok(0));
    assert_eq!(products::expire::close_unpaid(&rig.shop).await, Ok(Some(0)));
    assert_eq!(rig.count("SELECT count(*) FROM effect WHERE kind = 'cancel_invoice'"), 0);
    rig.start_node().await;
    rig.wait_order_as_time_passes(order, "P").await;
    assert_eq!(rig.product_status(product), ProductStatus::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_intent_to_cancel_an_activation_is_refused_with_the_reason() {
    let mut rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.held_bridge().await;
    rig.stop_node().await;
    rig.clock.advance_secs(90);
    products::expire::return_overdue_holds(&rig.shop).await.expect("given back");
    let Err(Error::Invalid(fields)) = rig.report(product, ProductStatus::Active).await else { panic!("refused") };
    assert_eq!(fields[0].0, "status");
    assert!(fields[0].1[0].to_string().contains("has gone back to the buyer"), "{fields:?}");
    assert_eq!(rig.order_status(order), "T", "nothing has ended before the node says so");
    rig.start_node().await;
    rig.wait_order_as_time_passes(order, "R").await;
}

// ---- rule 3: not delivered in time --------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn an_undelivered_first_purchase_goes_back_and_its_port_is_free_once_the_host_says_suspended() {
    let rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.held_bridge().await;
    rig.clock.advance_secs(89);
    assert_eq!(products::expire::return_overdue_holds(&rig.shop).await, Ok(0), "the host has 90 s");
    rig.clock.advance_secs(1);
    rig.wait_order(order, "R").await;
    assert_eq!(rig.at_node(order), Some(State::Canceled), "the buyer's wallet has its money back");
    assert_eq!(
        (rig.message(order), rig.view(order).purchase.invoice.state),
        (OrderMessage::Ended(Ending::Returned).to_string(), InvoiceState::Expired)
    );
    assert_eq!(rig.product_status(product), ProductStatus::NeedsSuspend);
    assert_eq!(rig.ports_reserved(), 1, "the host may have set the forward up");

    rig.report(product, ProductStatus::Suspended).await.expect("suspended");
    assert_eq!(rig.ports_reserved(), 0);
    assert_eq!(rig.view(order).purchase.owed, Msat(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_is_counted_from_the_stored_time_also_after_a_restart() {
    let mut rig = Rig::new(Setup::holding()).await;
    let (order, _) = rig.held_bridge().await;
    rig.tasks.stop().await;
    rig.clock.advance_secs(90);
    rig.restart_shop().await;
    rig.wait_order(order, "R").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_does_not_lengthen_a_hold() {
    let rig = Rig::new(Setup::holding()).await;
    let (order, _) = rig.held_bridge().await;
    rig.clock.advance_secs(-7200);
    rig.wait_order(order, "R").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undelivered_reactivation_leaves_the_product_as_it_was() {
    let rig = Rig::new(Setup::holding()).await;
    let product = rig.suspended_bridge().await;
    let extension = rig.extended(product).await;
    assert!(rig.view(extension).purchase.invoice.is_hold, "a suspended product is paid for when it is back");
    let before = rig.view(extension).product;
    rig.pay(extension);
    rig.wait_product(product, ProductStatus::NeedsActivate).await;
    rig.poll().await;
    rig.clock.advance_secs(90);
    rig.wait_order(extension, "R").await;
    assert_eq!(rig.message(extension), OrderMessage::Ended(Ending::Returned).to_string());
    assert_eq!(rig.product_status(product), ProductStatus::NeedsSuspend);
    rig.report(product, ProductStatus::Suspended).await.expect("suspended");
    let after = rig.view(extension).product;
    assert_eq!(after.status, ProductStatus::Suspended);
    assert_eq!((after.suspend_after, after.bandwidth_remaining), (before.suspend_after, before.bandwidth_remaining));
    assert_eq!(rig.ports_reserved(), 1, "the port is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_whose_port_was_released_comes_back_for_a_held_payment() {
    let rig = Rig::new(Setup::holding()).await;
    let product = rig.suspended_bridge().await;
    let administrator = Principal::Administrator("admin".to_owned());
    let released = products::operate::operate(&rig.shop, &administrator, product, OperatorAction::Release).await;
    assert_eq!((released.map(|product| product.placed), rig.ports_reserved()), (Ok(false), 0));
    let extension = rig.extended(product).await;
    assert!(rig.view(extension).purchase.invoice.is_hold);
    rig.pay(extension);
    rig.wait_product(product, ProductStatus::NeedsActivate).await;
    assert_eq!(rig.ports_reserved(), 1);
    rig.report(product, ProductStatus::Active).await.expect("activated");
    rig.wait_order(extension, "P").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_was_lost_holds_nothing_up() {
    let rig = Rig::new(Setup::holding()).await;
    let product = rig.suspended_bridge().await;
    let lost = |db: &_| Connection::execute(db, "DELETE FROM port", []).map_err(|error| StoreError::from(error).into());
    rig.shop.db.write::<_, Error, _>(lost).await.expect("the port is lost");
    let administrator = Principal::Administrator("admin".to_owned());
    let released = products::operate::operate(&rig.shop, &administrator, product, OperatorAction::Release).await;
    assert_eq!(released.map(|product| product.placed), Ok(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_payment_goes_back_when_every_port_was_sold_meanwhile() {
    let rig = Rig::new(Setup { ports: 1, ..Setup::holding() }).await;
    let product = rig.suspended_bridge().await;
    let administrator = Principal::Administrator("admin".to_owned());
    products::operate::operate(&rig.shop, &administrator, product, OperatorAction::Release).await.expect("released");
    let extension = rig.extended(product).await;
    rig.ordered().await;
    rig.pay(extension);
    rig.wait_order(extension, "R").await;
    assert_eq!(
        (rig.message(extension), rig.at_node(extension)),
        (OrderMessage::Ended(Ending::HoldUnplaced).to_string(), Some(State::Canceled))
    );
    assert_eq!(rig.product_status(product), ProductStatus::Suspended);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivered_reactivation_adds_one_period_on_the_same_port() {
    let rig = Rig::new(Setup::holding()).await;
    let product = rig.suspended_bridge().await;
    let extension = rig.extended(product).await;
    let before = rig.view(extension).product;
    rig.pay(extension);
    rig.wait_product(product, ProductStatus::NeedsActivate).await;
    rig.report(product, ProductStatus::Active).await.expect("activated");
    rig.wait_order(extension, "P").await;
    let after = rig.view(extension).product;
    assert_eq!(after.suspend_after, Some(rig.now().plus_secs(86_400 + 600)));
    assert_eq!(after.bandwidth_remaining, before.bandwidth_remaining + (1 << 30));
    assert_eq!(after.port, before.port);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_the_host_reports_gives_the_payment_back_at_once() {
    let rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.held_bridge().await;
    rig.report(product, ProductStatus::Failed).await.expect("reported");
    rig.wait_order(order, "R").await;
    assert_eq!(
        (rig.message(order), rig.at_node(order)),
        (OrderMessage::Ended(Ending::HoldFailed).to_string(), Some(State::Canceled))
    );
    assert_eq!(rig.product_status(product), ProductStatus::NeedsSuspend);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_buyer_reads_that_the_money_is_back_only_once_the_node_has_said_so() {
    let mut rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.held_bridge().await;
    rig.stop_node().await;
    rig.report(product, ProductStatus::Failed).await.expect("reported");
    let message = rig.message(order);
    assert!(message.contains("is being given back") && !message.contains("wallet"), "{message}");
    assert_eq!(rig.order_status(order), "T");
    rig.start_node().await;
    rig.wait_order_as_time_passes(order, "R").await;
    assert_eq!(rig.message(order), OrderMessage::Ended(Ending::HoldFailed).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_extension_is_offered_while_the_first_payment_is_held() {
    let rig = Rig::new(Setup::holding()).await;
    let (_, product) = rig.held_bridge().await;
    let refused = orders::extend::extend(&rig.shop, product, ProductKind::TorBridge).await;
    assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
}

// ---- rule 4: the node has cancelled by itself ---------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_product_whose_payment_was_cancelled_by_the_node_before_it_was_taken_is_suspended() {
    let mut rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.held_bridge().await;
    rig.tasks.stop().await;
    rig.sim().node().cancel(rig.hash(order)).expect("cancelled by the node");
    rig.report(product, ProductStatus::Active).await.expect("activated");
    rig.restart_shop().await;
    rig.wait_order(order, "R").await;
    assert_eq!(rig.product_status(product), ProductStatus::NeedsSuspend);
    assert_eq!(rig.count("SELECT count(*) FROM effect"), 0);
    rig.report(product, ProductStatus::Suspended).await.expect("suspended");
    assert_eq!(rig.ports_reserved(), 0, "it was never paid for");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_that_the_node_cancelled_before_it_was_taken_gives_no_time() {
    let mut rig = Rig::new(Setup::holding()).await;
    let product = rig.suspended_bridge().await;
    let extension = rig.extended(product).await;
    let bandwidth = rig.view(extension).product.bandwidth_remaining;
    rig.pay(extension);
    rig.wait_product(product, ProductStatus::NeedsActivate).await;
    rig.tasks.stop().await;
    rig.sim().node().cancel(rig.hash(extension)).expect("cancelled by the node");
    rig.report(product, ProductStatus::Active).await.expect("activated");
    rig.restart_shop().await;
    rig.wait_order(extension, "R").await;
    let view = rig.view(extension);
    assert_eq!((view.product.status, view.product.bandwidth_remaining), (ProductStatus::NeedsSuspend, bandwidth));
    assert!(view.product.suspend_after.is_some_and(|end| end <= rig.now()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_the_node_gives_up_by_itself_ends_the_order() {
    let rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.held_bridge().await;
    let expiry = rig.sim().node().invoice(rig.hash(order)).and_then(|invoice| invoice.nearest_htlc_expiry());
    rig.sim().node().set_height(expiry.expect("it is held")).expect("blocks were found");
    rig.wait_order(order, "R").await;
    assert_eq!(rig.product_status(product), ProductStatus::NeedsSuspend);
}

// ---- rule 5: what counts as accepted ------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn parts_of_a_payment_count_only_when_all_are_there() {
    let rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.ordered().await;
    let node = rig.sim().node();
    node.arrive(rig.hash(order), &[10_000], 25_000).expect("a part arrives");
    assert_eq!(products::expire::return_overdue_holds(&rig.shop).await, Ok(0));
    let (view, status) = (rig.view(order), rig.product_status(product));
    assert_eq!((view.purchase.invoice.state, status), (InvoiceState::Open, ProductStatus::Initial));

    node.time_out_parts(rig.hash(order)).expect("the part goes back");
    node.arrive(rig.hash(order), &[10_000, 15_000], 25_000).expect("all parts arrive");
    rig.wait_product(product, ProductStatus::NeedsActivate).await;
    assert_eq!(rig.view(order).purchase.invoice.received, Some(Msat(25_000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_payment_that_is_too_small_is_given_back() {
    let rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.ordered().await;
    let entry = rig.registry.get(rig.node).expect("the node");
    let mut news = entry.node.look_up(rig.hash(order)).await.expect("an answer").expect("the invoice");
    news.state = ip2tor_shop::domain::lightning::NodeInvoiceState::Accepted;
    news.received = Msat(24_999);
    payments::apply::apply(&rig.shop, rig.node, news, None).await.expect("applied");
    rig.wait_order(order, "R").await;
    assert_eq!(
        (rig.message(order), rig.at_node(order)),
        (OrderMessage::Ended(Ending::HoldRefused).to_string(), Some(State::Canceled))
    );
    assert_eq!((rig.product_status(product), rig.ports_reserved()), (ProductStatus::Archived, 0));
}

fn with_blocks(hold_cltv_blocks: u32) -> Setup {
    let setup = Setup::holding();
    Setup { settings: Settings { hold_cltv_blocks, ..setup.settings }, ..setup }
}

/// The simulated payer adds 3 blocks to what the invoice demands.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_whose_nearest_part_leaves_fewer_than_24_blocks_is_given_back() {
    let rig = Rig::new(with_blocks(20)).await;
    let (order, product) = rig.ordered().await;
    rig.pay(order);
    rig.wait_order(order, "R").await;
    assert_eq!(
        (rig.message(order), rig.product_status(product)),
        (OrderMessage::Ended(Ending::HoldRefused).to_string(), ProductStatus::Archived)
    );

    let rig = Rig::new(with_blocks(21)).await;
    let (order, _) = rig.held_bridge().await;
    assert_eq!(rig.view(order).purchase.invoice.state, InvoiceState::Held, "24 blocks are enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_that_were_found_before_the_shop_heard_of_the_payment_count() {
    let mut rig = Rig::new(Setup::holding()).await;
    let (order, _) = rig.ordered().await;
    let invoice = rig.sim().node().invoice(rig.hash(order)).expect("the invoice");
    assert_eq!(invoice.terms.cltv_expiry, 60, "set explicitly");
    rig.tasks.stop().await;
    rig.pay(order);
    let height = rig.sim().node().invoice(rig.hash(order)).expect("the invoice").progress.htlcs[0].accept_height;
    rig.sim().node().set_height(height + 40).expect("blocks were found");
    rig.restart_shop().await;
    rig.wait_order(order, "R").await;
    assert_eq!(rig.message(order), OrderMessage::Ended(Ending::HoldRefused).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overdue_payment_is_given_back_as_soon_as_the_node_can_be_told() {
    let mut rig = Rig::new(Setup::holding()).await;
    let (order, _) = rig.held_bridge().await;
    rig.stop_node().await;
    rig.clock.advance_secs(90);
    rig.wait_until("the intent", || rig.view(order).purchase.invoice.state == InvoiceState::Cancelling).await;
    rig.restart_shop().await;
    rig.start_node().await;
    rig.wait_order_as_time_passes(order, "R").await;
    assert_eq!(rig.at_node(order), Some(State::Canceled));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overdue_payment_is_given_back_by_a_node_that_may_make_no_invoices_now() {
    let rig = Rig::new(Setup::holding()).await;
    rig.sim().faults().set_synced(false);
    rig.check_node();
    rig.wait_until("it lags behind", || rig.count("SELECT count(unsynced_since) FROM node") == 1).await;
    rig.clock.advance_secs(299);
    rig.check_in().await;
    let (order, _) = rig.held_bridge().await;
    rig.clock.advance_secs(1);
    rig.check_node();
    rig.wait_until("it lags behind for long", || rig.count(ALIVE_NODES) == 0).await;
    assert_eq!(rig.order_status(order), "T");
    rig.clock.advance_secs(90);
    rig.wait_order(order, "R").await;
    assert_eq!(rig.at_node(order), Some(State::Canceled));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_cannot_be_given_back_holds_up_no_other() {
    let rig = Rig::new(Setup::holding()).await;
    let (broken, _) = rig.held_bridge().await;
    let (order, _) = rig.held_bridge().await;
    rig.execute(&format!(
        "CREATE TRIGGER broken BEFORE UPDATE ON invoice WHEN old.payment_hash = x'{}' \
         BEGIN SELECT raise(ABORT, 'broken'); END",
        rig.hash(broken)
    ));
    rig.clock.advance_secs(90);
    rig.wait_order(order, "R").await;
    assert_eq!(rig.order_status(broken), "T");
    rig.execute("DROP TRIGGER broken");
    rig.wait_order(broken, "R").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_payment_that_could_not_be_stored_is_asked_for_again_within_seconds() {
    let rig = Rig::new(Setup::holding()).await;
    let asked = |times| rig.sim().node().subscriptions() >= times;
    rig.wait_until("settlements are followed", || asked(1)).await;
    let (order, product) = rig.ordered().await;
    rig.wait_until("the order's invoice is watched", || asked(2)).await;
    rig.execute(
        "CREATE TRIGGER broken BEFORE UPDATE ON invoice WHEN new.state = 'held' \
         BEGIN SELECT raise(ABORT, 'the disk is full'); END",
    );
    rig.pay(order);
    // Half a second each; 5 s each, were it not for the ring after a failure.
    let begun = std::time::Instant::now();
    rig.wait_until("it is asked for again and again", || asked(10)).await;
    assert!(begun.elapsed() < std::time::Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(rig.product_status(product), ProductStatus::Initial);
    rig.execute("DROP TRIGGER broken");
    rig.wait_product(product, ProductStatus::NeedsActivate).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_postponed_before_the_clock_was_put_back_is_tried_again_at_once() {
    let rig = Rig::new(Setup::holding()).await;
    let (order, _) = rig.held_bridge().await;
    rig.clock.advance_secs(7200);
    rig.sim().faults().always("CancelInvoice", ip2tor_lnd_simulator::Fault::Unavailable);
    rig.wait_until("it is postponed", || rig.count("SELECT coalesce(max(attempts), 0) FROM effect") > 0).await;
    rig.clock.advance_secs(-7200);
    rig.sim().faults().clear();
    rig.wait_order(order, "R").await;
    assert_eq!(rig.at_node(order), Some(State::Canceled));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_payment_whose_order_is_lost_is_given_back_once_no_living_copy_would_hold_it() {
    let mut rig = Rig::new(Setup::holding()).await;
    let backup = rig.back_up();
    let (order, _) = rig.held_bridge().await;
    let hash = rig.hash(order);
    rig.tasks.stop().await;
    rig.start_shop_on(&backup);
    let state = || rig.sim().node().invoice(hash).map(|invoice| invoice.state());
    rig.wait_until("it is told", || rig.open_alerts("database_older") == 1).await;
    rig.compared().await;
    assert_eq!(state(), Some(State::Accepted));
    rig.clock.advance_secs(300);
    rig.compared().await;
    rig.wait_until("it is cancelled", || state() == Some(State::Canceled)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_start_a_held_payment_whose_order_has_ended_is_given_back() {
    let mut rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.ordered().await;
    rig.tasks.stop().await;
    // As if the shop had believed an answer that was wrong.
    payments::apply::apply_gone(&rig.shop, rig.node, rig.hash(order)).await.expect("applied");
    assert_eq!(rig.order_status(order), "R");
    rig.pay(order);
    rig.restart_shop().await;
    rig.wait_until("it is cancelled", || rig.at_node(order) == Some(State::Canceled)).await;
    assert_eq!(rig.product_status(product), ProductStatus::Archived);
}

// ---- rule 6: how many ---------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_limit_of_held_payments_plain_invoices_are_used() {
    let setup = Setup::holding();
    let settings = Settings { max_holds_per_node: 2, ..setup.settings };
    let rig = Rig::new(Setup { settings, ..setup }).await;
    let (first, _) = rig.held_bridge().await;
    rig.held_bridge().await;
    let (third, product) = rig.ordered().await;
    let is_hold = |order| rig.view(order).purchase.invoice.is_hold;
    assert!(!is_hold(third));
    rig.pay(third);
    rig.wait_order(third, "P").await;
    assert_eq!(rig.product_status(product), ProductStatus::NeedsActivate);

    rig.sim().node().cancel(rig.hash(first)).expect("cancelled");
    rig.wait_order(first, "R").await;
    let (fourth, _) = rig.ordered().await;
    assert!(is_hold(fourth), "one place is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn unpaid_orders_do_not_use_up_the_holds_of_those_who_pay() {
    let setup = Setup::holding();
    let settings = Settings { max_holds_per_node: 2, max_unpaid_holds_per_node: 4, ..setup.settings };
    let rig = Rig::new(Setup { settings, ..setup }).await;
    let is_hold = |order| rig.view(order).purchase.invoice.is_hold;
    let mut unpaid = Vec::new();
    for _ in 0..4 {
        unpaid.push(rig.ordered().await.0);
    }
    assert!(unpaid.iter().all(|order| is_hold(*order)), "also beyond the number of payments that may be held");
    let (beyond, _) = rig.ordered().await;
    assert!(!is_hold(beyond), "each is watched at its node: they have a bound of their own");

    // Those that are over and not cancelled at the node yet hold no money either.
    rig.tasks.stop().await;
    rig.clock.advance_secs(903);
    products::expire::close_unpaid(&rig.shop).await.expect("closed");
    let live = rig.shop.db.read(|db| node_state::live_holds(db, rig.node)).expect("counted");
    assert_eq!(live, LiveHolds { held: 0, unpaid: 4 });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_invoices_that_are_not_final_cannot_be_removed() {
    let rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.held_bridge().await;
    let node = rig.node;
    let remove = || rig.shop.tx(&Principal::CommandLine(None), move |tx| nodes::manage::remove(tx, node));
    assert!(matches!(remove().await, Err(Error::Conflict(_))));
    rig.report(product, ProductStatus::Active).await.expect("activated");
    rig.wait_order(order, "P").await;
    assert_eq!(remove().await, Ok(()));
}

// ---- rule 7: a restored shop can settle ---------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_restored_from_its_database_file_can_still_settle_what_it_holds() {
    let mut rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.held_bridge().await;
    let backup = rig.back_up();
    rig.tasks.stop().await;
    rig.start_shop_on(&backup);
    rig.report(product, ProductStatus::Active).await.expect("activated");
    rig.wait_order(order, "P").await;
    assert_eq!(rig.at_node(order), Some(State::Settled));
}

// ---- where they are not used --------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn the_extension_of_a_running_product_is_a_plain_invoice() {
    let rig = Rig::new(Setup::holding()).await;
    let (_, product) = rig.active_bridge().await;
    let extension = rig.extended(product).await;
    assert!(!rig.view(extension).purchase.invoice.is_hold);
    let end = rig.view(extension).product.suspend_after.expect("it ends");
    rig.pay(extension);
    rig.wait_order(extension, "P").await;
    assert_eq!(rig.view(extension).product.suspend_after, Some(end.plus_secs(86_400 + 600)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_to_a_settle_is_learned_by_asking_again() {
    let rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.held_bridge().await;
    rig.sim().faults().next("SettleInvoice", ip2tor_lnd_simulator::Fault::ResetAfter, 1);
    rig.sim().faults().drop_streams();
    rig.report(product, ProductStatus::Active).await.expect("activated");
    rig.wait_order_as_time_passes(order, "P").await;
    rig.wait_until("the intent is through", || {
        rig.clock.advance_secs(1);
        rig.count("SELECT count(*) FROM effect") == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_accepted_while_the_streams_were_down_is_found() {
    let rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.ordered().await;
    rig.sim().faults().drop_connections();
    rig.pay(order);
    rig.wait_product(product, ProductStatus::NeedsActivate).await;
    assert_eq!(rig.message(order), OrderMessage::Held.to_string());
}

// ---- the payer ----------------------------------------------------------------------------------

/// RaspiBlitz pays by this call, which waits for the outcome.
#[expect(deprecated, reason = "RaspiBlitz uses this call")]
async fn pay_blocking(rig: &Rig, order: OrderId) -> fedimint_tonic_lnd::lnrpc::SendResponse {
    let (address, dir) = (format!("https://{}", rig.sim().local_addr()), rig.sim().dir());
    let (certificate, macaroon) = (dir.join("tls.cert"), dir.join("admin.macaroon"));
    let mut client = fedimint_tonic_lnd::connect(address, certificate, macaroon).await.expect("connected");
    let payment_request = rig.view(order).purchase.invoice.payment_request.expect("made");
    let request = fedimint_tonic_lnd::lnrpc::SendRequest { payment_request, ..Default::default() };
    client.lightning().send_payment_sync(request).await.expect("an answer").into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocking_payment_ends_when_the_host_has_delivered() {
    let rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.ordered().await;
    let deliver = async {
        rig.wait_product(product, ProductStatus::NeedsActivate).await;
        rig.report(product, ProductStatus::Active).await.expect("activated");
    };
    let (paid, ()) = tokio::join!(pay_blocking(&rig, order), deliver);
    assert_eq!(paid.payment_error, "");
    assert_eq!(paid.payment_preimage.len(), 32);
    rig.wait_order(order, "P").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocking_payment_fails_without_cost_when_the_host_does_not_deliver() {
    let rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.ordered().await;
    let fail = async {
        rig.wait_product(product, ProductStatus::NeedsActivate).await;
        rig.clock.advance_secs(90);
    };
    let (paid, ()) = tokio::join!(pay_blocking(&rig, order), fail);
    assert!(!paid.payment_error.is_empty(), "the payment failed");
    rig.wait_order(order, "R").await;
}
