//! Claims: payment requests with which buyers ask for what is owed to them. One for each order, the latest.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::db::StoreError;
use super::row::named;
use crate::domain::id::OrderId;
use crate::domain::lightning::PaymentHash;
use crate::domain::money::Msat;
use crate::domain::time::Timestamp;

/// What became of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimState {
    /// A node is to pay it, or is doing so.
    Open,
    /// It waits for the operator.
    Waiting,
    /// Nothing was paid.
    Failed,
    /// The buyer has the money.
    Paid,
}

impl ClaimState {
    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "waiting",
            Self::Failed => "failed",
            Self::Paid => "paid",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Open, Self::Waiting, Self::Failed, Self::Paid].into_iter().find(|state| state.name() == name)
    }
}

/// A buyer's payment request over what an order owes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The order that owes.
    pub order: OrderId,
    /// Names the payment request.
    pub hash: PaymentHash,
    /// The payment request.
    pub bolt11: String,
    /// Whether it says itself how much it asks for.
    pub names_amount: bool,
    /// What the order owed when it was made.
    pub amount: Msat,
    /// The most that the route may cost.
    pub fee_limit: Msat,
    /// When it can no longer be paid.
    pub expires_at: Timestamp,
    /// How far it has come.
    pub state: ClaimState,
    /// How many payments for this order, by this claim and those before it, came to nothing.
    pub failures: u32,
    /// When its node is asked, or asked again.
    pub next_try_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub modified_at: Timestamp,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Claim> {
    Ok(Claim {
        order: row.get("order_id")?,
        hash: row.get("payment_hash")?,
        bolt11: row.get("bolt11")?,
        names_amount: row.get("names_amount")?,
        amount: row.get("amount")?,
        fee_limit: row.get("fee_limit")?,
        expires_at: row.get("expires_at")?,
        state: named(row, "state", ClaimState::parse)?,
        failures: row.get("failures")?,
        next_try_at: row.get("next_try_at")?,
        created_at: row.get("created_at")?,
        modified_at: row.get("modified_at")?,
    })
}

/// The latest claim of an order.
pub fn get(db: &Connection, order: OrderId) -> Result<Option<Claim>, StoreError> {
    let mut statement = db.prepare_cached("SELECT * FROM refund_claim WHERE order_id = ?")?;
    Ok(statement.query_row([order], from_row).optional()?)
}

/// Stores a claim in the place of the one before it.
pub fn put(db: &Connection, claim: &Claim) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT OR REPLACE INTO refund_claim (order_id, payment_hash, bolt11, names_amount, amount, fee_limit, \
         expires_at, state, failures, next_try_at, created_at, modified_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        claim.order,
        claim.hash,
        claim.bolt11,
        claim.names_amount,
        claim.amount,
        claim.fee_limit,
        claim.expires_at,
        claim.state.name(),
        claim.failures,
        claim.next_try_at,
        claim.created_at,
        claim.modified_at,
    ])?;
    Ok(())
}

pub(super) const DUE: &str =
    "SELECT * FROM refund_claim WHERE state = 'open' AND next_try_at <= ? ORDER BY next_try_at LIMIT 64";

/// Claims that a node is to pay now, those that wait longest first.
pub fn due(db: &Connection, now: Timestamp) -> Result<Vec<Claim>, StoreError> {
    let mut statement = db.prepare_cached(DUE)?;
    let rows = statement.query_map([now], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What other claims than that of `but` are to be paid, or are being paid.
pub fn open_amount(db: &Connection, but: OrderId) -> Result<Msat, StoreError> {
    let sql = "SELECT coalesce(sum(amount), 0) FROM refund_claim WHERE state = 'open' AND order_id != ?";
    Ok(db.prepare_cached(sql)?.query_row([but], |row| row.get(0))?)
}
