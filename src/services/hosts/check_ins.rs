//! Check-ins of hosts. A host checks in every two seconds, and each write wears the memory card: so one that
//! says nothing new is kept in memory until its turn comes, and is then stored together with those of all
//! other hosts. A crash loses at most the last [`STORE_SECS`] of them; a host counts as alive for five minutes.

pub(in crate::services) mod unstored;

use std::collections::HashMap;

use super::catalog;
use crate::domain::id::HostId;
use crate::domain::time::Timestamp;
use crate::services::{Error, Principal, Shop};
use crate::store::{Connection, hosts as stored};
use unstored::CheckIn;
pub use unstored::STORE_SECS;

/// Records a check-in. The message has been validated (at most 140 characters).
///
/// # Errors
/// [`Error::NotFound`] for a host that the caller may not see, and those of the database.
pub async fn check_in(
    shop: &Shop,
    by: &Principal,
    id: HostId,
    status: u8,
    message: String,
) -> Result<Timestamp, Error> {
    let host = catalog::get(shop, by, id)?;
    let now = shop.now();
    if let Some(due) = shop.check_ins.note(&host, CheckIn { at: now, status, message }) {
        shop.tx(by, move |tx| store(tx.db, &due)).await?;
    }
    Ok(now)
}

/// Stores what is kept in memory; for a shop that ends.
///
/// # Errors
/// Those of the database.
pub async fn store_all(shop: &Shop) -> Result<(), Error> {
    let kept = shop.check_ins.take();
    shop.tx(&Principal::Shop, move |tx| store(tx.db, &kept)).await
}

fn store(db: &Connection, check_ins: &HashMap<HostId, CheckIn>) -> Result<(), Error> {
    for (host, CheckIn { at, status, message }) in check_ins {
        stored::check_in(db, *host, *status, message, *at)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
