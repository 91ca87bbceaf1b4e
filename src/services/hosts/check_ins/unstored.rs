//! The check-ins that are kept in memory until it is their turn to be stored.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::domain::host::Host;
use crate::domain::id::HostId;
use crate::domain::time::Timestamp;

/// A check-in is stored when the stored one is this old. Half of [`crate::domain::host::ALIVE_SECS`]: what is stored
/// suffices to judge whether a host is alive, and storing those of ten hosts is 32 KiB on the memory card. Seconds.
pub const STORE_SECS: i64 = crate::domain::host::ALIVE_SECS / 2;

/// A host that is silent for longer between its check-ins has each of them stored: the next one may come late. Seconds.
const RARELY_SECS: i64 = 30;

/// What a host said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckIn {
    pub at: Timestamp,
    pub status: u8,
    pub message: String,
}

/// The newest check-ins that are not stored yet: one of each host at most, at most 140 characters each.
#[derive(Debug, Default)]
pub struct CheckIns(Mutex<HashMap<HostId, CheckIn>>);

impl CheckIns {
    /// Keeps a check-in, or returns all that are to be stored now.
    pub fn note(&self, host: &Host, check_in: CheckIn) -> Option<HashMap<HostId, CheckIn>> {
        let mut kept = self.0.lock();
        let last = kept.get(&host.id).map(|kept| kept.at).max(host.ci_date);
        let is_rare = !last.is_some_and(|last| last.is_within(RARELY_SECS, check_in.at));
        let is_due = is_rare || is_due(host, &check_in);
        kept.insert(host.id, check_in);
        is_due.then(|| std::mem::take(&mut *kept))
    }

    /// All that are kept, which are no longer kept then.
    pub fn take(&self) -> HashMap<HostId, CheckIn> {
        std::mem::take(&mut *self.0.lock())
    }
}

/// Whether a check-in is news, compared with what is stored of its host.
fn is_due(host: &Host, check_in: &CheckIn) -> bool {
    let says_the_same = host.ci_status == check_in.status && host.ci_message.as_ref() == Some(&check_in.message);
    let is_fresh = host.ci_date.is_some_and(|date| date <= check_in.at && date.is_within(STORE_SECS, check_in.at));
    !(says_the_same && is_fresh)
}
