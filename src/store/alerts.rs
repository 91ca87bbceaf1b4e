//! Alerts: what the operator must know. At most one open alert per topic and subject.

use rusqlite::{Connection, Row, params};

use super::db::StoreError;
use super::row::named;
use crate::domain::alert::{AlertTopic, Severity};
use crate::domain::time::{STAMP_SECS, Timestamp};

/// An alert as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its number.
    pub id: i64,
    /// What it is about.
    pub topic: AlertTopic,
    /// The id of what it is about; may be empty.
    pub subject: String,
    /// How urgent it was when it was raised.
    pub severity: Severity,
    /// What the operator should know.
    pub text: String,
    /// How often it was raised since it is open; what is looked at again and again counts once in [`STAMP_SECS`].
    pub occurrences: u32,
    /// When it was first raised.
    pub first_at: Timestamp,
    /// When it was last raised.
    pub last_at: Timestamp,
    /// When its reason was gone.
    pub closed_at: Option<Timestamp>,
}

/// The subject of the alert that stands for all those which are too many
/// ([`AlertTopic::most_open`]).
const OTHERS: &str = "";

/// Raises an alert, or counts it again while it is open. What is looked at again and again counts only with another
/// text, or when [`STAMP_SECS`] have passed: it would otherwise be written at each look. Returns whether it is new.
pub fn raise(
    db: &Connection,
    topic: AlertTopic,
    subject: &str,
    text: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if count_again(db, topic, subject, text, now)? {
        return Ok(false);
    }
    if subject != OTHERS && is_full(db, topic)? {
        return raise(db, topic, OTHERS, &format!("There are more of these. The last: {text}"), now);
    }
    db.prepare_cached(
        "INSERT INTO alert (topic, subject, severity, text, first_at, last_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
    )?
    .execute(params![topic.name(), subject, topic.severity().name(), text, now])?;
    match topic.severity() {
        Severity::Critical => tracing::error!(topic = topic.name(), subject, "alert: {text}"),
        Severity::Warning => tracing::warn!(topic = topic.name(), subject, "alert: {text}"),
        Severity::Info => tracing::info!(topic = topic.name(), subject, "alert: {text}"),
    }
    Ok(true)
}

/// Counts an alert again that is open; whether it is.
fn count_again(
    db: &Connection,
    topic: AlertTopic,
    subject: &str,
    text: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let is_open = "SELECT EXISTS (SELECT 1 FROM alert WHERE topic = ?1 AND subject = ?2 AND closed_at IS NULL)";
    if !db.prepare_cached(is_open)?.query_row(params![topic.name(), subject], |row| row.get(0))? {
        return Ok(false);
    }
    db.prepare_cached(
        "UPDATE alert SET text = ?3, last_at = ?4, occurrences = occurrences + 1 \
         WHERE topic = ?1 AND subject = ?2 AND closed_at IS NULL \
         AND (?6 OR text <> ?3 OR last_at NOT BETWEEN ?5 AND ?4)",
    )?
    .execute(params![topic.name(), subject, text, now, now.plus_secs(-STAMP_SECS), !topic.is_looked_at()])?;
    Ok(true)
}

fn is_full(db: &Connection, topic: AlertTopic) -> Result<bool, StoreError> {
    let Some(most) = topic.most_open() else { return Ok(false) };
    let sql = "SELECT count(*) >= ?3 FROM alert WHERE topic = ?1 AND subject <> ?2 AND closed_at IS NULL";
    Ok(db.prepare_cached(sql)?.query_row(params![topic.name(), OTHERS, most], |row| row.get(0))?)
}

/// Closes the open alert of this topic and subject, if there is one; with the last of a topic also
/// the one that stands for others.
pub fn close(db: &Connection, topic: AlertTopic, subject: &str, now: Timestamp) -> Result<(), StoreError> {
    if topic.most_open().is_some() && subject != OTHERS {
        close_one(db, topic, subject, now)?;
        let sql = "SELECT EXISTS (SELECT 1 FROM alert WHERE topic = ?1 AND subject <> ?2 AND closed_at IS NULL)";
        if db.prepare_cached(sql)?.query_row(params![topic.name(), OTHERS], |row| row.get(0))? {
            return Ok(());
        }
        return close_one(db, topic, OTHERS, now);
    }
    close_one(db, topic, subject, now)
}

fn close_one(db: &Connection, topic: AlertTopic, subject: &str, now: Timestamp) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE alert SET closed_at = ?3 WHERE topic = ?1 AND subject = ?2 AND closed_at IS NULL")?
        .execute(params![topic.name(), subject, now])?;
    Ok(())
}

/// Whether any alert of a topic is open.
pub fn any_open(db: &Connection, topic: AlertTopic) -> Result<bool, StoreError> {
    let mut statement = db.prepare_cached(ANY_OPEN)?;
    Ok(statement.query_row([topic.name()], |row| row.get(0))?)
}

pub(super) const ANY_OPEN: &str =
    "SELECT EXISTS (SELECT 1 FROM alert INDEXED BY alert_open WHERE topic = ? AND closed_at IS NULL)";

/// Closes the open alert with this number; whether there was one.
pub fn close_by_id(db: &Connection, id: i64, now: Timestamp) -> Result<bool, StoreError> {
    let closed = db.execute("UPDATE alert SET closed_at = ?2 WHERE id = ?1 AND closed_at IS NULL", params![id, now])?;
    Ok(closed == 1)
}

/// Open alerts, or those and the newest of all, newest first.
pub fn list(db: &Connection, closed_too: bool) -> Result<Vec<Alert>, StoreError> {
    let mut statement = db.prepare_cached(list_text(closed_too))?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The open ones are few and have an index of their own. Closed ones are kept for ever: of all, so many that began last are
/// read, by their numbers.
pub(super) const fn list_text(closed_too: bool) -> &'static str {
    if closed_too {
        "SELECT * FROM alert WHERE id IN (SELECT id FROM alert INDEXED BY alert_open WHERE closed_at IS NULL \
         UNION ALL SELECT id FROM (SELECT id FROM alert ORDER BY id DESC LIMIT 1000)) ORDER BY last_at DESC, id DESC"
    } else {
        "SELECT * FROM alert INDEXED BY alert_open WHERE closed_at IS NULL ORDER BY last_at DESC, id DESC"
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Alert> {
    Ok(Alert {
        id: row.get("id")?,
        topic: named(row, "topic", AlertTopic::parse)?,
        subject: row.get("subject")?,
        severity: named(row, "severity", Severity::parse)?,
        text: row.get("text")?,
        occurrences: row.get("occurrences")?,
        first_at: row.get("first_at")?,
        last_at: row.get("last_at")?,
        closed_at: row.get("closed_at")?,
    })
}
