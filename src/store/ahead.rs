//! What was stored while the clock was ahead, found by stamps that lie in the future now.

use rusqlite::{Connection, params};

use super::db::StoreError;
use crate::domain::id::{OrderId, ProductId};
use crate::domain::time::{CLOCK_TOLERANCE_SECS, Timestamp};

/// What a clock that was ahead has left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// Products with a time that counts and lies in the future, and those that were suspended then.
    pub products: Vec<ProductId>,
    /// Orders that were placed in the future and whose invoice can still be paid.
    pub orders: Vec<OrderId>,
}

/// The entry of the change log at which the shop itself last ended a product's time, if that was in the
/// future. Operators and hosts suspend products for reasons of their own.
const SUSPENDED: &str = "a.at > ?1 AND a.actor = 'shop' AND a.noun = 'product' AND a.event = 'suspended' AND a.id = \
    (SELECT max(b.id) FROM audit_log b WHERE b.noun = 'product' AND b.noun_seq = a.noun_seq AND b.event = 'suspended')";

/// Looks for it.
pub fn find(db: &Connection, now: Timestamp) -> Result<Ahead, StoreError> {
    let future = now.plus_secs(CLOCK_TOLERANCE_SECS);
    let mut products = db.prepare(
        "SELECT id FROM product WHERE pending_since > ?1 OR suspending_since > ?1 OR suspended_at > ?1 OR activated_at > ?1",
    )?;
    let mut found: Vec<ProductId> = products.query_map([future], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut suspended =
        db.prepare(&format!("SELECT p.id FROM audit_log a JOIN product p ON p.seq = a.noun_seq WHERE {SUSPENDED}"))?;
    for id in suspended.query_map([future], |row| row.get(0))? {
        found.push(id?);
    }
    found.sort_unstable();
    found.dedup();
    let mut orders = db.prepare(
        "SELECT o.id FROM purchase_order o JOIN invoice v ON v.seq = o.seq WHERE o.created_at > ? AND v.state = 'open'",
    )?;
    let orders = orders.query_map([future], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(Ahead { products: found, orders })
}

/// Whether the shop suspended this product in the future, and nobody since.
pub fn was_suspended(db: &Connection, product: ProductId, now: Timestamp) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM audit_log a WHERE {SUSPENDED} AND a.noun_seq = (SELECT seq FROM product WHERE id = ?2))"
    );
    let future = now.plus_secs(CLOCK_TOLERANCE_SECS);
    Ok(db.prepare_cached(&sql)?.query_row(params![future, product], |row| row.get(0))?)
}

/// Refunds under way and outages of hosts that began in the future count from `now`.
pub fn restamp(db: &Connection, now: Timestamp) -> Result<(), StoreError> {
    db.execute("UPDATE refund SET modified_at = ?1 WHERE state = 'intended' AND modified_at > ?1", [now])?;
    db.execute("UPDATE outage SET started_at = ?1 WHERE ended_at IS NULL AND started_at > ?1", [now])?;
    Ok(())
}
