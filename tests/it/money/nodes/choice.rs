//! Which node makes an invoice, and what is told of those that can't.

use std::time::Duration;

use ip2tor_lnd_simulator::{Fault, State};
use ip2tor_shop::domain::lightning::{Network, NodeError, NodeErrorKind, NodeInfo};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::domain::texts::OrderMessage;
use ip2tor_shop::services::hosts::catalog::CatalogCache;
use ip2tor_shop::services::nodes::manage::NodeChange;
use ip2tor_shop::services::{Error, Principal, Settings, nodes};

use crate::money::rig::{ALIVE_NODES, Rig, Setup};

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
