//! Paying back what is owed: once, and known to have happened.

use std::sync::Arc;

use ip2tor_lnd_simulator::{Fault, Part, PayEnd, PaymentState, Running, State};
use ip2tor_shop::background::refunds::{RefundOrder, Refunded, refund, state_outcome};
use ip2tor_shop::domain::id::{OrderId, ProductId, SystemRandom};
use ip2tor_shop::domain::lightning::{InvoiceRequest, NodeInvoice, NodeInvoiceState, PaymentHash, Preimage};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::node::NodeKind;
use ip2tor_shop::domain::product::{ProductKind, ProductStatus};
use ip2tor_shop::domain::purchase::OrderStatus;
use ip2tor_shop::lightning::dial::Dial;
use ip2tor_shop::services::nodes::manage::NodeChange;
use ip2tor_shop::services::payments::refunds::{self, Bill, Request, Stated};
use ip2tor_shop::services::{Error, Principal, Session, Shop, backup, hosts, nodes, payments, products};
use ip2tor_shop::store::outbox::{self, Attempt};

use crate::money::rig::{ALIVE_NODES, NODE, Rig, SPARE, Setup, address};

/// The rules of refunds hold for every kind of node that pays them.
macro_rules! with_each_kind {
    ($($rule:ident),+ $(,)?) => {
        with_each_kind!(@ lnd_grpc, NodeKind::LndGrpc, $($rule),+);
        with_each_kind!(@ lnd_rest, NodeKind::LndRest, $($rule),+);
        with_each_kind!(@ cln, NodeKind::Cln, $($rule),+);
    };
    (@ $module:ident, $kind:expr, $($rule:ident),+) => {
        mod $module {
            use super::NodeKind;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $rule() {
                    super::$rule($kind).await;
                }
            )+
        }
    };
}

pub(crate) use with_each_kind;

with_each_kind!(
    what_is_owed_is_paid_back_once_and_ends_the_order,
    an_order_that_was_delivered_stays_paid_when_its_surplus_goes_back,
    one_payment_request_pays_for_one_order_only,
    the_amount_must_be_what_is_owed,
    a_lost_answer_is_learned_by_running_the_command_again,
    a_debt_that_grows_while_it_is_paid_back_is_only_less_by_what_was_paid,
    a_host_that_is_late_does_not_deliver_what_is_being_paid_back,
    a_host_that_is_late_delivers_once_the_refund_has_failed,
    only_the_wallet_that_was_asked_for_a_refund_is_believed_that_it_did_not_pay,
    a_refund_whose_wallet_is_lost_is_ended_by_hand_and_the_node_stays_until_then,
    what_a_node_knows_of_a_refund_is_not_overruled_by_hand,
    an_order_is_not_delivered_again_while_its_money_may_be_on_its_way_back,
    what_a_node_says_when_it_shuts_down_does_not_mean_that_nothing_was_paid,
    a_refusal_counts_as_not_paid_once_the_node_says_that_it_never_tried,
    an_intent_that_never_reached_the_node_is_given_up_after_a_while,
    a_payment_that_fails_leaves_the_debt_and_can_be_tried_again,
    an_earlier_failure_says_nothing_about_the_same_payment_begun_again_by_another_command,
);

/// A shop whose first node is of this kind and can pay refunds. The second is the buyer's, a direct peer of the first.
pub async fn rig_with_buyer(kind: NodeKind) -> Rig {
    let rig = Rig::new(Setup { kind, ..Setup::two_nodes() }).await;
    rig.sim().node().connect(rig.spare().sim.node());
    change_node(&rig, rig.node, able(&rig)).await;
    rig
}

/// What lets the first node pay refunds.
pub fn able(rig: &Rig) -> NodeChange {
    if rig.kind == NodeKind::Cln {
        return NodeChange { pays_refunds: Some(true), ..NodeChange::default() };
    }
    let macaroon = rig.dir.path().join(NODE).join("admin.macaroon").display().to_string();
    NodeChange { payment_macaroon_file: Some(macaroon), ..NodeChange::default() }
}

pub async fn change_node(rig: &Rig, node: ip2tor_shop::domain::id::NodeId, change: NodeChange) {
    let changed =
        rig.shop.tx(&Principal::CommandLine(None), move |tx| nodes::manage::set(tx, node, change, None)).await;
    assert!(changed.is_ok_and(|changed| !changed.is_empty()));
}

impl Rig {
    /// An order that owes its whole price.
    pub async fn owing(&self) -> OrderId {
        self.check_in().await;
        let (order, _) = self.ordered().await;
        self.pay(order);
        self.comes_to_owe(order).await;
        order
    }

    /// What was paid is not delivered in time.
    async fn comes_to_owe(&self, order: OrderId) {
        self.wait_order(order, "P").await;
        self.poll().await;
        self.clock.advance_secs(30 * 60);
        products::expire::give_up_unactivated(&self.shop).await.expect("given up");
        assert_eq!((self.order_status(order), self.view(order).purchase.owed), ("N", Msat(25_000)));
    }

    /// The buyer's invoice.
    pub async fn bill(&self, amount: u64, number: u8) -> String {
        self.make_bill(amount, number, Some(Preimage([number; 32]))).await
    }

    /// One whose payment stays on its way until the buyer takes it.
    pub async fn held_bill(&self, amount: u64, number: u8) -> String {
        self.make_bill(amount, number, None).await
    }

    async fn make_bill(&self, amount: u64, number: u8, preimage: Option<Preimage>) -> String {
        let request = InvoiceRequest {
            hash: Preimage([number; 32]).hash(),
            preimage,
            amount: Msat(amount),
            memo: "refund".to_owned(),
            described_by: None,
            expiry_secs: 3600,
            cltv_expiry: None,
            private: false,
        };
        let buyer = self.registry.get(self.spare().node).expect("the buyer's node").node;
        buyer.create(&request).await.expect("made").payment_request
    }

    pub fn buyer_has(&self, number: u8) -> u64 {
        let invoice = self.spare().sim.node().invoice(Preimage([number; 32]).hash()).expect("the buyer's invoice");
        invoice.progress.htlcs.iter().map(|htlc| htlc.amount_msat).sum()
    }

    fn node_has_paid(&self, number: u8) -> bool {
        let payment = self.sim().node().track(Preimage([number; 32]).hash());
        payment.is_some_and(|(payment, _)| matches!(payment.state, PaymentState::Succeeded(_)))
    }

    /// What a command writes down before it asks the node.
    pub fn request(&self, order: OrderId, bolt11: &str, number: u8) -> Request {
        let hash = Preimage([number; 32]).hash();
        let expires_at = self.now().plus_secs(3600);
        let bill = Bill { bolt11: bolt11.to_owned(), hash, amount: Some(Msat(25_000)), expires_at };
        Request { order, bill, amount: None, fee_limit: None, not_paid_since_backup: false }
    }

    pub async fn refund(&self, order: OrderId, bolt11: &str, amount: Option<u64>) -> Result<Refunded, Error> {
        self.refund_as_told(order, bolt11, amount, false).await
    }

    async fn refund_as_told(
        &self,
        order: OrderId,
        bolt11: &str,
        amount: Option<u64>,
        not_paid_since_backup: bool,
    ) -> Result<Refunded, Error> {
        let (bolt11, amount) = (bolt11.to_owned(), amount.map(Msat));
        self.run(RefundOrder { order, bolt11, amount, fee_limit: None, not_paid_since_backup }).await
    }

    /// Runs the command.
    pub async fn run(&self, wanted: RefundOrder) -> Result<Refunded, Error> {
        // As the command line does: a shop of its own on the same database, beside the running one.
        let db = ip2tor_shop::store::Db::open(self.shop.db.path()).expect("the database");
        let settings = (*self.shop.settings).clone();
        let shop = Shop::new(db, self.clock.clone(), Arc::new(SystemRandom), settings).expect("a shop");
        refund(&shop, &Dial::direct(), wanted, &Principal::CommandLine(None)).await
    }

    /// The call by which the first node is told to pay, for faults.
    pub fn sends(&self) -> &'static str {
        if self.kind == NodeKind::Cln { "xpay" } else { "SendPaymentV2" }
    }

    /// The call by which it is asked what became of a payment.
    pub fn tracks(&self) -> &'static str {
        if self.kind == NodeKind::Cln { "listpays" } else { "TrackPaymentV2" }
    }

    /// The node pays the buyer's first bill, and its answer is lost; the bill.
    pub async fn refund_without_answer(&self, order: OrderId, msat: u64) -> String {
        let bill = self.bill(msat, 1).await;
        self.sim().faults().next(self.sends(), Fault::ResetAfter, 1);
        assert!(matches!(self.refund(order, &bill, None).await, Err(Error::Unavailable { .. })));
        bill
    }

    /// A bridge that waits for its host; 700 msat more were paid than asked.
    pub async fn overpaid(&self) -> (OrderId, ProductId) {
        self.check_in().await;
        let (order, product) = self.ordered().await;
        self.pay_msat(order, 25_700);
        self.wait_product(product, ProductStatus::NeedsActivate).await;
        (order, product)
    }

    /// An invoice of the order that another one took the place of.
    async fn former_attempt(&self, order: OrderId) -> PaymentHash {
        let (hash, now) = (PaymentHash([77; 32]), self.now());
        let node_id = self.spare().node;
        let attempt = Attempt { hash, order, node_id, number: 2, is_hold: false };
        let added = self.shop.db.write(move |db| outbox::add_attempt(db, &attempt, now)).await;
        added.expect("an attempt");
        hash
    }

    /// The node that was asked for it says that the whole price came by this hash.
    async fn tell_settled(&self, hash: PaymentHash) {
        let news = NodeInvoice {
            hash,
            state: NodeInvoiceState::Settled,
            memo: String::new(),
            amount: Msat(25_000),
            received: Msat(25_000),
            payment_request: String::new(),
            created_at: self.now(),
            expires_at: self.now(),
            settled_at: Some(self.now()),
            add_index: 0,
            settle_index: 0,
            nearest_htlc_expiry: None,
            accept_height: None,
        };
        let attempt = self.shop.db.read(|db| outbox::attempt(db, hash)).expect("readable").expect("an attempt");
        payments::apply::apply(&self.shop, attempt.node_id, news, None).await.expect("applied");
    }

    /// State, what is owed and what was paid back.
    pub fn debt(&self, order: OrderId) -> (&'static str, u64, u64) {
        let purchase = self.view(order).purchase;
        (purchase.status.letter(), purchase.owed.0, purchase.refunded.0)
    }

    fn told_of(&self, topic: &str) -> i64 {
        self.count(&format!("SELECT count(*) FROM alert WHERE topic = '{topic}' AND closed_at IS NULL"))
    }

    pub fn refunds(&self, state: &str) -> i64 {
        self.count(&format!("SELECT count(*) FROM refund WHERE state = '{state}'"))
    }
}

async fn what_is_owed_is_paid_back_once_and_ends_the_order(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    let bill = rig.bill(25_000, 1).await;
    let paid = rig.refund(order, &bill, None).await;
    let (hash, is_this_request) = (Preimage([1; 32]).hash(), true);
    let (amount, status) = (Msat(25_000), OrderStatus::Refunded);
    assert_eq!(paid, Ok(Refunded { hash, is_this_request, amount, fee: Msat(0), status, owed: Msat(0) }));
    assert_eq!((rig.order_status(order), rig.view(order).purchase.owed), ("S", Msat(0)));
    assert_eq!(rig.buyer_has(1), 25_000);
    assert_eq!(rig.count("SELECT count(*) FROM alert WHERE closed_at IS NULL"), 0);

    assert!(matches!(rig.refund(order, &bill, None).await, Err(Error::Conflict(_))), "not twice");
    let second = rig.bill(25_000, 2).await;
    assert!(matches!(rig.refund(order, &second, None).await, Err(Error::Conflict(_))), "nothing is owed");
    assert_eq!((rig.buyer_has(1), rig.buyer_has(2)), (25_000, 0));
}

async fn an_order_that_was_delivered_stays_paid_when_its_surplus_goes_back(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let (order, product) = rig.overpaid().await;
    rig.report(product, ProductStatus::Active).await.expect("accepted");
    let paid = rig.refund(order, &rig.bill(700, 1).await, None).await.expect("paid");
    assert_eq!((paid.status, paid.owed), (OrderStatus::Paid, Msat(0)));
    assert_eq!((rig.debt(order), rig.told_of("order_overpaid")), (("P", 0, 700), 0));
}

async fn one_payment_request_pays_for_one_order_only(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let (first, second) = (rig.owing().await, rig.owing().await);
    let bill = rig.bill(25_000, 1).await;
    rig.refund(first, &bill, None).await.expect("paid");
    let refused = rig.refund(second, &bill, None).await;
    assert!(
        matches!(&refused, Err(Error::Conflict(text)) if text.to_string().contains(&first.to_string())),
        "{refused:?}"
    );
}

async fn the_amount_must_be_what_is_owed(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    let refused = rig.refund(order, &rig.bill(24_000, 1).await, None).await;
    assert!(matches!(&refused, Err(Error::Invalid(fields)) if fields[0].0 == "bolt11"), "{refused:?}");
    let open_amount = rig.bill(0, 2).await;
    let refused = rig.refund(order, &open_amount, None).await;
    assert!(matches!(&refused, Err(Error::Invalid(fields)) if fields[0].0 == "amount"), "{refused:?}");
    assert!(rig.refund(order, &open_amount, Some(26_000)).await.is_err());
    assert_eq!(rig.count("SELECT count(*) FROM refund"), 0, "nothing was begun");
    rig.refund(order, &open_amount, Some(25_000)).await.expect("paid");
    assert_eq!(rig.buyer_has(2), 25_000);
}

async fn a_lost_answer_is_learned_by_running_the_command_again(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    rig.refund_without_answer(order, 25_000).await;
    assert_eq!((rig.order_status(order), rig.refunds("intended")), ("N", 1));
    let by_hand = payments::apply::mark_refunded(&rig.shop, order, &Principal::CommandLine(None), "by hand").await;
    assert!(matches!(by_hand, Err(Error::Conflict(_))), "it may have been paid");

    // Also with another payment request: the first one is learned, the second not paid, and that is said.
    let second = rig.bill(25_000, 2).await;
    let learned = rig.refund(order, &second, None).await.expect("the first payment took place");
    assert_eq!((learned.hash, learned.is_this_request), (Preimage([1; 32]).hash(), false));
    assert_eq!((rig.order_status(order), rig.refunds("succeeded")), ("S", 1));
    assert_eq!((rig.buyer_has(1), rig.buyer_has(2)), (25_000, 0));
}

async fn a_debt_that_grows_while_it_is_paid_back_is_only_less_by_what_was_paid(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let (order, product) = rig.overpaid().await;
    let bill = rig.refund_without_answer(order, 700).await;
    rig.report(product, ProductStatus::Failed).await.expect("accepted");
    assert_eq!(rig.debt(order), ("N", 25_700, 0));
    let learned = rig.refund(order, &bill, None).await.expect("the payment took place");
    assert_eq!((learned.amount, learned.owed), (Msat(700), Msat(25_000)));
    assert_eq!((rig.debt(order), rig.told_of("order_needs_refund")), (("N", 25_000, 700), 1));
    rig.refund(order, &rig.bill(25_000, 2).await, None).await.expect("the rest");
    assert_eq!((rig.debt(order), rig.told_of("order_needs_refund")), (("S", 0, 25_700), 0));
    assert_eq!((rig.buyer_has(1), rig.buyer_has(2)), (700, 25_000));
}

async fn a_host_that_is_late_does_not_deliver_what_is_being_paid_back(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    let product = rig.view(order).product.id;
    let bill = rig.refund_without_answer(order, 25_000).await;
    let late = rig.report(product, ProductStatus::Active).await;
    assert!(matches!(&late, Err(Error::Invalid(fields)) if fields[0].0 == "status"), "{late:?}");
    assert_eq!((rig.debt(order), rig.product_status(product)), (("N", 25_000, 0), ProductStatus::NeedsSuspend));
    rig.refund(order, &bill, None).await.expect("the payment took place");
    assert_eq!((rig.debt(order), rig.told_of("refunded_too_much")), (("S", 0, 25_000), 0));
    assert!(rig.report(product, ProductStatus::Active).await.is_err(), "nothing is paid for it any more");
}

async fn a_host_that_is_late_delivers_once_the_refund_has_failed(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    rig.sim().faults().set_no_route(true);
    assert!(rig.refund(order, &rig.bill(25_000, 1).await, None).await.is_err());
    rig.report(rig.view(order).product.id, ProductStatus::Active).await.expect("late, and accepted");
    assert_eq!(rig.debt(order), ("P", 0, 0));
}

async fn only_the_wallet_that_was_asked_for_a_refund_is_believed_that_it_did_not_pay(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    rig.refund_without_answer(order, 25_000).await;

    let away = || wallet(&rig, SPARE, &rig.spare().sim);
    let refused = try_change(&rig, NodeChange { has_moved: false, ..away() }).await;
    let says = |text: &str| text.contains(&order.to_string()) && text.contains("--moved");
    assert!(matches!(&refused, Err(Error::Conflict(text)) if says(&text.to_string())), "{refused:?}");
    change_node(&rig, rig.node, away()).await;
    rig.clock.advance_secs(180);
    let second = rig.bill(25_000, 2).await;
    let refused = rig.refund(order, &second, None).await;
    let says = |text: &str| text.contains("--moved") && text.contains("--refund-outcome");
    assert!(matches!(&refused, Err(Error::Refused(text)) if says(&text.to_string())), "{refused:?}");
    assert_eq!((rig.refunds("intended"), rig.buyer_has(2)), (1, 0));

    change_node(&rig, rig.node, wallet(&rig, NODE, rig.sim())).await;
    rig.refund(order, &second, None).await.expect("the first payment took place");
    assert_eq!((rig.debt(order), rig.buyer_has(1), rig.buyer_has(2)), (("S", 0, 25_000), 25_000, 0));
}

/// The shop's first node, as reached at another wallet.
fn wallet(rig: &Rig, name: &str, sim: &Running) -> NodeChange {
    let (host, port) = address(rig.kind, sim);
    if rig.kind == NodeKind::Cln {
        return NodeChange { host: Some(host), has_moved: true, ..NodeChange::default() };
    }
    let file = |file: &str| Some(rig.dir.path().join(name).join(file).display().to_string());
    NodeChange {
        port: Some(port),
        certificate_file: file("tls.cert"),
        macaroon_file: file("shop.macaroon"),
        payment_macaroon_file: file("admin.macaroon"),
        has_moved: true,
        ..NodeChange::default()
    }
}

async fn try_change(rig: &Rig, change: NodeChange) -> Result<Vec<String>, Error> {
    let node = rig.node;
    rig.shop.tx(&Principal::CommandLine(None), move |tx| nodes::manage::set(tx, node, change, None)).await
}

async fn remove_node(rig: &Rig) -> Result<(), Error> {
    let node = rig.node;
    rig.shop.tx(&Principal::CommandLine(None), move |tx| nodes::manage::remove(tx, node)).await
}

async fn a_refund_whose_wallet_is_lost_is_ended_by_hand_and_the_node_stays_until_then(kind: NodeKind) {
    for (stated, debt) in [(Stated::Paid, ("S", 0, 25_000)), (Stated::Failed, ("N", 25_000, 0))] {
        let mut rig = rig_with_buyer(kind).await;
        let order = rig.owing().await;
        let bill = rig.bill(25_000, 1).await;
        rig.sim().faults().next(rig.sends(), Fault::Reset, 1);
        assert!(matches!(rig.refund(order, &bill, None).await, Err(Error::Unavailable { .. })));
        rig.stop_node().await;
        let refused = remove_node(&rig).await;
        assert!(
            matches!(&refused, Err(Error::Conflict(text)) if text.to_string().contains("--refund-outcome")),
            "{refused:?}"
        );

        let early =
            state_outcome(&rig.shop, &Dial::direct(), order, Stated::Failed, &Principal::CommandLine(None), "asked")
                .await;
        assert!(matches!(early, Err(Error::Conflict(_))), "a command may still be at it");
        rig.clock.advance_secs(180);
        state_outcome(&rig.shop, &Dial::direct(), order, stated, &Principal::CommandLine(None), "asked the buyer")
            .await
            .expect("noted");
        assert_eq!((rig.debt(order), rig.refunds("intended")), (debt, 0));
        assert_eq!(rig.count("SELECT count(*) FROM audit_log WHERE change LIKE '%asked the buyer%'"), 1);
        remove_node(&rig).await.expect("removed");
    }
}

async fn what_a_node_knows_of_a_refund_is_not_overruled_by_hand(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    rig.refund_without_answer(order, 25_000).await;
    rig.clock.advance_secs(180);
    let refused =
        state_outcome(&rig.shop, &Dial::direct(), order, Stated::Failed, &Principal::CommandLine(None), "surely not")
            .await;
    assert!(matches!(&refused, Err(Error::Conflict(text)) if text.to_string().contains("order refund")), "{refused:?}");
    assert_eq!(rig.refunds("intended"), 1);
}

async fn an_order_is_not_delivered_again_while_its_money_may_be_on_its_way_back(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    let bill = rig.refund_without_answer(order, 25_000).await;
    let again = payments::apply::retry_delivery(&rig.shop, order, &Principal::CommandLine(None)).await;
    assert!(matches!(&again, Err(Error::Conflict(text)) if text.to_string().contains("order refund")), "{again:?}");
    rig.refund(order, &bill, None).await.expect("the payment took place");
    assert_eq!(rig.debt(order), ("S", 0, 25_000));
    assert!(
        payments::apply::retry_delivery(&rig.shop, order, &Principal::CommandLine(None)).await.is_err(),
        "it was paid back"
    );
}

async fn what_a_node_says_when_it_shuts_down_does_not_mean_that_nothing_was_paid(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    let bill = rig.held_bill(25_000, 1).await;
    let shuts_down = async {
        rig.wait_until("the payment is on its way", || rig.buyer_has(1) == 25_000).await;
        // Nor does it tell afterwards what became of the payment.
        rig.sim().faults().next(rig.tracks(), Fault::Unavailable, 1);
        match kind {
            NodeKind::Cln => rig.sim().faults().drop_connections(),
            NodeKind::LndGrpc | NodeKind::LndRest => rig.sim().faults().drop_payments(),
        }
    };
    let (refunded, ()) = tokio::join!(rig.refund(order, &bill, None), shuts_down);
    assert!(
        matches!(&refunded, Err(Error::Unavailable { detail, .. }) if detail.to_string().contains("Run the same command"))
    );
    assert_eq!((rig.debt(order), rig.refunds("intended")), (("N", 25_000, 0), 1));
    rig.sim().faults().clear();
    rig.spare().sim.node().settle(Preimage([1; 32])).expect("the buyer takes it");
    rig.wait_until("the node knows", || rig.node_has_paid(1)).await;
    let second = rig.bill(25_000, 2).await;
    rig.refund(order, &second, None).await.expect("the first payment took place");
    assert_eq!((rig.debt(order), rig.buyer_has(2)), (("S", 0, 25_000), 0));
}

async fn a_refusal_counts_as_not_paid_once_the_node_says_that_it_never_tried(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    let bill = rig.bill(25_000, 1).await;
    match kind {
        NodeKind::Cln => rig.sim().faults().cln.end_payments(Some(PayEnd { code: -32602, part: Part::None })),
        NodeKind::LndGrpc | NodeKind::LndRest => rig.sim().faults().set_synced(false),
    }
    let refused = rig.refund(order, &bill, None).await;
    assert!(
        matches!(&refused, Err(Error::Refused(text)) if text.to_string().contains("Nothing was paid")),
        "{refused:?}"
    );
    assert_eq!(rig.refunds("failed"), 1);
    rig.sim().faults().next(rig.tracks(), Fault::Unavailable, 1);
    let refused = rig.refund(order, &bill, None).await;
    assert!(
        matches!(&refused, Err(Error::Refused(text)) if text.to_string().contains("Nothing was paid")),
        "{refused:?}"
    );
    rig.sim().faults().spare_next(rig.tracks());
    rig.sim().faults().next(rig.tracks(), Fault::Unavailable, 1);
    assert!(matches!(rig.refund(order, &bill, None).await, Err(Error::Unavailable { .. })), "it does not say so");
    assert_eq!(rig.refunds("intended"), 1);
}

async fn an_intent_that_never_reached_the_node_is_given_up_after_a_while(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    let bill = rig.bill(25_000, 1).await;
    rig.sim().faults().next(rig.sends(), Fault::Reset, 1);
    assert!(matches!(rig.refund(order, &bill, None).await, Err(Error::Unavailable { .. })));
    assert!(matches!(rig.refund(order, &bill, None).await, Err(Error::Unavailable { .. })), "too early to tell");
    rig.clock.advance_secs(180);
    rig.refund(order, &bill, None).await.expect("paid");
    assert_eq!(rig.buyer_has(1), 25_000);
}

async fn a_payment_that_fails_leaves_the_debt_and_can_be_tried_again(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    let bill = rig.bill(25_000, 1).await;
    rig.sim().faults().set_no_route(true);
    let failed = rig.refund(order, &bill, None).await;
    assert!(matches!(&failed, Err(Error::Refused(text)) if text.to_string().contains("no route")), "{failed:?}");
    assert_eq!((rig.order_status(order), rig.refunds("failed")), ("N", 1));
    rig.sim().faults().set_no_route(false);
    rig.refund(order, &bill, None).await.expect("paid");
    assert_eq!(rig.order_status(order), "S");
}

async fn an_earlier_failure_says_nothing_about_the_same_payment_begun_again_by_another_command(kind: NodeKind) {
    let rig = rig_with_buyer(kind).await;
    let order = rig.owing().await;
    let (bill, other) = (rig.bill(25_000, 1).await, rig.bill(25_000, 2).await);
    rig.sim().faults().set_no_route(true);
    assert!(matches!(rig.refund(order, &bill, None).await, Err(Error::Refused(_))));
    rig.sim().faults().set_no_route(false);
    // Another command has written its intent, and is about to ask the node.
    let (intent, _) = refunds::intend(&rig.shop, rig.request(order, &bill, 1), &Principal::CommandLine(None))
        .await
        .expect("intended");
    let refused = rig.refund(order, &other, None).await;
    assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
    assert_eq!((rig.refunds("intended"), rig.buyer_has(2)), (1, 0));
    rig.clock.advance_secs(180);
    rig.refund(order, &other, None).await.expect("that command never asked");
    assert_eq!((rig.buyer_has(1), rig.buyer_has(2)), (0, 25_000));
    refunds::failed(&rig.shop, &intent, "late", &Principal::CommandLine(None)).await.expect("nothing to record");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_one_intent_does_not_end_the_next_for_the_same_payment() {
    let rig = rig_with_buyer(NodeKind::LndGrpc).await;
    let order = rig.owing().await;
    let bill = rig.bill(25_000, 1).await;
    let (first, _) = refunds::intend(&rig.shop, rig.request(order, &bill, 1), &Principal::CommandLine(None))
        .await
        .expect("intended");
    rig.clock.advance_secs(180);
    refunds::failed(&rig.shop, &first, "never asked", &Principal::CommandLine(None)).await.expect("recorded");
    refunds::intend(&rig.shop, rig.request(order, &bill, 1), &Principal::CommandLine(None))
        .await
        .expect("intended again");
    refunds::failed(&rig.shop, &first, "never asked", &Principal::CommandLine(None)).await.expect("nothing to record");
    assert_eq!(rig.refunds("intended"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_and_its_host_stay_until_what_is_owed_for_them_was_paid_back() {
    let rig = Rig::new(Setup::default()).await;
    let (order, product) = rig.overpaid().await;
    rig.report(product, ProductStatus::Active).await.expect("accepted");
    rig.clock.advance_secs(90_000);
    products::expire::suspend_expired(&rig.shop).await.expect("its time is over");
    rig.report(product, ProductStatus::Suspended).await.expect("accepted");
    let scope = Principal::Host(rig.host);
    let delete = || products::view::delete(&rig.shop, &scope, product, ProductKind::TorBridge);
    let refused = delete().await;
    assert!(
        matches!(&refused, Err(Error::Conflict(text)) if text.to_string().contains("Money is owed")),
        "{refused:?}"
    );
    rig.clock.advance_secs(46 * 86_400);
    products::expire::delete_suspended(&rig.shop).await.expect("given up");
    let refused = hosts::catalog::delete(&rig.shop, &scope, rig.host).await;
    assert!(
        matches!(&refused, Err(Error::Conflict(text)) if text.to_string().contains("Money is owed")),
        "{refused:?}"
    );
    payments::apply::mark_refunded(&rig.shop, order, &Principal::CommandLine(None), "by hand")
        .await
        .expect("paid back");
    delete().await.expect("deleted");
    hosts::catalog::delete(&rig.shop, &scope, rig.host).await.expect("deleted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_debt_out_of_a_restored_backup_is_paid_only_when_the_operator_has_made_sure() {
    let mut rig = rig_with_buyer(NodeKind::LndGrpc).await;
    let order = rig.owing().await;
    let session = Session::on_command_line(rig.now());
    let (from, to) = (rig.places("old"), rig.places("new"));
    let made = backup::create(&rig.shop.db, &from, &session, None).expect("a backup");
    rig.refund(order, &rig.bill(25_000, 1).await, None).await.expect("paid");

    rig.tasks.stop().await;
    let restored = backup::restore(&to, &made.path, false, &session).expect("restored");
    assert_eq!(restored.owing, [order]);
    rig.start_shop_on(&to.database);
    rig.wait_until("all nodes are alive", || rig.count(ALIVE_NODES) == 2).await;
    assert_eq!((rig.debt(order), rig.told_of("refund_may_be_done")), (("N", 25_000, 0), 1));
    let second = rig.bill(25_000, 2).await;
    let refused = rig.refund(order, &second, None).await;
    let says = |text: &str| text.contains("--not-paid-since-the-backup") && text.contains("order resolve");
    assert!(matches!(&refused, Err(Error::Refused(text)) if says(&text.to_string())), "{refused:?}");
    assert_eq!((rig.buyer_has(1), rig.buyer_has(2)), (25_000, 0));

    rig.refund_as_told(order, &second, None, true).await.expect("the operator is sure");
    assert_eq!((rig.debt(order), rig.told_of("refund_may_be_done")), (("S", 0, 25_000), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_debt_that_arises_again_after_a_restore_is_paid_only_when_the_operator_has_made_sure() {
    let mut rig = rig_with_buyer(NodeKind::LndGrpc).await;
    rig.check_in().await;
    let (order, _) = rig.ordered().await;
    let session = Session::on_command_line(rig.now());
    let (from, to) = (rig.places("old"), rig.places("new"));
    let made = backup::create(&rig.shop.db, &from, &session, None).expect("a backup");
    rig.pay(order);
    rig.comes_to_owe(order).await;
    rig.refund(order, &rig.bill(25_000, 1).await, None).await.expect("paid");

    rig.tasks.stop().await;
    let restored = backup::restore(&to, &made.path, false, &session).expect("restored");
    assert_eq!(restored.owing, [], "in the backup it is not paid yet");
    rig.start_shop_on(&to.database);
    rig.comes_to_owe(order).await;
    assert_eq!((rig.told_of("order_needs_refund"), rig.told_of("refund_may_be_done")), (1, 1));
    let second = rig.bill(25_000, 2).await;
    let refused = rig.refund(order, &second, None).await;
    assert!(
        matches!(&refused, Err(Error::Refused(text)) if text.to_string().contains("--not-paid-since-the-backup")),
        "{refused:?}"
    );
    assert_eq!((rig.buyer_has(1), rig.buyer_has(2)), (25_000, 0));

    rig.swept().await;
    let fresh = rig.owing().await;
    rig.refund(fresh, &second, None).await.expect("an order after the restore is not in doubt");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_paid_twice_by_two_invoices_of_an_order_is_owed_once() {
    let rig = rig_with_buyer(NodeKind::LndGrpc).await;
    rig.check_in().await;
    let (order, _) = rig.active_bridge().await;
    let former = rig.former_attempt(order).await;
    for _ in 0..2 {
        rig.tell_settled(former).await;
        assert_eq!((rig.debt(order), rig.told_of("order_overpaid")), (("P", 25_000, 0), 1));
    }
    rig.refund(order, &rig.bill(25_000, 1).await, None).await.expect("paid back");
    rig.tell_settled(former).await;
    rig.tell_settled(rig.hash(order)).await;
    assert_eq!(rig.debt(order), ("P", 0, 25_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn once_a_former_invoice_is_paid_the_visible_one_is_cancelled_and_still_counts_if_it_was_paid() {
    let rig = rig_with_buyer(NodeKind::LndGrpc).await;
    rig.check_in().await;
    let (order, _) = rig.ordered().await;
    rig.tell_settled(rig.former_attempt(order).await).await;
    assert_eq!(rig.debt(order), ("P", 0, 0));
    rig.wait_until("nobody can pay again", || rig.at_node(order) == Some(State::Canceled)).await;
    for _ in 0..2 {
        rig.tell_settled(rig.hash(order)).await;
        assert_eq!(rig.debt(order), ("P", 25_000, 0));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_after_the_refund_is_owed_again() {
    let rig = rig_with_buyer(NodeKind::LndGrpc).await;
    let order = rig.owing().await;
    rig.refund(order, &rig.bill(25_000, 1).await, None).await.expect("paid back");
    rig.tell_settled(rig.former_attempt(order).await).await;
    assert_eq!((rig.debt(order), rig.told_of("order_needs_refund")), (("N", 25_000, 25_000), 1));
}
