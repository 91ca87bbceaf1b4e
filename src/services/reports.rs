//! What was sold and taken, by day and by month. An operator gets the sums of their own hosts.

use super::{Error, ReadTx, authz};
use crate::domain::time::Timestamp;
use crate::store::day_totals;

pub use crate::store::day_totals::Total;

/// The sums of each day (UTC) since that of `first`, oldest first, one for each currency; days without any are left out.
///
/// # Errors
/// [`Error::NotFound`] for those who run nothing.
pub fn by_day(tx: &ReadTx<'_>, first: Timestamp) -> Result<Vec<Total>, Error> {
    Ok(day_totals::by_day(tx.db, day_totals::day_of(first), authz::visible_owner(tx.actor)?)?)
}

/// The sums of each month (UTC) since that of `first`.
///
/// # Errors
/// [`Error::NotFound`] for those who run nothing.
pub fn by_month(tx: &ReadTx<'_>, first: Option<Timestamp>) -> Result<Vec<Total>, Error> {
    let first = first.map_or(i64::MIN, day_totals::day_of);
    Ok(day_totals::by_month(tx.db, first, authz::visible_owner(tx.actor)?)?)
}
