//! Deny lists: targets that no bridge may lead to, and IP addresses that get no service. Entries go
//! through the predecessor's states of review; the last two deny.

use std::net::IpAddr;

use super::target;
use super::time::Timestamp;

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenyKind {
    /// An onion address, alone (all its ports) or with a port.
    Target,
    /// An IP address.
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

/// How far the review of an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    pub const ALL: [Self; 6] =
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
pub fn normalize(kind: DenyKind, value: &str) -> Result<String, String> {
    let value = value.trim().to_ascii_lowercase();
    match kind {
        DenyKind::Ip => match value.parse::<IpAddr>() {
            Ok(address) => Ok(address.to_canonical().to_string()),
            Err(_) => Err(format!("{value:?} is not an IP address.")),
        },
        DenyKind::Target => {
            let (address, port) = value.split_once(':').map_or((value.as_str(), None), |(a, p)| (a, Some(p)));
            let name = address.strip_suffix(".onion").unwrap_or_default();
            let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
            let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
            if is_name && is_port {
                Ok(value)
            } else {
                Err(format!("{value:?} is neither an .onion address nor one with a port."))
            }
        }
    }
}

/// As [`normalize`], for a new entry: a target must be one that somebody could order a bridge to, or
/// the entry would never match.
///
/// # Errors
/// What is wrong with it.
pub fn new_value(kind: DenyKind, value: &str) -> Result<String, String> {
    let value = normalize(kind, value)?;
    if kind == DenyKind::Ip {
        return Ok(value);
    }
    let (address, port) = value.split_once(':').map_or((value.as_str(), None), |(a, p)| (a, Some(p)));
    let target = target::parse(&format!("{address}:{}", port.unwrap_or("1"))).map_err(|reasons| reasons.join(" "))?;
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
    fn a_new_entry_names_a_target_that_could_be_ordered() {
        let address = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
        assert_eq!(new_value(DenyKind::Target, &address.to_uppercase()).as_deref(), Ok(address));
        let with_port = format!("{address}:80");
        assert_eq!(new_value(DenyKind::Target, &format!("{address}:080")), Ok(with_port));
        for wrong in ["abc.onion", "abc.onion:80", &address[1..]] {
            assert!(new_value(DenyKind::Target, wrong).is_err(), "{wrong}");
        }
    }
}
