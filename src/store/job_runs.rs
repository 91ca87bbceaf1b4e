//! When each scheduled job last ran and will run next.

use rusqlite::{Connection, params};

use super::db::StoreError;
use crate::domain::time::Timestamp;

/// What is known of a job.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRun {
    pub name: String,
    /// When it last started.
    pub started_at: Option<Timestamp>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<i64>,
    /// Whether it failed.
    pub has_failed: bool,
    /// What it did, or what was wrong, for people.
    pub outcome: Option<String>,
    /// When it runs next.
    pub next_at: Option<Timestamp>,
}

/// Records a run.
pub fn record(db: &Connection, run: &JobRun) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO job_run (name, started_at, duration_ms, has_failed, outcome, next_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (name) DO UPDATE \
         SET started_at = ?2, duration_ms = ?3, has_failed = ?4, outcome = ?5, next_at = ?6",
    )?
    .execute(params![run.name, run.started_at, run.duration_ms, run.has_failed, run.outcome, run.next_at])?;
    Ok(())
}

/// Stores when a job runs next, beside what is known of its last run.
pub fn plan(db: &Connection, name: &str, next_at: Option<Timestamp>) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO job_run (name, next_at) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET next_at = ?2",
    )?
    .execute(params![name, next_at])?;
    Ok(())
}

/// Lets a job wait since a time, or go on (`None`); `false` when there is no such job.
pub fn pause(db: &Connection, name: &str, since: Option<Timestamp>) -> Result<bool, StoreError> {
    Ok(db.execute("UPDATE job_run SET paused_at = ?2 WHERE name = ?1", params![name, since])? == 1)
}

/// The jobs that wait, and since when.
pub fn paused(db: &Connection) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let mut statement = db.prepare_cached("SELECT name, paused_at FROM job_run WHERE paused_at IS NOT NULL")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// All jobs by name.
pub fn list(db: &Connection) -> Result<Vec<JobRun>, StoreError> {
    let text = "SELECT name, started_at, duration_ms, has_failed, outcome, next_at FROM job_run ORDER BY name";
    let mut statement = db.prepare_cached(text)?;
    let rows = statement.query_map([], |row| {
        Ok(JobRun {
            name: row.get(0)?,
            started_at: row.get(1)?,
            duration_ms: row.get(2)?,
            has_failed: row.get(3)?,
            outcome: row.get(4)?,
            next_at: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
