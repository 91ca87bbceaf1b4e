//! Moving in from the shop's predecessor: what its framework's `dumpdata` has written becomes a shop, in one transaction.
//!
//! `dump` reads the file, `old` gives its objects types, `plan` decides purely what becomes what, `store` writes it down,
//! `report` tells of each object what became of it. Nothing is ever left out silently: an object that nobody speaks of is
//! in the report as well.

mod dump;
mod env;
mod ledger;
mod old;
mod plan;
mod report;
mod store;
#[cfg(test)]
mod tests;

pub use dump::MAX_BYTES;
pub use env::Env;
pub use plan::Plan;
pub use report::Report;
pub use store::{occupants, store};

use crate::domain::time::Timestamp;

/// Why nothing is imported: each line is one reason, with the object that it is about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct Refused(pub Vec<String>);

/// So many reasons are told; more say nothing new.
const MOST_REASONS: usize = 30;

impl Refused {
    fn one(reason: impl Into<String>) -> Self {
        Self(vec![reason.into()])
    }

    /// Nothing, if there are no reasons.
    fn of(mut reasons: Vec<String>) -> Result<(), Self> {
        let more = reasons.len().saturating_sub(MOST_REASONS);
        if more > 0 {
            reasons.truncate(MOST_REASONS);
            reasons.push(format!("and {more} more of this kind"));
        }
        if reasons.is_empty() { Ok(()) } else { Err(Self(reasons)) }
    }
}

/// Decides what becomes of a dump. Only looks; [`store`] carries it out.
///
/// # Errors
/// [`Refused`] for what the old shop can't have written, and for what contradicts itself.
pub fn plan(dump: &[u8], env: &Env, now: Timestamp) -> Result<Plan, Refused> {
    let old = old::Old::read(dump::parse(dump)?)?;
    Plan::make(&old, env, now)
}
