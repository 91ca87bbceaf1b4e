//! Times when a host was dead while products were owed on it.

use rusqlite::{Connection, params};

use super::db::StoreError;
use crate::domain::id::{HostId, ProductId};
use crate::domain::time::Timestamp;

/// Opens an outage for every product that is owed on the host and has none open. Returns how many.
pub fn open(db: &Connection, host: HostId, since: Timestamp) -> Result<usize, StoreError> {
    let mut statement = db.prepare_cached(
        "INSERT INTO outage (host_id, product_id, started_at) \
         SELECT host_id, id, ?2 FROM product p WHERE host_id = ?1 AND status IN ('P', 'A') AND deleted_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM outage o WHERE o.product_id = p.id AND o.ended_at IS NULL)",
    )?;
    Ok(statement.execute(params![host, since])?)
}

/// Whether the host has open outages.
pub fn any_open(db: &Connection, host: HostId) -> Result<bool, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT EXISTS (SELECT 1 FROM outage WHERE host_id = ? AND ended_at IS NULL)")?;
    Ok(statement.query_row([host], |row| row.get(0))?)
}

/// The host's open outages: row, product, start.
pub fn list_open(db: &Connection, host: HostId) -> Result<Vec<(i64, ProductId, Timestamp)>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT id, product_id, started_at FROM outage WHERE host_id = ? AND ended_at IS NULL")?;
    let rows = statement.query_map([host], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Ends an outage.
pub fn close(db: &Connection, id: i64, now: Timestamp, credited_secs: i64) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE outage SET ended_at = ?2, credited_secs = ?3 WHERE id = ?1 AND ended_at IS NULL")?
        .execute(params![id, now, credited_secs])?;
    Ok(())
}
