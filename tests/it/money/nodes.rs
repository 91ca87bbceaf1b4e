//! Several nodes, and nodes that fail, forget and come back.

use std::time::{Duration, Instant};

use ip2tor_lnd_simulator::{Fault, State};
use ip2tor_shop::background::nodes::follow::{self, Strangers};
use ip2tor_shop::domain::id::{NodeId, OrderId, ProductId, Random, SystemRandom};
use ip2tor_shop::domain::lightning::{
    InvoiceRequest, Network, NodeError, NodeErrorKind, NodeInfo, NodeInvoiceState, Preimage,
};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::node::NodeKind;
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::domain::texts::OrderMessage;
use ip2tor_shop::lightning::LightningNode;
use ip2tor_shop::lightning::supervise::Backoff;
use ip2tor_shop::services::backup;
use ip2tor_shop::services::hosts::catalog::CatalogCache;
use ip2tor_shop::services::nodes::manage::NodeChange;
use ip2tor_shop::services::payments::apply::{Applied, StreamPosition};
use ip2tor_shop::services::{Error, Principal, Session, Settings, Tx, nodes, orders, payments, products};

use crate::money::rig::{ALIVE_NODES, NODE, Rig, Setup};

impl Rig {
    fn node_of(&self, order: OrderId) -> NodeId {
        self.view(order).purchase.invoice.node_id
    }

    /// The states of all hashes that an order's invoice ever had, at both nodes.
    fn attempts(&self, order: OrderId) -> Vec<Option<State>> {
        let (first, second) = (self.sim().node(), self.spare().sim.node());
        let attempts = self.shop.db.read(|db| ip2tor_shop::store::outbox::attempts(db, order)).expect("attempts");
        let at = |hash| first.invoice(hash).or_else(|| second.invoice(hash));
        attempts.iter().map(|attempt| at(attempt.hash).map(|invoice| invoice.state())).collect()
    }

    pub fn open_alerts(&self, topic: &str) -> i64 {
        self.count(&format!("SELECT count(*) FROM alert WHERE topic = '{topic}' AND closed_at IS NULL"))
    }

    fn ports_in_use(&self) -> i64 {
        self.count("SELECT count(*) FROM port")
    }

    pub fn connector(&self) -> std::sync::Arc<dyn LightningNode> {
        self.registry.get(self.node).expect("the node").node
    }

    /// A payment for an attempt at an order that the shop has lost.
    async fn lost_settlement(&self, attempt: u32) {
        let order = OrderId(SystemRandom.uuid());
        self.settlement(&format!("PO: {order}"), self.shop.preimage(order, attempt)).await;
    }

    /// Somebody makes an invoice with this memo at the first node, past the shop, and it is paid.
    pub async fn foreign_settlement(&self, memo: &str, number: u8) {
        self.settlement(memo, Preimage([number; 32])).await;
    }

    async fn settlement(&self, memo: &str, preimage: Preimage) {
        let request = InvoiceRequest {
            hash: preimage.hash(),
            preimage: Some(preimage),
            amount: Msat(7000),
            memo: memo.to_owned(),
            described_by: None,
            expiry_secs: 600,
            cltv_expiry: None,
            private: false,
        };
        self.connector().create(&request).await.expect("made");
        self.sim().node().arrive(preimage.hash(), &[7000], 7000).expect("paid");
    }
}

// ---- which node ---------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn the_alive_node_with_the_best_priority_makes_the_invoice() {
    let mut rig = Rig::new(Setup::two_nodes()).await;
    let (order, _) = rig.ordered().await;
    assert_eq!(rig.node_of(order), rig.node);
    rig.stop_node().await;
    rig.wait_until("its absence is known", || rig.count(ALIVE_NODES) == 1).await;
    let (order, product) = rig.ordered().await;
    assert_eq!(rig.node_of(order), rig.spare().node);
    rig.spare().sim.node().arrive(rig.hash(order), &[25_000], 25_000).expect("paid");
    rig.wait_product(product, ProductStatus::NeedsActivate).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_fails_while_making_an_invoice_is_skipped_at_once() {
    let rig = Rig::new(Setup::two_nodes()).await;
    rig.sim().faults().always("AddInvoice", Fault::Unavailable);
    // The shop's clock stands still: what was put off, were it for a second, would never come.
    let (order, _) = rig.ordered().await;
    assert_eq!(rig.node_of(order), rig.spare().node);
    assert_eq!(rig.attempts(order), [None, Some(State::Open)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_slower_than_the_deadline_is_skipped_and_what_it_made_is_cancelled() {
    let rig = Rig::new(Setup::two_nodes()).await;
    rig.sim().faults().next("AddInvoice", Fault::Slow(Duration::from_secs(60)), 1);
    let (order, _) = rig.ordered().await;
    assert_eq!(rig.node_of(order), rig.spare().node);
    let only_one = || matches!(rig.attempts(order)[..], [None | Some(State::Canceled), Some(State::Open)]);
    rig.wait_until("only one can be paid", only_one).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_whose_answer_was_lost_is_cancelled_when_another_node_takes_over() {
    let rig = Rig::new(Setup::two_nodes()).await;
    rig.sim().faults().next("AddInvoice", Fault::ResetAfter, 1);
    let (order, product) = rig.ordered().await;
    assert_eq!(rig.node_of(order), rig.spare().node);
    rig.wait_until("the first is cancelled", || rig.attempts(order) == [Some(State::Canceled), Some(State::Open)])
        .await;
    assert_eq!(rig.count("SELECT count(*) FROM invoice"), 1, "one visible invoice per order");
    assert_eq!(rig.order_status(order), "T", "the end of the abandoned one ends nothing");
    rig.spare().sim.node().arrive(rig.hash(order), &[25_000], 25_000).expect("paid");
    rig.wait_product(product, ProductStatus::NeedsActivate).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_invoice_is_cancelled_even_when_its_node_comes_back_later() {
    let mut rig = Rig::new(Setup::two_nodes()).await;
    rig.sim().faults().next("AddInvoice", Fault::ResetAfter, 1);
    rig.sim().faults().always("CancelInvoice", Fault::Unavailable);
    let (order, _) = rig.ordered().await;
    assert_eq!(rig.attempts(order), [Some(State::Open), Some(State::Open)]);
    rig.stop_node().await;
    rig.start_node().await;
    let cancelled = || rig.attempts(order) == [Some(State::Canceled), Some(State::Open)];
    rig.wait_until_as_time_passes("the first is cancelled", cancelled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_node_whose_answer_was_lost_is_asked_again() {
    let rig = Rig::new(Setup::default()).await;
    rig.sim().faults().next("AddInvoice", Fault::ResetAfter, 1);
    let (order, _) = rig.ordered().await;
    assert_eq!(rig.order_status(order), "T");
    assert_eq!(rig.count("SELECT count(*) FROM invoice_attempt"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_no_node_can_make_the_invoice_the_order_is_rejected_and_its_port_is_free() {
    let rig = Rig::new(Setup::two_nodes()).await;
    rig.sim().faults().always("AddInvoice", Fault::Unavailable);
    rig.spare().sim.faults().always("AddInvoice", Fault::Unavailable);
    let order = rig.order().await.expect("accepted");
    rig.wait_order(order, "R").await;
    assert_eq!(rig.view(order).purchase.message, Some(OrderMessage::NoInvoice));
    assert_eq!((rig.view(order).product.status, rig.ports_in_use()), (ProductStatus::Archived, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_refused_for_want_of_an_invoice_raise_one_alert_that_the_next_invoice_closes() {
    let rig = Rig::new(Setup::default()).await;
    rig.sim().faults().always("AddInvoice", Fault::Unavailable);
    let refused = async || {
        let order = rig.order().await.expect("accepted");
        rig.wait_order(order, "R").await;
    };
    refused().await;
    rig.clock.advance_secs(119);
    refused().await;
    assert_eq!(rig.open_alerts("no_invoices"), 0, "the node may only be restarted");
    rig.clock.advance_secs(1);
    for _ in 0..3 {
        refused().await;
    }
    assert_eq!(rig.open_alerts("no_invoices"), 1);
    let said = format!("SELECT occurrences FROM alert WHERE topic = 'no_invoices' AND text LIKE '%{}%'", rig.host);
    assert_eq!(rig.count(&said), 3);
    rig.sim().faults().clear();
    rig.ordered().await;
    assert_eq!(rig.open_alerts("no_invoices"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_macaroon_makes_no_invoices_is_not_used_and_the_operator_is_told_which_does() {
    let rig = Rig::new(Setup::default()).await;
    let readonly = rig.sim().dir().join("readonly.macaroon").display().to_string();
    for field in ["macaroon_file", "details_macaroon_file"] {
        rig.execute(&format!("UPDATE node SET {field} = '{readonly}'"));
    }
    rig.wait_until("it is not used", || rig.count(ALIVE_NODES) == 0).await;
    assert_eq!(
        rig.count("SELECT count(*) FROM alert WHERE text LIKE '%bakemacaroon invoices:read invoices:write%'"),
        1
    );
    assert!(rig.order().await.is_err(), "refused before anything is stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nodes_network_is_wrong_when_none_of_its_operators_hosts_sells_for_it() {
    let rig = Rig::new(Setup { settings: Settings::default(), ..Setup::default() }).await;
    let mut wrong = Vec::new();
    let hosts = ["is_testnet = 0", "is_testnet = 1", "deleted_at = 1"];
    for change in hosts {
        rig.execute(&format!("UPDATE host SET {change}"));
        for network in [Network::Mainnet, Network::Testnet, Network::Signet, Network::Regtest] {
            let info = NodeInfo { network: Some(network), ..NodeInfo::default() };
            let verdict = nodes::health::store(&rig.shop, rig.node, "lnd", Ok(info)).await.expect("stored");
            assert!(verdict.problem.is_none());
            wrong.push(verdict.unfit.is_some());
        }
    }
    assert_eq!(wrong[..4], [false, true, true, true]);
    assert_eq!(wrong[4..8], [true, false, false, true]);
    assert_eq!(wrong[8..], [false, false, false, true], "without a host only regtest is known to be wrong");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_hears_of_a_node_on_a_network_that_nothing_is_sold_for() {
    let rig = Rig::new(Setup { settings: Settings::default(), ..Setup::default() }).await;
    let told =
        |rig: &Rig| rig.count("SELECT count(*) FROM node WHERE last_error LIKE 'wrong network:%' AND is_alive = 1");
    rig.wait_until("it is told", || (told(&rig), rig.open_alerts("node_dead")) == (1, 1)).await;
    // Nobody else asks the node.
    rig.tasks.stop().await;
    let mainnet = NodeInfo { network: Some(Network::Mainnet), ..NodeInfo::default() };
    nodes::health::store(&rig.shop, rig.node, "lnd", Ok(mainnet)).await.expect("stored");
    assert_eq!((told(&rig), rig.open_alerts("node_dead")), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hears_of_a_dead_node_that_is_not_used_any_more() {
    let rig = Rig::new(Setup::two_nodes()).await;
    let dead = async |node| {
        let gone = NodeError::new(NodeErrorKind::Refused, "gone");
        nodes::health::store(&rig.shop, node, "lnd", Err(gone)).await.expect("stored");
        rig.open_alerts("node_dead")
    };
    let (first, spare) = (rig.node, rig.spare().node);
    rig.tasks.stop().await;
    assert_eq!((dead(first).await, dead(spare).await), (0, 0));
    rig.clock.advance_secs(nodes::health::RESTART_SECS);
    assert_eq!((dead(first).await, dead(spare).await), (1, 2));
    let change = NodeChange { is_enabled: Some(false), ..NodeChange::default() };
    rig.shop
        .tx(&Principal::CommandLine(None), move |tx| nodes::manage::set(tx, first, change, None))
        .await
        .expect("disabled");
    assert_eq!(rig.open_alerts("node_dead"), 1);
    rig.shop.tx(&Principal::CommandLine(None), move |tx| nodes::manage::remove(tx, spare)).await.expect("removed");
    assert_eq!(rig.open_alerts("node_dead"), 0);
    assert_eq!((dead(first).await, dead(spare).await), (0, 0), "neither by a check that comes late");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_node_whose_invoices_can_still_be_paid_is_told_of_when_it_dies() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.ordered().await;
    rig.stop_node().await;
    rig.wait_until("its absence is known", || rig.count(ALIVE_NODES) == 0).await;
    rig.clock.advance_secs(nodes::health::RESTART_SECS);
    rig.wait_until("it is told", || rig.open_alerts("node_dead") == 1).await;
    let node = rig.node;
    let change = NodeChange { is_enabled: Some(false), ..NodeChange::default() };
    rig.shop
        .tx(&Principal::CommandLine(None), move |tx| nodes::manage::set(tx, node, change, None))
        .await
        .expect("disabled");
    assert_eq!(rig.open_alerts("node_dead"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_hidden_while_no_node_could_receive_the_cheapest_of_its_prices() {
    let setup = Setup::default();
    let settings = Settings { limit_to_inbound: true, ..setup.settings };
    let rig = Rig::new(Setup { settings, ..setup }).await;
    // Nobody else asks the node.
    rig.tasks.stop().await;
    let is_public = async |inbound| {
        let info = NodeInfo { network: Some(Network::Regtest), inbound: Some(Msat(inbound)), ..NodeInfo::default() };
        nodes::health::store(&rig.shop, rig.node, "node", Ok(info)).await.expect("stored");
        CatalogCache::default().get(&rig.shop).expect("the catalog").hosts[0].is_public(rig.now())
    };
    assert!(!is_public(24_999).await, "a bridge costs 25 sat");
    assert!(is_public(25_000).await);
    rig.execute("UPDATE host SET offers_tor_bridges = 0");
    assert!(!is_public(25_000).await, "an alias costs more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_on_another_network_is_never_used() {
    let rig = Rig::new(Setup { settings: Settings::default(), ..Setup::two_nodes() }).await;
    let refused = rig.order().await;
    assert!(matches!(&refused, Err(Error::Invalid(fields)) if fields[0].0 == "host_id"), "{refused:?}");
    let catalog = CatalogCache::default().get(&rig.shop).expect("the catalog");
    assert!(!catalog.hosts[0].is_public(rig.now()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_on_another_network_than_the_node_said_is_never_shown() {
    let rig = Rig::new(Setup { settings: Settings::default(), ..Setup::default() }).await;
    rig.sim().faults().tell_network(Network::Mainnet);
    rig.registry.get(rig.node).expect("the node").check.notify_one();
    let told = "SELECT count(*) FROM node WHERE network = 'mainnet'";
    rig.wait_until("the node is taken for one on mainnet", || rig.count(told) == 1).await;
    let order = rig.order().await.expect("accepted");
    rig.wait_order(order, "R").await;
    assert_eq!(rig.view(order).purchase.invoice.payment_request, None);
    rig.wait_until("it is cancelled", || rig.at_node(order) == Some(State::Canceled)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_hidden_while_no_node_of_its_owner_is_alive() {
    let mut rig = Rig::new(Setup::two_nodes()).await;
    let catalog = CatalogCache::default();
    let is_public = |rig: &Rig| catalog.get(&rig.shop).expect("the catalog").hosts[0].is_public(rig.now());
    assert!(is_public(&rig));
    rig.stop_node().await;
    rig.wait_until("its absence is known", || rig.count(ALIVE_NODES) == 1).await;
    assert!(is_public(&rig), "one node is enough");
    rig.stop_spare().await;
    rig.wait_until("the other's absence is known", || rig.count(ALIVE_NODES) == 0).await;
    assert!(!is_public(&rig));
    rig.start_node().await;
    rig.wait_until("it is back", || is_public(&rig)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_wanted_no_node_makes_an_invoice_beyond_what_it_can_receive() {
    let setup = Setup::two_nodes();
    let settings = Settings { limit_to_inbound: true, ..setup.settings };
    let mut rig = Rig::new(Setup { settings, ..setup }).await;
    rig.tasks.stop().await;
    let folder = rig.dir.path().display();
    // The shop's own macaroon does not permit to ask for it.
    rig.execute(&format!("UPDATE node SET details_macaroon_file = '{folder}/' || name || '/readonly.macaroon'"));
    rig.sim().node().set_balance(0, 24_999).expect("set");
    rig.spare().sim.node().set_balance(0, 25_000).expect("set");
    rig.restart_shop().await;
    let can_receive = |msat: u64| {
        rig.count(&format!("SELECT count(*) FROM node WHERE json_extract(info, '$.inbound_msat') = {msat}"))
    };
    rig.wait_until("both have told", || (can_receive(24_999), can_receive(25_000)) == (1, 1)).await;
    let (order, _) = rig.ordered().await;
    assert_eq!(rig.node_of(order), rig.spare().node);
    rig.spare().sim.node().set_balance(0, 24_999).expect("set");
    rig.registry.get(rig.spare().node).expect("the node").check.notify_one();
    rig.wait_until("the other has told, too", || can_receive(24_999) == 2).await;
    assert!(matches!(rig.order().await, Err(Error::Invalid(_))), "told like any host that can't take payments");
    assert_eq!(rig.ports_in_use(), 1, "nothing of the refused order is stored");
}

// ---- the same node? -----------------------------------------------------------------------------

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
    assert_eq!(products::expire::close_unpaid(&rig.shop).await, Ok(1));
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

// ---- whose invoice ------------------------------------------------------------------------------

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

// ---- one node under two records -----------------------------------------------------------------

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

// ---- load ---------------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn new_orders_are_refused_while_invoices_pile_up_and_old_intents_are_rejected() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.tasks.stop().await;
    let order = rig.order().await.expect("accepted");
    rig.clock.advance_secs(11);
    let refused = rig.order().await;
    assert!(matches!(refused, Err(Error::Unavailable { retry_after_secs: 10, .. })), "{refused:?}");

    rig.clock.advance_secs(50);
    rig.restart_shop().await;
    rig.wait_order(order, "R").await;
    assert_eq!(rig.ports_in_use(), 0);
    assert!(rig.order().await.is_ok(), "the backlog is gone");
}

// ---- what happened meanwhile --------------------------------------------------------------------

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

// ---- restored from yesterday's backup -----------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_restored_from_yesterdays_backup_finds_what_was_settled_since_and_tells_of_the_rest() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.active_bridge().await;
    let (open, _) = rig.ordered().await;
    let backup = rig.back_up();
    rig.pay(open);
    rig.wait_order(open, "P").await;
    let (lost, lost_product): (OrderId, ProductId) = rig.ordered().await;
    rig.pay(lost);
    rig.wait_order(lost, "P").await;
    rig.tasks.stop().await;

    rig.start_shop_on(&backup);
    rig.wait_order(open, "P").await;
    rig.wait_until("the operator knows", || rig.open_alerts("unknown_payment") == 1).await;
    let text = rig.count(&format!("SELECT count(*) FROM alert WHERE text LIKE '%{lost}%'"));
    assert_eq!(text, 1, "the alert names the order");
    let unknown = ip2tor_shop::services::products::view::public(
        &rig.shop,
        lost_product,
        ip2tor_shop::domain::product::ProductKind::TorBridge,
    );
    assert_eq!(unknown.err(), Some(Error::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_shop_that_knew_of_no_settlement_tells_also_of_the_first_ones_that_it_cannot_match() {
    let mut rig = Rig::new(Setup::default()).await;
    let past = OrderId(SystemRandom.uuid());
    rig.foreign_settlement(&format!("PO: {past}"), 1).await;
    rig.wait_until("it is heard of", || rig.count("SELECT settle_index FROM node") == 1).await;
    // As if the node had settled nothing since.
    rig.execute("UPDATE node SET settle_index = 0, counting = counting + 1");
    let session = Session::on_command_line(rig.now());
    let (from, to) = (rig.places("old"), rig.places("new"));
    let made = backup::create(&rig.shop.db, &from, &session, None).expect("a backup");
    rig.check_in().await;
    for _ in 0..2 {
        let (lost, _) = rig.ordered().await;
        rig.pay(lost);
        rig.wait_order(lost, "P").await;
    }
    rig.tasks.stop().await;

    backup::restore(&to, &made.path, false, &session).expect("restored");
    rig.start_shop_on(&to.database);
    rig.wait_until("it has been looked through", || rig.count("SELECT max(history_due) FROM node") == 0).await;
    assert_eq!(rig.open_alerts("unknown_payment"), 2, "of its own, not of another shop's");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_restored_shop_could_not_look_through_at_once_it_looks_through_later() {
    let mut rig = Rig::new(Setup::default()).await;
    let session = Session::on_command_line(rig.now());
    let (from, to) = (rig.places("old"), rig.places("new"));
    let made = backup::create(&rig.shop.db, &from, &session, None).expect("a backup");
    rig.check_in().await;
    let (lost, _) = rig.ordered().await;
    rig.pay(lost);
    rig.wait_order(lost, "P").await;
    rig.tasks.stop().await;
    rig.stop_node().await;

    backup::restore(&to, &made.path, false, &session).expect("restored");
    rig.start_shop_on(&to.database);
    rig.start_node().await;
    rig.wait_until("the operator knows", || rig.open_alerts("unknown_payment") == 1).await;
}

// ---- money bugs that others have had ------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn while_a_node_is_down_the_shop_waits_between_attempts() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.stop_node().await;
    // A listener that counts who comes: every attempt is cut at once.
    let listener = std::net::TcpListener::bind(rig.sim_addr).expect("the node's port is free");
    listener.set_nonblocking(true).expect("a socket option");
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
    let patience = Duration::from_secs(60);
    tokio::time::timeout(patience, listener.accept()).await.expect("it tries").expect("a connection");
    let mut attempts = 1;
    let window = tokio::time::sleep(Duration::from_secs(5));
    tokio::pin!(window);
    loop {
        tokio::select! {
            () = &mut window => break,
            accepted = listener.accept() => attempts += usize::from(accepted.is_ok()),
        }
    }
    assert!(attempts <= 20, "{attempts} attempts in 5 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cleanup_never_ends_what_was_just_paid() {
    let mut rig = Rig::new(Setup::default()).await;
    let (order, product) = rig.ordered().await;
    rig.tasks.stop().await;
    rig.pay(order);
    // The shop has not heard of it; the clean-up runs first.
    rig.clock.advance_secs(1000);
    assert_eq!(products::expire::close_unpaid(&rig.shop).await, Ok(1));
    rig.restart_shop().await;
    rig.wait_order(order, "P").await;
    assert_eq!(rig.product_status(product), ProductStatus::NeedsActivate);
    assert_eq!(rig.ports_in_use(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_events_for_one_payment_extend_once() {
    let rig = Rig::new(Setup::default()).await;
    let (_, product) = rig.active_bridge().await;
    let extension = rig.extended(product).await;
    rig.pay(extension);
    rig.wait_order(extension, "P").await;
    let end = rig.view(extension).product.suspend_after;
    let news = rig.connector().look_up(rig.hash(extension)).await.expect("an answer").expect("the invoice");
    let twice = vec![news.clone(), news.clone()];
    payments::apply::apply_all(&rig.shop, rig.node, twice, StreamPosition::default()).await.expect("applied");
    payments::apply::apply(&rig.shop, rig.node, news, None).await.expect("applied");
    assert_eq!(rig.view(extension).product.suspend_after, end);
    assert_eq!(rig.view(extension).purchase.owed, Msat(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_paid_in_the_very_second_of_its_expiry_is_delivered() {
    let mut rig = Rig::new(Setup::default()).await;
    let (order, product) = rig.ordered().await;
    // Nobody tells the shop of the payment before the clean-up runs.
    rig.tasks.stop().await;
    let end = rig.view(order).purchase.invoice.expires_at.expect("it expires");
    rig.clock.advance_millis(end.millis_since(rig.now()) - 1);
    rig.pay(order);
    rig.clock.advance_millis(1);
    assert_eq!(products::expire::close_unpaid(&rig.shop).await, Ok(0), "not in the second of the expiry");
    rig.clock.advance_secs(2);
    assert_eq!(products::expire::close_unpaid(&rig.shop).await, Ok(1));
    rig.restart_shop().await;
    rig.wait_order(order, "P").await;
    rig.wait_product(product, ProductStatus::NeedsActivate).await;
}
