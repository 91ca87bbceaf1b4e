//! The ways in which nodes pay refunds: how each is switched on, what it says when it does not pay, and what may happen
//! between asking and hearing of the outcome.

use std::sync::Arc;
use std::time::Duration;

use ip2tor_lnd_simulator::{Fault, Part, PayEnd, PayOrder};
use ip2tor_shop::background::refunds::{RefundOrder, refund, state_outcome};
use ip2tor_shop::domain::lightning::{PaymentHash, Preimage};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::node::NodeKind;
use ip2tor_shop::lightning::dial::Dial;
use ip2tor_shop::services::nodes::manage::NodeChange;
use ip2tor_shop::services::payments::refunds::{self, Stated};
use ip2tor_shop::services::{Error, Principal, Shop};
use ip2tor_shop::store::Db;

use crate::money::refunds::{able, change_node, rig_with_buyer, with_each_kind};
use crate::money::rig::{NODE, Rig, SPARE, Setup};

with_each_kind!(
    a_node_that_may_not_pay_yet_is_named_with_the_command_that_lets_it,
    a_node_that_was_switched_off_pays_nothing_until_it_is_switched_on_again,
    a_command_that_is_killed_while_the_node_pays_is_learned_by_the_next_one,
    a_command_that_is_killed_before_it_asked_is_given_up_and_paid_once,
    a_connection_that_breaks_in_the_middle_of_an_answer_leaves_the_outcome_open,
    what_was_paid_past_the_shop_is_not_paid_again,
    a_route_that_costs_more_than_the_limit_is_not_taken,
    what_a_node_may_have_forgotten_is_not_taken_as_never_tried,
    a_node_that_is_away_has_paid_nothing,
);

fn bill_hash() -> PaymentHash {
    Preimage([1; 32]).hash()
}

async fn a_node_that_may_not_pay_yet_is_named_with_the_command_that_lets_it(kind: NodeKind) {
    let rig = Rig::new(Setup { kind, ..Setup::two_nodes() }).await;
    rig.sim().node().connect(rig.spare().sim.node());
    let order = rig.owing().await;
    let bill = rig.bill(25_000, 1).await;
    let refused = rig.refund(order, &bill, None).await;
    let Err(Error::Refused(text)) = &refused else { panic!("{refused:?}") };
    let text = text.to_string();
    assert!(text.contains(NODE) && text.contains(kind.name()) && text.contains(&order.to_string()), "{text}");
    let way = match kind {
        NodeKind::Cln => format!("node set {} --pays-refunds=true", rig.node),
        NodeKind::LndGrpc | NodeKind::LndRest => format!("node set {} --payment-macaroon-file", rig.node),
    };
    assert!(text.contains(&way), "{text}");
    assert!(text.contains("offchain:read offchain:write"), "the other node is an LND: {text}");
    // Whoever does as told is not sent in a circle.
    change_node(&rig, rig.node, able(&rig)).await;
    rig.refund(order, &bill, None).await.expect("paid");
    assert_eq!((rig.debt(order), rig.buyer_has(1)), (("S", 0, 25_000), 25_000));
}

async fn a_node_that_was_switched_off_pays_nothing_until_it_is_switched_on_again(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    let bill = rig.bill(25_000, 1).await;
    let switch = |on| NodeChange { pays_refunds: Some(on), ..NodeChange::default() };
    change_node(&rig, rig.node, switch(false)).await;
    let refused = rig.refund(order, &bill, None).await;
    let way = format!("node set {} --pays-refunds=true", rig.node);
    assert!(matches!(&refused, Err(Error::Refused(text)) if text.to_string().contains(&way)), "{refused:?}");
    change_node(&rig, rig.node, switch(true)).await;
    rig.refund(order, &bill, None).await.expect("paid");
}

/// Runs the command as a process of its own until it is killed, once the buyer's node has the payment.
async fn killed_while_paying(rig: &Rig, wanted: RefundOrder) {
    let (clock, settings) = (rig.clock.clone(), (*rig.shop.settings).clone());
    let db = Db::open(rig.shop.db.path()).expect("the database");
    let shop = Shop::new(db, clock, Arc::new(ip2tor_shop::domain::id::SystemRandom), settings).expect("a shop");
    let command =
        tokio::spawn(async move { refund(&shop, &Dial::direct(), wanted, &Principal::CommandLine(None)).await });
    rig.wait_until("the payment is on its way", || rig.buyer_has(1) == 25_000).await;
    command.abort();
    assert!(command.await.is_err_and(|error| error.is_cancelled()), "it was still waiting");
}

async fn a_command_that_is_killed_while_the_node_pays_is_learned_by_the_next_one(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    let (bolt11, second) = (rig.held_bill(25_000, 1).await, rig.bill(25_000, 2).await);
    let wanted = |bolt11: &str| RefundOrder {
        order,
        bolt11: bolt11.to_owned(),
        amount: None,
        fee_limit: None,
        not_paid_since_backup: false,
    };
    killed_while_paying(&rig, wanted(&bolt11)).await;
    rig.clock.advance_secs(180);
    for bill in [&bolt11, &second] {
        let refused = rig.run(wanted(bill)).await;
        assert!(matches!(refused, Err(Error::Unavailable { .. })), "it is still on its way: {refused:?}");
    }
    rig.spare().sim.node().settle(Preimage([1; 32])).expect("the buyer takes it");
    let node_knows = || matches!(rig.sim().node().track(bill_hash()), Some((paid, _)) if paid.is_over());
    rig.wait_until("the node knows", node_knows).await;
    rig.run(wanted(&second)).await.expect("the first payment took place");
    assert_eq!((rig.debt(order), rig.buyer_has(1), rig.buyer_has(2)), (("S", 0, 25_000), 25_000, 0));
}

async fn a_command_that_is_killed_before_it_asked_is_given_up_and_paid_once(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    let (bill, second) = (rig.bill(25_000, 1).await, rig.bill(25_000, 2).await);
    refunds::intend(&rig.shop, rig.request(order, &bill, 1), &Principal::CommandLine(None)).await.expect("intended");
    assert!(matches!(rig.refund(order, &second, None).await, Err(Error::Unavailable { .. })), "too early to tell");
    rig.clock.advance_secs(180);
    rig.refund(order, &second, None).await.expect("paid");
    assert_eq!((rig.debt(order), rig.buyer_has(1), rig.buyer_has(2)), (("S", 0, 25_000), 0, 25_000));
}

async fn a_connection_that_breaks_in_the_middle_of_an_answer_leaves_the_outcome_open(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    let bill = rig.bill(25_000, 1).await;
    rig.sim().faults().next(rig.sends(), Fault::Cut, 1);
    assert!(matches!(rig.refund(order, &bill, None).await, Err(Error::Unavailable { .. })));
    rig.clock.advance_secs(180);
    rig.sim().faults().next(rig.tracks(), Fault::Cut, 1);
    let second = rig.bill(25_000, 2).await;
    assert!(matches!(rig.refund(order, &second, None).await, Err(Error::Unavailable { .. })), "no answer is no news");
    rig.refund(order, &second, None).await.expect("the first payment took place");
    assert_eq!((rig.debt(order), rig.buyer_has(1), rig.buyer_has(2)), (("S", 0, 25_000), 25_000, 0));
}

async fn what_was_paid_past_the_shop_is_not_paid_again(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    let bill = rig.bill(25_000, 1).await;
    let by_hand = PayOrder { request: bill.clone(), amount_msat: None, fee_limit_msat: None };
    let mut paid = rig.sim().node().pay(&by_hand).expect("the operator pays at the node itself");
    paid.updates.recv().await.expect("paid");
    rig.refund(order, &bill, None).await.expect("it is paid");
    assert_eq!((rig.debt(order), rig.buyer_has(1)), (("S", 0, 25_000), 25_000));
}

async fn a_route_that_costs_more_than_the_limit_is_not_taken(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    rig.sim().node().connect_by_way(rig.spare().sim.node());
    let order = rig.owing().await;
    let bolt11 = rig.bill(25_000, 1).await;
    let wanted = |fee_limit: u64| {
        let (bolt11, fee_limit) = (bolt11.clone(), Some(Msat(fee_limit)));
        RefundOrder { order, bolt11, amount: None, fee_limit, not_paid_since_backup: false }
    };
    let refused = rig.run(wanted(1024)).await;
    assert!(matches!(&refused, Err(Error::Refused(text)) if text.to_string().contains("fee limit")), "{refused:?}");
    assert_eq!((rig.debt(order), rig.buyer_has(1)), (("N", 25_000, 0), 0));
    let paid = rig.run(wanted(1025)).await.expect("paid");
    assert_eq!((paid.fee, rig.debt(order)), (Msat(1025), ("S", 0, 25_000)));
}

async fn what_a_node_may_have_forgotten_is_not_taken_as_never_tried(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    let (bill, second) = (rig.bill(25_000, 1).await, rig.bill(25_000, 2).await);
    rig.sim().faults().next(rig.sends(), Fault::ResetAfter, 1);
    assert!(matches!(rig.refund(order, &bill, None).await, Err(Error::Unavailable { .. })));
    // It was paid; the node then cleans its list of payments.
    rig.sim().node().forget_payment(bill_hash()).expect("forgotten");
    rig.clock.advance_secs(3600);
    let refused = rig.refund(order, &second, None).await;
    let says = |text: &str| text.contains(&order.to_string()) && text.contains("--refund-outcome");
    assert!(matches!(&refused, Err(Error::Refused(text)) if says(&text.to_string())), "{refused:?}");
    assert_eq!((rig.debt(order), rig.refunds("intended"), rig.buyer_has(2)), (("N", 25_000, 0), 1, 0));
    state_outcome(&rig.shop, &Dial::direct(), order, Stated::Paid, &Principal::CommandLine(None), "asked the buyer")
        .await
        .expect("noted");
    assert_eq!(rig.debt(order), ("S", 0, 25_000));
}

async fn a_node_that_is_away_has_paid_nothing(kind: NodeKind) {
    let mut rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    let bill = rig.bill(25_000, 1).await;
    rig.stop_node().await;
    let refused = rig.refund(order, &bill, None).await;
    let says = |text: &str| text.contains("Nothing was paid") && text.contains(NODE);
    assert!(matches!(&refused, Err(Error::Refused(text)) if says(&text.to_string())), "{refused:?}");
    assert_eq!((rig.debt(order), rig.refunds("failed")), (("N", 25_000, 0), 1));
}

/// The codes of `pay` and `xpay` for payments that have failed.
const FAILURES: [i32; 9] = [203, 205, 206, 207, 209, 210, -1, -3, -4];

fn ends(rig: &Rig, code: i32, part: Part) {
    rig.sim().faults().cln.end_payments(Some(PayEnd { code, part }));
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_code_core_lightning_gives_a_payment_with_a_pending_part_is_open() {
    let rig = rig_with_buyer(NodeKind::Cln).await;
    let order = rig.owing().await;
    for code in [203, 210] {
        let number = u8::try_from(code - 200).expect("a small number");
        let (bill, other) = (rig.held_bill(25_000, number).await, rig.bill(25_000, 100).await);
        ends(&rig, code, Part::Sent);
        let refused = rig.refund(order, &bill, None).await;
        assert!(matches!(refused, Err(Error::Unavailable { .. })), "{code}: {refused:?}");
        rig.sim().faults().clear();
        rig.clock.advance_secs(180);
        assert!(matches!(rig.refund(order, &other, None).await, Err(Error::Unavailable { .. })), "{code}");
        assert_eq!((rig.debt(order), rig.refunds("intended"), rig.buyer_has(100)), (("N", 25_000, 0), 1, 0));
        // The first one comes back at last, the second one is taken.
        let buyer = rig.spare().sim.node();
        let hash = Preimage([number; 32]).hash();
        if code == 203 {
            buyer.cancel(hash).expect("the buyer gives it back");
        } else {
            buyer.settle(Preimage([number; 32])).expect("the buyer takes it");
        }
        let is_over = || matches!(rig.sim().node().track(hash), Some((payment, _)) if payment.is_over());
        rig.wait_until("the node knows", is_over).await;
    }
    rig.refund(order, &rig.bill(25_000, 101).await, None).await.expect("the second payment took place");
    assert_eq!((rig.debt(order), rig.buyer_has(101)), (("S", 0, 25_000), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_core_lightning_sends_just_after_it_gave_up_is_not_overlooked() {
    let rig = rig_with_buyer(NodeKind::Cln).await;
    let order = rig.owing().await;
    ends(&rig, 203, Part::Late);
    let refused = rig.refund(order, &rig.held_bill(25_000, 1).await, None).await;
    assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
    assert_eq!((rig.refunds("intended"), rig.buyer_has(1)), (1, 25_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_core_lightning_calls_a_failure_is_paid_when_its_list_says_so() {
    let rig = rig_with_buyer(NodeKind::Cln).await;
    for (number, code) in (1..).zip(FAILURES) {
        let order = rig.owing().await;
        ends(&rig, code, Part::Sent);
        let paid = rig.refund(order, &rig.bill(25_000, number).await, None).await;
        assert!(paid.is_ok(), "{code}: {paid:?}");
        assert_eq!((rig.debt(order), rig.buyer_has(number)), (("S", 0, 25_000), 25_000), "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_of_which_core_lightning_has_sent_nothing_has_failed() {
    let rig = rig_with_buyer(NodeKind::Cln).await;
    let order = rig.owing().await;
    let bill = rig.bill(25_000, 1).await;
    for code in FAILURES {
        ends(&rig, code, Part::None);
        let refused = rig.refund(order, &bill, None).await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{code}: {refused:?}");
        assert_eq!((rig.debt(order), rig.refunds("intended")), (("N", 25_000, 0), 0), "{code}");
    }
    rig.sim().faults().clear();
    rig.refund(order, &bill, None).await.expect("paid");
    assert_eq!(rig.buyer_has(1), 25_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_core_lightning_calls_done_and_does_not_list_is_open() {
    let rig = rig_with_buyer(NodeKind::Cln).await;
    let order = rig.owing().await;
    let bill = rig.bill(25_000, 1).await;
    for code in [200, 201, 218, 219] {
        ends(&rig, code, Part::None);
        let refused = rig.refund(order, &bill, None).await;
        assert!(matches!(refused, Err(Error::Unavailable { .. })), "{code}: {refused:?}");
        assert_eq!(rig.refunds("intended"), 1, "{code}");
        rig.clock.advance_secs(180);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_lightning_without_xpay_pays_by_pay() {
    let rig = rig_with_buyer(NodeKind::Cln).await;
    rig.sim().faults().cln.set_lacks_xpay(true);
    let (first, second) = (rig.owing().await, rig.owing().await);
    rig.refund(first, &rig.bill(25_000, 1).await, None).await.expect("paid");
    rig.sim().faults().next("pay", Fault::ResetAfter, 1);
    let bill = rig.bill(25_000, 2).await;
    assert!(matches!(rig.refund(second, &bill, None).await, Err(Error::Unavailable { .. })));
    rig.refund(second, &bill, None).await.expect("the payment took place");
    assert_eq!((rig.debt(second), rig.buyer_has(1), rig.buyer_has(2)), (("S", 0, 25_000), 25_000, 25_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_takes_too_long_leaves_the_outcome_open() {
    let rig = rig_with_buyer(NodeKind::Cln).await;
    let order = rig.owing().await;
    let bill = rig.bill(25_000, 1).await;
    // The list comes later than the shop waits for a look.
    rig.sim().faults().next(rig.sends(), Fault::ResetAfter, 1);
    assert!(matches!(rig.refund(order, &bill, None).await, Err(Error::Unavailable { .. })));
    rig.clock.advance_secs(180);
    rig.sim().faults().next(rig.tracks(), Fault::Slow(Duration::from_secs(11)), 1);
    assert!(matches!(rig.refund(order, &bill, None).await, Err(Error::Unavailable { .. })));
    assert_eq!(rig.refunds("intended"), 1);
}

/// Lets the first node use another payment macaroon.
async fn with_macaroon(rig: &Rig, folder: &str, name: &str) {
    let macaroon = rig.dir.path().join(folder).join(name).display().to_string();
    change_node(rig, rig.node, NodeChange { payment_macaroon_file: Some(macaroon), ..NodeChange::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_macaroon_for_invoices_pays_nothing() {
    for kind in [NodeKind::LndGrpc, NodeKind::LndRest] {
        let rig = rig_with_buyer(kind).await;
        let order = rig.owing().await;
        with_macaroon(&rig, NODE, "shop.macaroon").await;
        let refused = rig.refund(order, &rig.bill(25_000, 1).await, None).await;
        assert!(
            matches!(&refused, Err(Error::Refused(text)) if text.to_string().contains("Nothing was paid")),
            "{refused:?}"
        );
        assert_eq!((rig.order_status(order), rig.refunds("failed")), ("N", 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_macaroon_that_the_node_refuses_is_answered_with_the_way_to_another_one_that_pays() {
    for kind in [NodeKind::LndGrpc, NodeKind::LndRest] {
        let rig = rig_with_buyer(kind).await;
        let order = rig.owing().await;
        with_macaroon(&rig, SPARE, "admin.macaroon").await;
        let refused = rig.refund(order, &rig.bill(25_000, 1).await, None).await;
        let Err(Error::Refused(text)) = &refused else { panic!("{refused:?}") };
        let text = text.to_string();
        let way = format!("node set {} --payment-macaroon-file", rig.node);
        assert!(text.contains("offchain:read offchain:write") && text.contains(&way), "{text}");
        assert!(!text.contains("invoices:write"), "that one can't pay: {text}");
    }
}
