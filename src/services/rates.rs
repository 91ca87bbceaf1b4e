//! Exchange rates for the invoices: stored when they are fetched, frozen when an invoice is decided.
//! No order waits for them.

use super::shop::Shop;
use super::{Error, Principal};
use crate::domain::fiat::{InvoiceRates, Rate};
use crate::store::{Connection, rates};

/// Stores what a provider said, with the time.
pub async fn store(shop: &Shop, fetched: Vec<Rate>) -> Result<(), Error> {
    let now = shop.now();
    shop.tx(&Principal::Shop, move |tx| {
        let db = tx.db;
        for rate in fetched {
            rates::store(db, rate, now)?;
        }
        Ok(())
    })
    .await
}

/// The rates for a new invoice: only fresh ones.
pub(super) fn for_new_invoice(shop: &Shop, db: &Connection) -> Result<InvoiceRates, Error> {
    let Some(rules) = shop.settings.rates else { return Ok(InvoiceRates::default()) };
    let newest = |currency| rates::newest(db, currency, rules.max_age_secs, shop.now());
    Ok(InvoiceRates { tax: newest(rules.tax)?, info: newest(rules.info)? })
}

/// What prices are shown with for information, while it is fresh.
pub fn for_information(shop: &Shop) -> Result<Option<Rate>, Error> {
    let Some(rules) = shop.settings.rates else { return Ok(None) };
    shop.db.read(|db| Ok(rates::newest(db, rules.info, rules.max_age_secs, shop.now())?))
}
