//! Fetches exchange rates from time to time. Failures are logged and nothing else: invoices are then
//! shown without rates once the last ones are too old.

use std::sync::Arc;

use super::failure::log_failure;
use crate::rates::{INTERVAL, Provider};
use crate::services::{Shop, rates};

/// Runs until dropped; ends at once when the shop shows no rates.
pub async fn run(shop: Shop, provider: Arc<Provider>) {
    let Some(rules) = shop.settings.rates else { return };
    loop {
        match provider.fetch(&rules.currencies()).await {
            Ok(fetched) => log_failure("storing exchange rates", rates::store(&shop, fetched).await),
            Err(error) => tracing::warn!(%error, "no exchange rates were fetched"),
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
