//! Deadlines that must be met within seconds whatever the schedules say: held payments.

use std::time::Duration;

use super::failure::log_failure;
use crate::services::{Shop, products};

/// How often held payments are looked at; an indexed look that usually finds nothing.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Runs until dropped.
pub async fn run(shop: Shop) {
    loop {
        log_failure("returning overdue payments", products::expire::return_overdue_holds(&shop).await.map(drop));
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}
