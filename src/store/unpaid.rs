//! Orders that nobody paid: found and deleted once they are old.

use rusqlite::{Connection, OptionalExtension, params};

use super::db::StoreError;
use crate::domain::id::OrderId;
use crate::domain::time::Timestamp;

/// Seconds.
const DAY: i64 = 86_400;

/// Rejected orders that no money was ever seen for, not even held, and that nothing is left to do for. One whose
/// invoice has vanished at its node may have been paid: it stays, and so does the alert that tells of it, closed or
/// not. The newest order stays as well: running numbers must not be given again.
const NEVER_PAID: &str = "o.status = 'R' AND o.delivery = 'none' AND o.owed = 0 AND o.refunded = 0 \
    AND v.state IN ('expired', 'void') AND v.received IS NULL AND v.held_at IS NULL AND v.paid_at IS NULL \
    AND NOT EXISTS (SELECT 1 FROM invoice_attempt a WHERE a.seq = o.seq AND (a.received IS NOT NULL \
        OR EXISTS (SELECT 1 FROM effect e WHERE e.payment_hash = a.payment_hash \
            AND e.kind IN ('make_invoice', 'cancel_invoice', 'settle_invoice', 'probe_target')))) \
    AND NOT EXISTS (SELECT 1 FROM alert l WHERE l.topic = 'invoice_vanished' AND l.subject = \
        lower(substr(hex(o.id), 1, 8) || '-' || substr(hex(o.id), 9, 4) || '-' || substr(hex(o.id), 13, 4) || '-' \
            || substr(hex(o.id), 17, 4) || '-' || substr(hex(o.id), 21))) \
    AND o.seq < (SELECT max(seq) FROM purchase_order)";

/// A product that was never more than ordered: no order is left, no host has seen it, nothing is reserved.
const NEVER_SOLD: &str = "p.placed = 0 AND p.shown_at IS NULL AND p.activated_at IS NULL \
    AND p.status IN ('I', 'Z', 'D') \
    AND NOT EXISTS (SELECT 1 FROM purchase_order o WHERE o.product_seq = p.seq) \
    AND NOT EXISTS (SELECT 1 FROM outage u WHERE u.product_id = p.id) \
    AND NOT EXISTS (SELECT 1 FROM port t WHERE t.product_id = p.id) \
    AND p.seq < (SELECT max(seq) FROM product)";

pub(super) fn candidates_text(limit: u32) -> String {
    format!(
        "SELECT o.seq, o.product_seq FROM purchase_order o JOIN invoice v ON v.seq = o.seq \
         WHERE o.modified_at < ? AND {NEVER_PAID} ORDER BY o.modified_at LIMIT {limit}"
    )
}

/// Deletes at most `limit` orders that ended before `before` and were never paid, with their invoices, their
/// products where nobody bought those since, and all but one line of their history. Returns how many.
pub fn delete(db: &Connection, before: Timestamp, limit: u32) -> Result<usize, StoreError> {
    let mut statement = db.prepare_cached(&candidates_text(limit))?;
    let found: Vec<(i64, i64)> =
        statement.query_map([before], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for (order, product) in &found {
        delete_order(db, *order)?;
        delete_product(db, *product)?;
    }
    Ok(found.len())
}

fn delete_order(db: &Connection, seq: i64) -> Result<(), StoreError> {
    let order = "SELECT id, created_at FROM purchase_order WHERE seq = ?";
    let (id, placed): (OrderId, Timestamp) =
        db.prepare_cached(order)?.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    db.prepare_cached("INSERT OR REPLACE INTO unpaid_order (id_end, ordered_on) VALUES (?, ?)")?
        .execute(params![id_end(id), placed.secs().div_euclid(DAY)])?;
    for sql in [
        "DELETE FROM invoice_attempt WHERE seq = ?",
        "DELETE FROM invoice WHERE seq = ?",
        "DELETE FROM purchase_order WHERE seq = ?",
        "DELETE FROM audit_log WHERE noun = 'order' AND noun_seq = ?",
    ] {
        db.prepare_cached(sql)?.execute([seq])?;
    }
    Ok(())
}

fn delete_product(db: &Connection, seq: i64) -> Result<(), StoreError> {
    let sql = format!("DELETE FROM product AS p WHERE p.seq = ? AND {NEVER_SOLD}");
    if db.prepare_cached(&sql)?.execute([seq])? == 1 {
        db.prepare_cached("DELETE FROM audit_log WHERE noun = 'product' AND noun_seq = ?")?.execute([seq])?;
    }
    Ok(())
}

/// The day (its midnight, UTC) on which an order was placed that was deleted because nobody paid it.
pub fn ordered_on(db: &Connection, order: OrderId) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = db.prepare_cached("SELECT ordered_on FROM unpaid_order WHERE id_end = ?")?;
    let day: Option<i64> = statement.query_row([id_end(order)], |row| row.get(0)).optional()?;
    Ok(day.map(|day| Timestamp::from_secs(day * DAY)))
}

/// Ids of one run begin alike; their ends are random.
fn id_end(order: OrderId) -> i64 {
    order.0.as_u64_pair().1.cast_signed()
}
