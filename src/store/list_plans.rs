//! Tests: every list of those who run the shop is read by an index, whatever the filter, and no further than its page.

use super::keyset::{Bounds, Table};
use super::plans::{database, plan};
use super::{alerts, audit_log, day_totals, job_history, keyset, order_lists, outbox, presence, product_lists, pulse};

const PAGE: Bounds = Bounds { first: 0, end: i64::MAX, limit: 51, ascending: false };
const FROM_THE_OLDEST: Bounds = Bounds { ascending: true, ..PAGE };

#[test]
fn products_and_orders_are_read_from_where_their_page_begins() {
    let (_dir, db) = database();
    for (text, index) in [
        (product_lists::run_text(FROM_THE_OLDEST), "product_in_state (host_id=? AND status=? AND rowid>? AND rowid<?)"),
        (order_lists::run_text(FROM_THE_OLDEST), "order_in_state (host_id=? AND status=? AND rowid>? AND rowid<?)"),
        (product_lists::all_text(PAGE), "SEARCH product USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (product_lists::run_text(PAGE), "product_in_state (host_id=? AND status=? AND rowid>? AND rowid<?)"),
        (order_lists::all_text(PAGE), "SEARCH purchase_order USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (order_lists::run_text(PAGE), "order_in_state (host_id=? AND status=? AND rowid>? AND rowid<?)"),
    ] {
        let plan = plan(&db, &text);
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{text}: {plan}");
    }
    for text in [product_lists::run_text(PAGE), order_lists::run_text(PAGE), product_lists::COUNT.to_owned()] {
        assert!(plan(&db, &text).contains("COVERING INDEX"), "{text}: no row is read");
    }
}

#[test]
fn what_somebody_remembers_is_looked_up_in_its_own_index() {
    let (_dir, db) = database();
    for (column, index) in product_lists::BEGINNINGS.into_iter().zip(["target", "alias", "key", "comment"]) {
        let plan = plan(&db, &product_lists::beginning_text(column));
        assert!(plan.contains(&format!("product_by_{index} ({column}>? AND {column}<?)")), "{column}: {plan}");
    }
    let by_port = plan(&db, &product_lists::port_text());
    assert!(by_port.contains("product_by_port (port=?)") && !by_port.contains("TEMP B-TREE"), "{by_port}");
    let of_product = plan(&db, order_lists::OF_PRODUCT);
    assert!(of_product.contains("order_by_product (product_seq=?)") && !of_product.contains("SCAN"), "{of_product}");
}

#[test]
fn what_ends_next_and_what_is_owed_is_read_without_the_rest() {
    let (_dir, db) = database();
    let ending = plan(&db, &product_lists::ending_text(10));
    assert!(ending.contains("product_ending (host_id=?") && !ending.contains("TEMP B-TREE"), "{ending}");
    let owed = plan(&db, order_lists::OWED);
    assert!(owed.contains("INDEX order_to_refund"), "{owed}");
}

#[test]
fn the_change_log_of_each_filter_has_its_index_or_ends_at_its_page() {
    let (_dir, db) = database();
    let wanted = |noun: Option<&str>, person: Option<&str>| audit_log::Wanted {
        noun: noun.map(str::to_owned),
        person: person.map(str::to_owned),
        ..audit_log::Wanted::default()
    };
    for (noun, person, index) in [
        (None, None, "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (Some("order"), None, "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (Some("host"), None, "audit_log_by_noun (noun=? AND rowid>? AND rowid<?)"),
        (None, Some("operator:anna"), "audit_log_by_person (actor=? AND rowid>? AND rowid<?)"),
        (Some("order"), Some("cli"), "audit_log_by_person_and_noun (actor=? AND noun=? AND rowid>? AND rowid<?)"),
        (Some("host"), Some("cli"), "audit_log_by_person_and_noun (actor=? AND noun=? AND rowid>? AND rowid<?)"),
    ] {
        let plan = plan(&db, &audit_log::list_text(&wanted(noun, person), PAGE));
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{noun:?} {person:?}: {plan}");
    }
}

#[test]
fn where_a_day_begins_in_a_table_is_found_by_looks_at_single_rows() {
    let (_dir, db) = database();
    for table in [Table::Products, Table::Orders, Table::Changes] {
        let probe = plan(&db, &keyset::probe_text(table));
        assert!(probe.contains("INTEGER PRIMARY KEY (rowid>? AND rowid<?)") && !probe.contains("TEMP"), "{probe}");
        // SQLite says "SEARCH" of a first and a last row, and "SCAN" of all.
        let ends = plan(&db, &keyset::ends_text(table));
        assert!(!ends.replace("SCAN CONSTANT ROW", "").contains("SCAN"), "{ends}");
    }
}

#[test]
fn sums_are_read_from_their_first_day_or_month_on() {
    let (_dir, db) = database();
    for (table, of) in [("day_total", "day"), ("month_total", "month")] {
        let plan = plan(&db, &day_totals::sums_text(table, of));
        assert!(plan.contains(&format!("SEARCH {table} USING PRIMARY KEY ({of}>?)")), "{plan}");
    }
}

#[test]
fn of_alerts_that_are_over_the_newest_are_read_by_their_numbers() {
    let (_dir, db) = database();
    let plan = plan(&db, alerts::list_text(true));
    assert!(plan.contains("SEARCH alert USING INTEGER PRIMARY KEY (rowid=?)"), "{plan}");
    assert!(plan.contains("INDEX alert_open"), "{plan}");
}

#[test]
fn small_lists_are_read_by_their_numbers() {
    let (_dir, db) = database();
    for (text, index) in [
        (job_history::text(false, 51), "INTEGER PRIMARY KEY (rowid<?)"),
        (job_history::text(true, 51), "job_history_by_name (name=? AND id<?)"),
        (outbox::waiting_text(true, 51), "INTEGER PRIMARY KEY (rowid>?)"),
        (presence::text(200), "host_presence_by_host (host_id=?)"),
        (pulse::NOUNS.to_owned(), "INTEGER PRIMARY KEY (rowid>?)"),
    ] {
        let plan = plan(&db, &text);
        assert!(plan.contains(index), "{text}: {plan}");
    }
}
