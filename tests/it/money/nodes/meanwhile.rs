//! What nodes settle, forget and lose while the shop does not hear them.

use std::time::{Duration, Instant};

use ip2tor_lnd_simulator::Fault;
use ip2tor_shop::background::nodes::follow::{self, Strangers};
use ip2tor_shop::domain::id::OrderId;
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::lightning::supervise::Backoff;
use ip2tor_shop::services::{orders, payments};

use crate::money::rig::{Rig, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_during_an_outage_is_applied_by_the_first_stream_after_the_nodes_return() {
    let mut rig = Rig::new(Setup::default()).await;
    let (_, _) = rig.active_bridge().await;
    let (order, _) = rig.ordered().await;
    rig.sim().faults().always("all", Fault::Unavailable);
    rig.sim().faults().drop_connections();
    rig.pay(order);
    rig.stop_node().await;
    // Long enough that the waits between attempts have grown.
    tokio::time::sleep(Duration::from_secs(4)).await;
    rig.start_node().await;
    rig.wait_order(order, "P").await;
    assert_eq!(rig.sim().node().subscriptions(), 1);
    // Which is tried no later than this after the return: the promise is 5 s.
    assert!(Backoff::LONGEST < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_very_first_settlement_is_found_although_no_stream_replays_it() {
    let mut rig = Rig::new(Setup::default()).await;
    let (order, _) = rig.ordered().await;
    rig.tasks.stop().await;
    assert_eq!(rig.count("SELECT settle_index FROM node"), 0);
    rig.pay(order);
    rig.restart_shop().await;
    rig.wait_order(order, "P").await;
    assert_eq!(rig.count("SELECT settle_index FROM node"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn gaps_in_the_settle_indexes_lose_nothing() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.active_bridge().await;
    let (live, _) = rig.ordered().await;
    rig.sim().node().skip_settle_indexes(1000).expect("a gap");
    rig.pay(live);
    rig.wait_order(live, "P").await;
    let (missed, _) = rig.ordered().await;
    rig.tasks.stop().await;
    rig.sim().node().skip_settle_indexes(1000).expect("a gap");
    rig.pay(missed);
    rig.restart_shop().await;
    rig.wait_order(missed, "P").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn news_past_the_stream_never_move_the_cursor_over_what_the_stream_has_not_told() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.active_bridge().await;
    let (late, _) = rig.ordered().await;
    let (known, _) = rig.ordered().await;
    rig.tasks.stop().await;
    // The shop believes that this one has ended, so that only the stream can tell of its payment.
    payments::apply::apply_gone(&rig.shop, rig.node, rig.hash(late)).await.expect("applied");
    rig.pay(late);
    rig.pay(known);
    let news = rig.connector().look_up(rig.hash(known)).await.expect("an answer").expect("the invoice");
    payments::apply::apply(&rig.shop, rig.node, news, None).await.expect("applied");
    assert_eq!((rig.order_status(known), rig.order_status(late)), ("P", "R"));
    rig.restart_shop().await;
    rig.wait_order(late, "P").await;
    assert_eq!(rig.view(late).product.status, ProductStatus::NeedsActivate, "a late payment is honoured");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_invoice_that_the_node_has_forgotten_is_gone_unpaid() {
    let mut rig = Rig::new(Setup::default()).await;
    let (order, product) = rig.ordered().await;
    rig.tasks.stop().await;
    rig.clock.advance_secs(1000);
    rig.sim().node().tick();
    rig.sim().node().forget(rig.hash(order)).expect("forgotten");
    rig.restart_shop().await;
    rig.wait_order(order, "R").await;
    assert_eq!((rig.product_status(product), rig.ports_in_use()), (ProductStatus::Archived, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_payment_for_an_invoice_that_our_secret_made_for_an_unknown_order_is_told() {
    let rig = Rig::new(Setup::default()).await;
    rig.active_bridge().await;
    rig.foreign_settlement("a coffee", 1).await;
    rig.foreign_settlement("PO: 17", 2).await;
    // The predecessor's and any other shop's memos look like ours.
    rig.foreign_settlement("PO: 6e0ed5bf-7d0c-4b0c-9f6c-0f6f2a3f9d11", 3).await;
    rig.lost_settlement(3).await;
    rig.wait_until("it is told", || rig.open_alerts("unknown_payment") == 1).await;
    // Whoever made it may have sold what this shop has, too.
    rig.wait_until("all is doubted", || rig.count("SELECT count(*) FROM host WHERE unswept_since IS NULL") == 0).await;
    rig.execute("UPDATE host SET unswept_since = NULL");
    let (order, _) = rig.ordered().await;
    rig.pay(order);
    rig.wait_order(order, "P").await;
    assert_eq!(rig.open_alerts("unknown_payment"), 1, "the others were seen before, and are nobody's business");
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_open_invoices_are_compared_by_pages_and_only_differences_are_looked_up() {
    const OPEN: usize = 2_000;
    let rig = Rig::new(Setup { ports: 2_000, ..Setup::default() }).await;
    let mut placing = tokio::task::JoinSet::new();
    for _ in 0..OPEN {
        let (shop, request) = (rig.shop.clone(), rig.bridge_request());
        placing.spawn(async move { orders::place::place(&shop, request).await.expect("accepted") });
    }
    let orders: Vec<OrderId> = placing.join_all().await;
    let open = "SELECT count(*) FROM invoice WHERE state = 'open'";
    for _ in 0..3000 {
        if rig.count(open) == OPEN as i64 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(rig.count(open), OPEN as i64);
    rig.tasks.stop().await;
    for order in &orders[..3] {
        rig.pay(*order);
    }
    // A look-up each would take half an hour.
    rig.sim().faults().always("LookupInvoice", Fault::Slow(Duration::from_secs(1)));
    let begun = Instant::now();
    let entry = rig.registry.get(rig.node).expect("the node");
    let differences = follow::compare(&rig.shop, &entry, &mut Strangers::default()).await;
    assert_eq!(differences, Ok(3));
    assert!(begun.elapsed() < Duration::from_secs(300), "{:?}", begun.elapsed());
    assert_eq!(rig.count("SELECT count(*) FROM invoice WHERE state = 'paid'"), 3);
}
