//! What is to be told of alerts: changes that triggers have written down (V19), and the messages that are made of them.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::db::StoreError;
use super::row::named;
use crate::domain::alert::{AlertTopic, Severity};
use crate::domain::alert_message::{Message, MessageKind, News, PAUSES};
use crate::domain::time::Timestamp;

/// A message that was not taken yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its number.
    pub id: i64,
    /// How often it was tried.
    pub attempts: u32,
    /// What is told.
    pub message: Message,
}

/// The longest pause between two tries: what is to be tried later than that was stamped by a clock that is right again.
const LONGEST_PAUSE: i64 = PAUSES[PAUSES.len() - 1];

/// What is in no message of this channel yet, oldest first: what is to be told, or (`is_sorted` is false) what may not be
/// the business of its owner.
pub fn news(db: &Connection, channel: &str, is_sorted: bool) -> Result<Vec<(i64, News)>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT n.id, n.alert_id, n.is_end, n.at, a.topic, a.subject, a.severity, a.text \
         FROM alert_news n JOIN alert a ON a.id = n.alert_id WHERE n.channel = ?1 AND n.is_sorted = ?2 ORDER BY n.id",
    )?;
    let rows = statement.query_map(params![channel, is_sorted], |row| Ok((row.get("id")?, news_from_row(row)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes that a change is to be told.
pub fn keep(db: &Connection, id: i64) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE alert_news SET is_sorted = 1 WHERE id = ?")?.execute([id])?;
    Ok(())
}

/// Removes what is in a message now.
pub fn remove_news(db: &Connection, ids: impl Iterator<Item = i64>) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached("DELETE FROM alert_news WHERE id = ?")?;
    for id in ids {
        statement.execute([id])?;
    }
    Ok(())
}

/// Puts a message into the outbox of a channel.
pub fn add(db: &Connection, channel: &str, message: &Message) -> Result<(), StoreError> {
    let Message { key, kind, severity, title, text, made_at } = message;
    db.execute(
        "INSERT INTO alert_message (key, channel, kind, severity, title, text, made_at, next_try_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
        params![key, channel, kind.name(), severity.name(), title, text, made_at],
    )?;
    Ok(())
}

/// How many messages of a channel wait.
pub fn count(db: &Connection, channel: &str) -> Result<u32, StoreError> {
    let sql = "SELECT count(*) FROM alert_message WHERE channel = ?";
    Ok(db.prepare_cached(sql)?.query_row([channel], |row| row.get(0))?)
}

/// The message of a channel that is to be tried now, if there is one.
pub fn due(db: &Connection, channel: &str, now: Timestamp) -> Result<Option<Waiting>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT * FROM alert_message WHERE channel = ?1 AND next_try_at NOT BETWEEN ?2 + 1 AND ?3 \
         ORDER BY next_try_at, id LIMIT 1",
    )?;
    let latest = now.plus_secs(LONGEST_PAUSE);
    Ok(statement.query_row(params![channel, now, latest], from_row).optional()?)
}

/// Counts a try that has failed; the message is tried again at `next_try_at`.
pub fn postpone(db: &Connection, id: i64, next_try_at: Timestamp) -> Result<(), StoreError> {
    let sql = "UPDATE alert_message SET attempts = attempts + 1, next_try_at = ?2 WHERE id = ?1";
    db.execute(sql, params![id, next_try_at])?;
    Ok(())
}

/// Removes a message: it was taken, or given up.
pub fn remove(db: &Connection, id: i64) -> Result<(), StoreError> {
    db.execute("DELETE FROM alert_message WHERE id = ?", [id])?;
    Ok(())
}

fn news_from_row(row: &Row<'_>) -> rusqlite::Result<News> {
    Ok(News {
        alert: row.get("alert_id")?,
        topic: named(row, "topic", AlertTopic::parse)?,
        subject: row.get("subject")?,
        severity: named(row, "severity", Severity::parse)?,
        text: row.get("text")?,
        is_end: row.get("is_end")?,
        at: row.get("at")?,
    })
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Waiting> {
    let message = Message {
        key: row.get("key")?,
        kind: named(row, "kind", MessageKind::parse)?,
        severity: named(row, "severity", Severity::parse)?,
        title: row.get("title")?,
        text: row.get("text")?,
        made_at: row.get("made_at")?,
    };
    Ok(Waiting { id: row.get("id")?, attempts: row.get("attempts")?, message })
}
