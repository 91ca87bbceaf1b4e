//! Deny lists: targets and IP addresses that are not served.

use rusqlite::{Connection, params};

use super::db::StoreError;

/// Whether a target (its onion address, with or without the port) or an IP address is denied.
pub fn is_denied(db: &Connection, target: Option<&str>, ip: Option<&str>) -> Result<bool, StoreError> {
    let onion = target.and_then(|target| target.rsplit_once(':')).map(|(onion, _)| onion);
    let mut statement = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM deny_entry WHERE status = 'denied' AND \
         ((kind = 'target' AND value IN (?1, ?2)) OR (kind = 'ip' AND value = ?3)))",
    )?;
    Ok(statement.query_row(params![target, onion, ip], |row| row.get(0))?)
}
