//! In which ways a node is not heard, and since when; kept with its entry, for [`super::troubles`].

use std::sync::atomic::AtomicBool;

use parking_lot::Mutex;

use crate::domain::time::Timestamp;

/// A way in which a node's payments are heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The stream of settlements.
    Stream,
    /// The comparison of open invoices.
    Comparison,
}

impl Way {
    /// As the operator is told of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stream => "its stream of settlements fails",
            Self::Comparison => "comparing its open invoices fails",
        }
    }
}

/// Since when what has failed without a break; kept per node.
#[derive(Debug, Default)]
pub struct Troubles {
    since: Mutex<[Option<Timestamp>; 2]>,
    /// Whether an alert of a former process has been looked for.
    pub(super) is_begun: AtomicBool,
}

impl Troubles {
    /// Since when each way fails.
    pub fn all(&self) -> [Option<Timestamp>; 2] {
        *self.since.lock()
    }

    /// Changes since when it fails in this way; returns all.
    pub fn change(
        &self,
        way: Way,
        change: impl FnOnce(Option<Timestamp>) -> Option<Timestamp>,
    ) -> [Option<Timestamp>; 2] {
        let mut since = self.since.lock();
        since[way as usize] = change(since[way as usize]);
        *since
    }
}
