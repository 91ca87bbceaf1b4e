//! Sessions of those who have signed in with a browser.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::db::StoreError;
use crate::domain::account::{IDLE_SECS, SESSION_SECS, Session};
use crate::domain::id::OperatorId;
use crate::domain::time::Timestamp;

fn from_row(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: row.get("id")?,
        operator: row.get("operator_id")?,
        client: row.get("client")?,
        agent: row.get("agent")?,
        made_at: row.get("made_at")?,
        used_at: row.get("used_at")?,
    })
}

/// The session with this SHA-256.
pub fn by_hash(db: &Connection, hash: &[u8; 32]) -> Result<Option<Session>, StoreError> {
    let mut statement = db.prepare_cached("SELECT * FROM session WHERE hash = ?")?;
    Ok(statement.query_row([hash.as_slice()], from_row).optional()?)
}

/// The session with this number.
pub fn get(db: &Connection, id: i64) -> Result<Option<Session>, StoreError> {
    Ok(db.prepare_cached("SELECT * FROM session WHERE id = ?")?.query_row([id], from_row).optional()?)
}

/// The sessions of an operator, or all, newest first.
pub fn list(db: &Connection, owner: Option<OperatorId>) -> Result<Vec<Session>, StoreError> {
    let sql = "SELECT * FROM session WHERE ?1 IS NULL OR operator_id = ?1 ORDER BY id DESC";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([owner], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Stores a new session, used now; of its operator's only the `kept` newest stay.
pub fn insert(
    db: &Connection,
    hash: &[u8; 32],
    operator: OperatorId,
    (client, agent): (&str, &str),
    now: Timestamp,
    kept: u32,
) -> Result<i64, StoreError> {
    db.execute(
        "INSERT INTO session (hash, operator_id, client, agent, made_at, used_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
        params![hash.as_slice(), operator, client, agent, now],
    )?;
    let id = db.last_insert_rowid();
    db.execute(
        "DELETE FROM session WHERE operator_id = ?1 AND id NOT IN \
         (SELECT id FROM session WHERE operator_id = ?1 ORDER BY id DESC LIMIT ?2)",
        params![operator, kept],
    )?;
    Ok(id)
}

/// Notes that a session is used.
pub fn stamp(db: &Connection, id: i64, now: Timestamp) -> Result<(), StoreError> {
    db.execute("UPDATE session SET used_at = ?2 WHERE id = ?1", params![id, now])?;
    Ok(())
}

/// Forgets those that began, or were last used, so long ago that they have ended.
pub fn delete_ended(db: &Connection, now: Timestamp) -> Result<(), StoreError> {
    let (began, used) = (now.plus_secs(-SESSION_SECS), now.plus_secs(-IDLE_SECS));
    db.execute("DELETE FROM session WHERE made_at <= ? OR used_at <= ?", params![began, used])?;
    Ok(())
}

/// Ends a session.
pub fn delete(db: &Connection, id: i64) -> Result<(), StoreError> {
    db.execute("DELETE FROM session WHERE id = ?", [id])?;
    Ok(())
}

/// Ends all sessions of an operator but one.
pub fn delete_of(db: &Connection, operator: OperatorId, but: Option<i64>) -> Result<usize, StoreError> {
    Ok(db.execute("DELETE FROM session WHERE operator_id = ?1 AND id IS NOT ?2", params![operator, but])?)
}
