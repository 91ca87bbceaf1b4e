//! One unit of work: a transaction in which it is known who acts, when, and what follows once it is stored.
//!
//! A use case that commands and a running shop have in common, or that others are made of, takes a [`Tx`] when it changes
//! something and a [`ReadTx`] when it only looks; a `Tx` can be read from as well. A running shop opens them with
//! [`Shop::tx`](super::Shop::tx) and [`Shop::read`](super::Shop::read), commands that work beside it with a [`Session`].
//!
//! A use case that needs more of the shop than its database (its rules, secrets and bells), or that waits for something
//! between two changes, takes the [`Shop`](super::Shop) and opens its transactions itself, as the `by` that it is given.
//! One without a `by` is always done by the same: buyers order, the shop keeps its deadlines. What it does for
//! somebody, and the entry that says so, are one transaction.

use std::fmt::Display;
use std::ops::Deref;

use super::Error;
use crate::domain::id::HostId;
use crate::domain::principal::Principal;
use crate::domain::time::Timestamp;
use crate::store::audit_log::{self, Author};
use crate::store::{Connection, Db};

/// Somebody looks at the database.
#[derive(Clone, Copy)]
pub struct ReadTx<'a> {
    /// One state of the database.
    pub db: &'a Connection,
    /// Who acts, and so what they may see and change.
    pub actor: &'a Principal,
    /// When.
    pub now: Timestamp,
}

/// Somebody changes the database.
pub struct Tx<'a> {
    read: ReadTx<'a>,
    /// What the change leads to once it is stored.
    pub after: &'a mut AfterCommit,
}

/// What a change leads to once it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AfterCommit {
    /// Hosts that have work to do.
    pub hosts: Vec<HostId>,
    /// Whether the outbox has something new.
    pub outbox: bool,
    /// Whether a buyer has claimed what is owed.
    pub claims: bool,
}

impl<'a> Deref for Tx<'a> {
    type Target = ReadTx<'a>;

    fn deref(&self) -> &Self::Target {
        &self.read
    }
}

impl<'a> Tx<'a> {
    /// Work in a transaction that is open.
    pub const fn new(db: &'a Connection, actor: &'a Principal, now: Timestamp, after: &'a mut AfterCommit) -> Self {
        Self { read: ReadTx { db, actor, now }, after }
    }

    /// The same work, where not the one who began it decides, but the shop.
    pub const fn as_shop(&mut self) -> Tx<'_> {
        Tx { read: ReadTx { actor: &Principal::Shop, ..self.read }, after: self.after }
    }

    /// Who answers for the change; what writes to tables with a change log asks for it.
    pub const fn author(&self) -> Author<'a> {
        Author::new(self.read.actor, self.read.now)
    }

    /// Adds an entry to the change log about anything but an order or a product.
    pub(super) fn record(&self, noun: &str, id: impl Display, change: &str) -> Result<(), Error> {
        Ok(audit_log::record(self.db, self.author(), noun, id, change)?)
    }
}

/// Who works on a database beside a running shop, and since when: a command, or the shop before it runs. Nobody waits
/// for what follows; a shop that runs looks into its outbox by itself.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who acts.
    pub by: Principal,
    /// When.
    pub now: Timestamp,
}

impl Session {
    /// One on the command line, of somebody whose name is not known.
    pub const fn on_command_line(now: Timestamp) -> Self {
        Self { by: Principal::CommandLine(None), now }
    }

    /// One of the shop itself.
    pub const fn of_the_shop(now: Timestamp) -> Self {
        Self { by: Principal::Shop, now }
    }

    /// Looks at the database.
    ///
    /// # Errors
    /// Those of `query` and of the database.
    pub fn read<T>(&self, db: &Db, query: impl FnOnce(&ReadTx<'_>) -> Result<T, Error>) -> Result<T, Error> {
        db.read(|db| query(&ReadTx { db, actor: &self.by, now: self.now }))
    }

    /// Makes a change in one transaction.
    ///
    /// # Errors
    /// Those of `change` and of the database.
    pub fn write<T, F>(&self, db: &Db, change: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        let session = self.clone();
        db.write_blocking(move |db| session.within(db, change))
    }

    /// Makes a change in a transaction that is open.
    ///
    /// # Errors
    /// Those of `change`.
    pub(super) fn within<T, E>(
        &self,
        db: &Connection,
        change: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        change(&mut Tx::new(db, &self.by, self.now, &mut AfterCommit::default()))
    }
}
