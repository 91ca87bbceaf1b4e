//! Plain invoices: from the order to the last day.

use ip2tor_shop::domain::host::{PortKind, PortRange};
use ip2tor_shop::domain::id::{OrderId, ProductId};
use ip2tor_shop::domain::lightning::NodeInvoiceState;
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::product::{ProductKind, ProductStatus};
use ip2tor_shop::domain::texts::{Message, OrderMessage};
use ip2tor_shop::services::orders;
use ip2tor_shop::services::orders::extend::Extension;
use ip2tor_shop::services::{Error, Principal, payments, products};
use ip2tor_shop::store::hosts;

use crate::money::rig::{Rig, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn a_paid_bridge_is_activated_expires_and_comes_back_when_extended() {
    let rig = Rig::new(Setup::default()).await;
    let (order, product) = rig.ordered().await;
    assert_eq!(rig.order_status(order), "T");
    assert_eq!(rig.product_status(product), ProductStatus::Initial);
    let port = rig.view(order).product.port;

    rig.pay(order);
    rig.wait_order(order, "P").await;
    assert_eq!(rig.product_status(product), ProductStatus::NeedsActivate);

    rig.clock.advance_secs(40);
    rig.report(product, ProductStatus::Active).await.expect("activated");
    let end = rig.view(order).product.suspend_after.expect("it ends");
    assert_eq!(end, rig.now().plus_secs(86_400 + 600), "time is counted from the activation");

    rig.clock.advance_secs(86_400 + 600);
    assert_eq!(products::expire::suspend_expired(&rig.shop).await, Ok(Some(1)));
    rig.report(product, ProductStatus::Suspended).await.expect("suspended");
    assert_eq!(rig.product_status(product), ProductStatus::Suspended);

    rig.check_in().await;
    let Ok(Extension::Order(extension)) = orders::extend::extend(&rig.shop, product, ProductKind::TorBridge).await
    else {
        panic!("it can be extended")
    };
    rig.wait_until("its invoice", || rig.view(extension).purchase.invoice.payment_request.is_some()).await;
    rig.pay(extension);
    rig.wait_order(extension, "P").await;
    let view = rig.view(extension);
    assert_eq!(view.product.status, ProductStatus::NeedsActivate);
    assert_eq!(view.product.port, port, "the port is kept");
    assert_eq!(view.product.suspend_after, Some(rig.now().plus_secs(86_400 + 600)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unpaid_order_ends_only_after_its_node_has_cancelled_the_invoice() {
    let mut rig = Rig::new(Setup::default()).await;
    let (order, product) = rig.ordered().await;
    rig.stop_node().await;
    rig.clock.advance_secs(1000);
    assert_eq!(products::expire::close_unpaid(&rig.shop).await, Ok(Some(1)));
    assert_eq!(rig.order_status(order), "T", "nothing ends while the node is away");
    assert_eq!(rig.count("SELECT count(*) FROM port"), 1, "the port is still reserved");

    rig.start_node().await;
    rig.wait_order_as_time_passes(order, "R").await;
    assert_eq!(rig.product_status(product), ProductStatus::Archived);
    assert_eq!(rig.count("SELECT count(*) FROM port"), 0, "the port is free again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_made_while_the_shop_was_down_is_applied_when_it_is_back() {
    let mut rig = Rig::new(Setup::default()).await;
    let (order, product) = rig.ordered().await;
    rig.tasks.stop().await;
    rig.pay(order);
    rig.restart_shop().await;
    rig.wait_order(order, "P").await;
    assert_eq!(rig.product_status(product), ProductStatus::NeedsActivate);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_nobody_activates_owes_a_refund_and_a_late_activation_clears_it() {
    let rig = Rig::new(Setup::default()).await;
    let (order, product) = rig.ordered().await;
    rig.pay(order);
    rig.wait_order(order, "P").await;
    rig.poll().await;
    rig.clock.advance_secs(30 * 60);
    assert_eq!(products::expire::give_up_unactivated(&rig.shop).await, Ok(Some(1)));
    assert_eq!(rig.order_status(order), "N");
    assert_eq!(rig.view(order).purchase.owed.0, 25_000);
    assert_eq!(rig.product_status(product), ProductStatus::NeedsSuspend);
    assert_eq!(rig.count("SELECT count(*) FROM alert WHERE topic = 'order_needs_refund' AND closed_at IS NULL"), 1);

    rig.report(product, ProductStatus::Active).await.expect("late, but delivered");
    assert_eq!(rig.order_status(order), "P");
    assert_eq!(rig.view(order).purchase.owed.0, 0);
    assert_eq!(rig.count("SELECT count(*) FROM alert WHERE topic = 'order_needs_refund' AND closed_at IS NULL"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_overpaid_order_is_delivered_and_the_surplus_is_owed() {
    let rig = Rig::new(Setup::default()).await;
    let (order, _) = rig.ordered().await;
    rig.pay_msat(order, 30_000);
    rig.wait_order(order, "P").await;
    assert_eq!(rig.view(order).purchase.owed.0, 5_000);
    assert_eq!(
        payments::apply::mark_refunded(&rig.shop, order, &Principal::CommandLine(None), "by hand")
            .await
            .map(|owed| owed.0),
        Ok(5_000)
    );
    assert_eq!(rig.order_status(order), "P");
    assert!(
        payments::apply::mark_refunded(&rig.shop, order, &Principal::CommandLine(None), "again").await.is_err(),
        "nothing is owed twice"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn less_than_the_price_is_not_paid_and_owed_back_in_full() {
    let rig = Rig::new(Setup::default()).await;
    let (order, product) = rig.ordered().await;
    // No LND settles a part of its price; what a node says it has settled is judged all the same.
    let node = rig.registry.get(rig.node).expect("the node").node;
    let mut news = node.look_up(rig.hash(order)).await.expect("an answer").expect("the invoice");
    (news.state, news.received) = (NodeInvoiceState::Settled, Msat(24_999));
    payments::apply::apply(&rig.shop, rig.node, news, None).await.expect("applied");
    assert_eq!(rig.order_status(order), "N");
    let purchase = rig.view(order).purchase;
    assert_eq!((purchase.owed.0, purchase.message), (24_999, Some(OrderMessage::Underpaid)));
    assert_eq!(rig.product_status(product), ProductStatus::Archived);
    assert_eq!(rig.count(PORTS), 0, "the port is free again");
    assert_eq!(rig.count(OWED), 1);
}

// ---- paid when the product is gone --------------------------------------------------------------

const PORTS: &str = "SELECT count(*) FROM port";
const OWED: &str = "SELECT count(*) FROM alert WHERE topic = 'order_needs_refund' AND closed_at IS NULL";

impl Rig {
    /// An order that has ended, although its invoice can still be paid at the node: the answer that
    /// ended it was wrong.
    async fn ended_order(&self) -> (OrderId, ProductId) {
        let (order, product) = self.ordered().await;
        payments::apply::apply_gone(&self.shop, self.node, self.hash(order)).await.expect("applied");
        assert_eq!((self.order_status(order), self.product_status(product)), ("R", ProductStatus::Archived));
        assert_eq!(self.count(PORTS), 0, "its port is free");
        (order, product)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn paid_when_the_product_is_gone_the_same_product_comes_back_on_its_port() {
    let rig = Rig::new(Setup::default()).await;
    let (order, product) = rig.ended_order().await;
    let port = rig.view(order).product.port;
    rig.pay(order);
    rig.wait_order(order, "P").await;
    let view = rig.view(order);
    assert_eq!((view.product.id, view.product.port), (product, port));
    assert_eq!((view.product.status, rig.count(PORTS)), (ProductStatus::NeedsActivate, 1));
    rig.report(product, ProductStatus::Active).await.expect("activated");
}

#[tokio::test(flavor = "multi_thread")]
async fn paid_when_the_port_is_anothers_the_same_product_comes_back_on_another_port() {
    let rig = Rig::new(Setup { ports: 1, ..Setup::default() }).await;
    let (order, product) = rig.ended_order().await;
    let (second, _) = rig.ordered().await;
    assert_eq!(rig.view(second).product.port, Some(20_000));
    let more = PortRange { id: 0, host_id: rig.host, kind: PortKind::TorBridge, first: 21_000, last: 21_000, used: 0 };
    rig.shop.db.write(move |db| hosts::add_range(db, &more)).await.expect("one more port");
    rig.pay(order);
    rig.wait_order(order, "P").await;
    let view = rig.view(order);
    assert_eq!((view.product.id, view.product.port), (product, Some(21_000)));
    assert_eq!(view.product.status, ProductStatus::NeedsActivate);
    assert_eq!(rig.view(second).product.port, Some(20_000), "nobody loses a port");
}

#[tokio::test(flavor = "multi_thread")]
async fn paid_when_the_product_is_gone_and_no_port_is_free_everything_is_owed() {
    let rig = Rig::new(Setup { ports: 1, ..Setup::default() }).await;
    let (order, _) = rig.ended_order().await;
    rig.ordered().await;
    rig.pay(order);
    rig.wait_order(order, "N").await;
    let purchase = rig.view(order).purchase;
    assert_eq!((purchase.owed.0, purchase.message), (25_000, Some(OrderMessage::Undeliverable)));
    assert_eq!((rig.count(OWED), rig.count(PORTS)), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_of_five_hundred_orders_at_once_get_the_three_hundred_ports() {
    let rig = Rig::new(Setup { ports: 300, ..Setup::default() }).await;
    let mut orders = tokio::task::JoinSet::new();
    for _ in 0..500 {
        let (shop, request) = (rig.shop.clone(), rig.bridge_request());
        orders.spawn(async move { ip2tor_shop::services::orders::place::place(&shop, request).await });
    }
    let results = orders.join_all().await;
    let (accepted, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((accepted.len(), refused.len()), (300, 200));
    let no_ports = Error::non_field(Message::NoFreePorts);
    assert!(refused.iter().all(|result| result.as_ref() == Err(&no_ports)), "{refused:?}");
    assert_eq!(rig.count("SELECT count(DISTINCT port) FROM product WHERE placed = 1"), 300);
    assert_eq!(rig.count("SELECT used FROM port_range"), 300);
}
