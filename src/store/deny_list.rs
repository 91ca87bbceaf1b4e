//! Deny lists: targets and IP addresses that are not served.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::db::StoreError;
use super::row::named;
use crate::domain::deny_list::{DenyEntry, DenyKind, DenyStatus};
use crate::domain::time::Timestamp;

fn from_row(row: &Row<'_>) -> rusqlite::Result<DenyEntry> {
    Ok(DenyEntry {
        id: row.get("id")?,
        kind: named(row, "kind", DenyKind::parse)?,
        value: row.get("value")?,
        status: named(row, "status", DenyStatus::parse)?,
        comment: row.get("comment")?,
        created_at: row.get("created_at")?,
        modified_at: row.get("modified_at")?,
    })
}

/// All entries, newest first.
pub fn list(db: &Connection) -> Result<Vec<DenyEntry>, StoreError> {
    let mut statement = db.prepare_cached("SELECT * FROM deny_entry ORDER BY created_at DESC, id DESC")?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The entry about one value, as [`crate::domain::deny_list::normalize`] writes it.
pub fn get(db: &Connection, kind: DenyKind, value: &str) -> Result<Option<DenyEntry>, StoreError> {
    let mut statement = db.prepare_cached("SELECT * FROM deny_entry WHERE kind = ? AND value = ?")?;
    Ok(statement.query_row(params![kind.name(), value], from_row).optional()?)
}

/// Whether a target (its onion address, with or without the port) or an IP address is denied. The
/// states that deny are those of [`DenyStatus::denies`].
pub fn is_denied(db: &Connection, target: Option<&str>, ip: Option<&str>) -> Result<bool, StoreError> {
    let onion = target.and_then(|target| target.rsplit_once(':')).map(|(onion, _)| onion);
    let mut statement = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM deny_entry WHERE status IN ('recommended', 'denied') AND \
         ((kind = 'target' AND value IN (?1, ?2)) OR (kind = 'ip' AND value = ?3)))",
    )?;
    Ok(statement.query_row(params![target, onion, ip], |row| row.get(0))?)
}

/// Stores an entry, or a new status and comment of the one that is there.
pub fn put(
    db: &Connection,
    kind: DenyKind,
    value: &str,
    status: DenyStatus,
    comment: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO deny_entry (kind, value, status, comment, created_at, modified_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT (kind, value) DO UPDATE SET \
         status = excluded.status, comment = excluded.comment, modified_at = excluded.modified_at",
        params![kind.name(), value, status.name(), comment, now],
    )?;
    Ok(())
}

/// Takes an entry off the list.
pub fn remove(db: &Connection, id: i64) -> Result<(), StoreError> {
    db.execute("DELETE FROM deny_entry WHERE id = ?", [id])?;
    Ok(())
}
