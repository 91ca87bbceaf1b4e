//! API tokens of operators.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::audit_log::Author;
use super::db::StoreError;
use super::row::named;
use crate::domain::account::{ApiToken, Scope};
use crate::domain::id::OperatorId;
use crate::domain::time::Timestamp;

fn from_row(row: &Row<'_>) -> rusqlite::Result<ApiToken> {
    Ok(ApiToken {
        id: row.get("id")?,
        operator: row.get("operator_id")?,
        name: row.get("name")?,
        scope: named(row, "scope", Scope::parse)?,
        made_at: row.get("made_at")?,
        expires_at: row.get("expires_at")?,
        used_at: row.get("used_at")?,
    })
}

/// The token with this SHA-256.
pub fn by_hash(db: &Connection, hash: &[u8; 32]) -> Result<Option<ApiToken>, StoreError> {
    let mut statement = db.prepare_cached("SELECT * FROM api_token WHERE hash = ?")?;
    Ok(statement.query_row([hash.as_slice()], from_row).optional()?)
}

/// The token with this number.
pub fn get(db: &Connection, id: i64) -> Result<Option<ApiToken>, StoreError> {
    Ok(db.prepare_cached("SELECT * FROM api_token WHERE id = ?")?.query_row([id], from_row).optional()?)
}

/// The tokens of an operator, or all, newest first.
pub fn list(db: &Connection, owner: Option<OperatorId>) -> Result<Vec<ApiToken>, StoreError> {
    let sql = "SELECT * FROM api_token WHERE ?1 IS NULL OR operator_id = ?1 ORDER BY id DESC";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([owner], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Stores a new token.
pub fn insert(
    db: &Connection,
    hash: &[u8; 32],
    operator: OperatorId,
    (name, scope): (&str, Scope),
    expires_at: Timestamp,
    author: Author<'_>,
) -> Result<i64, StoreError> {
    db.execute(
        "INSERT INTO api_token (hash, operator_id, name, scope, made_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
        params![hash.as_slice(), operator, name, scope.name(), author.at(), expires_at],
    )?;
    Ok(db.last_insert_rowid())
}

/// Notes that a token is used.
pub fn stamp(db: &Connection, id: i64, now: Timestamp) -> Result<(), StoreError> {
    db.execute("UPDATE api_token SET used_at = ?2 WHERE id = ?1", params![id, now])?;
    Ok(())
}

/// Ends a token.
pub fn delete(db: &Connection, id: i64, _author: Author<'_>) -> Result<(), StoreError> {
    db.execute("DELETE FROM api_token WHERE id = ?", [id])?;
    Ok(())
}
