//! The ways out of the shop.

use crate::lightning::dial::Dial;

/// The ways out.
#[derive(Clone, Debug)]
pub struct Ways {
    /// Through Tor only where nothing else leads there.
    pub plain: Dial,
    /// Through Tor, where the shop has a way out through it.
    pub tor: Dial,
    /// The same, but never to this machine or into its network: for servers that were chosen by somebody else than an
    /// administrator.
    pub public: Dial,
}

impl Ways {
    /// The way of a channel that goes through Tor, or need not.
    pub fn choose(&self, through_tor: bool) -> Dial {
        if through_tor { self.tor.clone() } else { self.plain.clone() }
    }
}
