//! The use cases of the shop, one function each: they open the transaction, let the domain decide,
//! and store what it says. No HTTP types, no SQL.

mod act;
pub mod alerts;
pub mod backup;
pub mod clock;
pub mod deals;
pub mod deny_list;
pub mod doctor;
pub mod error;
pub mod file_permissions;
pub mod hosts;
pub mod instance;
pub mod invoices;
pub mod left_out;
pub mod nodes;
pub mod onion_address;
pub mod operator_queries;
pub mod operators;
pub mod orders;
pub mod payments;
pub mod products;
pub mod rates;
pub mod shop;
pub mod site;
#[cfg(test)]
pub(crate) mod test_support;

pub use act::Act;
pub use error::Error;
pub use shop::{ProbePolicy, Settings, Shop};

use crate::domain::id::{HostId, OperatorId};

/// Who asks, and so what they may see and change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A host, through its token: its own record and products.
    Host(HostId),
    /// An administrator: everything.
    Administrator(String),
    /// An operator: through the compatible API nothing (as the predecessor), through the command
    /// line and the admin API their own hosts and nodes.
    Operator(OperatorId, String),
}

impl Scope {
    /// How the change log names them.
    pub fn actor(&self) -> String {
        match self {
            Self::Host(id) => format!("host:{id}"),
            Self::Administrator(name) | Self::Operator(_, name) => format!("operator:{name}"),
        }
    }
}
