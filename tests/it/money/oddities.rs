//! Nodes as they really are: they serve others too, count anew, forget, and fail in the middle. Nothing of that
//! costs a buyer or a host anything.

use std::sync::Arc;
use std::time::Duration;

use ip2tor_lnd_simulator::{Fault, Oddity, Quirks, State};
use ip2tor_shop::background::nodes::entry::Entry;
use ip2tor_shop::background::nodes::follow::{self, Strangers};
use ip2tor_shop::background::nodes::settlements::{Reader, Told};
use ip2tor_shop::domain::id::SystemRandom;
use ip2tor_shop::domain::lightning::Preimage;
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::domain::purchase::OrderStatus;
use ip2tor_shop::domain::texts::{Ending, OrderMessage};
use ip2tor_shop::domain::time::Timestamp;
use ip2tor_shop::services::payments::apply::StreamPosition;
use ip2tor_shop::services::products::operate::OperatorAction;
use ip2tor_shop::services::{Error, Principal, Session, Shop, backup, deals, payments, products};
use ip2tor_shop::store::Db;
use ip2tor_shop::store::node_state::{self, Cursor};

use crate::money::rig::{Rig, Setup};

impl Rig {
    fn text(&self, order: ip2tor_shop::domain::id::OrderId) -> String {
        self.view(order).purchase.message.map(|message| message.to_string()).unwrap_or_default()
    }

    fn cursor(&self) -> i64 {
        self.count("SELECT settle_index FROM node WHERE priority = 0")
    }

    /// Compares, as the first time after a start or not.
    async fn compare(&self, strangers: &mut Strangers) -> usize {
        let entry = self.registry.get(self.node).expect("the node");
        follow::compare(&self.shop, &entry, strangers).await.expect("compared")
    }
}

// ---- invoices that are not ours -----------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_payment_is_noticed_at_once_at_a_node_that_strangers_pay() {
    let rig = Rig::new(Setup::default()).await;
    rig.wait_until("settlements are followed", || rig.sim().node().subscriptions() == 1).await;
    for newest in [false, true] {
        rig.sim().node().receive_amp(1000, newest, 0).expect("received");
    }
    rig.sim().node().receive_keysend(Preimage([1; 32]), 1000, 0).expect("received");
    rig.sim().node().add_odd(Preimage([2; 32]), Oddity::State(9), 0).expect("added");
    let (order, _) = rig.ordered().await;
    let subscriptions = rig.sim().node().subscriptions();
    rig.sim().node().receive_amp(1000, true, 0).expect("received");
    rig.pay(order);
    rig.wait_order(order, "P").await;
    assert_eq!(rig.sim().node().subscriptions(), subscriptions, "the stream has not ended");
    rig.wait_until("its cursor is stored", || rig.cursor() > 0).await;
    let (late, _) = rig.ordered().await;
    rig.sim().node().cancel(rig.hash(late)).expect("cancelled there");
    assert_eq!(rig.compare(&mut Strangers::default()).await, 1);
    assert_eq!(rig.order_status(late), "R", "comparisons work as well");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_tells_of_a_node_that_is_alive_and_whose_settlements_cannot_be_followed() {
    let rig = Rig::new(Setup::default()).await;
    rig.sim().faults().always("SubscribeInvoices", Fault::Unavailable);
    rig.sim().faults().drop_streams();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(rig.open_alerts("node_unheard"), 0, "not for what may pass");
    rig.clock.advance_secs(301);
    rig.check_in().await;
    rig.wait_until("it is told", || rig.open_alerts("node_unheard") == 1).await;
    assert_eq!(rig.count("SELECT count(*) FROM alert WHERE topic = 'node_unheard' AND severity = 'critical'"), 1);
    rig.sim().faults().clear();
    rig.wait_until("the alert is closed", || rig.open_alerts("node_unheard") == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_dead_is_told_as_that_and_not_as_one_that_cannot_be_followed() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.stop_node().await;
    rig.wait_until("its absence is known", || rig.count("SELECT count(*) FROM node WHERE is_alive = 0") == 1).await;
    rig.clock.advance_secs(301);
    rig.wait_until("it is told", || rig.open_alerts("node_dead") == 1).await;
    // The stream is tried again every few seconds.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(rig.open_alerts("node_unheard"), 0);
}

// ---- whose invoice ------------------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_second_shop_on_the_node_touches_nothing_of_the_first() {
    let rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.held_bridge().await;
    let (open, _) = rig.ordered().await;
    // The same node, another secret, nothing of the first shop's orders.
    let path = rig.dir.path().join("second.sqlite3");
    let other = rusqlite::Connection::open(rig.back_up()).expect("a copy");
    other
        .execute_batch(
            "PRAGMA foreign_keys = OFF; DELETE FROM meta; DELETE FROM effect; DELETE FROM invoice_attempt; \
             DELETE FROM invoice; DELETE FROM purchase_order; DELETE FROM product; DELETE FROM port;",
        )
        .expect("emptied");
    other.execute("VACUUM INTO ?", [path.display().to_string()]).expect("stored");
    let db = Db::open(&path).expect("it opens");
    let second =
        Shop::new(db, rig.clock.clone(), Arc::new(SystemRandom), (*rig.shop.settings).clone()).expect("a shop");
    let spec = second.db.read(node_state::specs).expect("the node").remove(0);
    let entry = Entry::new(spec, rig.connector());

    let mut strangers = Strangers::at_start();
    follow::compare(&second, &entry, &mut strangers).await.expect("compared");
    rig.clock.advance_secs(80);
    follow::compare(&second, &entry, &mut strangers).await.expect("compared");
    assert_eq!((rig.at_node(order), rig.at_node(open)), (Some(State::Accepted), Some(State::Open)));
    rig.report(product, ProductStatus::Active).await.expect("activated");
    rig.wait_order(order, "P").await;
    let sold = rig.connector().look_up(rig.hash(order)).await.expect("an answer").expect("the invoice");
    payments::apply::apply(&second, entry.spec.id, sold, None).await.expect("applied");
    let told = second.db.read(|db| ip2tor_shop::store::alerts::list(db, true)).expect("the alerts");
    assert!(
        !told.iter().any(|alert| alert.topic.name() == "unknown_payment"),
        "a sale of another shop is no news: {told:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_nobody_can_pay_for_an_order_that_is_lost() {
    let mut rig = Rig::new(Setup::default()).await;
    let backup = rig.back_up();
    let (order, _) = rig.ordered().await;
    let hash = rig.hash(order);
    rig.tasks.stop().await;
    rig.start_shop_on(&backup);
    let state = || rig.sim().node().invoice(hash).map(|invoice| invoice.state());
    rig.wait_until("it is cancelled", || state() == Some(State::Canceled)).await;
}

// ---- a node that counts anew --------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_counts_anew_is_heard_again_after_one_comparison() {
    let rig = Rig::new(Setup::default()).await;
    rig.sim().node().skip_settle_indexes(1000).expect("a gap");
    rig.active_bridge().await;
    rig.wait_until("the cursor is there", || rig.cursor() > 1000).await;
    rig.sim().node().restart_settle_indexes().expect("it counts anew");
    // Only a stream that was opened then is deaf to lower indexes; a node that has moved was restarted.
    rig.sim().faults().drop_streams();
    rig.wait_until("the stream is opened again", || rig.sim().node().subscriptions() > 1).await;
    let (first, _) = rig.ordered().await;
    rig.pay(first);
    let subscriptions = rig.sim().node().subscriptions();
    rig.registry.get(rig.node).expect("the node").compare.notify_one();
    rig.wait_order(first, "P").await;
    rig.wait_until("the stream is opened again", || rig.sim().node().subscriptions() > subscriptions).await;
    assert_eq!((rig.cursor(), rig.count("SELECT max(counting) FROM node")), (1, 1));
    let (second, _) = rig.ordered().await;
    rig.pay(second);
    rig.wait_order(second, "P").await;
    assert_eq!(rig.view(second).purchase.owed, Msat(0));
}

/// The first payment is not waited for until the next comparison by schedule, which may be minutes away.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_counts_anew_is_noticed_while_an_invoice_can_be_paid() {
    let rig = Rig::new(Setup::default()).await;
    rig.sim().node().skip_settle_indexes(1000).expect("a gap");
    rig.active_bridge().await;
    rig.wait_until("the cursor is there", || rig.cursor() > 1000).await;
    rig.sim().node().restart_settle_indexes().expect("it counts anew");
    rig.sim().faults().drop_streams();
    rig.wait_until("the stream is opened again", || rig.sim().node().subscriptions() > 1).await;
    let (order, _) = rig.ordered().await;
    rig.pay(order);
    rig.wait_order(order, "P").await;
    assert_eq!((rig.cursor(), rig.count("SELECT max(counting) FROM node")), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn core_lightning_that_counts_anew_is_heard_without_a_comparison() {
    let rig = Rig::new(Setup::default()).await;
    rig.use_core_lightning().await;
    rig.sim().node().skip_settle_indexes(1000).expect("a gap");
    let (before, _) = rig.ordered().await;
    rig.pay(before);
    rig.wait_order(before, "P").await;
    rig.wait_until("the cursor is there", || rig.cursor() > 1000).await;
    rig.sim().node().clean_paid().expect("nothing is left");
    rig.sim().node().restart_settle_indexes().expect("it counts anew");
    for _ in 0..2 {
        let (order, _) = rig.ordered().await;
        rig.pay(order);
        rig.wait_order(order, "P").await;
    }
    rig.wait_until("the cursor follows", || rig.cursor() == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_in_the_middle_of_a_replay_by_invoice_loses_nothing() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.active_bridge().await;
    rig.wait_until("the cursor is there", || rig.cursor() == 1).await;
    let (first, _) = rig.ordered().await;
    let (second, _) = rig.ordered().await;
    rig.tasks.stop().await;
    rig.sim().node().set_quirks(Quirks { replays_by_id: true, ..Quirks::default() });
    // The shop believes that they have ended, so that only the stream can tell.
    for order in [first, second] {
        payments::apply::apply_gone(&rig.shop, rig.node, rig.hash(order)).await.expect("applied");
    }
    rig.pay(second);
    rig.pay(first);
    // The older invoice was settled last, and is replayed first; then the shop crashes.
    let opened = rig.shop.db.read(|db| node_state::cursor(db, rig.node)).expect("the cursor");
    let mut stream = rig.connector().settlements(opened.index).await.expect("the stream");
    let replayed = futures_util::StreamExt::next(&mut stream).await.expect("a settlement").expect("no error");
    assert_eq!((replayed.hash, replayed.settle_index), (rig.hash(first), 3));
    let (_, position) = payments::apply::apply_all(&rig.shop, rig.node, vec![replayed], StreamPosition::new(opened))
        .await
        .expect("applied");
    assert!(position.is_ahead());
    assert_eq!((rig.order_status(first), rig.order_status(second), rig.cursor()), ("P", "R", 1));
    rig.restart_shop().await;
    rig.wait_order(second, "P").await;
    rig.wait_until("the cursor is behind both", || rig.cursor() == 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_heard_before_a_node_counted_anew_moves_no_cursor_afterwards() {
    let rig = Rig::new(Setup::default()).await;
    rig.tasks.stop().await;
    let opened = rig.shop.db.read(|db| node_state::cursor(db, rig.node)).expect("the cursor");
    let opened = Cursor { index: 5, ..opened };
    rig.foreign_settlement("a coffee", 1).await;
    let mut news = rig.connector().look_up(Preimage([1; 32]).hash()).await.expect("an answer").expect("the invoice");
    news.settle_index = 1000;
    let (_, position) = payments::apply::apply_all(&rig.shop, rig.node, vec![news], StreamPosition::new(opened))
        .await
        .expect("applied");
    rig.execute("UPDATE node SET counting = counting + 1, settle_index = 7");
    payments::apply::caught_up(&rig.shop, rig.node, position.clone()).await.expect("stored");
    assert_eq!(rig.cursor(), 7);
    rig.execute("UPDATE node SET counting = counting - 1");
    payments::apply::caught_up(&rig.shop, rig.node, position).await.expect("stored");
    assert_eq!(rig.cursor(), 1000, "in its own counting it does");
    rig.execute("UPDATE node SET counting = counting + 1, settle_index = 7");
    rig.foreign_settlement("a tea", 2).await;
    let mut late = rig.connector().look_up(Preimage([2; 32]).hash()).await.expect("an answer").expect("the invoice");
    late.settle_index = 8;
    let position = StreamPosition::new(Cursor { index: 7, ..opened });
    payments::apply::apply_all(&rig.shop, rig.node, vec![late], position).await.expect("applied");
    assert_eq!(rig.cursor(), 7, "nor does what the old stream tells late");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stream_would_have_told_before_it_broke_is_not_passed_over() {
    let rig = Rig::new(Setup::default()).await;
    rig.tasks.stop().await;
    rig.execute("UPDATE node SET settle_index = 5");
    let opened = rig.shop.db.read(|db| node_state::cursor(db, rig.node)).expect("the cursor");
    rig.foreign_settlement("a coffee", 1).await;
    let mut news = rig.connector().look_up(Preimage([1; 32]).hash()).await.expect("an answer").expect("the invoice");
    news.settle_index = 8;
    let mut reader = Reader::new(rig.shop.clone(), rig.registry.get(rig.node).expect("the node"));
    reader.take(vec![Told::Settled(opened, Box::new(news.clone())), Told::Ended]).await;
    reader.quiet().await.expect("stored");
    assert_eq!(rig.cursor(), 5, "what lies between may come with the next stream");
    reader.take(vec![Told::Settled(opened, Box::new(news))]).await;
    reader.quiet().await.expect("stored");
    assert_eq!(rig.cursor(), 8, "one that has nothing more to tell has told all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_cannot_be_read_is_waited_for_and_never_taken_for_none() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.active_bridge().await;
    rig.wait_until("the cursor is there", || rig.cursor() == 1).await;
    let (order, _) = rig.ordered().await;
    rig.tasks.stop().await;
    payments::apply::apply_gone(&rig.shop, rig.node, rig.hash(order)).await.expect("applied");
    rig.pay(order);
    rig.execute("UPDATE node SET settle_index = -1");
    let before = rig.sim().node().subscriptions();
    rig.restart_shop().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(rig.sim().node().subscriptions(), before, "nothing is subscribed to");
    rig.execute("UPDATE node SET settle_index = 1");
    rig.wait_order(order, "P").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restore_the_history_is_looked_through_whatever_the_cursor_says() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.sim().node().skip_settle_indexes(1000).expect("a gap");
    rig.active_bridge().await;
    rig.wait_until("the cursor is there", || rig.cursor() > 1000).await;
    let session = Session::on_command_line(rig.now());
    let (from, to) = (rig.places("old"), rig.places("new"));
    let made = backup::create(&rig.shop.db, &from, &session, None).expect("a backup");
    rig.check_in().await;
    rig.sim().node().restart_settle_indexes().expect("it counts anew");
    let (lost, _) = rig.ordered().await;
    rig.pay(lost);
    rig.registry.get(rig.node).expect("the node").compare.notify_one();
    rig.wait_order(lost, "P").await;
    rig.tasks.stop().await;
    backup::restore(&to, &made.path, false, &session).expect("restored");
    rig.start_shop_on(&to.database);
    rig.wait_until("the operator knows", || rig.open_alerts("unknown_payment") == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_of_the_past_that_cannot_be_told_keeps_no_other_from_being_told() {
    let mut rig = Rig::new(Setup::default()).await;
    let backup = rig.back_up();
    let (broken, _) = rig.ordered().await;
    let (lost, _) = rig.ordered().await;
    for order in [broken, lost] {
        rig.pay(order);
        rig.wait_order(order, "P").await;
    }
    let hash = rig.hash(broken);
    rig.tasks.stop().await;
    let restored = rusqlite::Connection::open(&backup).expect("it opens");
    restored
        .execute_batch(&format!(
            "UPDATE node SET history_due = 1; \
             CREATE TRIGGER broken BEFORE INSERT ON alert WHEN new.topic = 'unknown_payment' AND new.subject = '{hash}' \
             BEGIN SELECT raise(ABORT, 'broken'); END"
        ))
        .expect("as after a restore, and broken");
    drop(restored);
    rig.start_shop_on(&backup);
    rig.wait_until("the other is told", || rig.open_alerts("unknown_payment") == 1).await;
    assert_eq!(rig.open_alerts("left_out"), 1);
    rig.wait_until("all was looked through", || rig.count("SELECT max(history_due) FROM node") == 0).await;
}

// ---- what a comparison costs --------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_reads_what_is_open_and_not_what_the_node_ever_did() {
    let rig = Rig::new(Setup::default()).await;
    for number in 1..=100 {
        rig.sim().node().receive_keysend(Preimage([number; 32]), 1000, 0).expect("received");
    }
    let (order, _) = rig.ordered().await;
    let made = "SELECT count(*) FROM invoice_attempt WHERE add_index = 101";
    assert_eq!(rig.count(made), 1, "the node's number of it is kept");
    // Nobody else compares.
    rig.tasks.stop().await;
    rig.execute("UPDATE node SET invoices_read = 0");
    let mut strangers = Strangers::at_start();
    let read = async |strangers: &mut Strangers| {
        let before = rig.sim().node().invoices_read();
        rig.compare(strangers).await;
        rig.sim().node().invoices_read() - before
    };
    assert_eq!(
        read(&mut strangers).await,
        202,
        "at first all that is pending is looked at, and all that there is, once"
    );
    assert_eq!(read(&mut strangers).await, 1);
    rig.pay(order);
    read(&mut strangers).await;
    assert_eq!((rig.order_status(order), read(&mut strangers).await), ("P", 0), "nothing is open");
    rig.clock.advance_secs(6 * 3600);
    assert_eq!(read(&mut strangers).await, 101, "seldom everything is looked at");
}

#[tokio::test(flavor = "multi_thread")]
async fn comparisons_never_pile_up() {
    let rig = Rig::new(Setup::default()).await;
    rig.ordered().await;
    let entry = rig.registry.get(rig.node).expect("the node");
    rig.sim().node().set_quirks(Quirks { read_cost: Duration::from_millis(500), ..Quirks::default() });
    let before = rig.sim().node().invoices_read();
    for _ in 0..100 {
        entry.compare.notify_one();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let read = rig.sim().node().invoices_read() - before;
    assert!((1..=4).contains(&read), "{read} comparisons");
}

// ---- one bad row --------------------------------------------------------------------------------

impl Rig {
    fn break_order(&self, order: ip2tor_shop::domain::id::OrderId) {
        self.execute(&format!(
            "CREATE TRIGGER broken BEFORE UPDATE ON invoice WHEN old.payment_hash = x'{}' \
             BEGIN SELECT raise(ABORT, 'broken'); END",
            self.hash(order)
        ));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_that_cannot_be_stored_holds_up_no_other_and_is_tried_again() {
    let rig = Rig::new(Setup::default()).await;
    let (broken, _) = rig.ordered().await;
    let (order, _) = rig.ordered().await;
    rig.break_order(broken);
    rig.pay(broken);
    rig.pay(order);
    rig.wait_order(order, "P").await;
    rig.wait_until("it is told", || rig.open_alerts("left_out") == 1).await;
    assert_eq!(rig.order_status(broken), "T");
    rig.execute("DROP TRIGGER broken");
    rig.registry.get(rig.node).expect("the node").compare.notify_one();
    rig.wait_order(broken, "P").await;
    assert_eq!(rig.open_alerts("left_out"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_goes_on_behind_an_invoice_that_cannot_be_stored() {
    let rig = Rig::new(Setup::default()).await;
    let mut orders = Vec::new();
    for _ in 0..4 {
        orders.push(rig.ordered().await.0);
    }
    rig.tasks.stop().await;
    for order in &orders {
        rig.pay(*order);
    }
    rig.break_order(orders[1]);
    assert_eq!(rig.compare(&mut Strangers::default()).await, 4);
    let paid = orders.iter().filter(|order| rig.order_status(**order) == "P").count();
    assert_eq!((paid, rig.open_alerts("left_out")), (3, 1));
    assert_eq!(rig.compare(&mut Strangers::default()).await, 1);
    assert_eq!(rig.open_alerts("left_out"), 1, "told once");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_cannot_be_closed_holds_up_no_other() {
    let rig = Rig::new(Setup::default()).await;
    let mut orders = Vec::new();
    for _ in 0..3 {
        orders.push(rig.ordered().await.0);
    }
    rig.tasks.stop().await;
    rig.break_order(orders[0]);
    rig.clock.advance_secs(1000);
    assert_eq!(products::expire::close_unpaid(&rig.shop).await, Ok(Some(2)));
    assert_eq!(
        (rig.count("SELECT count(*) FROM invoice WHERE state = 'cancelling'"), rig.open_alerts("left_out")),
        (2, 1)
    );
    rig.execute("DROP TRIGGER broken");
    assert_eq!(products::expire::close_unpaid(&rig.shop).await, Ok(Some(1)));
    assert_eq!(rig.open_alerts("left_out"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_cannot_be_suspended_holds_up_no_other() {
    let rig = Rig::new(Setup::default()).await;
    let (_, broken) = rig.active_bridge().await;
    let (_, product) = rig.active_bridge().await;
    rig.tasks.stop().await;
    rig.execute(
        "CREATE TRIGGER broken BEFORE UPDATE ON product WHEN old.seq = (SELECT min(seq) FROM product) \
         BEGIN SELECT raise(ABORT, 'broken'); END",
    );
    rig.clock.advance_secs(2 * 86_400);
    assert_eq!(products::expire::suspend_expired(&rig.shop).await, Ok(Some(1)));
    assert_eq!(rig.product_status(product), ProductStatus::NeedsSuspend);
    assert_eq!((rig.product_status(broken), rig.open_alerts("left_out")), (ProductStatus::Active, 1));
}

// ---- gone, and who did it -----------------------------------------------------------------------

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_that_was_paid_and_cleaned_away_while_the_shop_was_down_is_not_called_unpaid() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.use_core_lightning().await;
    let (order, _) = rig.ordered().await;
    rig.tasks.stop().await;
    rig.pay(order);
    rig.sim().node().clean_paid().expect("autoclean");
    // Long after its time: with this node that says nothing.
    rig.clock.advance_secs(2000);
    rig.restart_shop().await;
    rig.wait_order(order, "R").await;
    assert_eq!(rig.text(order), OrderMessage::Vanished.to_string());
    let hash = rig.hash(order);
    let told = format!("SELECT count(*) FROM alert WHERE topic = 'invoice_vanished' AND text LIKE '%{hash}%'");
    assert_eq!((rig.count(&told), rig.view(order).purchase.invoice.received), (1, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_that_lnd_has_lost_before_its_time_is_not_called_unpaid_but_one_whose_time_is_over_is() {
    let mut rig = Rig::new(Setup::default()).await;
    let (vanished, _) = rig.ordered().await;
    rig.clock.advance_secs(300);
    rig.sim().node().lose(rig.hash(vanished)).expect("lost");
    assert_eq!(rig.compare(&mut Strangers::default()).await, 1);
    assert_eq!((rig.order_status(vanished), rig.text(vanished)), ("R", OrderMessage::Vanished.to_string()));
    assert_eq!(rig.open_alerts("invoice_vanished"), 1);

    rig.check_in().await;
    let (expired, _) = rig.ordered().await;
    rig.tasks.stop().await;
    rig.sim().node().set_quirks(Quirks { collects_garbage: true, ..Quirks::default() });
    rig.clock.advance_secs(1000);
    rig.sim().node().tick();
    assert_eq!(rig.at_node(expired), None, "garbage");
    rig.restart_shop().await;
    rig.wait_order(expired, "R").await;
    assert_eq!(
        (rig.text(expired), rig.open_alerts("invoice_vanished")),
        (OrderMessage::Ended(Ending::Expired).to_string(), 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_our_own_cancel_removed_has_not_vanished_even_when_its_answer_was_lost() {
    let rig = Rig::new(Setup::default()).await;
    let (order, product) = rig.ordered().await;
    rig.sim().node().set_quirks(Quirks { collects_garbage: true, ..Quirks::default() });
    rig.sim().faults().next("CancelInvoice", Fault::ResetAfter, 1);
    let scope = Principal::Administrator("admin".to_owned());
    products::operate::operate(&rig.shop, &scope, product, OperatorAction::Kill).await.expect("switched off");
    rig.wait_order_as_time_passes(order, "R").await;
    assert!(rig.text(order).contains("Nothing was charged"), "{}", rig.text(order));
    assert_eq!(rig.open_alerts("invoice_vanished"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_that_was_carried_out_before_a_crash_is_not_a_vanished_invoice() {
    let mut rig = Rig::new(Setup::default()).await;
    let (order, product) = rig.ordered().await;
    rig.sim().node().set_quirks(Quirks { collects_garbage: true, ..Quirks::default() });
    rig.tasks.stop().await;
    let scope = Principal::Administrator("admin".to_owned());
    products::operate::operate(&rig.shop, &scope, product, OperatorAction::Kill).await.expect("switched off");
    rig.sim().node().cancel(rig.hash(order)).expect("as the shop did just before it crashed");
    rig.compare(&mut Strangers::default()).await;
    assert_eq!((rig.order_status(order), rig.open_alerts("invoice_vanished")), ("T", 0), "the outbox is at it");
    rig.restart_shop().await;
    rig.wait_order(order, "R").await;
    assert!(rig.text(order).contains("Nothing was charged"), "{}", rig.text(order));
    assert_eq!(rig.open_alerts("invoice_vanished"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_payment_whose_invoice_the_node_has_lost_is_not_called_given_back() {
    let rig = Rig::new(Setup::holding()).await;
    rig.execute("UPDATE host SET hold_limit_secs = 3600");
    let (order, _) = rig.held_bridge().await;
    // The time to pay it is over, that to deliver is not.
    rig.clock.advance_secs(1000);
    rig.sim().node().lose(rig.hash(order)).expect("lost");
    rig.compare(&mut Strangers::default()).await;
    rig.wait_order(order, "R").await;
    assert_eq!((rig.text(order), rig.open_alerts("invoice_vanished")), (OrderMessage::Vanished.to_string(), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_somebody_cancels_at_the_node_is_told_as_that_and_shows_no_money() {
    let rig = Rig::new(Setup::holding()).await;
    let (order, product) = rig.held_bridge().await;
    assert_eq!(rig.view(order).purchase.invoice.received, Some(Msat(25_000)));
    rig.sim().node().cancel(rig.hash(order)).expect("cancelled there");
    rig.wait_order(order, "R").await;
    assert_eq!(rig.text(order), OrderMessage::HoldLost.to_string());
    assert_eq!(rig.view(order).purchase.invoice.received, None, "it was given back");
    assert_eq!((rig.open_alerts("hold_lost"), rig.product_status(product)), (1, ProductStatus::NeedsSuspend));
    let (open, _) = rig.ordered().await;
    rig.sim().node().cancel(rig.hash(open)).expect("cancelled there");
    rig.wait_order(open, "R").await;
    assert_eq!(rig.text(open), OrderMessage::CancelledElsewhere.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_settlement_with_an_impossible_date_was_paid_when_it_was_heard_of() {
    let rig = Rig::new(Setup::default()).await;
    let mut orders = Vec::new();
    for _ in 0..4 {
        orders.push(rig.ordered().await.0);
    }
    rig.tasks.stop().await;
    let now = rig.now();
    let right = now.plus_secs(-30);
    // Go's zero time, none, far away, and a possible one.
    for (order, told) in orders.iter().zip([-62_135_596_800, 0, 253_402_300_799, right.secs()]) {
        rig.pay(*order);
        let mut news = rig.connector().look_up(rig.hash(*order)).await.expect("an answer").expect("the invoice");
        news.settled_at = Some(Timestamp::from_secs(told));
        payments::apply::apply(&rig.shop, rig.node, news, None).await.expect("applied");
    }
    let paid: Vec<_> = orders.iter().map(|order| rig.view(*order).purchase.invoice.paid_at).collect();
    assert_eq!(paid, [Some(now), Some(now), Some(now), Some(right)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_no_transition_table_has_is_not_made_and_the_operator_is_told() {
    let rig = Rig::new(Setup::default()).await;
    let (order, _) = rig.ordered().await;
    let before = rig.view(order).purchase;
    let shop = rig.shop.clone();
    let change = rig.shop.tx(&Principal::Shop, move |tx| {
        deals::change_order(&shop, tx, order, |deal, i, _| {
            deal.move_order(i, OrderStatus::Refunded, None);
            Ok(())
        })
    });
    assert!(matches!(change.await, Err(Error::RuleBroken(_))));
    assert_eq!((rig.view(order).purchase, rig.open_alerts("rule_broken")), (before, 1));
}
