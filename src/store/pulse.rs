//! A few numbers that change when a list does: each costs one look at the end of a table or at a table of a few rows.

use rusqlite::{Connection, Row};

use super::db::StoreError;

/// A pair of numbers that differs after a change.
pub type Mark = (i64, i64);

/// How the lists stand.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// The newest entry of the change log.
    pub newest_change: i64,
    pub alerts: Mark,
    pub outbox: Mark,
    pub jobs: Mark,
    pub nodes: Mark,
    pub hosts: Mark,
}

/// More entries than this since the last look are not read one by one.
const MOST_ENTRIES: i64 = 2000;

/// How the lists stand now.
pub fn marks(db: &Connection) -> Result<Marks, StoreError> {
    let mark = |sql: &str| -> Result<Mark, StoreError> {
        let pair = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        Ok(db.prepare_cached(sql)?.query_row([], pair)?)
    };
    Ok(Marks {
        newest_change: mark("SELECT coalesce((SELECT max(id) FROM audit_log), 0), 0")?.0,
        alerts: mark(
            "SELECT count(*), coalesce(sum(last_at + occurrences), 0) FROM alert INDEXED BY alert_open WHERE closed_at IS NULL",
        )?,
        outbox: mark("SELECT coalesce((SELECT max(id) FROM effect), 0), coalesce((SELECT min(id) FROM effect), 0)")?,
        jobs: mark("SELECT coalesce(sum(started_at), 0), coalesce(sum(paused_at), 0) FROM job_run")?,
        nodes: mark("SELECT coalesce(sum(is_alive), 0), coalesce(sum(checked_at), 0) FROM node")?,
        hosts: mark("SELECT coalesce(sum(alive_since), 0), count(alive_since) FROM host")?,
    })
}

/// What kinds of things the entries behind a number are about; `everything` where they are very many.
pub fn nouns(db: &Connection, after: i64) -> Result<Vec<String>, StoreError> {
    let newest: i64 =
        db.prepare_cached("SELECT coalesce(max(id), 0) FROM audit_log")?.query_row([], |row| row.get(0))?;
    if newest - after > MOST_ENTRIES {
        return Ok(vec!["everything".to_owned()]);
    }
    let mut statement = db.prepare_cached(NOUNS)?;
    let rows = statement.query_map([after], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) const NOUNS: &str = "SELECT DISTINCT noun FROM audit_log NOT INDEXED WHERE id > ?";
