//! Exchange rates as they were fetched, and those that are frozen with an invoice.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::db::StoreError;
use crate::domain::fiat::{Currency, InvoiceRates, Rate};
use crate::domain::time::{CLOCK_TOLERANCE_SECS, Timestamp};

/// Older rates are of no use: every invoice keeps its own. Days.
const KEPT_DAYS: i64 = 30;

/// Stores a rate with the time at which it was fetched. One that was fetched later was so by a wrong
/// clock, and goes.
pub fn store(db: &Connection, rate: Rate, now: Timestamp) -> Result<(), StoreError> {
    db.prepare_cached("INSERT OR REPLACE INTO rate (currency, fetched_at, cents) VALUES (?, ?, ?)")?
        .execute(params![rate.currency.code(), now, i64::try_from(rate.cents).unwrap_or(i64::MAX)])?;
    db.prepare_cached("DELETE FROM rate WHERE currency = ? AND (fetched_at < ? OR fetched_at > ?)")?
        .execute(params![rate.currency.code(), now.plus_secs(-KEPT_DAYS * 86_400), now])?;
    Ok(())
}

/// The newest rate of a currency, unless it is older than `max_age_secs` at `now`. One from the future
/// is of unknown age.
pub fn newest(
    db: &Connection,
    currency: Currency,
    max_age_secs: i64,
    now: Timestamp,
) -> Result<Option<Rate>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT cents FROM rate WHERE currency = ? AND fetched_at BETWEEN ? AND ? ORDER BY fetched_at DESC LIMIT 1",
    )?;
    let (oldest, latest) = (now.plus_secs(-max_age_secs), now.plus_secs(CLOCK_TOLERANCE_SECS));
    let key = params![currency.code(), oldest, latest];
    let cents: Option<i64> = statement.query_row(key, |row| row.get(0)).optional()?;
    Ok(cents.and_then(|cents| u64::try_from(cents).ok()).map(|cents| Rate { currency, cents }))
}

/// The rates of an invoice's row.
pub(super) fn of_invoice(row: &Row<'_>) -> rusqlite::Result<InvoiceRates> {
    Ok(InvoiceRates {
        tax: rate(row, "tax_currency", "tax_rate_cents")?,
        info: rate(row, "info_currency", "info_rate_cents")?,
    })
}

fn rate(row: &Row<'_>, currency: &str, cents: &str) -> rusqlite::Result<Option<Rate>> {
    let (currency, cents): (Option<String>, Option<i64>) = (row.get(currency)?, row.get(cents)?);
    let currency = currency.as_deref().and_then(Currency::parse);
    let cents = cents.and_then(|cents| u64::try_from(cents).ok());
    Ok(currency.zip(cents).map(|(currency, cents)| Rate { currency, cents }))
}

/// The columns of an invoice's rates, for storing: currency and hundredths, twice.
pub(super) fn columns(rates: &InvoiceRates) -> [(Option<String>, Option<i64>); 2] {
    [rates.tax, rates.info].map(|rate| {
        let cents = rate.and_then(|rate| i64::try_from(rate.cents).ok());
        (rate.map(|rate| rate.currency.code().to_owned()), cents)
    })
}
