//! What becomes of orders that nobody paid, and what is never deleted.

use ip2tor_shop::domain::id::OrderId;
use ip2tor_shop::domain::product::{ProductKind, ProductStatus};
use ip2tor_shop::services::invoices::absence::{self, Absence, Asked};
use ip2tor_shop::services::orders::extend::Extension;
use ip2tor_shop::services::{Error, Principal, backup, operator_queries, orders, products};
use ip2tor_shop::store::audit_log;
use uuid::Uuid;

use crate::money::rig::{Rig, Setup};

const DAY: i64 = 86_400;
/// Every table that an order writes to.
const ROWS: &str = "SELECT (SELECT count(*) FROM purchase_order) + (SELECT count(*) FROM invoice) \
    + (SELECT count(*) FROM invoice_attempt) + (SELECT count(*) FROM product) \
    + (SELECT count(*) FROM audit_log WHERE noun IN ('order', 'product')) + (SELECT count(*) FROM effect)";

/// What the log still says of orders and products that are gone.
const LEFT_OVER: &str = "SELECT count(*) FROM audit_log \
    WHERE noun = 'order' AND noun_seq NOT IN (SELECT seq FROM purchase_order) \
    OR noun = 'product' AND noun_seq NOT IN (SELECT seq FROM product)";

/// Places an order that is not paid in time.
async fn unpaid(rig: &Rig) -> OrderId {
    rig.check_in().await;
    let (order, _) = rig.ordered().await;
    rig.clock.advance_secs(1000);
    products::expire::close_unpaid(&rig.shop).await.expect("closed");
    rig.wait_order_as_time_passes(order, "R").await;
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_nobody_paid_is_deleted_after_two_weeks_but_for_one_line() {
    let rig = Rig::new(Setup::default()).await;
    let order = unpaid(&rig).await;
    let newest = unpaid(&rig).await;
    let ended = rig.now();
    rig.clock.advance_secs(14 * DAY - 3600);
    assert_eq!(products::expire::delete_unpaid(&rig.shop).await, Ok(Some(0)), "it is not two weeks old");
    rig.clock.advance_secs(2 * 3600);
    assert_eq!(products::expire::delete_unpaid(&rig.shop).await, Ok(Some(1)));
    assert_eq!(orders::place::view(&rig.shop, order).map(drop), Err(Error::NotFound));
    assert_eq!(
        orders::place::view(&rig.shop, newest).map(|view| view.purchase.id),
        Ok(newest),
        "running numbers go on"
    );
    let left: i64 = rig.count(ROWS);
    let of_newest = rig.shop.db.read(|db| audit_log::of_order(db, newest)).expect("its history");
    assert!(left <= 6 + of_newest.len() as i64, "{left} rows are left");
    assert_eq!(rig.count(LEFT_OVER), 0);
    let placed = operator_queries::deleted_unpaid(&rig.shop, &Principal::CommandLine(None), order)
        .expect("the line is read")
        .expect("there is a line");
    assert!(placed <= ended && placed.plus_secs(2 * DAY) > ended, "{placed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_sent_again_after_its_order_was_deleted_makes_an_order_with_another_payment_hash() {
    let rig = Rig::new(Setup::default()).await;
    rig.check_in().await;
    let form = Uuid::from_u128(7);
    let place = async || orders::by_form::place_once(&rig.shop, form, rig.bridge_request()).await.expect("an order");
    let first = place().await;
    rig.wait_until("the invoice is made", || rig.view(first).purchase.invoice.payment_request.is_some()).await;
    let hash = rig.hash(first);
    rig.clock.advance_secs(1000);
    products::expire::close_unpaid(&rig.shop).await.expect("closed");
    rig.wait_order_as_time_passes(first, "R").await;
    assert_eq!(place().await, first, "it is shown as long as it is there");
    unpaid(&rig).await;
    rig.clock.advance_secs(15 * DAY);
    assert_eq!(products::expire::delete_unpaid(&rig.shop).await, Ok(Some(1)));
    rig.check_in().await;
    let second = place().await;
    assert_ne!((second, rig.hash(second)), (first, hash));
    assert_eq!(place().await, second, "and it is one order again");
}

#[tokio::test(flavor = "multi_thread")]
async fn for_how_many_days_an_order_that_nobody_paid_is_kept_is_the_operators_to_say() {
    let mut setup = Setup::default();
    setup.settings.unpaid_days = 3;
    let rig = Rig::new(setup).await;
    unpaid(&rig).await;
    unpaid(&rig).await;
    rig.clock.advance_secs(3 * DAY - 3600);
    assert_eq!(products::expire::delete_unpaid(&rig.shop).await, Ok(Some(0)));
    rig.clock.advance_secs(2 * 3600);
    assert_eq!(products::expire::delete_unpaid(&rig.shop).await, Ok(Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_saw_money_is_never_deleted() {
    let rig = Rig::new(Setup::holding()).await;
    let (bought, product) = rig.active_bridge().await;
    let (returned, _) = rig.ordered().await;
    rig.pay(returned);
    rig.wait_until("the payment is held", || rig.count("SELECT count(*) FROM invoice WHERE state = 'held'") == 1).await;
    rig.clock.advance_secs(200);
    products::expire::return_overdue_holds(&rig.shop).await.expect("given back");
    rig.wait_order_as_time_passes(returned, "R").await;
    unpaid(&rig).await;
    rig.clock.advance_secs(400 * DAY);
    assert_eq!(products::expire::delete_unpaid(&rig.shop).await, Ok(Some(0)));
    for order in [bought, returned] {
        assert_eq!(orders::place::view(&rig.shop, order).map(|view| view.purchase.id), Ok(order));
    }
    assert_eq!(rig.product_status(product), ProductStatus::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_invoice_has_vanished_may_have_been_paid_and_stays() {
    let rig = Rig::new(Setup::default()).await;
    rig.check_in().await;
    let (order, _) = rig.ordered().await;
    let asked = Absence { forgets_paid: true, asked: Asked::Compared };
    absence::apply_unknown(&rig.shop, rig.node, rig.hash(order), asked).await.expect("it has vanished");
    rig.wait_order(order, "R").await;
    rig.execute("UPDATE alert SET closed_at = last_at");
    let forgotten = unpaid(&rig).await;
    unpaid(&rig).await;
    rig.clock.advance_secs(20 * DAY);
    assert_eq!(products::expire::delete_unpaid(&rig.shop).await, Ok(Some(1)));
    assert_eq!(orders::place::view(&rig.shop, order).map(|view| view.purchase.id), Ok(order));
    assert_eq!(orders::place::view(&rig.shop, forgotten).map(drop), Err(Error::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_that_nobody_paid_goes_without_its_bridge() {
    let rig = Rig::new(Setup::default()).await;
    let (bought, product) = rig.active_bridge().await;
    rig.check_in().await;
    let Ok(Extension::Order(extension)) = orders::extend::extend(&rig.shop, product, ProductKind::TorBridge).await
    else {
        panic!("it can be extended")
    };
    rig.wait_until("its invoice", || rig.view(extension).purchase.invoice.payment_request.is_some()).await;
    rig.clock.advance_secs(1000);
    products::expire::close_unpaid(&rig.shop).await.expect("closed");
    rig.wait_order_as_time_passes(extension, "R").await;
    unpaid(&rig).await;
    rig.clock.advance_secs(15 * DAY);
    assert_eq!(products::expire::delete_unpaid(&rig.shop).await, Ok(Some(1)));
    assert_eq!(rig.product_status(product), ProductStatus::Active);
    assert_eq!(rig.view(bought).product.id, product);
    assert_eq!(orders::place::view(&rig.shop, extension).map(drop), Err(Error::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_an_order_or_product_that_is_there_can_not_be_deleted() {
    let rig = Rig::new(Setup::default()).await;
    let (order, _) = rig.active_bridge().await;
    for noun in ["order", "product", "node"] {
        let sql = format!("DELETE FROM audit_log WHERE noun = '{noun}'");
        let refused = rig
            .shop
            .db
            .write_blocking(move |db| db.execute(&sql, []).map(drop).map_err(ip2tor_shop::store::StoreError::from));
        assert!(refused.is_err_and(|error| error.to_string().contains("append-only")), "{noun}");
    }
    let changed = rig.shop.db.write_blocking(|db| {
        db.execute("UPDATE audit_log SET change = 'x'", []).map(drop).map_err(ip2tor_shop::store::StoreError::from)
    });
    assert!(changed.is_err());
    assert!(!rig.shop.db.read(|db| audit_log::of_order(db, order)).expect("its history").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_has_every_order_but_those_that_ended_unpaid_and_those_nobody_can_pay() {
    for setup in [Setup::default(), Setup::holding()] {
        let mut rig = Rig::new(setup).await;
        let (bought, product) = rig.active_bridge().await;
        let ended = unpaid(&rig).await;
        let hash = rig.hash(ended);
        rig.check_in().await;
        let (open, _) = rig.ordered().await;
        rig.restored().await;
        assert_eq!(orders::place::view(&rig.shop, ended).map(drop), Err(Error::NotFound));
        assert!(
            operator_queries::deleted_unpaid(&rig.shop, &Principal::CommandLine(None), ended)
                .expect("the line is read")
                .is_some()
        );
        assert!(rig.sim().node().arrive(hash, &[25_000], 25_000).is_err(), "its invoice is gone from the node");
        assert_eq!(rig.order_status(bought), "P");
        assert_eq!(rig.product_status(product), ProductStatus::Active);
        rig.pay(open);
        rig.wait_product(rig.view(open).product.id, ProductStatus::NeedsActivate).await;
        assert_eq!(rig.open_alerts("unknown_payment"), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_core_lightning_too_nobody_can_pay_what_a_backup_leaves_out() {
    let mut rig = Rig::new(Setup::default()).await;
    rig.use_core_lightning().await;
    let ended = unpaid(&rig).await;
    let hash = rig.hash(ended);
    rig.check_in().await;
    let (open, _) = rig.ordered().await;
    rig.restored().await;
    assert_eq!(orders::place::view(&rig.shop, ended).map(drop), Err(Error::NotFound));
    assert!(rig.sim().node().arrive(hash, &[25_000], 25_000).is_err(), "its invoice is gone from the node");
    rig.pay(open);
    rig.wait_order(open, "P").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_keeps_what_was_held_once_or_has_vanished_or_is_still_to_be_cancelled() {
    let mut rig = Rig::new(Setup::holding()).await;
    let (returned, _) = rig.ordered().await;
    rig.pay(returned);
    rig.wait_until("the payment is held", || rig.count("SELECT count(*) FROM invoice WHERE state = 'held'") == 1).await;
    rig.clock.advance_secs(200);
    products::expire::return_overdue_holds(&rig.shop).await.expect("given back");
    rig.wait_order_as_time_passes(returned, "R").await;
    rig.check_in().await;
    let (vanished, _) = rig.ordered().await;
    let asked = Absence { forgets_paid: true, asked: Asked::Compared };
    absence::apply_unknown(&rig.shop, rig.node, rig.hash(vanished), asked).await.expect("it has vanished");
    rig.wait_order(vanished, "R").await;
    let (over, _) = rig.ordered().await;
    rig.stop_node().await;
    rig.clock.advance_secs(1000);
    products::expire::close_unpaid(&rig.shop).await.expect("to be cancelled");
    let session = ip2tor_shop::services::Session::on_command_line(rig.now());
    let (from, to) = (rig.places("old"), rig.places("new"));
    let made = backup::create(&rig.shop.db, &from, &session, None).expect("a backup");
    rig.tasks.stop().await;
    backup::restore(&to, &made.path, false, &session).expect("restored");
    rig.start_shop_on(&to.database);
    for order in [returned, vanished, over] {
        assert_eq!(rig.view(order).purchase.id, order);
    }
}
