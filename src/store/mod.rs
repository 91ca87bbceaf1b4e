//! The database: the only part of the shop that speaks SQL. One file per noun; `db` owns the
//! connections. Functions take a connection or an open transaction and do no more than read or
//! write; what a change means is decided in `domain` and `services`.

pub mod ahead;
pub mod alert_channels;
pub mod alert_messages;
pub mod alerts;
pub mod api_tokens;
pub mod audit_log;
pub mod backup;
pub mod claims;
pub mod day_totals;
pub mod db;
pub mod deals;
pub mod deny_list;
pub mod failed_logins;
pub mod host_tokens;
pub mod hosts;
pub mod job_history;
pub mod job_runs;
pub mod keyset;
#[cfg(test)]
mod list_plans;
pub mod lost_invoices;
pub mod meta;
pub mod node_state;
pub mod nodes;
pub mod operators;
pub mod order_lists;
pub mod outages;
pub mod outbox;
#[cfg(test)]
mod plans;
pub mod presence;
pub mod product_lists;
pub mod products;
pub mod pulse;
pub mod rates;
pub mod refunds;
pub mod reservations;
pub mod row;
pub mod schema;
pub mod second_factors;
pub mod sessions;
pub mod setup_links;
pub mod takeover;
pub mod unpaid;

pub use db::{Db, StoreError};
/// A connection or open transaction, handed through by services.
pub use rusqlite::Connection;
