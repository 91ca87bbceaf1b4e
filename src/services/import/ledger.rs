//! What becomes of each object. Every object is entered once; the report is made of it.

use std::collections::BTreeMap;

use super::dump::Key;

/// What became of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is taken over, as this.
    Taken(String),
    /// It is not, for this reason.
    Dropped(String),
}

/// The fates of all objects, and what else there is to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// By object.
    pub fates: BTreeMap<Key, Fate>,
    /// What was changed on the way, and why.
    pub notes: Vec<String>,
    /// What the operator has to do.
    pub todo: Vec<String>,
}

impl Ledger {
    /// The object is taken over.
    pub fn take(&mut self, key: &Key, what: impl Into<String>) {
        self.fates.insert(key.clone(), Fate::Taken(what.into()));
    }

    /// The object is left out.
    pub fn drop(&mut self, key: &Key, why: impl Into<String>) {
        self.fates.insert(key.clone(), Fate::Dropped(why.into()));
    }

    /// Something is not as it was.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    /// Somebody has to do something.
    pub fn ask(&mut self, text: impl Into<String>) {
        self.todo.push(text.into());
    }
}
