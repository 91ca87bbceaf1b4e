//! Invoices that the shop's secret has made, and whose orders the database does not have.

use rusqlite::{Connection, params};

use super::db::StoreError;
use crate::domain::id::{NodeId, OrderId};
use crate::domain::lightning::PaymentHash;
use crate::domain::time::Timestamp;

/// One of them, as its node tells it.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LostInvoice {
    pub hash: PaymentHash,
    pub order: OrderId,
    pub node_id: NodeId,
    /// By the node's clock.
    pub made_at: Timestamp,
}

/// Writes one down, once.
pub fn note(db: &Connection, lost: &LostInvoice, now: Timestamp) -> Result<(), StoreError> {
    let sql = "INSERT OR IGNORE INTO lost_invoice (payment_hash, order_id, node_id, made_at, found_at) VALUES (?, ?, ?, ?, ?)";
    db.prepare_cached(sql)?.execute(params![lost.hash, lost.order, lost.node_id, lost.made_at, now])?;
    Ok(())
}

/// Whether one was written down.
pub fn is_noted(db: &Connection, hash: PaymentHash) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM lost_invoice WHERE payment_hash = ?)";
    Ok(db.prepare_cached(sql)?.query_row([hash], |row| row.get(0))?)
}

/// Forgets those that were found before `before`: nothing shows them any more.
pub fn forget(db: &Connection, before: Timestamp) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM lost_invoice WHERE found_at < ?")?.execute([before])?;
    Ok(())
}
