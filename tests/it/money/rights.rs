//! Nodes that can't do everything, and Core Lightning's leftovers.

use ip2tor_lnd_simulator::State;
use ip2tor_shop::background::nodes::follow::{self, Strangers};
use ip2tor_shop::domain::product::{ProductKind, ProductStatus};
use ip2tor_shop::services::{Principal, Session, doctor, products};

use crate::money::rig::{ALIVE_NODES, NODE, Rig, Setup};

const HOLD_CALL: &str = "/invoicesrpc.Invoices/AddHoldInvoice";

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_hold_sells_by_plain_invoices_and_the_doctor_says_so() {
    let mut rig = Rig::new(Setup::holding()).await;
    rig.stop_node().await;
    rig.wait_until("its absence is known", || rig.count(ALIVE_NODES) == 0).await;
    rig.start_node().await;
    rig.sim().faults().leave_out(HOLD_CALL);
    // A connector that has not asked it yet, as after a start.
    rig.restart_shop().await;
    rig.wait_until("it is alive", || rig.count(ALIVE_NODES) == 1).await;
    let cannot = "SELECT count(*) FROM node WHERE json_extract(info, '$.cannot_hold') IS NOT NULL";
    rig.wait_until("it is known", || rig.count(cannot) == 1).await;
    let (order, _) = rig.active_bridge().await;
    assert!(!rig.view(order).purchase.invoice.is_hold);
    assert_eq!(rig.count("SELECT count(*) FROM invoice_attempt"), 1, "the first attempt was a plain one");
    let session = Session::on_command_line(rig.now());
    let findings = session.read(&rig.shop.db, |tx| doctor::examine(tx, &rig.shop.settings)).expect("findings");
    assert!(findings.iter().any(|finding| finding.about == "held payments" && finding.text.contains(NODE)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_payment_the_node_will_not_hold_is_not_refused_for_that() {
    let rig = Rig::new(Setup::holding()).await;
    rig.sim().faults().leave_out(HOLD_CALL);
    let (order, _) = rig.active_bridge().await;
    let invoice = rig.view(order).purchase.invoice;
    assert!(!invoice.is_hold && invoice.node_id == rig.node);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_cancel_is_not_sold_with() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.stop_node().await;
    rig.wait_until("its absence is known", || rig.count(ALIVE_NODES) == 0).await;
    rig.start_node().await;
    rig.sim().faults().leave_out("/invoicesrpc.");
    rig.restart_shop().await;
    let told = "SELECT count(*) FROM node WHERE is_alive = 0 AND last_error LIKE '%invoicesrpc%'";
    rig.wait_until("it is known", || rig.count(told) == 1).await;
    assert!(rig.order().await.is_err());
    rig.sim().faults().clear();
    rig.wait_until("it is alive after its upgrade", || rig.count(ALIVE_NODES) == 1).await;
    rig.active_bridge().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_the_shop_asks_for_is_denied() {
    for macaroon in ["shop.macaroon", "invoice.macaroon"] {
        let mut rig = Rig::new(Setup::holding()).await;
        let file = rig.dir.path().join(NODE).join(macaroon);
        rig.execute(&format!("UPDATE node SET macaroon_file = '{}'", file.display()));
        rig.restart_shop().await;
        let (order, product) = rig.ordered().await;
        rig.pay(order);
        rig.wait_product(product, ProductStatus::NeedsActivate).await;
        rig.report(product, ProductStatus::Active).await.expect("activated");
        rig.wait_order(order, "P").await;
        assert_eq!(rig.sim().node().denied_calls(), Vec::<String>::new(), "{macaroon}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_expired_at_core_lightning_while_the_shop_was_down_is_deleted_there() {
    let mut rig = Rig::new(Setup::default()).await;
    let socket = rig.sim().lightning_rpc();
    rig.execute(&format!("UPDATE node SET kind = 'cln', host = '{}', port = 0", socket.display()));
    rig.restart_shop().await;
    let (order, _) = rig.ordered().await;
    let entry = rig.registry.get(rig.node).expect("the node");
    rig.tasks.stop().await;
    rig.clock.advance_secs(901);
    assert_eq!(rig.at_node(order), Some(State::Canceled), "expired, and still there");
    // At the start the comparison may come before the shop's own look at what is due.
    follow::compare(&rig.shop, &entry, &mut Strangers::at_start()).await.expect("compared");
    assert_eq!(rig.order_status(order), "R");
    rig.restart_shop().await;
    rig.wait_until_as_time_passes("it is deleted", || rig.at_node(order).is_none()).await;
    rig.wait_until("nothing is left to be done", || rig.count("SELECT count(*) FROM effect") == 0).await;
    assert_eq!(rig.order_status(order), "R");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_reads_what_has_waited_for_longest_first() {
    let rig = Rig::new(Setup::default()).await;
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(rig.ordered().await);
        rig.clock.advance_secs(1);
    }
    // Paid in another order than placed.
    for i in [1, 2, 0] {
        rig.pay(orders[i].0);
        rig.wait_product(orders[i].1, ProductStatus::NeedsActivate).await;
        rig.clock.advance_secs(1);
    }
    let status = Some(ProductStatus::NeedsActivate);
    let shop = &rig.shop;
    let list = |scope| async move {
        let found = products::view::list(shop, &scope, ProductKind::TorBridge, None, status).await.expect("a list");
        found.into_iter().map(|view| view.product.id).collect::<Vec<_>>()
    };
    assert_eq!(list(Principal::Host(rig.host)).await, [orders[1].1, orders[2].1, orders[0].1]);
}
