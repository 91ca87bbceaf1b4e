//! Which lists have changed: what an open screen of somebody who runs the shop is told, so that it asks for them again.
//!
//! Operators are told the nouns of everybody's changes. Whose a change is would have to be asked for each entry of the log,
//! each second, by each open screen; and what is told is that something happened somewhere, which OPERATING says.

use super::{Error, ReadTx, authz};
use crate::store::pulse;

/// How the lists stood at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulse(pulse::Marks);

/// How the lists stand now.
///
/// # Errors
/// [`Error::NotFound`] for those who run nothing.
pub fn feel(tx: &ReadTx<'_>) -> Result<Pulse, Error> {
    authz::visible_owner(tx.actor)?;
    Ok(Pulse(pulse::marks(tx.db)?))
}

/// The lists that have changed since `before`, by the nouns of the API; with them how they stand now.
///
/// # Errors
/// [`Error::NotFound`] for those who run nothing.
pub fn changed(tx: &ReadTx<'_>, before: &Pulse) -> Result<(Vec<String>, Pulse), Error> {
    let now = feel(tx)?;
    let mut lists = pulse::nouns(tx.db, before.0.newest_change)?;
    for (name, old, new) in [
        ("alert", before.0.alerts, now.0.alerts),
        ("outbox", before.0.outbox, now.0.outbox),
        ("job", before.0.jobs, now.0.jobs),
        ("node", before.0.nodes, now.0.nodes),
        ("host", before.0.hosts, now.0.hosts),
    ] {
        if old != new && !lists.iter().any(|list| list == name) {
            lists.push(name.to_owned());
        }
    }
    Ok((lists, now))
}
