//! Single values that belong to the whole shop: its secret, its site, its newest time.

use rusqlite::{Connection, OptionalExtension, params};

use super::db::StoreError;
use crate::domain::time::{STAMP_SECS, Timestamp};

/// The secret that preimages are derived from; `fresh` becomes it when there is none yet.
pub fn preimage_secret(db: &Connection, fresh: &[u8; 32]) -> Result<[u8; 32], StoreError> {
    db.execute("INSERT OR IGNORE INTO meta (key, value) VALUES ('preimage_secret', ?)", [fresh.as_slice()])?;
    let stored: Vec<u8> = db.query_row("SELECT value FROM meta WHERE key = 'preimage_secret'", [], |row| row.get(0))?;
    stored.try_into().map_err(|_| StoreError::Broken("the stored preimage secret has a wrong length".to_owned()))
}

/// Whether the secret is there, or nothing was ever made with it: there are no invoices.
pub fn has_secret_for_its_orders(db: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM meta WHERE key = 'preimage_secret' AND typeof(value) = 'blob' \
               AND length(value) = 32) OR NOT EXISTS (SELECT 1 FROM invoice_attempt)";
    Ok(db.query_row(sql, [], |row| row.get(0))?)
}

/// The newest time that was ever stored: a clock before it is wrong.
pub fn newest_time(db: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = db.prepare_cached("SELECT value FROM meta WHERE key = 'newest_time'")?;
    Ok(statement.query_row([], |row| row.get(0)).optional()?)
}

/// The newest time moves by no less than this: a clock that is that much behind lets things end as much later, and does
/// no other harm, and in an idle shop this is the only thing that is written again and again. Seconds.
pub const NOTE_SECS: i64 = 2 * STAMP_SECS;

/// Moves the newest time forward, never back, and by no less than [`NOTE_SECS`].
pub fn note_time(db: &Connection, now: Timestamp) -> Result<(), StoreError> {
    note_time_after(db, now, NOTE_SECS)
}

/// Moves the newest time forward to `now` exactly, never back: the last word of a shop that ends.
pub fn note_last_time(db: &Connection, now: Timestamp) -> Result<(), StoreError> {
    note_time_after(db, now, 0)
}

fn note_time_after(db: &Connection, now: Timestamp, secs: i64) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO meta (key, value) VALUES ('newest_time', ?1) \
         ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE excluded.value - value > ?2 * 1000",
    )?
    .execute(params![now, secs])?;
    Ok(())
}

/// Makes `now` the newest time, also where a later one is stored: that was wrong.
pub fn accept_time(db: &Connection, now: Timestamp) -> Result<(), StoreError> {
    db.execute("UPDATE meta SET value = ? WHERE key = 'newest_time'", [now])?;
    Ok(())
}

/// Reads a text value.
pub fn text(db: &Connection, key: &str) -> Result<Option<String>, StoreError> {
    let mut statement = db.prepare_cached("SELECT value FROM meta WHERE key = ?")?;
    Ok(statement.query_row([key], |row| row.get(0)).optional()?)
}

/// Stores a text value.
pub fn set_text(db: &Connection, key: &str, value: &str) -> Result<(), StoreError> {
    db.prepare_cached("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)")?.execute(params![key, value])?;
    Ok(())
}

/// Removes a value; one that is not there is fine.
pub fn remove(db: &Connection, key: &str) -> Result<(), StoreError> {
    db.execute("DELETE FROM meta WHERE key = ?", [key])?;
    Ok(())
}
