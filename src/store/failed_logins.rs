//! The last logins that were refused.

use rusqlite::{Connection, params};

use super::db::StoreError;
use super::row::named;
use crate::domain::account::{FailedLogin, LoginFault};
use crate::domain::id::OperatorId;
use crate::domain::time::Timestamp;

/// So many are kept.
const KEPT: u32 = 1000;

/// Notes one; the oldest go.
pub fn insert(
    db: &Connection,
    operator: Option<OperatorId>,
    client: &str,
    fault: LoginFault,
    now: Timestamp,
) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO failed_login (at, operator_id, client, reason) VALUES (?, ?, ?, ?)",
        params![now, operator, client, fault.name()],
    )?;
    db.execute("DELETE FROM failed_login WHERE id <= ?", [db.last_insert_rowid() - i64::from(KEPT)])?;
    Ok(())
}

/// Those of an operator's name, or all, newest first; behind `before`, as many as `limit`.
pub fn list(
    db: &Connection,
    owner: Option<OperatorId>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<FailedLogin>, StoreError> {
    let sql = "SELECT * FROM failed_login WHERE (?1 IS NULL OR operator_id = ?1) AND id < ?2 ORDER BY id DESC LIMIT ?3";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map(params![owner, before.unwrap_or(i64::MAX), limit], |row| {
        Ok(FailedLogin {
            id: row.get("id")?,
            at: row.get("at")?,
            operator: row.get("operator_id")?,
            client: row.get("client")?,
            fault: named(row, "reason", LoginFault::parse)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
