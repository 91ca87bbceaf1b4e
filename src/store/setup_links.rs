//! The link with which the first administrator is made.

use rusqlite::{Connection, OptionalExtension, params};

use super::db::StoreError;
use crate::domain::time::Timestamp;

/// Puts a new link in the place of any other.
pub fn replace(db: &Connection, hash: &[u8; 32], now: Timestamp) -> Result<(), StoreError> {
    clear(db)?;
    db.execute("INSERT INTO setup_link (hash, made_at) VALUES (?, ?)", params![hash.as_slice(), now])?;
    Ok(())
}

/// When the link with this SHA-256 was made, if there is one.
pub fn made_at(db: &Connection, hash: &[u8; 32]) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = db.prepare_cached("SELECT made_at FROM setup_link WHERE hash = ?")?;
    Ok(statement.query_row([hash.as_slice()], |row| row.get(0)).optional()?)
}

/// There is no link any more.
pub fn clear(db: &Connection) -> Result<(), StoreError> {
    db.execute("DELETE FROM setup_link", [])?;
    Ok(())
}
