//! Nodes that are slow, behind, restarted or hang: what is held goes on, and nobody is alarmed for nothing.

use std::time::Duration;

use ip2tor_lnd_simulator::{Fault, State, Wallet};
use ip2tor_shop::background::nodes::health;
use ip2tor_shop::domain::id::OrderId;
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::services::{nodes, products};
use ip2tor_shop::store::outbox::{self, Intent};

use crate::money::rig::{ALIVE_NODES, Rig, Setup};

impl Rig {
    fn counts_as_down(&self) -> bool {
        self.registry.get(self.node).is_ok_and(|entry| entry.is_down())
    }

    /// The chain backend hangs, and the shop has noticed that the node does not say what it is.
    async fn chain_hangs(&self) {
        self.sim().faults().set_chain_hangs(true);
        self.check_node();
        self.wait_until("the node counts as down", || self.counts_as_down() && self.count(ALIVE_NODES) == 0).await;
    }

    fn due_at_down_node(&self) -> Vec<Intent> {
        let (node, now) = (self.node, self.now());
        self.shop.db.read(|db| outbox::due_at_down_node(db, node, now, 1)).expect("read")
    }

    fn says(&self, words: &str) -> bool {
        self.count(&format!("SELECT count(*) FROM node WHERE is_alive = 0 AND last_error LIKE '%{words}%'")) == 1
    }
}

// ---- a chain backend that hangs -----------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn while_the_chain_backend_hangs_what_was_delivered_is_taken_and_what_was_not_goes_back() {
    let rig = Rig::new(Setup::holding()).await;
    let (late, _) = rig.held_bridge().await;
    let (unpaid, _) = rig.ordered().await;
    let (delivered, product) = rig.held_bridge().await;
    rig.chain_hangs().await;
    rig.report(product, ProductStatus::Active).await.expect("activated");
    rig.wait_order(delivered, "P").await;
    rig.clock.advance_secs(90);
    rig.wait_order(late, "R").await;
    rig.clock.advance_secs(900);
    products::expire::close_unpaid(&rig.shop).await.expect("closed");
    rig.wait_order(unpaid, "R").await;
    assert_eq!(
        [late, unpaid, delivered].map(|order| rig.at_node(order)),
        [Some(State::Canceled), Some(State::Canceled), Some(State::Settled)]
    );
    assert!(rig.counts_as_down(), "all of it while GetInfo hung");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_arrives_while_the_chain_backend_hangs_is_noticed_and_delivered() {
    let rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.ordered().await;
    rig.chain_hangs().await;
    rig.pay(order);
    rig.wait_product(product, ProductStatus::NeedsActivate).await;
    rig.report(product, ProductStatus::Active).await.expect("activated");
    rig.wait_order(order, "P").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_node_that_counts_as_down_held_money_comes_first_the_longest_due_of_it() {
    let rig = Rig::new(Setup::holding()).await;
    let (unpaid, _) = rig.ordered().await;
    rig.clock.advance_secs(850);
    rig.check_in().await;
    let (late, _) = rig.held_bridge().await;
    rig.clock.advance_secs(10);
    let (later, _) = rig.held_bridge().await;
    rig.tasks.stop().await;
    rig.clock.advance_secs(43);
    products::expire::close_unpaid(&rig.shop).await.expect("closed");
    for _ in 0..2 {
        rig.clock.advance_secs(37);
        products::expire::return_overdue_holds(&rig.shop).await.expect("to be given back");
        rig.clock.advance_secs(10);
        products::expire::return_overdue_holds(&rig.shop).await.expect("to be given back");
    }
    let mut order: Vec<OrderId> = Vec::new();
    while let Some(intent) = rig.due_at_down_node().into_iter().next() {
        order.push(intent.order);
        rig.shop.db.write_blocking(move |db| outbox::done(db, intent.id)).expect("done");
    }
    assert_eq!(order, [late, later, unpaid]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_away_is_told_once_and_not_for_each_of_its_held_payments() {
    let mut rig = Rig::new(Setup::holding()).await;
    let (first, _) = rig.held_bridge().await;
    let (second, _) = rig.held_bridge().await;
    rig.stop_node().await;
    rig.wait_until("its absence is known", || rig.count(ALIVE_NODES) == 0).await;
    rig.clock.advance_secs(90);
    let tried = "SELECT count(*) FROM effect WHERE kind = 'cancel_invoice' AND attempts > 4";
    rig.wait_until_as_time_passes("both are tried again and again", || rig.count(tried) == 2).await;
    rig.clock.advance_secs(nodes::health::RESTART_SECS);
    let told = |topic: &str| rig.count(&format!("SELECT count(*) FROM alert WHERE topic = '{topic}'"));
    rig.wait_until("it is told", || told("node_dead") == 1).await;
    assert_eq!(told("failed_intent"), 0);
    rig.start_node().await;
    for order in [first, second] {
        rig.wait_order_as_time_passes(order, "R").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_chain_backend_hangs_nothing_waits_for_what_the_node_says_of_itself() {
    let rig = Rig::new(Setup::holding()).await;
    rig.ordered().await;
    rig.chain_hangs().await;
    let entry = rig.registry.get(rig.node).expect("the node");
    let moment = Duration::from_secs(5);
    let whose = tokio::time::timeout(moment, health::confirm(&rig.shop, &entry)).await;
    whose.expect("an invoice of ours tells whose node it is").expect("it is read").expect("it is the same node");
    assert_eq!(tokio::time::timeout(moment, entry.height()).await.expect("it is not asked for"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_counts_as_down_and_fails_is_asked_for_one_thing_at_a_time() {
    let rig = Rig::new(Setup::holding()).await;
    for _ in 0..6 {
        rig.held_bridge().await;
    }
    rig.chain_hangs().await;
    rig.sim().faults().always("CancelInvoice", Fault::Unavailable);
    rig.clock.advance_secs(90);
    let tries = || rig.count("SELECT coalesce(sum(attempts), 0) FROM effect WHERE kind = 'cancel_invoice'");
    rig.wait_until("one is tried", || tries() > 0).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(tries() <= 2, "{} tries", tries());
    assert_eq!(rig.count("SELECT count(*) FROM effect WHERE kind = 'cancel_invoice'"), 6);
}

// ---- behind the chain, and restarted ------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_behind_the_chain_for_less_than_five_minutes_goes_on_selling() {
    let rig = Rig::new(Setup::default()).await;
    let checked = async |secs: i64| {
        rig.clock.advance_secs(secs);
        rig.check_in().await;
        let entry = rig.registry.get(rig.node).expect("the node");
        health::check(&rig.shop, &entry).await.expect("it is checked");
        (rig.count(ALIVE_NODES), rig.critical_alerts())
    };
    for _ in 0..2 {
        rig.sim().faults().set_synced(false);
        assert_eq!(checked(1).await, (1, 0));
        assert_eq!(checked(299).await, (1, 0));
        rig.ordered().await;
        rig.sim().faults().set_synced(true);
        assert_eq!(checked(1).await, (1, 0), "each moment counts by itself");
    }
    rig.sim().faults().set_synced(false);
    assert_eq!(checked(1).await, (1, 0));
    assert_eq!(checked(300).await, (0, 1));
    rig.sim().faults().set_synced(true);
    assert_eq!(checked(1).await, (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_restarted_alarms_nobody_within_two_minutes() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.stop_node().await;
    // It was alive a moment ago, as far as the shop knows.
    let order = rig.order().await;
    rig.wait_until("its absence is known", || rig.count(ALIVE_NODES) == 0).await;
    if let Ok(order) = order {
        rig.wait_order(order, "R").await;
    }
    rig.start_node().await;
    for wallet in Wallet::NOT_YET {
        rig.sim().faults().set_wallet(wallet);
        rig.check_node();
        let words = wallet.refusal().expect("words");
        rig.wait_until(words, || rig.says(words)).await;
        rig.clock.advance_secs(29);
        assert_eq!(rig.critical_alerts(), 0, "{words}");
    }
    rig.clock.advance_secs(4);
    rig.wait_until("two minutes are over", || rig.critical_alerts() == 1).await;
    rig.sim().faults().set_wallet(Wallet::Unlocked);
    rig.wait_until("it is back", || (rig.count(ALIVE_NODES), rig.critical_alerts()) == (1, 0)).await;
    rig.stop_node().await;
    rig.wait_until("its absence is known", || rig.count(ALIVE_NODES) == 0).await;
    assert_eq!(rig.critical_alerts(), 0, "two minutes more");
}

// ---- whose node ---------------------------------------------------------------------------------

/// Nothing else of the shop's is open there, and the macaroon does not permit to ask for the key.
#[tokio::test(flavor = "multi_thread")]
async fn while_only_a_refund_is_open_the_key_comes_from_an_invoice_that_was_paid() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.active_bridge().await;
    rig.wait_until("the key is known", || rig.count("SELECT count(pubkey) FROM node") == 1).await;
    rig.tasks.stop().await;
    let stock = rig.sim().dir().join("invoice.macaroon").display().to_string();
    rig.execute(&format!("UPDATE node SET macaroon_file = '{stock}', checked_at = NULL"));
    rig.execute(
        "INSERT INTO refund (payment_hash, order_id, node_id, bolt11, amount, fee_limit, state, created_at, modified_at) \
         SELECT zeroblob(32), o.id, v.node_id, '', 25000, 0, 'intended', 0, 0 \
         FROM purchase_order o JOIN invoice v ON v.seq = o.seq",
    );
    rig.restart_shop().await;
    rig.wait_until("it is asked", || rig.count("SELECT count(checked_at) FROM node WHERE is_alive = 1") == 1).await;
    let all = rig.registry.get(rig.node).expect("the node").node.all_invoices(0, 100).await.expect("listed").invoices;
    assert_eq!(all.len(), 1, "no sample is made: {all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_node_is_learned_from_an_invoice_of_ours_and_no_sample_is_made_for_it() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.tasks.stop().await;
    let stock = rig.sim().dir().join("invoice.macaroon").display().to_string();
    rig.execute(&format!(
        "UPDATE node SET macaroon_file = '{stock}', pubkey = NULL, network = NULL, checked_at = NULL"
    ));
    // The newest invoice is somebody else's, with blinded paths: signed with a key of its own.
    let foreign = async |rig: &Rig, number| {
        rig.sim().faults().set_blinds(true);
        rig.foreign_settlement("PO: 6e0ed5bf-7d0c-4b0c-9f6c-0f6f2a3f9d11", number).await;
        rig.sim().faults().set_blinds(false);
    };
    foreign(&rig, 1).await;
    rig.restart_shop().await;
    rig.wait_until("it is asked", || rig.count("SELECT count(checked_at) FROM node WHERE network = 'regtest'") == 1)
        .await;
    assert_eq!(rig.count("SELECT count(pubkey) FROM node"), 0, "nothing tells the key yet, and nothing needs it");
    let (order, _) = rig.ordered().await;
    foreign(&rig, 2).await;
    rig.check_node();
    let key = rig.sim().node().identity.public_key;
    rig.wait_until("the key is known", || rig.count(&format!("SELECT count(*) FROM node WHERE pubkey = '{key}'")) == 1)
        .await;
    rig.check_node();
    rig.clock.advance_secs(1000);
    products::expire::close_unpaid(&rig.shop).await.expect("closed");
    rig.wait_order(order, "R").await;
    let all = rig.registry.get(rig.node).expect("the node").node.all_invoices(0, 100).await.expect("listed").invoices;
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(all.iter().all(|invoice| invoice.memo.starts_with("PO: ")), "{all:?}");
}
