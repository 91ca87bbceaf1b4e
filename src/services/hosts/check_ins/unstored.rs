//! The check-ins that are kept in memory until it is their turn to be stored.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::domain::host::Host;
use crate::domain::id::HostId;
use crate::domain::time::Timestamp;

/// A check-in is stored when the stored one is this old. Well below [`crate::domain::host::ALIVE_SECS`], so that
/// what is stored suffices to judge whether a host is alive. Seconds.
pub const STORE_SECS: i64 = 120;

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
        let is_due = is_due(host, &check_in);
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
