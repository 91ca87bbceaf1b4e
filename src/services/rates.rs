//! Exchange rates for the invoices: stored when they are fetched, frozen when an invoice is decided.
//! No order waits for them.

use crate::store::Connection;

use super::shop::Shop;
use super::{Error, Principal};
use crate::domain::fiat::{Currency, InvoiceRates, Rate};
use crate::store::rates;

/// Which rates are shown. The shop has none when rates are switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateRules {
    /// The currency of taxes.
    pub tax: Currency,
    /// The currency for information.
    pub info: Currency,
    /// A rate that is older is not used. Seconds.
    pub max_age_secs: i64,
}

impl RateRules {
    /// The currencies, each once.
    pub fn currencies(&self) -> Vec<Currency> {
        if self.tax == self.info { vec![self.tax] } else { vec![self.tax, self.info] }
    }
}

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
