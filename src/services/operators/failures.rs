//! How often something has failed in a row, and how long the next try has to wait for it: longer each time.

use crate::domain::time::Timestamp;

/// Failures are forgotten when none was added for so long. Seconds.
const FORGOTTEN_SECS: i64 = 3600;

/// Failures of one name, or from one client.
pub struct Failures {
    count: u32,
    last: Timestamp,
}

impl Failures {
    /// None so far.
    pub const fn none(now: Timestamp) -> Self {
        Self { count: 0, last: now }
    }

    /// When the last of them was.
    pub const fn last(&self) -> Timestamp {
        self.last
    }

    /// Adds one.
    pub fn add(&mut self, now: Timestamp) {
        let former = if self.is_fresh(now) { self.count } else { 0 };
        (self.count, self.last) = (former.saturating_add(1), now);
    }

    /// Takes one back.
    pub const fn take_back(&mut self) {
        self.count = self.count.saturating_sub(1);
    }

    /// Seconds that the next try has to wait, at most `most`; so many as `free` wait for nothing.
    pub fn wait_secs(&self, free: u32, most: u32, now: Timestamp) -> u32 {
        let Some(more) = self.count.checked_sub(free).filter(|_| self.is_fresh(now)) else { return 0 };
        let delay = 1_u32.checked_shl(more).unwrap_or(most).clamp(1, most);
        let left = self.last.plus_secs(delay.into()).millis_since(now);
        u32::try_from(left.max(0).unsigned_abs().div_ceil(1000)).unwrap_or(most)
    }

    /// Not with a last one in the future: a clock that was put back must not lock anybody out.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.last.is_within(FORGOTTEN_SECS, now)
    }
}
