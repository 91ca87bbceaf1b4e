//! Sums by day: what was sold, taken, and paid back. Triggers keep them (V18, V26), so that no figure has to be counted.

use rusqlite::{Connection, Row, params};

use super::db::StoreError;
use crate::domain::id::OperatorId;

/// Milliseconds.
const DAY: i64 = 86_400_000;

/// What happened in a time, in one currency. `currency` is empty where no rate was known.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// The day (days since 1970, UTC), or the first of the month.
    pub day: i64,
    pub currency: String,
    /// First purchases that were paid.
    pub sold: i64,
    /// Extensions that were paid.
    pub extended: i64,
    /// Msat.
    pub received: i64,
    /// Hundredths of a cent.
    pub fiat: i64,
    /// Msat.
    pub refunded: i64,
    /// Hundredths of a cent.
    pub fiat_refunded: i64,
    /// Msat that refunds cost on their way.
    pub fees: i64,
    /// Hundredths of a cent.
    pub fiat_fees: i64,
}

/// The day of a time.
pub const fn day_of(at: crate::domain::time::Timestamp) -> i64 {
    at.0.div_euclid(DAY)
}

const SUMS: &str = "currency, sum(sold), sum(extended), sum(received), sum(fiat), sum(refunded), sum(fiat_refunded), \
    sum(fees), sum(fiat_fees) FROM day_total WHERE day >= ?1 AND (?2 IS NULL OR host_id IN (SELECT id FROM host WHERE owner_id = ?2))";

/// The days since `first`, oldest first; only what an operator's hosts took, if one is given.
pub fn by_day(db: &Connection, first: i64, owner: Option<OperatorId>) -> Result<Vec<Total>, StoreError> {
    totals(db, &format!("SELECT day, {SUMS} GROUP BY day, currency ORDER BY day, currency"), first, owner)
}

/// The months since the day `first`, oldest first.
pub fn by_month(db: &Connection, first: i64, owner: Option<OperatorId>) -> Result<Vec<Total>, StoreError> {
    let month = "CAST(strftime('%s', day * 86400, 'unixepoch', 'start of month') AS INTEGER) / 86400 AS month";
    totals(db, &format!("SELECT {month}, {SUMS} GROUP BY month, currency ORDER BY month, currency"), first, owner)
}

/// The first day of the month before that of `day`.
pub fn month_before(db: &Connection, day: i64) -> Result<i64, StoreError> {
    let first = "SELECT CAST(strftime('%s', ? * 86400, 'unixepoch', 'start of month', '-1 month') AS INTEGER) / 86400";
    Ok(db.prepare_cached(first)?.query_row([day], |row| row.get(0))?)
}

fn totals(db: &Connection, text: &str, first: i64, owner: Option<OperatorId>) -> Result<Vec<Total>, StoreError> {
    let mut statement = db.prepare_cached(text)?;
    let rows = statement.query_map(params![first, owner], total)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn total(row: &Row<'_>) -> rusqlite::Result<Total> {
    Ok(Total {
        day: row.get(0)?,
        currency: row.get(1)?,
        sold: row.get(2)?,
        extended: row.get(3)?,
        received: row.get(4)?,
        fiat: row.get(5)?,
        refunded: row.get(6)?,
        fiat_refunded: row.get(7)?,
        fees: row.get(8)?,
        fiat_fees: row.get(9)?,
    })
}
