//! Whose invoice it is: another wallet at a node's address, another node, one node under two records.

use ip2tor_lnd_simulator::State;
use ip2tor_shop::background::nodes::follow::{self, Strangers};
use ip2tor_shop::domain::id::{NodeId, OrderId, SystemRandom};
use ip2tor_shop::domain::lightning::{InvoiceRequest, NodeInvoiceState};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::node::NodeKind;
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::services::nodes::manage::NodeChange;
use ip2tor_shop::services::payments::apply::Applied;
use ip2tor_shop::services::{Error, Principal, Tx, nodes, payments, products};

use crate::money::rig::{ALIVE_NODES, NODE, Rig, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_invoices_that_are_not_final_gets_another_address_only_if_it_has_moved() {
    let rig = Rig::new(Setup::two_nodes()).await;
    let (order, _) = rig.ordered().await;
    let (node, port) = (rig.node, rig.spare().sim.local_addr().port());
    let set = |port, has_moved| {
        let change = NodeChange { port: Some(port), has_moved, ..NodeChange::default() };
        rig.shop.tx(&Principal::CommandLine(None), move |tx| nodes::manage::set(tx, node, change, None))
    };
    let refused = set(port, false).await;
    assert!(matches!(&refused, Err(Error::Conflict(text)) if text.to_string().contains("node add")), "{refused:?}");
    assert!(set(rig.sim_addr.port(), false).await.is_ok(), "nothing changes");
    assert!(set(port, true).await.is_ok(), "the operator says that it is the same");
    assert!(set(rig.sim_addr.port(), true).await.is_ok());
    payments::apply::apply_gone(&rig.shop, rig.node, rig.hash(order)).await.expect("applied");
    assert!(set(port, false).await.is_ok(), "nothing depends on it");
}

/// What a wallet keeps in a node's folder; the rest are credentials.
const WALLET: [&str; 2] = ["node.key", "journal.jsonl"];

impl Rig {
    /// The node comes back at the same address with its credentials, and another wallet or the first.
    async fn exchange_wallet(&mut self, from: &str, to: &str) {
        self.stop_node().await;
        let dir = self.dir.path().join(NODE);
        for file in WALLET {
            std::fs::rename(dir.join(file), dir.join(format!("{from}.{file}"))).expect("the wallet is put away");
            // A wallet that was never there is made.
            let _ = std::fs::rename(dir.join(format!("{to}.{file}")), dir.join(file));
        }
        self.start_node().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_wallet_at_a_nodes_address_ends_nothing_that_the_first_can_still_be_paid_for() {
    let mut rig = Rig::new(Setup::default()).await;
    let (paid, _) = rig.active_bridge().await;
    let (order, product) = rig.ordered().await;
    let pubkey = "SELECT count(*) FROM node WHERE pubkey IS NOT NULL";
    rig.wait_until("the node is known", || rig.count(pubkey) == 1).await;
    let cursor = rig.count("SELECT settle_index FROM node");
    rig.exchange_wallet("first", "second").await;
    let alert =
        "SELECT count(*) FROM alert WHERE topic = 'node_dead' AND text LIKE '%another node%' AND closed_at IS NULL";
    rig.wait_until("the operator knows", || rig.count(alert) == 1).await;

    let entry = rig.registry.get(rig.node).expect("the node");
    assert_eq!(follow::compare(&rig.shop, &entry, &mut Strangers::default()).await, Ok(0));
    rig.clock.advance_secs(1000);
    assert_eq!(products::expire::close_unpaid(&rig.shop).await, Ok(Some(1)));
    rig.wait_until("it was asked to cancel", || rig.count("SELECT coalesce(max(attempts), 0) FROM effect") > 0).await;
    rig.foreign_settlement("a coffee", 1).await;
    rig.foreign_settlement("another", 2).await;
    assert_eq!((rig.order_status(order), rig.order_status(paid)), ("T", "P"));
    assert_eq!((rig.count(ALIVE_NODES), rig.count("SELECT settle_index FROM node")), (0, cursor));

    rig.exchange_wallet("second", "first").await;
    rig.wait_order_as_time_passes(order, "R").await;
    assert_eq!(rig.product_status(product), ProductStatus::Archived);
    rig.wait_until("the alert is closed", || rig.count(alert) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_wallet_takes_over_when_nothing_depends_on_the_first_and_counts_its_settlements_anew() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.active_bridge().await;
    rig.sim().node().skip_settle_indexes(1000).expect("a gap");
    rig.active_bridge().await;
    assert!(rig.count("SELECT settle_index FROM node") > 1000);
    rig.exchange_wallet("first", "second").await;
    rig.wait_until("it is used", || rig.count("SELECT settle_index FROM node") == 0).await;
    rig.active_bridge().await;
    assert_eq!(rig.count("SELECT settle_index FROM node"), 1);
}

/// What the second node says of an invoice of the first.
async fn claimed(rig: &Rig, order: OrderId, state: NodeInvoiceState) -> Applied {
    let mut news = rig.connector().look_up(rig.hash(order)).await.expect("an answer").expect("the invoice");
    (news.state, news.received) = (state, news.amount);
    payments::apply::apply(&rig.shop, rig.spare().node, news, None).await.expect("applied")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_node_can_speak_for_an_invoice_even_with_its_hash() {
    let rig = Rig::new(Setup { use_holds: true, ..Setup::two_nodes() }).await;
    let (order, product) = rig.ordered().await;
    for (state, applied) in [
        (NodeInvoiceState::Accepted, Applied::Foreign),
        (NodeInvoiceState::Settled, Applied::Unknown),
        (NodeInvoiceState::Canceled, Applied::Foreign),
    ] {
        assert_eq!(claimed(&rig, order, state).await, applied, "{state:?}");
    }
    payments::apply::apply_gone(&rig.shop, rig.spare().node, rig.hash(order)).await.expect("nothing happens");
    payments::apply::apply_leftover(&rig.shop, rig.spare().node, rig.hash(order)).await.expect("nothing happens");
    assert_eq!((rig.order_status(order), rig.product_status(product)), ("T", ProductStatus::Initial));
    assert_eq!((rig.open_alerts("unknown_payment"), rig.count("SELECT count(*) FROM effect")), (1, 0));

    rig.pay(order);
    rig.wait_product(product, ProductStatus::NeedsActivate).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_another_node_holds_for_our_hash_is_given_back_and_delivers_nothing() {
    let rig = Rig::new(Setup { use_holds: true, ..Setup::two_nodes() }).await;
    let (order, product) = rig.ordered().await;
    let request = InvoiceRequest {
        hash: rig.hash(order),
        preimage: None,
        amount: Msat(25_000),
        memo: format!("PO: {order}"),
        described_by: None,
        expiry_secs: 600,
        cltv_expiry: Some(144),
        private: false,
    };
    let entry = rig.registry.get(rig.spare().node).expect("the node");
    entry.node.create(&request).await.expect("made");
    rig.spare().sim.node().arrive(request.hash, &[25_000], 25_000).expect("paid");
    let mut strangers = Strangers::default();
    follow::compare(&rig.shop, &entry, &mut strangers).await.expect("compared");
    assert_eq!((rig.order_status(order), rig.product_status(product)), ("T", ProductStatus::Initial));
    rig.clock.advance_secs(240);
    follow::compare(&rig.shop, &entry, &mut strangers).await.expect("compared");
    let state = rig.spare().sim.node().invoice(request.hash).map(|invoice| invoice.state());
    assert_eq!((state, rig.at_node(order)), (Some(State::Canceled), Some(State::Open)));
}

impl Rig {
    /// The first node once more, as a record of its own: by another way to it, say.
    async fn same_node_again(&self) -> NodeId {
        let lnd = self.dir.path().join(NODE);
        let change = NodeChange {
            host: Some("127.0.0.1".to_owned()),
            port: Some(self.sim_addr.port()),
            certificate_file: Some(lnd.join("tls.cert").display().to_string()),
            macaroon_file: Some(lnd.join("shop.macaroon").display().to_string()),
            priority: Some(7),
            ..NodeChange::default()
        };
        let add =
            move |tx: &mut Tx<'_>| nodes::manage::add(tx, &SystemRandom, NodeKind::LndGrpc, change, Some("operator"));
        let node = self.shop.tx(&Principal::CommandLine(None), add).await.expect("added").id;
        self.wait_until("it is followed", || self.registry.get(node).is_ok()).await;
        node
    }

    async fn heard_of(&self, order: OrderId, node: NodeId) -> Applied {
        let news = self.connector().look_up(self.hash(order)).await.expect("an answer").expect("the invoice");
        payments::apply::apply(&self.shop, node, news, None).await.expect("applied")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_sold_under_one_record_is_no_news_under_another_not_even_when_the_first_was_removed() {
    let rig = Rig::new(Setup::default()).await;
    let (order, _) = rig.active_bridge().await;
    let again = rig.same_node_again().await;
    assert_eq!(rig.heard_of(order, again).await, Applied::Foreign, "also before its key is known");
    rig.wait_until("both are known", || rig.count(ALIVE_NODES) == 2).await;
    assert_eq!(rig.heard_of(order, again).await, Applied::Foreign);
    assert_eq!(rig.open_alerts("unknown_payment"), 0);

    let first = rig.node;
    rig.shop.tx(&Principal::CommandLine(None), move |tx| nodes::manage::remove(tx, first)).await.expect("removed");
    let news = rig.registry.get(again).expect("it").node.look_up(rig.hash(order)).await.expect("an answer");
    payments::apply::apply(&rig.shop, again, news.expect("the invoice"), None).await.expect("applied");
    assert_eq!(rig.open_alerts("unknown_payment"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_payment_is_left_to_the_record_that_made_its_invoice() {
    let rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.held_bridge().await;
    let again = rig.same_node_again().await;
    rig.wait_until("both are known", || rig.count(ALIVE_NODES) == 2).await;
    let entry = rig.registry.get(again).expect("the second record");
    follow::compare(&rig.shop, &entry, &mut Strangers::at_start()).await.expect("compared");
    assert_eq!(rig.at_node(order), Some(State::Accepted));
    rig.report(product, ProductStatus::Active).await.expect("activated");
    rig.wait_order(order, "P").await;
}
