//! Runs of the scheduled jobs, for thirty days. Runs that ended alike are one row.

use rusqlite::{Connection, Row, params};

use super::db::StoreError;
use crate::domain::time::Timestamp;

/// Kept for so long. Seconds.
const KEPT_SECS: i64 = 30 * 86_400;

/// One run, or several in a row that ended alike.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runs {
    /// Its row.
    pub id: i64,
    pub name: String,
    /// When the first of them started.
    pub first_at: Timestamp,
    /// When the last of them started.
    pub last_at: Timestamp,
    /// How many they are.
    pub runs: u32,
    /// What the longest took, in milliseconds.
    pub longest_ms: i64,
    /// Whether they failed.
    pub has_failed: bool,
    /// What the last of them said.
    pub outcome: String,
}

/// Stores runs; what is too old at `now` goes.
pub fn add(db: &Connection, runs: &Runs, now: Timestamp) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO job_history (name, first_at, last_at, runs, longest_ms, has_failed, outcome) \
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        runs.name,
        runs.first_at,
        runs.last_at,
        runs.runs,
        runs.longest_ms,
        runs.has_failed,
        runs.outcome
    ])?;
    db.prepare_cached("DELETE FROM job_history WHERE last_at < ?")?.execute([now.plus_secs(-KEPT_SECS)])?;
    Ok(())
}

/// The runs of one job or of all, newest first, those stored before row `before`.
pub fn list(db: &Connection, name: Option<&str>, before: i64, limit: u32) -> Result<Vec<Runs>, StoreError> {
    let mut statement = db.prepare_cached(&text(name.is_some(), limit))?;
    let rows = match name {
        Some(name) => statement.query_map(params![before, name], runs)?,
        None => statement.query_map([before], runs)?,
    };
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn text(of_one: bool, limit: u32) -> String {
    let name = if of_one { "AND name = ?2" } else { "" };
    let limit = u64::from(limit).next_power_of_two();
    format!("SELECT * FROM job_history WHERE id < ?1 {name} ORDER BY id DESC LIMIT {limit}")
}

fn runs(row: &Row<'_>) -> rusqlite::Result<Runs> {
    Ok(Runs {
        id: row.get("id")?,
        name: row.get("name")?,
        first_at: row.get("first_at")?,
        last_at: row.get("last_at")?,
        runs: row.get("runs")?,
        longest_ms: row.get("longest_ms")?,
        has_failed: row.get("has_failed")?,
        outcome: row.get("outcome")?,
    })
}
