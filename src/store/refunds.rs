//! Refunds: payments back to buyers, each written down before the node is asked to pay.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::db::StoreError;
use super::row::named;
use crate::domain::id::{NodeId, OrderId};
use crate::domain::lightning::PaymentHash;
use crate::domain::money::Msat;
use crate::domain::time::Timestamp;

/// How far a refund has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundState {
    /// The node is about to be asked, or its answer is not known.
    Intended,
    /// The buyer has the money.
    Succeeded,
    /// Nothing was paid.
    Failed,
}

impl RefundState {
    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Intended, Self::Succeeded, Self::Failed].into_iter().find(|state| state.name() == name)
    }
}

/// A payment back to a buyer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Names the buyer's invoice.
    pub hash: PaymentHash,
    /// The order that owes.
    pub order: OrderId,
    /// The node that pays.
    pub node: NodeId,
    /// The public key of its wallet, if it was known when the payment was begun.
    pub node_pubkey: Option<String>,
    /// The buyer's payment request.
    pub bolt11: String,
    /// What the buyer gets.
    pub amount: Msat,
    /// The most that the route may cost.
    pub fee_limit: Msat,
    /// How far it has come.
    pub state: RefundState,
    /// When its state last changed.
    pub modified_at: Timestamp,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Refund> {
    Ok(Refund {
        hash: row.get("payment_hash")?,
        order: row.get("order_id")?,
        node: row.get("node_id")?,
        node_pubkey: row.get("node_pubkey")?,
        bolt11: row.get("bolt11")?,
        amount: row.get("amount")?,
        fee_limit: row.get("fee_limit")?,
        state: named(row, "state", RefundState::parse)?,
        modified_at: row.get("modified_at")?,
    })
}

/// The refund with this payment hash.
pub fn get(db: &Connection, hash: PaymentHash) -> Result<Option<Refund>, StoreError> {
    let mut statement = db.prepare_cached("SELECT * FROM refund WHERE payment_hash = ?")?;
    Ok(statement.query_row([hash], from_row).optional()?)
}

/// The refund of an order whose outcome is not known.
pub fn open_of(db: &Connection, order: OrderId) -> Result<Option<Refund>, StoreError> {
    let mut statement = db.prepare_cached("SELECT * FROM refund WHERE order_id = ? AND state = 'intended'")?;
    Ok(statement.query_row([order], from_row).optional()?)
}

/// All refunds of an order, oldest first.
pub fn of_order(db: &Connection, order: OrderId) -> Result<Vec<Refund>, StoreError> {
    let mut statement = db.prepare_cached("SELECT * FROM refund WHERE order_id = ? ORDER BY created_at")?;
    let rows = statement.query_map([order], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What was paid back since then, or is being paid.
pub fn amount_since(db: &Connection, since: Timestamp) -> Result<Msat, StoreError> {
    let mut statement = db.prepare_cached(AMOUNT_SINCE)?;
    Ok(statement.query_row([since], |row| row.get(0))?)
}

pub(super) const AMOUNT_SINCE: &str =
    "SELECT coalesce(sum(amount), 0) FROM refund WHERE created_at > ? AND state != 'failed'";

/// The orders whose refunds through a node have an outcome that is not known.
pub fn open_at(db: &Connection, node: NodeId) -> Result<Vec<OrderId>, StoreError> {
    let sql = "SELECT order_id FROM refund WHERE node_id = ? AND state = 'intended' ORDER BY created_at";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([node], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Writes an intent down; one that failed before is intended again.
pub fn intend(db: &Connection, refund: &Refund) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO refund (payment_hash, order_id, node_id, bolt11, amount, fee_limit, state, created_at, modified_at, \
         node_pubkey) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'intended', ?7, ?7, ?8) ON CONFLICT (payment_hash) DO UPDATE SET \
         node_id = ?3, amount = ?5, fee_limit = ?6, state = 'intended', modified_at = ?7, node_pubkey = ?8 \
         WHERE state = 'failed'",
    )?
    .execute(params![
        refund.hash,
        refund.order,
        refund.node,
        refund.bolt11,
        refund.amount,
        refund.fee_limit,
        refund.modified_at,
        refund.node_pubkey,
    ])?;
    Ok(())
}

/// Records that it was paid, at this `fee` if that is known; `false` when that was recorded before.
pub fn succeeded(db: &Connection, hash: PaymentHash, fee: Option<Msat>, now: Timestamp) -> Result<bool, StoreError> {
    let mut statement = db.prepare_cached(
        "UPDATE refund SET state = 'succeeded', fee = ?2, modified_at = ?3 WHERE payment_hash = ?1 AND state = 'intended'",
    )?;
    Ok(statement.execute(params![hash, fee, now])? == 1)
}

/// Records that this very intent came to nothing; `false` when that was recorded before, or when the
/// same payment has been intended again since.
pub fn failed(db: &Connection, refund: &Refund, now: Timestamp) -> Result<bool, StoreError> {
    let mut statement = db.prepare_cached(
        "UPDATE refund SET state = 'failed', modified_at = ?3 \
         WHERE payment_hash = ?1 AND state = 'intended' AND modified_at = ?2",
    )?;
    Ok(statement.execute(params![refund.hash, refund.modified_at, now])? == 1)
}
