//! A host in bodies: its settings are those of `host_settings!`, by the names of the API.

use poem_openapi::Object;
use serde::Serialize;

use super::values::{AdminChange, Shown, date};
use crate::domain::host::PortKind;
use crate::domain::host_rules::HostChange;
use crate::domain::texts::Message;
use crate::domain::time::Timestamp;
use crate::http::problem::Problem;
use crate::services::hosts::manage::{Change, HostView, Span};

macro_rules! bodies {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $default:expr, $value:literal $(, alias = $alias:literal)?;)*) => {
        /// A host. Durations are seconds, prices msat, bandwidth bytes.
        #[derive(Debug, Serialize, Object)]
        pub struct AdminHost {
            /// Its id.
            pub id: String,
            /// The number of its operator.
            pub owner_id: i64,
            /// The name of its operator.
            pub owner: String,
            /// Its public IP address.
            pub ip: String,
            /// Its name.
            pub name: String,
            /// What it says to buyers.
            pub description: Option<String>,
            $($(#[$doc])* pub $field: <$type as Shown>::As,)*
            /// Whether it checks in.
            pub is_alive: bool,
            /// The last check-in.
            pub ci_date: Option<String>,
            /// What it said: 0 hello, 1 goodbye, 2 farewell.
            pub ci_status: u8,
            /// The text of it.
            pub ci_message: Option<String>,
            /// Since when forwards may stand on it that the shop does not know.
            pub unswept_since: Option<String>,
            /// Its ports.
            pub ranges: Vec<AdminRange>,
            /// Ports that are set aside, since something answers there that the shop does not know.
            pub set_aside: Vec<u16>,
            /// When it was added.
            pub created_at: String,
            /// When it last changed; a check-in counts.
            pub modified_at: String,
        }

        impl AdminHost {
            /// As it is shown.
            pub fn new(view: &HostView, now: Timestamp) -> Self {
                let host = &view.host;
                Self {
                    id: host.id.to_string(),
                    owner_id: host.owner_id.0,
                    owner: view.owner.clone(),
                    ip: host.ip.clone(),
                    name: host.name.clone(),
                    description: host.description.clone(),
                    $($field: host.$field.shown(),)*
                    is_alive: host.is_alive(now),
                    ci_date: date(host.ci_date),
                    ci_status: host.ci_status,
                    ci_message: host.ci_message.clone(),
                    unswept_since: date(host.unswept_since),
                    ranges: view.ranges.iter().map(AdminRange::new).collect(),
                    set_aside: view.set_aside.clone(),
                    created_at: host.created_at.to_wire(),
                    modified_at: host.modified_at.to_wire(),
                }
            }
        }

        /// The settings of a host that are to change.
        #[derive(Debug, Object)]
        #[oai(deny_unknown_fields)]
        pub struct AdminHostFields {
            /// Its public IP address.
            pub ip: Option<String>,
            /// Its name, at most 20 characters.
            pub name: Option<String>,
            /// What it says to buyers, at most 140 characters.
            pub description: Option<String>,
            $($(#[$doc])* pub $field: Option<<$type as Shown>::As>,)*
        }

        impl AdminHostFields {
            /// The change that is meant.
            pub fn change(self) -> HostChange {
                HostChange {
                    ip: self.ip,
                    name: self.name,
                    description: self.description,
                    $($field: self.$field.map(<$type as Shown>::read),)*
                }
            }
        }
    };
}

crate::domain::host_settings!(bodies);

/// Ports, both ends included.
#[derive(Debug, Serialize, Object)]
pub struct AdminRange {
    /// Its number.
    pub id: i64,
    /// `T`: Tor bridges, `R`: reverse SSH tunnels.
    pub kind: String,
    /// The first port.
    pub first: u16,
    /// The last port.
    pub last: u16,
    /// How many are in use.
    pub used: u32,
    /// How many are free.
    pub free: u32,
}

impl AdminRange {
    fn new(range: &crate::domain::host::PortRange) -> Self {
        Self {
            id: range.id,
            kind: range.kind.letter().to_owned(),
            first: range.first,
            last: range.last,
            used: range.used,
            free: range.free(),
        }
    }
}

/// A range of ports that is to be added.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct AdminNewRange {
    /// `T`: Tor bridges (default), `R`: reverse SSH tunnels.
    pub kind: Option<String>,
    /// The first port.
    pub first: u16,
    /// The last port.
    pub last: u16,
}

impl AdminNewRange {
    /// The range as services know it.
    pub fn span(&self) -> Result<Span, Problem> {
        let letter = self.kind.as_deref().unwrap_or("T");
        let wrong = || Problem::field("kind", Message::NoChoice { value: letter.to_owned() });
        Ok((PortKind::parse(letter).ok_or_else(wrong)?, self.first, self.last))
    }
}

/// All ranges of a new host.
pub fn spans(ranges: &[AdminNewRange]) -> Result<Vec<Span>, Problem> {
    ranges.iter().map(AdminNewRange::span).collect()
}

/// A host that is to be added.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct AdminNewHost {
    /// Its settings; what is not given has its default. `ip` and `name` are needed.
    pub settings: AdminHostFields,
    /// Its ports.
    #[oai(default)]
    pub ranges: Vec<AdminNewRange>,
    /// The name of its operator; without it, whoever asks or (for an administrator) the only one there is.
    pub owner: Option<String>,
}

/// Whose a host is from now on.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct AdminNewOwner {
    /// The operator's name.
    pub owner: String,
}

/// A token, the only time that it can be seen.
#[derive(Debug, Serialize, Object)]
pub struct AdminNewToken {
    /// The host's id.
    pub id: String,
    /// The token.
    pub token: String,
    /// What goes into the file of the host's scripts.
    pub block: String,
    /// What keeps buyers away.
    pub warnings: Vec<String>,
}

/// How a token is replaced.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct AdminTokenWish {
    /// Whether the old token ends now.
    pub at_once: Option<bool>,
}

/// A host that was changed.
#[derive(Debug, Serialize, Object)]
pub struct AdminHostChanged {
    /// As it is now.
    pub host: AdminHost,
    /// What changed, as `field old->new`.
    pub changed: Vec<String>,
    /// What keeps buyers away.
    pub warnings: Vec<String>,
}

/// A host that came or went.
#[derive(Debug, Serialize, Object)]
pub struct AdminPresence {
    /// When it was noticed.
    pub at: String,
    /// Whether it came.
    pub is_alive: bool,
}

impl From<Change> for AdminPresence {
    fn from(change: Change) -> Self {
        Self { at: change.at.to_wire(), is_alive: change.is_alive }
    }
}

/// Everything about a host.
#[derive(Debug, Serialize, Object)]
pub struct AdminHostDetail {
    /// The host.
    pub host: AdminHost,
    /// What keeps buyers away.
    pub warnings: Vec<String>,
    /// What goes into the file of its scripts, without the token.
    pub block: String,
    /// When it came and went, newest first; thirty days of it.
    pub presence: Vec<AdminPresence>,
    /// What happened to it, oldest first.
    pub history: Vec<AdminChange>,
}
