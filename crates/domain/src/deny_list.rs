//! Deny lists: targets that no bridge may lead to, and IP addresses and networks that get no service. Entries go
//! through the predecessor's states of review; the last two deny.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use strum::EnumCount;

use super::texts::{Message, Reason};
use super::time::Timestamp;
use super::{address, target};

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenyKind {
    /// An onion address, alone (all its ports) or with a port.
    Target,
    /// An IP address or a network. Of IPv6 the first 64 bits count: the others are its owner's to choose.
    Ip,
}

impl DenyKind {
    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Ip => "ip",
        }
    }

    /// Reads [`DenyKind::name`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Target, Self::Ip].into_iter().find(|kind| kind.name() == name)
    }
}

/// How far the review of an entry is; a later one is the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumCount)]
pub enum DenyStatus {
    /// Nobody looked at it yet.
    Initial,
    /// Somebody proposes to deny it.
    Proposed,
    /// It is being looked at.
    InReview,
    /// Looked at, and left alone.
    Neutral,
    /// Denied, until somebody says otherwise.
    Recommended,
    /// Denied.
    Denied,
}

impl DenyStatus {
    /// All states, in the order of a review.
    pub const ALL: [Self; Self::COUNT] =
        [Self::Initial, Self::Proposed, Self::InReview, Self::Neutral, Self::Recommended, Self::Denied];

    /// The name in the database and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Proposed => "proposed",
            Self::InReview => "in_review",
            Self::Neutral => "neutral",
            Self::Recommended => "recommended",
            Self::Denied => "denied",
        }
    }

    /// Reads [`DenyStatus::name`]; dashes count as underscores.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.replace('-', "_");
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether an entry in this state refuses orders.
    pub const fn denies(self) -> bool {
        matches!(self, Self::Recommended | Self::Denied)
    }
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DenyEntry {
    /// Its number.
    pub id: i64,
    /// What it is about.
    pub kind: DenyKind,
    /// The target or address, as [`normalize`] writes it.
    pub value: String,
    /// How far its review is.
    pub status: DenyStatus,
    /// Why, at most 140 characters.
    pub comment: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
}

/// The one spelling of a value.
///
/// # Errors
/// What is wrong with it.
pub fn normalize(kind: DenyKind, value: &str) -> Result<String, Reason> {
    let value = value.trim_matches(|symbol: char| symbol.is_whitespace() || symbol == '\u{feff}').to_ascii_lowercase();
    match kind {
        DenyKind::Ip => network(&value),
        DenyKind::Target => {
            let (address, port) = value.split_once(':').map_or((value.as_str(), None), |(a, p)| (a, Some(p)));
            let name = address.strip_suffix(".onion").unwrap_or_default();
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
            let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
            if is_name && is_port { Ok(value) } else { Err(Reason::NoTarget { value }) }
        }
    }
}

/// Bits of an IPv6 address that tell clients apart.
const IPV6_BITS: u8 = 64;

/// The one spelling of an address or network.
fn network(value: &str) -> Result<String, Reason> {
    let (written, bits) = value.split_once('/').map_or((value, None), |(written, bits)| (written, Some(bits)));
    let wrong = || Reason::NoNetwork { value: value.to_owned() };
    let address = address::ip(written).ok_or_else(wrong)?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits: u8 = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| wrong()))?;
    let canonical = address.to_canonical();
    // `::ffff:192.0.2.0/120` is 192.0.2.0/24.
    let bits = if canonical.is_ipv4() && address.is_ipv6() { bits.checked_sub(96).unwrap_or(u8::MAX) } else { bits };
    let most = if canonical.is_ipv4() { 32 } else { most };
    if bits == 0 || bits > most {
        return Err(Reason::NoBits { value: value.to_owned(), most });
    }
    Ok(within(canonical, bits))
}

/// The network of `bits` that an address lies in, as the list spells it.
fn within(address: IpAddr, bits: u8) -> String {
    match address {
        IpAddr::V4(address) if bits >= 32 => address.to_string(),
        IpAddr::V4(address) => {
            let mask = u32::MAX << (32 - u32::from(bits));
            format!("{}/{bits}", Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let bits = bits.min(IPV6_BITS);
            let mask = u128::MAX << (128 - u32::from(bits));
            format!("{}/{bits}", Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

/// Every entry that would hold for an address, as the list spells it: each network that it lies in. None for
/// what is no address.
pub fn spellings(address: &str) -> Vec<String> {
    let Ok(address) = address.parse::<IpAddr>().map(|address| address.to_canonical()) else { return Vec::new() };
    let most = if address.is_ipv4() { 32 } else { IPV6_BITS };
    (1..=most).rev().map(|bits| within(address, bits)).collect()
}

/// As [`normalize`], for a new entry: a target must be one that somebody could order a bridge to, or
/// the entry would never match.
///
/// # Errors
/// What is wrong with it.
pub fn new_value(kind: DenyKind, value: &str) -> Result<String, Vec<Message>> {
    let value = normalize(kind, value).map_err(|reason| vec![reason.into()])?;
    if kind == DenyKind::Ip {
        return Ok(value);
    }
    let (address, port) = value.split_once(':').map_or((value.as_str(), None), |(a, p)| (a, Some(p)));
    let target = target::parse(&format!("{address}:{}", port.unwrap_or("1")))?;
    Ok(if port.is_some() { target } else { address.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_recommended_and_denied_entries_deny() {
        let denying: Vec<_> = DenyStatus::ALL.into_iter().filter(|status| status.denies()).collect();
        assert_eq!(denying, [DenyStatus::Recommended, DenyStatus::Denied]);
    }

    #[test]
    fn values_have_one_spelling() {
        assert_eq!(normalize(DenyKind::Target, " ABC.onion:80 ").as_deref(), Ok("abc.onion:80"));
        assert_eq!(normalize(DenyKind::Ip, "::ffff:192.0.2.1").as_deref(), Ok("192.0.2.1"));
        assert!(normalize(DenyKind::Target, "example.com").is_err());
        assert!(normalize(DenyKind::Target, "abc.onion:x").is_err());
        assert!(normalize(DenyKind::Ip, "abc").is_err());
    }

    #[test]
    fn networks_have_one_spelling_and_ipv6_counts_by_its_first_half() {
        for (value, spelling) in [
            ("203.0.113.7/24", "203.0.113.0/24"),
            ("203.0.113.7/32", "203.0.113.7"),
            ("::ffff:203.0.113.7/120", "203.0.113.0/24"),
            ("2001:DB8:0:0:1::1", "2001:db8::/64"),
            ("2001:db8::1/128", "2001:db8::/64"),
            ("2001:db8:ffff::/32", "2001:db8::/32"),
            ("10.0.0.0/8", "10.0.0.0/8"),
        ] {
            assert_eq!(normalize(DenyKind::Ip, value).as_deref(), Ok(spelling), "{value}");
            assert_eq!(normalize(DenyKind::Ip, spelling).as_deref(), Ok(spelling), "{spelling}");
        }
        for wrong in ["203.0.113.0/33", "203.0.113.0/0", "::/0", "2001:db8::/129", "1.2.3.4/", "/24", "1.2.3.4/-1"] {
            assert!(normalize(DenyKind::Ip, wrong).is_err(), "{wrong}");
        }
        assert!(normalize(DenyKind::Ip, "::ffff:1.2.3.4/90").is_err(), "a part of it is no IPv4");
    }

    #[test]
    fn an_address_is_found_under_each_network_that_it_lies_in() {
        let found = spellings("203.0.113.7");
        assert!(["203.0.113.7", "203.0.113.0/24", "128.0.0.0/1"].iter().all(|one| found.contains(&(*one).to_owned())));
        let found = spellings("2001:db8::beef:1:2:3");
        assert!(["2001:db8::/64", "2001:db8::/32"].iter().all(|one| found.contains(&(*one).to_owned())), "{found:?}");
        assert_eq!((spellings("::ffff:10.1.2.3"), spellings("?")), (spellings("10.1.2.3"), Vec::new()));
    }

    #[test]
    fn a_new_entry_names_a_target_that_could_be_ordered() {
        let address = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
        assert_eq!(new_value(DenyKind::Target, &address.to_uppercase()).as_deref(), Ok(address));
        let with_port = format!("{address}:80");
        assert_eq!(new_value(DenyKind::Target, &format!("{address}:080")), Ok(with_port));
        for wrong in ["abc.onion", "abc.onion:80", &address[1..]] {
            assert!(new_value(DenyKind::Target, wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_target_has_a_name_of_letters_digits_and_dots_and_a_port_above_zero() {
        for fine in ["abc.onion", "www.abc2.onion:1", "abc.onion:65535"] {
            assert_eq!(normalize(DenyKind::Target, fine).as_deref(), Ok(fine));
        }
        for wrong in [".onion", ".onion:80", "a_b.onion", "a b.onion", "abc.onion:0", "abc.onion:65536", "abc.onion:"] {
            assert!(normalize(DenyKind::Target, wrong).is_err(), "{wrong}");
        }
        assert_eq!(normalize(DenyKind::Target, "\u{feff}abc.onion\n").as_deref(), Ok("abc.onion"));
    }
}
