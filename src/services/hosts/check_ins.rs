//! Check-ins of hosts. A host checks in every two seconds, and each write wears the memory card: so one that
//! says nothing new is kept in memory until its turn comes, and is then stored together with those of all
//! other hosts. A crash loses at most the last [`STORE_SECS`] of them; a host counts as alive for five minutes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::catalog;
use crate::domain::host::Host;
use crate::domain::id::HostId;
use crate::domain::time::Timestamp;
use crate::services::{Error, Principal, Shop};
use crate::store::{Connection, hosts as stored};

/// A check-in is stored when the stored one is this old. Well below [`crate::domain::host::ALIVE_SECS`], so that
/// what is stored suffices to judge whether a host is alive. Seconds.
pub const STORE_SECS: i64 = 120;

/// What a host said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
struct CheckIn {
    at: Timestamp,
    status: u8,
    message: String,
}

/// The newest check-ins that are not stored yet: one of each host at most, at most 140 characters each.
#[derive(Debug, Default)]
pub struct CheckIns(Mutex<HashMap<HostId, CheckIn>>);

impl CheckIns {
    /// Keeps a check-in, or returns all that are to be stored now.
    fn note(&self, host: &Host, check_in: CheckIn) -> Option<HashMap<HostId, CheckIn>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = is_due(host, &check_in);
        kept.insert(host.id, check_in);
        is_due.then(|| std::mem::take(&mut *kept))
    }

    fn take(&self) -> HashMap<HostId, CheckIn> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a check-in is news, compared with what is stored of its host.
fn is_due(host: &Host, check_in: &CheckIn) -> bool {
    let says_the_same = host.ci_status == check_in.status && host.ci_message.as_ref() == Some(&check_in.message);
    let is_fresh = host.ci_date.is_some_and(|date| date <= check_in.at && date.is_within(STORE_SECS, check_in.at));
    !(says_the_same && is_fresh)
}

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
