//! The use cases of the shop, one function each: they open the transaction, let the domain decide,
//! and store what it says. No HTTP types, no SQL.

pub mod alert_messages;
pub mod alerts;
pub mod authz;
pub mod backstage;
pub mod backup;
pub mod changes;
pub mod clock;
pub mod dashboard;
pub mod deals;
pub mod deny_list;
pub mod doctor;
pub mod error;
pub mod figures;
pub mod file_permissions;
pub mod hosts;
pub mod import;
pub mod instance;
pub mod invoices;
pub mod jobs;
pub mod left_out;
pub mod log_ring;
pub mod nodes;
pub mod onion_address;
pub mod operator_queries;
pub mod operators;
pub mod orders;
pub mod outbox;
pub mod own_channels;
pub mod payments;
pub mod products;
pub mod pulse;
pub mod rates;
pub mod reports;
pub mod restored;
pub mod shop;
pub mod site;
#[cfg(test)]
pub(crate) mod test_support;
pub mod tx;

pub use crate::domain::principal::Principal;
pub use error::Error;
pub use shop::{ProbePolicy, Settings, Shop};
pub use tx::{AfterCommit, ReadTx, Session, Tx};
