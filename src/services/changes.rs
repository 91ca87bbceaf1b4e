//! The change log as administrators look through it. Operators see what happened to their own things with each of these.

use super::{Error, ReadTx, authz};
use crate::domain::texts::Reason;
use crate::domain::time::Timestamp;
use crate::store::audit_log;
use crate::store::keyset::Span;

pub use crate::store::audit_log::Entry;

/// Which entries are asked for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Only those about this kind of thing: `order`, `product`, `host`, `node`, …
    pub noun: Option<String>,
    /// Only those of this person: `operator:<name>`, `cli` or `cli:<account>`.
    pub person: Option<String>,
    /// Only those of this time or later.
    pub from: Option<Timestamp>,
    /// Only those before this time.
    pub until: Option<Timestamp>,
    /// Those behind this number: the last of the page before.
    pub after: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// Entries with their numbers, newest first.
///
/// # Errors
/// [`Error::NotFound`] for anybody but an administrator; [`Error::Invalid`] for one who is no person.
pub fn list(tx: &ReadTx<'_>, query: &Query) -> Result<Vec<(i64, Entry)>, Error> {
    authz::needs_administrator(tx.actor)?;
    let is_person = |name: &String| name.starts_with("operator:") || name == "cli" || name.starts_with("cli:");
    if query.person.as_ref().is_some_and(|name| !is_person(name)) {
        return Err(Error::field("person", Reason::NoPerson));
    }
    let Query { from, until, after, limit, .. } = *query;
    let span = Span { from, until, after, oldest_first: false, limit };
    let (noun, person) = (query.noun.clone(), query.person.clone());
    Ok(audit_log::list(tx.db, &audit_log::Wanted { noun, person, span })?)
}
