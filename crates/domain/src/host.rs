//! A host: the machine with the public IP address that products live on.

use super::id::{HostId, OperatorId};
use super::money::Msat;
use super::time::Timestamp;

/// A host is alive while its last check-in said hello and is younger than this. Seconds.
pub const ALIVE_SECS: i64 = 300;

/// The check-in status that says "I am here"; 1 is goodbye, 2 farewell.
pub const CHECK_IN_HELLO: u8 = 0;

macro_rules! host {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $default:expr, $value:literal $(, alias = $alias:literal)?;)*) => {
        /// A host with everything that it sells and says of itself. Fields as in the API; durations in
        /// seconds, prices in msat, bandwidth in bytes.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Host {
            /// Its public id.
            pub id: HostId,
            /// The operator that it belongs to.
            pub owner_id: OperatorId,
            /// Its public IP address.
            pub ip: String,
            /// Its name, at most 20 characters.
            pub name: String,
            /// What it says to buyers, at most 140 characters.
            pub description: Option<String>,
            $($(#[$doc])* pub $field: $type,)*
            /// Since when forwards may stand on it that the shop does not know; `None` once it was swept.
            pub unswept_since: Option<Timestamp>,
            /// The last check-in.
            pub ci_date: Option<Timestamp>,
            /// What the last check-in said: 0 hello, 1 goodbye, 2 farewell.
            pub ci_status: u8,
            /// The text of the last check-in.
            pub ci_message: Option<String>,
            /// When it was added.
            pub created_at: Timestamp,
            /// When it last changed (a check-in counts).
            pub modified_at: Timestamp,
        }

        impl Host {
            /// A new host with the predecessor's defaults, before anything is said about it.
            pub const fn new(id: HostId, owner_id: OperatorId, now: Timestamp) -> Self {
                Self {
                    id,
                    owner_id,
                    ip: String::new(),
                    name: String::new(),
                    description: None,
                    $($field: $default,)*
                    unswept_since: None,
                    ci_date: None,
                    ci_status: CHECK_IN_HELLO,
                    ci_message: None,
                    created_at: now,
                    modified_at: now,
                }
            }
        }
    };
}

crate::host_settings!(host);

impl Host {
    /// Whether its last check-in says hello and is young enough. One that a wrong clock stamped in the
    /// future is not: a dead host would be offered until then.
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.ci_status == CHECK_IN_HELLO && self.ci_date.is_some_and(|date| date.is_within(ALIVE_SECS, now))
    }

    /// The price of the cheapest that it sells anew; 0 when it sells nothing.
    pub fn lowest_price(&self) -> Msat {
        let bridge = self.offers_tor_bridges.then_some(self.tor_bridge_price_initial);
        let alias = self.offers_nostr_aliases.then_some(self.nostr_alias_price_initial);
        bridge.into_iter().chain(alias).min().unwrap_or_default()
    }
}

/// What a port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PortKind {
    /// T: Tor bridges.
    TorBridge,
    /// R: reverse SSH tunnels.
    RsshTunnel,
}

impl PortKind {
    /// The predecessor's letter.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::TorBridge => "T",
            Self::RsshTunnel => "R",
        }
    }

    /// Reads [`PortKind::letter`].
    pub fn parse(letter: &str) -> Option<Self> {
        match letter {
            "T" => Some(Self::TorBridge),
            "R" => Some(Self::RsshTunnel),
            _ => None,
        }
    }
}

/// Ports that a host may sell, both ends included.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// Its row.
    pub id: i64,
    pub host_id: HostId,
    /// What it is for.
    pub kind: PortKind,
    /// The first port.
    pub first: u16,
    /// The last port.
    pub last: u16,
    /// How many are in use.
    pub used: u32,
}

impl PortRange {
    /// How many ports are free.
    pub fn free(&self) -> u32 {
        (u32::from(self.last) - u32::from(self.first) + 1).saturating_sub(self.used)
    }

    /// Whether two ranges share a port.
    pub const fn overlaps(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}
