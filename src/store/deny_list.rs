//! Deny lists: targets and IP addresses that are not served.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::audit_log::Author;
use super::db::StoreError;
use super::row::named;
use crate::domain::deny_list::{self, DenyEntry, DenyKind, DenyStatus};

fn from_row(row: &Row<'_>) -> rusqlite::Result<DenyEntry> {
    Ok(DenyEntry {
        id: row.get("id")?,
        kind: named(row, "kind", DenyKind::parse)?,
        value: row.get("value")?,
        status: named(row, "status", DenyStatus::parse)?,
        comment: row.get("comment")?,
        created_at: row.get("created_at")?,
        modified_at: row.get("modified_at")?,
    })
}

/// All entries, newest first.
pub fn list(db: &Connection) -> Result<Vec<DenyEntry>, StoreError> {
    page(db, i64::MAX, u32::MAX)
}

/// So many entries at most, the newest first, of those with smaller numbers than `before`.
pub fn page(db: &Connection, before: i64, limit: u32) -> Result<Vec<DenyEntry>, StoreError> {
    let mut statement = db.prepare_cached("SELECT * FROM deny_entry WHERE id < ?1 ORDER BY id DESC LIMIT ?2")?;
    let rows = statement.query_map(params![before, limit], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The entry about one value, as [`crate::domain::deny_list::normalize`] writes it.
pub fn get(db: &Connection, kind: DenyKind, value: &str) -> Result<Option<DenyEntry>, StoreError> {
    let mut statement = db.prepare_cached("SELECT * FROM deny_entry WHERE kind = ? AND value = ?")?;
    Ok(statement.query_row(params![kind.name(), value], from_row).optional()?)
}

/// Whether a target (its onion address, with or without the port) is denied. The states that deny are those of
/// [`DenyStatus::denies`].
pub fn is_target_denied(db: &Connection, target: &str) -> Result<bool, StoreError> {
    let onion = target.rsplit_once(':').map(|(onion, _)| onion);
    let mut statement = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM deny_entry WHERE status IN ('recommended', 'denied') AND \
         kind = 'target' AND value IN (?1, ?2))",
    )?;
    Ok(statement.query_row(params![target, onion], |row| row.get(0))?)
}

/// Whether an IP address, or a network that it lies in, is denied.
pub fn is_ip_denied(db: &Connection, ip: &str) -> Result<bool, StoreError> {
    // Most shops deny no address: then one look at the index is all.
    let any = "SELECT EXISTS (SELECT 1 FROM deny_entry WHERE kind = 'ip')";
    if !db.prepare_cached(any)?.query_row([], |row| row.get::<_, bool>(0))? {
        return Ok(false);
    }
    let mut statement = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM deny_entry WHERE status IN ('recommended', 'denied') AND kind = 'ip' AND value = ?)",
    )?;
    for spelling in deny_list::spellings(ip) {
        if statement.query_row([spelling], |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Gives entries that an older version has stored the spelling of today. Of those that become one the strictest stays:
/// nobody who was denied may be let in by it.
pub fn respell(db: &Connection) -> Result<(), StoreError> {
    // Only the addresses of IPv6 are spelled otherwise.
    let mut statement =
        db.prepare("SELECT id, value FROM deny_entry WHERE kind = 'ip' AND value LIKE '%:%' AND value NOT LIKE '%/%'")?;
    let old =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<Vec<(i64, String)>, _>>()?;
    for (id, value) in old {
        let Ok(spelling) = deny_list::normalize(DenyKind::Ip, &value) else { continue };
        if let Some(other) = get(db, DenyKind::Ip, &spelling)? {
            let own = db.query_row("SELECT * FROM deny_entry WHERE id = ?", [id], from_row)?;
            if own.status <= other.status {
                delete(db, id)?;
                continue;
            }
            delete(db, other.id)?;
        }
        db.execute("UPDATE deny_entry SET value = ?2 WHERE id = ?1", params![id, spelling])?;
    }
    Ok(())
}

/// Stores an entry, or a new status and comment of the one that is there.
pub fn put(
    db: &Connection,
    kind: DenyKind,
    value: &str,
    status: DenyStatus,
    comment: &str,
    author: Author<'_>,
) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO deny_entry (kind, value, status, comment, created_at, modified_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT (kind, value) DO UPDATE SET \
         status = excluded.status, comment = excluded.comment, modified_at = excluded.modified_at",
        params![kind.name(), value, status.name(), comment, author.at()],
    )?;
    Ok(())
}

/// Takes an entry off the list; its author says so in the change log.
pub fn remove(db: &Connection, id: i64, _: Author<'_>) -> Result<(), StoreError> {
    delete(db, id)
}

fn delete(db: &Connection, id: i64) -> Result<(), StoreError> {
    db.execute("DELETE FROM deny_entry WHERE id = ?", [id])?;
    Ok(())
}
