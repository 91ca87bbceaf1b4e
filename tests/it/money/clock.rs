//! A clock that was far ahead for a while, as a machine without a battery clock may have it.

use ip2tor_shop::domain::id::OrderId;
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::services::products::operate::{OperatorAction, operate};
use ip2tor_shop::services::{Error, Principal, clock, products};
use ip2tor_shop::store::{alerts, audit_log, meta};

use crate::money::rig::{Rig, START, Setup};

/// Ten years.
const YEARS: i64 = 10 * 365 * 86_400;
const PERIOD: i64 = 86_400 + 600;

impl Rig {
    /// From now on the clock is ahead, and the shop has run with it.
    async fn jump_ahead(&self) {
        self.clock.advance_secs(YEARS);
        assert_eq!(clock::trusted(&self.shop).await, Ok(Some(self.now())), "nobody can know that it is wrong");
        self.check_in().await;
    }

    /// The clock is put right, and the operator says so.
    async fn put_right(&self) -> clock::Accepted {
        self.clock.advance_secs(-YEARS);
        assert_eq!(clock::trusted(&self.shop).await, Ok(None));
        let accepted = clock::accept(&self.shop, &Principal::CommandLine(None)).await.expect("accepted");
        assert_eq!(clock::trusted(&self.shop).await, Ok(Some(self.now())));
        accepted
    }

    async fn suspend(&self) {
        products::expire::suspend_expired(&self.shop).await.expect("suspended");
    }

    fn refusal(&self, result: Result<OrderId, Error>) -> bool {
        matches!(result, Err(Error::Invalid(_) | Error::Unavailable { .. } | Error::Refused(_)))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_that_a_clock_ahead_has_suspended_comes_back_with_the_time_that_was_paid() {
    let rig = Rig::new(Setup::default()).await;
    let (order, product) = rig.active_bridge().await;
    let (end, port) = (rig.view(order).product.suspend_after, rig.view(order).product.port);
    rig.jump_ahead().await;
    rig.suspend().await;
    rig.clock.advance_secs(-YEARS);
    rig.report(product, ProductStatus::Suspended).await.expect("the host has suspended it");
    rig.clock.advance_secs(YEARS);

    assert_eq!(rig.put_right().await.products, [product]);
    let back = rig.view(order).product;
    assert_eq!((back.status, back.suspend_after, back.port), (ProductStatus::NeedsActivate, end, port));
    rig.report(product, ProductStatus::Active).await.expect("active again");
    assert_eq!(rig.view(order).product.suspend_after, end, "nothing was paid meanwhile");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_that_its_operator_has_suspended_stays_so() {
    let rig = Rig::new(Setup::default()).await;
    let (_, product) = rig.active_bridge().await;
    rig.jump_ahead().await;
    let scope = Principal::CommandLine(None);
    operate(&rig.shop, &scope, product, OperatorAction::Suspend).await.expect("suspended");
    rig.put_right().await;
    assert_eq!(rig.product_status(product), ProductStatus::NeedsSuspend);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_clock_ahead_has_dated_counts_from_when_it_is_right() {
    let rig = Rig::new(Setup::default()).await;
    rig.jump_ahead().await;
    let (active, product) = rig.active_bridge().await;
    let (unpaid, _) = rig.ordered().await;
    let (paid, pending) = rig.ordered().await;
    rig.pay(paid);
    rig.wait_product(pending, ProductStatus::NeedsActivate).await;

    let accepted = rig.put_right().await;
    assert_eq!((accepted.products.len(), accepted.orders), (2, 1));
    assert_eq!(rig.view(active).product.suspend_after, Some(START.plus_secs(PERIOD)), "one period, not ten years");
    assert_eq!(rig.product_status(product), ProductStatus::Active);
    rig.wait_order(unpaid, "R").await;
    assert_eq!(products::expire::give_up_unactivated(&rig.shop).await, Ok(Some(0)));
    rig.clock.advance_secs(1800);
    assert_eq!(products::expire::give_up_unactivated(&rig.shop).await, Ok(Some(1)), "paid, and not activated in time");
    rig.wait_order(paid, "N").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_clock_is_behind_an_alert_says_what_to_do_and_a_clock_that_is_not_has_nothing_to_accept() {
    let rig = Rig::new(Setup::default()).await;
    let (order, _) = rig.active_bridge().await;
    let before = rig.view(order).product;
    let accept = || async { clock::accept(&rig.shop, &Principal::CommandLine(None)).await.expect("accepted") };
    assert!(!accept().await.reading.is_behind);
    rig.jump_ahead().await;
    rig.clock.advance_secs(-YEARS);
    assert_eq!(clock::trusted(&rig.shop).await, Ok(None));
    let open = rig.shop.db.read(|db| alerts::list(db, false)).expect("the alerts");
    let alert = open.iter().find(|alert| alert.topic.name() == "clock_back").expect("there is one");
    assert!(alert.text.contains("clock accept --today"), "{}", alert.text);

    assert!(accept().await.reading.is_behind);
    assert_eq!(rig.view(order).product, before, "a product that the clock did not touch");
    assert_eq!(rig.count("SELECT count(*) FROM alert WHERE topic = 'clock_back' AND closed_at IS NULL"), 0);
    let log = rig.shop.db.read(|db| audit_log::of(db, "clock")).expect("the change log");
    assert!(log.len() == 1 && log[0].actor == "cli" && log[0].change.starts_with("accepted"), "{log:?}");
    assert!(!accept().await.reading.is_behind);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_whose_check_in_was_dated_in_the_future_sells_nothing_until_it_checks_in_again() {
    let rig = Rig::new(Setup::default()).await;
    rig.jump_ahead().await;
    rig.clock.advance_secs(-YEARS);
    assert!(rig.refusal(rig.order().await), "it may have been dead for long");
    rig.check_in().await;
    rig.ordered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_dated_in_the_future_whose_invoice_was_not_made_is_refused_not_kept_for_years() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.tasks.stop().await;
    rig.jump_ahead().await;
    let order = rig.order().await.expect("accepted");
    rig.clock.advance_secs(-YEARS);
    rig.restart_shop().await;
    rig.wait_order(order, "R").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_unpaid_is_closed_and_nothing_suspended_is_given_up_while_the_clock_is_wrong() {
    let mut rig = Rig::new(Setup::default()).await;
    let (_, product) = rig.active_bridge().await;
    rig.clock.advance_secs(PERIOD);
    rig.suspend().await;
    rig.report(product, ProductStatus::Suspended).await.expect("the host has suspended it");
    rig.clock.advance_secs(46 * 86_400);
    rig.check_in().await;
    let (order, _) = rig.ordered().await;
    rig.stop_node().await;
    let end = rig.view(order).purchase.invoice.expires_at.expect("an end");
    rig.clock.advance_secs(end.millis_since(rig.now()) / 1000 + 5);
    let ahead = rig.now().plus_secs(YEARS);
    rig.shop
        .tx(&Principal::Shop, move |tx| Ok(meta::note_last_time(tx.db, ahead)?))
        .await
        .expect("the shop has run then");

    let closed = products::expire::close_unpaid(&rig.shop).await;
    let given_up = products::expire::delete_suspended(&rig.shop).await;
    assert_eq!((closed, given_up), (Ok(None), Ok(None)));
    assert_eq!((rig.order_status(order), rig.product_status(product)), ("T", ProductStatus::Suspended));
    assert_eq!(rig.open_alerts("clock_back"), 1);
    clock::accept(&rig.shop, &Principal::CommandLine(None)).await.expect("accepted");
    assert_eq!(products::expire::close_unpaid(&rig.shop).await, Ok(Some(1)), "it was due all the time");
    assert_eq!(products::expire::delete_suspended(&rig.shop).await, Ok(Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_suspended_called_undelivered_or_deleted_while_the_clock_is_wrong() {
    let rig = Rig::new(Setup::default()).await;
    let (_, over) = rig.active_bridge().await;
    let (unpaid, _) = rig.ordered().await;
    rig.clock.advance_secs(1000);
    products::expire::close_unpaid(&rig.shop).await.expect("closed");
    rig.wait_order_as_time_passes(unpaid, "R").await;
    rig.clock.advance_secs(15 * 86_400);
    rig.check_in().await;
    let (waiting, product) = rig.ordered().await;
    rig.pay(waiting);
    rig.wait_product(product, ProductStatus::NeedsActivate).await;
    rig.clock.advance_secs(86_400);
    let ahead = rig.now().plus_secs(YEARS);
    let noted = rig.shop.tx(&Principal::Shop, move |tx| Ok(meta::note_last_time(tx.db, ahead)?));
    noted.await.expect("the shop has run then");

    for is_right in [false, true] {
        let suspended = products::expire::suspend_expired(&rig.shop).await;
        let owed = products::expire::give_up_unactivated(&rig.shop).await;
        let deleted = products::expire::delete_unpaid(&rig.shop).await;
        let each = Ok(is_right.then_some(1));
        assert_eq!((suspended, owed, deleted), (each.clone(), each.clone(), each));
        if !is_right {
            let before = (rig.product_status(over), rig.order_status(waiting), rig.order_status(unpaid));
            assert_eq!(before, (ProductStatus::Active, "P", "R"));
            clock::accept(&rig.shop, &Principal::CommandLine(None)).await.expect("accepted");
        }
    }
}
