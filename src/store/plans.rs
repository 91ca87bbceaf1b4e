//! Tests: what grows with the orders is read by an index, as SQLite itself says (`EXPLAIN QUERY
//! PLAN`).

use rusqlite::Connection;

use super::products::Filter;
use super::{
    Db, StoreError, alerts, audit_log, claims, deals, host_tokens, hosts, node_state, outbox, products, refunds, unpaid,
};
use crate::domain::id::{HostId, ProductId};
use crate::domain::product::ProductStatus;
use crate::domain::purchase::OrderStatus;

pub(super) fn database() -> (tempfile::TempDir, Db) {
    let dir = tempfile::tempdir().unwrap();
    let db = Db::open(&dir.path().join("shop.sqlite3")).unwrap();
    (dir, db)
}

pub(super) fn plan(db: &Db, text: &str) -> String {
    let steps = |db: &Connection| {
        let mut statement = db.prepare(&format!("EXPLAIN QUERY PLAN {text}"))?;
        let unbound = statement.parameter_count();
        let nothing = vec![rusqlite::types::Null; unbound];
        let rows = statement.query_map(rusqlite::params_from_iter(nothing), |row| row.get::<_, String>("detail"))?;
        Ok::<_, StoreError>(rows.collect::<Result<Vec<_>, _>>()?.join("; "))
    };
    db.read(steps).unwrap()
}

#[test]
fn each_search_of_orders_has_its_index() {
    let (_dir, db) = database();
    let all = deals::Search { limit: 50, ..deals::Search::default() };
    let product = Some(ProductId(uuid::Uuid::from_u128(1)));
    for (search, index) in [
        (all, "order_by_time"),
        (deals::Search { status: Some(OrderStatus::Paid), ..all }, "order_by_time"),
        (deals::Search { status: Some(OrderStatus::NeedsRefund), ..all }, "order_to_refund"),
        (deals::Search { owed: true, ..all }, "order_to_refund"),
        (deals::Search { product, ..all }, "order_by_product (product_seq=?)"),
    ] {
        let plan = plan(&db, &deals::search_text(search));
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{search:?}: {plan}");
    }
}

#[test]
fn each_search_of_products_has_its_index_or_ends_at_its_limit() {
    let (_dir, db) = database();
    let host = Some(HostId(uuid::Uuid::from_u128(1)));
    let waiting = Some(ProductStatus::NeedsActivate);
    let read = |filter| plan(&db, &products::search_text(filter, None, 50));
    assert_eq!(read(Filter::default()), "SCAN product");
    assert_eq!(read(Filter { host, status: None }), "SCAN product");
    let by_host = read(Filter { host, status: Some(ProductStatus::Active) });
    assert!(by_host.contains("product_in_state (host_id=? AND status=?)"), "{by_host}");
    assert!(!by_host.contains("TEMP B-TREE"), "{by_host}");
    let pending = read(Filter { host: None, status: waiting });
    assert!(pending.contains("product_pending"), "{pending}");
}

#[test]
fn what_waits_to_be_taken_down_and_whose_a_token_is_have_their_indexes() {
    let (_dir, db) = database();
    let stuck = plan(&db, &products::suspending_text());
    assert!(stuck.contains("product_suspending") && !stuck.contains("TEMP B-TREE"), "{stuck}");
    let former = plan(&db, host_tokens::BY_FORMER);
    assert!(former.contains("former_token_1 (hash=?)") && !former.contains("SCAN"), "{former}");
    let aside = plan(&db, "SELECT port FROM port WHERE ip = ? AND product_id = ?");
    assert!(aside.contains("PRIMARY KEY (ip=?)"), "{aside}");
}

#[test]
fn what_happened_to_one_thing_is_read_without_the_rest_of_the_log() {
    let (_dir, db) = database();
    for (about, index) in [
        (audit_log::OF_ORDER, "audit_log_by_noun_seq (noun=? AND noun_seq=?)"),
        (audit_log::OF_PRODUCT, "audit_log_by_noun_seq (noun=? AND noun_seq=?)"),
        (audit_log::OF_OTHER, "audit_log_by_noun_id (noun_id=?)"),
    ] {
        let plan = plan(&db, &audit_log::text(about));
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{about}: {plan}");
    }
}

#[test]
fn the_purchases_of_a_deal_are_read_by_their_product() {
    let (_dir, db) = database();
    let plan = plan(&db, &deals::load_text());
    assert!(plan.contains("order_by_product (product_seq=?)") && !plan.contains("SCAN"), "{plan}");
}

#[test]
fn the_extensions_of_a_product_that_nobody_paid_are_counted_within_their_time_alone() {
    let (_dir, db) = database();
    let plan = plan(&db, deals::UNPAID_EXTENSIONS);
    assert!(plan.contains("order_by_product (product_seq=? AND created_at>? AND created_at<?)"), "{plan}");
}

#[test]
fn open_alerts_are_read_without_the_closed_ones() {
    let (_dir, db) = database();
    let plan = plan(&db, alerts::list_text(false));
    assert!(plan.contains("alert_open"), "{plan}");
}

#[test]
fn the_open_invoices_of_a_node_are_read_without_the_others() {
    let (_dir, db) = database();
    let plan = plan(&db, node_state::LIVE_INVOICES);
    assert!(plan.contains("invoice_live_by_node (node_id=?)") && !plan.contains("SCAN"), "{plan}");
}

#[test]
fn whether_any_alert_of_a_topic_is_open_is_read_without_the_closed_ones() {
    let (_dir, db) = database();
    let plan = plan(&db, alerts::ANY_OPEN);
    assert!(plan.contains("alert_open (topic=?)"), "{plan}");
}

#[test]
fn the_oldest_invoice_to_be_made_is_the_first_of_its_index() {
    let (_dir, db) = database();
    let plan = plan(&db, outbox::OLDEST_MAKE);
    assert!(plan.contains("effect_make") && !plan.contains("kind=?"), "{plan}");
}

#[test]
fn what_a_host_is_to_activate_is_found_without_its_other_products() {
    let (_dir, db) = database();
    let host = Some(HostId(uuid::Uuid::from_u128(1)));
    let order = products::Order::LongestPendingFirst;
    let filter = Filter { host, status: Some(ProductStatus::NeedsActivate) };
    let plan = plan(&db, &products::list_text(filter, order));
    assert!(plan.contains("product_by_host (host_id=? AND kind=? AND status=?)"), "{plan}");
}

#[test]
fn the_places_of_a_host_are_found_by_its_address_and_its_products() {
    let (_dir, db) = database();
    for table in ["port", "alias_name"] {
        let plan = plan(&db, &format!("SELECT count(*) FROM {table} WHERE {}", hosts::sold_at(table)));
        assert!(plan.contains("product_by_host") && !plan.contains("SCAN"), "{table}: {plan}");
    }
}

#[test]
fn held_payments_are_counted_and_found_without_the_other_invoices() {
    let (_dir, db) = database();
    let [held, live] = node_state::live_holds_text().map(|text| plan(&db, &text));
    assert!(held.contains("INDEX invoice_held_by_node (node_id=?)"), "{held}");
    assert!(live.contains("INDEX invoice_live_by_node (node_id=? AND is_hold=?)"), "{live}");
    let [held, others] = outbox::due_at_down_node_text(8).map(|text| plan(&db, &text));
    assert!(held.contains("invoice_held_by_node") && held.contains("kind=? AND payment_hash=?"), "{held}");
    assert!(others.contains("effect_due") && !others.contains("SCAN"), "{others}");
}

#[test]
fn orders_that_nobody_paid_are_found_among_the_rejected_ones() {
    let (_dir, db) = database();
    let plan = plan(&db, &unpaid::candidates_text(200));
    assert!(plan.contains("order_rejected (modified_at<?)") && !plan.contains("TEMP B-TREE"), "{plan}");
    // Alerts are few.
    assert!(!plan.replace("SCAN l", "").contains("SCAN"), "{plan}");
}

#[test]
fn claims_to_be_paid_and_what_was_paid_back_lately_have_their_indexes() {
    let (_dir, db) = database();
    let due = plan(&db, claims::DUE);
    assert!(due.contains("refund_claim_open (next_try_at<?)") && !due.contains("TEMP B-TREE"), "{due}");
    let lately = plan(&db, refunds::AMOUNT_SINCE);
    assert!(lately.contains("refund_by_time (created_at>?)"), "{lately}");
}
