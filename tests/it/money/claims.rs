//! What is owed comes back without asking anybody: once, within limits, and what a node may not pay waits for the operator.

use std::sync::Arc;

use ip2tor_lnd_simulator::Fault;
use ip2tor_shop::background;
use ip2tor_shop::background::refunds::{RefundOrder, refund_debt};
use ip2tor_shop::domain::id::{OrderId, SystemRandom};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::node::NodeKind;
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::domain::texts::Message;
use ip2tor_shop::lightning::bolt11;
use ip2tor_shop::lightning::dial::Dial;
use ip2tor_shop::services::payments::claims::{self, Claim, ClaimState};
use ip2tor_shop::services::payments::refunds::Bill;
use ip2tor_shop::services::{Error, Settings, Shop};

use crate::money::refunds::{able, change_node, rig_with_buyer, with_each_kind};
use crate::money::rig::{Rig, Setup};

with_each_kind!(
    what_is_claimed_is_paid_once_by_the_node_and_ends_the_order,
    of_two_claims_of_one_debt_one_is_paid,
    a_claim_whose_answer_was_lost_is_learned_and_not_paid_again,
    a_claim_that_no_node_may_pay_waits_for_the_operator_who_is_told_the_command,
    a_claim_that_fails_leaves_the_debt_and_another_is_paid,
);

fn bill(request: &str) -> Bill {
    let read = bolt11::read(request).expect("a payment request");
    Bill { bolt11: request.to_owned(), hash: read.hash, amount: read.amount, expires_at: read.expires_at }
}

impl Rig {
    async fn claim(&self, order: OrderId, request: &str) -> Result<Claim, Error> {
        claims::claim(&self.shop, order, bill(request)).await
    }

    fn claimed(&self, order: OrderId) -> ClaimState {
        claims::of(&self.shop, order).expect("readable").expect("a claim").state
    }

    async fn wait_claim(&self, order: OrderId, state: ClaimState) {
        self.wait_until(&format!("the claim is {state:?}"), || self.claimed(order) == state).await;
    }

    fn told_to_pay(&self) -> Vec<String> {
        let sql = "SELECT text FROM alert WHERE topic = 'refund_claimed' AND closed_at IS NULL";
        let texts = self.shop.db.read(|db| {
            let mut statement = db.prepare(sql).expect("a query");
            let rows = statement.query_map([], |row| row.get(0)).expect("alerts");
            Ok::<Vec<String>, Error>(rows.flatten().collect())
        });
        texts.expect("alerts")
    }
}

async fn what_is_claimed_is_paid_once_by_the_node_and_ends_the_order(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    let request = rig.bill(25_000, 1).await;
    assert_eq!(rig.claim(order, &request).await.expect("taken").state, ClaimState::Open);
    rig.wait_claim(order, ClaimState::Paid).await;
    assert_eq!((rig.debt(order), rig.buyer_has(1)), (("S", 0, 25_000), 25_000));
    let again = rig.claim(order, &rig.bill(25_000, 2).await).await;
    assert_eq!(again.err(), Some(Error::Refused(Message::NothingOwed)));
    assert_eq!(rig.critical_alerts(), 0, "nobody has to look");
}

async fn of_two_claims_of_one_debt_one_is_paid(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    let (one, two) = (rig.bill(25_000, 1).await, rig.bill(25_000, 2).await);
    let (first, second) = tokio::join!(rig.claim(order, &one), rig.claim(order, &two));
    assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    rig.wait_claim(order, ClaimState::Paid).await;
    assert_eq!((rig.debt(order), rig.buyer_has(1) + rig.buyer_has(2)), (("S", 0, 25_000), 25_000));
}

async fn a_claim_whose_answer_was_lost_is_learned_and_not_paid_again(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    let request = rig.bill(25_000, 1).await;
    rig.sim().faults().next(rig.sends(), Fault::ResetAfter, 1);
    rig.claim(order, &request).await.expect("taken");
    rig.wait_until("the payment has come", || rig.buyer_has(1) == 25_000).await;
    let other = rig.claim(order, &rig.bill(25_000, 2).await).await;
    assert!(other.is_err(), "while nothing is known, no other is taken: {other:?}");
    rig.clock.advance_secs(180);
    let asked = async || {
        background::claims::pay_due(&rig.shop, &Dial::direct()).await.expect("asked");
        rig.clock.advance_secs(30);
    };
    for _ in 0..20 {
        asked().await;
    }
    rig.wait_claim(order, ClaimState::Paid).await;
    assert_eq!((rig.debt(order), rig.buyer_has(1), rig.buyer_has(2)), (("S", 0, 25_000), 25_000, 0));
}

async fn a_claim_that_no_node_may_pay_waits_for_the_operator_who_is_told_the_command(kind: NodeKind) {
    let rig = Rig::new(Setup { kind, ..Setup::two_nodes() }).await;
    rig.sim().node().connect(rig.spare().sim.node());
    let order = rig.owing().await;
    let request = rig.bill(25_000, 1).await;
    assert_eq!(rig.claim(order, &request).await.expect("taken").state, ClaimState::Waiting);
    let told = rig.told_to_pay();
    assert!(told.len() == 1 && told[0].contains(&format!("`order refund {order} {request}`")), "{told:?}");
    assert!(told[0].contains("may pay refunds yet"), "and why it was not paid: {told:?}");
    change_node(&rig, rig.node, able(&rig)).await;
    assert_eq!(rig.buyer_has(1), 0, "a right that is given later pays nothing by itself");
    rig.refund(order, &request, None).await.expect("paid by the operator");
    assert_eq!((rig.debt(order), rig.told_to_pay().len()), (("S", 0, 25_000), 0));
}

async fn a_claim_that_fails_leaves_the_debt_and_another_is_paid(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    rig.sim().faults().set_no_route(true);
    rig.claim(order, &rig.bill(25_000, 1).await).await.expect("taken");
    rig.wait_claim(order, ClaimState::Failed).await;
    assert_eq!((rig.debt(order), rig.told_to_pay().len()), (("N", 25_000, 0), 1));
    rig.sim().faults().set_no_route(false);
    rig.claim(order, &rig.bill(25_000, 2).await).await.expect("taken");
    rig.wait_claim(order, ClaimState::Paid).await;
    assert_eq!((rig.debt(order), rig.buyer_has(2), rig.told_to_pay().len()), (("S", 0, 25_000), 25_000, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_that_fail_again_and_again_are_not_tried_for_ever() {
    let rig = rig_with_buyer(NodeKind::LndGrpc).await;
    let order = rig.owing().await;
    rig.sim().faults().set_no_route(true);
    let mut ended = Vec::new();
    for number in 1..=6 {
        let state = rig.claim(order, &rig.bill(25_000, number).await).await.expect("taken").state;
        if state == ClaimState::Open {
            rig.wait_until("it has ended", || rig.claimed(order) != ClaimState::Open).await;
        }
        ended.push((state, rig.claimed(order)));
    }
    let failed = (ClaimState::Open, ClaimState::Failed);
    let handed_over = (ClaimState::Open, ClaimState::Waiting);
    assert_eq!(ended, [failed, failed, failed, failed, handed_over, (ClaimState::Waiting, ClaimState::Waiting)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_limit_of_a_day_waits_for_the_operator() {
    let settings = Settings { refunds_per_day: Msat(49_999), ..Setup::default().settings };
    let rig = Rig::new(Setup { settings, ..Setup::two_nodes() }).await;
    rig.sim().node().connect(rig.spare().sim.node());
    change_node(&rig, rig.node, able(&rig)).await;
    let (first, second) = (rig.owing().await, rig.owing().await);
    assert_eq!(rig.claim(first, &rig.bill(25_000, 1).await).await.expect("taken").state, ClaimState::Open);
    rig.wait_claim(first, ClaimState::Paid).await;
    assert_eq!(rig.claim(second, &rig.bill(25_000, 2).await).await.expect("taken").state, ClaimState::Waiting);
    rig.clock.advance_secs(86_400);
    let next_day = rig.bill(25_000, 3).await;
    assert_eq!(rig.claim(second, &next_day).await.expect("taken").state, ClaimState::Open, "it is another day");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_the_debt_is_refused_with_the_reason() {
    let rig = rig_with_buyer(NodeKind::LndGrpc).await;
    let (order, other) = (rig.owing().await, rig.owing().await);
    let refused = async |order, request: &str| match rig.claim(order, request).await {
        Err(Error::Refused(message)) => message,
        taken => panic!("{taken:?}"),
    };
    let too_much = rig.bill(25_001, 1).await;
    assert_eq!(refused(order, &too_much).await, Message::RequestAmount { owed: Msat(25_000) });
    let used = rig.bill(25_000, 2).await;
    rig.claim(order, &used).await.expect("taken");
    rig.wait_claim(order, ClaimState::Paid).await;
    assert_eq!(refused(other, &used).await, Message::RequestUsed);
    let late = rig.bill(25_000, 3).await;
    rig.clock.advance_secs(3541);
    assert_eq!(refused(other, &late).await, Message::RequestExpired, "less than a minute is left");
    rig.execute("UPDATE host SET is_testnet = 1");
    let strict = Settings { allow_regtest: false, ..(*rig.shop.settings).clone() };
    let shop = Shop::new(rig.shop.db.clone(), rig.clock.clone(), Arc::new(SystemRandom), strict).expect("a shop");
    let fresh = bill(&rig.bill(25_000, 4).await);
    assert_eq!(claims::claim(&shop, other, fresh).await.err(), Some(Error::Refused(Message::RequestNetwork)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_surplus_comes_back_and_its_route_may_not_cost_what_a_debts_may() {
    let rig = rig_with_buyer(NodeKind::LndGrpc).await;
    let (order, product) = rig.overpaid().await;
    rig.report(product, ProductStatus::Active).await.expect("activated");
    let claim = rig.claim(order, &rig.bill(700, 1).await).await.expect("taken");
    assert_eq!((claim.state, claim.fee_limit), (ClaimState::Open, Msat(1000)));
    rig.wait_claim(order, ClaimState::Paid).await;
    assert_eq!((rig.debt(order), rig.product_status(product)), (("P", 0, 700), ProductStatus::Active));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_delivered_late_is_not_taken_back_for_a_claim_that_comes_too_late() {
    let rig = rig_with_buyer(NodeKind::LndGrpc).await;
    let order = rig.owing().await;
    let product = rig.view(order).product.id;
    let request = rig.bill(25_000, 1).await;
    rig.check_in().await;
    rig.report(product, ProductStatus::Active).await.expect("delivered after all");
    assert!(rig.view(order).purchase.late_secs.is_some(), "late");
    let wanted = RefundOrder { order, bolt11: request, amount: None, fee_limit: None, not_paid_since_backup: false };
    let refused = refund_debt(&rig.shop, &Dial::direct(), wanted).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
    assert_eq!((rig.debt(order), rig.product_status(product)), (("P", 0, 0), ProductStatus::Active));
}
