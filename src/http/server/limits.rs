//! What a connection may cost.

use std::time::Duration;

/// The largest head of a request, in bytes: twice what browsers and programs send at most. Each connection may hold a
/// buffer of this size, and one more when the head is read and something follows.
pub(in crate::http) const HEAD_BYTES: usize = 16 << 10;
/// Places, unless the operator says otherwise.
pub const DEFAULT_PLACES: usize = 104;

/// How connections are limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections at a time; more wait until one ends. One client gets a quarter of them.
    pub max_connections: usize,
    /// From a request's first byte to the end of its headers.
    pub header_time: Duration,
    /// How long a request may take; it is given up elsewhere, and here only a little later.
    pub request_time: Duration,
    /// A connection without a request, or whose client takes nothing of the answer, is closed then.
    pub idle_time: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            max_connections: DEFAULT_PLACES,
            header_time: Duration::from_secs(10),
            request_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(60),
        }
    }
}

impl ConnectionLimits {
    /// The same for a listener of its own that only a few people reach.
    #[must_use]
    pub fn for_few(self) -> Self {
        Self { max_connections: (self.max_connections / 16).max(8), ..self }
    }
}
