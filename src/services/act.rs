//! Who changes something, and when: what every administrative use case is told.

use crate::domain::id::OperatorId;
use crate::domain::time::Timestamp;
use crate::store::{Connection, audit_log};

use super::{Error, Scope};

/// The names of the command line and of the shop's own jobs in the change log; no operator may have
/// one of them.
const COMMAND_LINE: &str = "cli";
const SCHEDULE: &str = "shop";

/// One act of an administrator or operator.
#[derive(Clone, Debug)]
pub struct Act {
    /// Who acts, and so what they may see and change.
    pub by: Scope,
    /// When.
    pub now: Timestamp,
}

impl Act {
    /// An act on the command line: whoever may open the database file may do everything.
    pub fn on_command_line(now: Timestamp) -> Self {
        Self { by: Scope::Administrator(COMMAND_LINE.to_owned()), now }
    }

    /// An act of one of the shop's own jobs.
    pub fn of_the_shop(now: Timestamp) -> Self {
        Self { by: Scope::Administrator(SCHEDULE.to_owned()), now }
    }

    /// Whose things are seen: everybody's (`None`) or one operator's.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a host: hosts see nothing of this.
    pub fn sees(&self) -> Result<Option<OperatorId>, Error> {
        match &self.by {
            Scope::Administrator(_) => Ok(None),
            Scope::Operator(id, _) => Ok(Some(*id)),
            Scope::Host(_) => Err(Error::NotFound),
        }
    }

    /// Refuses what only administrators may do.
    ///
    /// # Errors
    /// [`Error::NotFound`] for everybody else.
    pub fn needs_administrator(&self) -> Result<(), Error> {
        if matches!(self.by, Scope::Administrator(_)) { Ok(()) } else { Err(Error::NotFound) }
    }

    /// How the change log names who acts.
    pub(super) fn actor(&self) -> String {
        match &self.by {
            Scope::Administrator(name) if [COMMAND_LINE, SCHEDULE].contains(&name.as_str()) => name.clone(),
            other => other.actor(),
        }
    }

    /// Adds an entry to the change log, in the transaction of the change.
    pub(super) fn record(
        &self,
        db: &Connection,
        noun: &str,
        id: impl std::fmt::Display,
        change: &str,
    ) -> Result<(), Error> {
        Ok(audit_log::record(db, self.now, &self.actor(), noun, id, change)?)
    }
}
