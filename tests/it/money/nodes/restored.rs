//! A shop out of yesterday's backup, at nodes that have gone on.

use ip2tor_shop::domain::id::{OrderId, ProductId, Random, SystemRandom};
use ip2tor_shop::services::{Error, Session, backup};

use crate::money::rig::{Rig, Setup};

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
