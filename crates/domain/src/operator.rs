//! An operator: a person who runs the shop, or owns hosts and nodes in it.

use super::id::OperatorId;
use super::principal::RESERVED_NAMES;
use super::text::is_plain_name;
use super::texts::Reason;
use super::time::Timestamp;

/// What an operator may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything.
    Administrator,
    /// Sees and changes only their own hosts and nodes.
    Operator,
}

impl Role {
    /// The name in the database and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Operator => "operator",
        }
    }

    /// Reads [`Role::name`].
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Administrator, Self::Operator].into_iter().find(|role| role.name() == name)
    }
}

/// An operator; the password is only ever in the database, hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Their number, the `owner` of hosts in the API.
    pub id: OperatorId,
    /// Their name, with which they log in.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Since when they may no longer sign in, if so.
    pub disabled_at: Option<Timestamp>,
    /// Whether they have a second factor besides the password.
    pub has_second_factor: bool,
    /// When they were added.
    pub created_at: Timestamp,
    /// When they last changed.
    pub modified_at: Timestamp,
}

/// What is wrong with a name for an operator, if anything. The change log names others so; a colon would end the name in HTTP Basic credentials.
pub fn name_error(name: &str) -> Option<Reason> {
    if name.is_empty() || name.chars().count() > 150 {
        Some(Reason::NameLength)
    } else if name.contains(':') || !is_plain_name(name) || name.contains(char::is_whitespace) {
        Some(Reason::NameSymbols)
    } else if RESERVED_NAMES.contains(&name.to_lowercase().as_str()) {
        Some(Reason::NameReserved)
    } else {
        None
    }
}
