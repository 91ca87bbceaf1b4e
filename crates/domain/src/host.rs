//! A host: the machine with the public IP address that products live on.

use super::id::{HostId, OperatorId};
use super::money::Msat;
use super::time::Timestamp;

/// A host is alive while its last check-in said hello and is younger than this. Seconds.
pub const ALIVE_SECS: i64 = 300;

/// The check-in status that says "I am here"; 1 is goodbye, 2 farewell.
pub const CHECK_IN_HELLO: u8 = 0;

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
    /// Whether it sells.
    pub is_enabled: bool,
    /// Whether it is for trying out: its products can't be extended.
    pub is_test_host: bool,
    /// Whether it is paid for on a test network.
    pub is_testnet: bool,
    /// Whether it sells Tor bridges.
    pub offers_tor_bridges: bool,
    /// Seconds that a bridge is sold for; 0 is for ever.
    pub tor_bridge_duration: i64,
    /// The price of a new bridge.
    pub tor_bridge_price_initial: Msat,
    /// The price of an extension.
    pub tor_bridge_price_extension: Msat,
    /// Whether it sells Nostr aliases.
    pub offers_nostr_aliases: bool,
    /// The port that serves aliases.
    pub nostr_alias_port: u16,
    /// Seconds that an alias is sold for; 0 is for ever.
    pub nostr_alias_duration: i64,
    /// The price of a new alias.
    pub nostr_alias_price_initial: Msat,
    /// The price of an extension.
    pub nostr_alias_price_extension: Msat,
    /// Whether it would sell reverse SSH tunnels (never offered by this shop).
    pub offers_rssh_tunnels: bool,
    /// The price of a tunnel.
    pub rssh_tunnel_price: Msat,
    /// Terms of service as text; may be empty.
    pub terms_of_service: String,
    /// Where the terms are; may be empty.
    pub terms_of_service_url: String,
    /// Bytes that a new bridge (and each extension) comes with; 0 means without limit.
    pub bridge_bandwidth_initial: i64,
    /// Seconds added to each paid period, at least 600.
    pub grace_secs: i64,
    /// Seconds that a payment is held for the activation, at least 60.
    pub hold_limit_secs: i64,
    /// Whether hold invoices are used for it where the node can.
    pub use_holds: bool,
    /// Seconds after a payment for which buyers' software waits for the delivery, at least 60.
    pub late_secs: i64,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    /// Its row.
    pub id: i64,
    /// Its host.
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
