//! When hosts came and went, for thirty days.

use rusqlite::{Connection, params};

use super::db::StoreError;
use crate::domain::id::HostId;
use crate::domain::time::Timestamp;

/// Kept for so long. Seconds.
const KEPT_SECS: i64 = 30 * 86_400;

/// A host came, or went.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    pub at: Timestamp,
    pub is_alive: bool,
}

/// Notes that a host came or went; what is too old goes.
pub(super) fn note(db: &Connection, host: HostId, is_alive: bool, now: Timestamp) -> Result<(), StoreError> {
    db.prepare_cached("INSERT INTO host_presence (host_id, at, is_alive) VALUES (?, ?, ?)")?
        .execute(params![host, now, is_alive])?;
    db.prepare_cached("DELETE FROM host_presence WHERE host_id = ? AND at < ?")?
        .execute(params![host, now.plus_secs(-KEPT_SECS)])?;
    Ok(())
}

/// When a host came and went, newest first.
pub fn of(db: &Connection, host: HostId, limit: u32) -> Result<Vec<Change>, StoreError> {
    let mut statement = db.prepare_cached(&text(limit))?;
    let rows = statement.query_map([host], |row| Ok(Change { at: row.get(0)?, is_alive: row.get(1)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn text(limit: u32) -> String {
    format!("SELECT at, is_alive FROM host_presence WHERE host_id = ? ORDER BY at DESC LIMIT {limit}")
}
