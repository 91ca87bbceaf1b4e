//! The change log: who changed what, when. Append-only (triggers refuse anything else).

use rusqlite::{Connection, params};

use super::db::StoreError;
use crate::domain::time::Timestamp;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who: `shop`, `buyer`, `cli`, `host:<id>`, `operator:<name>` or `node:<id>`.
    pub actor: String,
    /// What kind of thing changed.
    pub noun: String,
    /// Its id.
    pub noun_id: String,
    /// What changed, in words.
    pub change: String,
}

/// Adds an entry.
pub fn record(
    db: &Connection,
    at: Timestamp,
    actor: &str,
    noun: &str,
    id: impl std::fmt::Display,
    change: &str,
) -> Result<(), StoreError> {
    db.prepare_cached("INSERT INTO audit_log (at, actor, noun, noun_id, change) VALUES (?, ?, ?, ?, ?)")?
        .execute(params![at, actor, noun, id.to_string(), change])?;
    Ok(())
}

/// Everything that happened to one thing, oldest first.
pub fn of(db: &Connection, id: &str) -> Result<Vec<Entry>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT at, actor, noun, noun_id, change FROM audit_log WHERE noun_id = ? ORDER BY id")?;
    let rows = statement.query_map([id], |row| {
        Ok(Entry { at: row.get(0)?, actor: row.get(1)?, noun: row.get(2)?, noun_id: row.get(3)?, change: row.get(4)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
