//! Which outgoing connections may share a Tor circuit, and so be seen to belong together by the
//! relay at the end of it.

use std::sync::atomic::{AtomicU64, Ordering};

use arti_client::isolation::IsolationHelper;

/// Connections with equal isolation may share circuits, others never do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Isolation(u64);

impl Isolation {
    /// For connections that may share circuits with all others that say so.
    pub const SHARED: Self = Self(0);

    /// An isolation unlike any other in this process: a circuit of its own.
    pub fn fresh() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The SOCKS user name that makes C-tor keep connections apart (its `IsolateSOCKSAuth`, which
    /// is on by default).
    pub(super) fn socks_user(self) -> String {
        format!("ip2tor-shop-{}", self.0)
    }
}

impl IsolationHelper for Isolation {
    fn compatible_same_type(&self, other: &Self) -> bool {
        self == other
    }

    fn join_same_type(&self, other: &Self) -> Option<Self> {
        (self == other).then_some(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_isolations_share_with_nothing_else() {
        let (one, two) = (Isolation::fresh(), Isolation::fresh());
        assert!(one.compatible_same_type(&one));
        assert!(!one.compatible_same_type(&two));
        assert!(!one.compatible_same_type(&Isolation::SHARED));
        assert_ne!(one.socks_user(), two.socks_user());
    }
}
