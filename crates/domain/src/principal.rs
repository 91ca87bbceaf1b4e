//! Who acts: one way to say it, whichever way they came in.

use std::borrow::Cow;

use super::id::{HostId, NodeId, OperatorId};

/// How the change log names the command line, the shop itself and buyers. No operator may have one of these names.
pub const RESERVED_NAMES: [&str; 3] = [COMMAND_LINE, SHOP, BUYER];

const COMMAND_LINE: &str = "cli";
const SHOP: &str = "shop";
const BUYER: &str = "buyer";

/// Who acts, and so what they may see and change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A host, through its token.
    Host(HostId),
    /// An administrator, by name.
    Administrator(String),
    /// An operator who is no administrator, by number and name.
    Operator(OperatorId, String),
    /// Somebody who buys: nobody knows who.
    Buyer,
    /// The shop itself: its deadlines and its jobs.
    Shop,
    /// The shop, when a Lightning node has told it something.
    Node(NodeId),
    /// Whoever may open the database file, by the name of their account on the machine, if it is known.
    CommandLine(Option<String>),
}

impl Principal {
    /// How the change log names them: the same everywhere.
    pub fn log_name(&self) -> Cow<'static, str> {
        match self {
            Self::Host(id) => format!("host:{id}").into(),
            Self::Administrator(name) | Self::Operator(_, name) => format!("operator:{name}").into(),
            Self::Buyer => BUYER.into(),
            Self::Shop => SHOP.into(),
            Self::Node(id) => format!("node:{id}").into(),
            Self::CommandLine(None) => COMMAND_LINE.into(),
            Self::CommandLine(Some(user)) => format!("{COMMAND_LINE}:{user}").into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_named_like_somebody_else_in_the_change_log() {
        let id = uuid::Uuid::nil();
        let all = [
            Principal::Host(HostId(id)),
            Principal::Administrator("anna".to_owned()),
            Principal::Operator(OperatorId(1), "bert".to_owned()),
            Principal::Buyer,
            Principal::Shop,
            Principal::Node(NodeId(id)),
            Principal::CommandLine(None),
            Principal::CommandLine(Some("pi".to_owned())),
        ];
        let names: Vec<_> = all.iter().map(Principal::log_name).collect();
        let expected = [
            "host:00000000-0000-0000-0000-000000000000",
            "operator:anna",
            "operator:bert",
            "buyer",
            "shop",
            "node:00000000-0000-0000-0000-000000000000",
            "cli",
            "cli:pi",
        ];
        assert_eq!(names, expected);
    }
}
