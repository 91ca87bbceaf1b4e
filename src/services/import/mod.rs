//! Moving in from the shop's predecessor: what its framework's `dumpdata` has written becomes a shop, in one transaction.
//!
//! `dump` reads the file, `old` gives its objects types, `plan` decides purely what becomes what, `store` writes it down,
//! `report` tells of each object what became of it. Nothing is ever left out silently: an object that nobody speaks of is
//! in the report as well.

mod credentials;
mod dump;
mod env;
mod ledger;
mod old;
mod plan;
mod refused;
mod report;
mod store;
#[cfg(test)]
mod tests;

pub use credentials::Credentials;
pub use dump::MAX_BYTES;
pub use env::Env;
pub use plan::Plan;
pub use refused::Refused;
pub use report::Report;
pub use store::{occupants, store};

use crate::domain::time::Timestamp;

/// Decides what becomes of a dump. Only looks; [`store()`] carries it out.
///
/// # Errors
/// [`Refused`] for what the old shop can't have written, for what contradicts itself, and for a part of a shop.
pub fn plan(dump: &[u8], env: &Env, credentials: &Credentials, now: Timestamp) -> Result<Plan, Refused> {
    let old = old::Old::read(dump::parse(dump)?)?;
    plan::make(&old, env, credentials, now)
}
