//! The channels that tell of alerts, and how they fare.

use rusqlite::{Connection, Row, params};

use super::db::StoreError;
use crate::domain::alert::Severity;
use crate::domain::time::Timestamp;

/// A channel as stored.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelState {
    pub name: String,
    /// The last success.
    pub sent_at: Option<Timestamp>,
    /// The last failure.
    pub failed_at: Option<Timestamp>,
    /// What it was.
    pub failure: Option<String>,
    /// Since when its receiver wants no more.
    pub off_at: Option<Timestamp>,
    /// Messages that wait or are tried again, and changes that are in none yet.
    pub waiting: u32,
}

/// Makes these the channels: what waits for others goes, and what is known of those that stay is kept.
pub fn set(db: &Connection, channels: &[(&str, Severity)]) -> Result<(), StoreError> {
    for state in list(db)? {
        if !channels.iter().any(|(name, _)| *name == state.name) {
            for table in ["alert_news", "alert_message"] {
                db.execute(&format!("DELETE FROM {table} WHERE channel = ?"), [&state.name])?;
            }
            db.execute("DELETE FROM alert_channel WHERE name = ?", [&state.name])?;
        }
    }
    for (name, lowest) in channels {
        db.execute(
            "INSERT INTO alert_channel (name, lowest) VALUES (?1, ?2) \
             ON CONFLICT (name) DO UPDATE SET lowest = excluded.lowest WHERE lowest <> excluded.lowest",
            params![name, lowest.rank()],
        )?;
    }
    Ok(())
}

/// All channels.
pub fn list(db: &Connection) -> Result<Vec<ChannelState>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT *, (SELECT count(*) FROM alert_news WHERE channel = name) \
         + (SELECT count(*) FROM alert_message WHERE channel = name) AS waiting FROM alert_channel ORDER BY name",
    )?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes that a channel has taken something: it is on again, and what has failed there may be tried at once.
pub fn has_sent(db: &Connection, name: &str, now: Timestamp) -> Result<(), StoreError> {
    db.execute("UPDATE alert_channel SET sent_at = ?2, off_at = NULL WHERE name = ?1", params![name, now])?;
    db.execute(
        "UPDATE alert_message SET next_try_at = ?2 WHERE channel = ?1 AND next_try_at > ?2",
        params![name, now],
    )?;
    Ok(())
}

/// Notes a failure.
pub fn has_failed(db: &Connection, name: &str, failure: &str, now: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE alert_channel SET failed_at = ?2, failure = ?3 WHERE name = ?1";
    db.execute(sql, params![name, now, failure])?;
    Ok(())
}

/// Switches a channel off, since its receiver wants no more; what waits for it goes.
pub fn switch_off(db: &Connection, name: &str, now: Timestamp) -> Result<(), StoreError> {
    db.execute("UPDATE alert_channel SET off_at = ?2, left_out = 0 WHERE name = ?1", params![name, now])?;
    db.execute("DELETE FROM alert_news WHERE channel = ?", [name])?;
    db.execute("DELETE FROM alert_message WHERE channel = ?", [name])?;
    Ok(())
}

/// How many changes found no room since this was last asked.
pub fn take_left_out(db: &Connection, name: &str) -> Result<u32, StoreError> {
    let sql = "SELECT left_out FROM alert_channel WHERE name = ?";
    let count = db.query_row(sql, [name], |row| row.get(0))?;
    db.execute("UPDATE alert_channel SET left_out = 0 WHERE name = ? AND left_out > 0", [name])?;
    Ok(count)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<ChannelState> {
    Ok(ChannelState {
        name: row.get("name")?,
        sent_at: row.get("sent_at")?,
        failed_at: row.get("failed_at")?,
        failure: row.get("failure")?,
        off_at: row.get("off_at")?,
        waiting: row.get("waiting")?,
    })
}
