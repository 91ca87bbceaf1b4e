//! The channels that tell of alerts, and how they fare: those of the configuration, and those of operators' own.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::audit_log::Author;
use super::db::StoreError;
use super::row::named;
use crate::domain::alert::Severity;
use crate::domain::alert_channel::{ChannelKind, ChannelRules, OwnChannel, QuietRule};
use crate::domain::id::OperatorId;
use crate::domain::time::Timestamp;

/// A channel as stored.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelState {
    pub name: String,
    /// What is less urgent is not told.
    pub severity: Severity,
    /// Whose it is, and where it leads; `None` for one of the configuration.
    pub own: Option<Own>,
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

/// What is known of an operator's own channel besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// The operator.
    pub owner: OperatorId,
    /// Where it leads.
    pub channel: OwnChannel,
    /// What the operator says of quiet hours.
    pub quiet: Option<QuietRule>,
}

/// Makes these the channels of the configuration: what waits for others goes, and what is known of those that stay is
/// kept.
pub fn set(db: &Connection, channels: &[(&str, Severity)]) -> Result<(), StoreError> {
    for state in list(db)?.into_iter().filter(|state| state.own.is_none()) {
        if !channels.iter().any(|(name, _)| *name == state.name) {
            remove(db, &state.name)?;
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

fn remove(db: &Connection, name: &str) -> Result<(), StoreError> {
    forget_waiting(db, name)?;
    db.execute("DELETE FROM alert_channel WHERE name = ?", [name])?;
    Ok(())
}

fn forget_waiting(db: &Connection, name: &str) -> Result<(), StoreError> {
    for table in ["alert_news", "alert_message"] {
        db.execute(&format!("DELETE FROM {table} WHERE channel = ?"), [name])?;
    }
    Ok(())
}

/// Stores a channel of an operator's own under a new name, which is the answer.
pub fn add_own(
    db: &Connection,
    owner: OperatorId,
    channel: &OwnChannel,
    rules: ChannelRules,
    _author: Author<'_>,
) -> Result<String, StoreError> {
    let last =
        "SELECT coalesce(max(CAST(substr(name, 5) AS INTEGER)), 0) FROM alert_channel WHERE owner_id IS NOT NULL";
    let name = format!("own-{}", db.query_row(last, [], |row| row.get::<_, i64>(0))? + 1);
    let OwnChannel { kind, target, secret, token } = channel;
    db.execute(
        "INSERT INTO alert_channel (name, lowest, owner_id, kind, target, secret, token, quiet) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            name,
            rules.severity.rank(),
            owner,
            kind.name(),
            target,
            secret,
            token,
            rules.quiet.map(|quiet| quiet.to_string())
        ],
    )?;
    Ok(name)
}

/// Removes a channel of an operator's own, and what waits for it.
pub fn remove_own(db: &Connection, name: &str, _author: Author<'_>) -> Result<(), StoreError> {
    remove(db, name)
}

const ALL: &str = "SELECT *, (SELECT count(*) FROM alert_news WHERE channel = name AND is_sorted = 1) \
                   + (SELECT count(*) FROM alert_message WHERE channel = name) AS waiting FROM alert_channel";

/// All channels.
pub fn list(db: &Connection) -> Result<Vec<ChannelState>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{ALL} ORDER BY owner_id IS NOT NULL, length(name), name"))?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The channel with this name.
pub fn get(db: &Connection, name: &str) -> Result<Option<ChannelState>, StoreError> {
    Ok(db.prepare_cached(&format!("{ALL} WHERE name = ?"))?.query_row([name], from_row).optional()?)
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
    forget_waiting(db, name)
}

/// Counts changes that found no room.
pub fn leave_out(db: &Connection, name: &str, count: u32) -> Result<(), StoreError> {
    db.execute("UPDATE alert_channel SET left_out = left_out + ?2 WHERE name = ?1", params![name, count])?;
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
    let rank = row.get("lowest")?;
    let unknown = || rusqlite::Error::FromSqlConversionFailure(1, Type::Integer, format!("no urgency: {rank}").into());
    Ok(ChannelState {
        name: row.get("name")?,
        severity: Severity::of_rank(rank).ok_or_else(unknown)?,
        own: row.get::<_, Option<OperatorId>>("owner_id")?.map(|owner| own_from_row(row, owner)).transpose()?,
        sent_at: row.get("sent_at")?,
        failed_at: row.get("failed_at")?,
        failure: row.get("failure")?,
        off_at: row.get("off_at")?,
        waiting: row.get("waiting")?,
    })
}

fn own_from_row(row: &Row<'_>, owner: OperatorId) -> rusqlite::Result<Own> {
    let channel = OwnChannel {
        kind: named(row, "kind", ChannelKind::parse)?,
        target: row.get("target")?,
        secret: row.get("secret")?,
        token: row.get("token")?,
    };
    let is_said = row.get::<_, Option<String>>("quiet")?.is_some();
    Ok(Own { owner, channel, quiet: is_said.then(|| named(row, "quiet", QuietRule::parse)).transpose()? })
}
