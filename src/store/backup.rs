//! Copies of the database, taken while it is in use.
//!
//! A backup is one SQLite file (compressed when it is finished): the database itself and a table `backup_file` with
//! the few files that belong to it (keys of the onion service, credentials of nodes, the configuration). So one
//! well-known format carries everything, SQLite checks its integrity, and any SQLite tool can look
//! into it when the shop can't.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, backup::Backup, params};

use super::db::StoreError;
use super::{meta, schema, unpaid};
use crate::domain::time::Timestamp;

/// The most files that a backup carries, and the bytes of the largest: far more than a shop has.
const MOST_FILES: i64 = 2000;
/// See [`MOST_FILES`].
pub const MOST_BYTES: u64 = 1 << 20;
/// The bytes of all files together; they are in memory at once.
const MOST_IN_ALL: i64 = 64 << 20;

/// A file that a backup carries: its name there, with `/` between folders, and its content.
#[derive(Clone, PartialEq, Eq)]
pub struct CarriedFile {
    /// Where it belongs.
    pub name: String,
    /// What is in it; possibly secret.
    pub content: Vec<u8>,
}

/// Copies the database `from` into the new file `to`, as of one moment. Writers are not kept waiting.
pub fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let source = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    source.busy_timeout(std::time::Duration::from_secs(10))?;
    let mut copy = Connection::open(to)?;
    // All pages in one step: one read transaction, so that writers can't make it start anew.
    Backup::new(&source, &mut copy)?.step(-1)?;
    // The copy must be whole without a log beside it.
    copy.pragma_update(None, "journal_mode", "DELETE")?;
    Ok(())
}

/// Takes the orders out of a copy that have ended and never saw money, as [`unpaid::delete`] does once they are old:
/// what is left of each is its line. Their invoices are gone from their nodes, so nothing can be paid that a restored
/// shop would not know. The pages that they leave are zeros, which compress to nothing.
pub fn leave_out_unpaid(copy: &Path) -> Result<(), StoreError> {
    let db = Connection::open(copy)?;
    // Of a copy that fails half-way nothing is used.
    db.pragma_update(None, "journal_mode", "OFF")?;
    db.pragma_update(None, "synchronous", "OFF")?;
    db.pragma_update(None, "secure_delete", true)?;
    let transaction = db.unchecked_transaction()?;
    unpaid::delete(&transaction, Timestamp(i64::MAX), u32::MAX)?;
    transaction.commit()?;
    Ok(())
}

/// Takes out of a copy what opened a door when it was made: one that was closed since must not be open again after a
/// restore, and whoever restores can sign in anew.
pub fn leave_out_sessions(copy: &Path) -> Result<(), StoreError> {
    let db = Connection::open(copy)?;
    // A copy that is made before an upgrade may be of a version that knew neither.
    if db.table_exists(None, "session")? {
        db.execute_batch("DELETE FROM session; DELETE FROM setup_link")?;
    }
    Ok(())
}

/// Adds files to a backup.
pub fn add_files(backup: &Path, files: &[CarriedFile]) -> Result<(), StoreError> {
    let mut db = Connection::open(backup)?;
    let transaction = db.transaction()?;
    transaction.execute_batch(&format!("DROP TABLE IF EXISTS backup_file; {};", schema::BACKUP_FILE))?;
    for file in files {
        let row = params![file.name, file.content];
        transaction.execute("INSERT INTO backup_file (name, content) VALUES (?, ?)", row)?;
    }
    transaction.commit()?;
    Ok(())
}

/// The files in a backup, or only those whose name begins with `prefix`.
pub fn files(backup: &Path, prefix: &str) -> Result<Vec<CarriedFile>, StoreError> {
    let db = Connection::open_with_flags(backup, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let is_table = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'backup_file' AND sql = ?";
    if db.query_row(is_table, [schema::BACKUP_FILE], |row| row.get::<_, i64>(0))? == 0 {
        return Err(StoreError::Broken("it is no backup of a shop".to_owned()));
    }
    let mut statement = db.prepare(
        "SELECT name, content FROM backup_file WHERE substr(name, 1, length(?1)) = ?1 AND length(content) <= ?2 \
         ORDER BY name LIMIT ?3",
    )?;
    let rows = statement.query_map(params![prefix, MOST_BYTES.cast_signed(), MOST_FILES], |row| {
        Ok(CarriedFile { name: row.get(0)?, content: row.get(1)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Takes the files out of a backup's copy, leaving nothing of them in it.
pub fn take_files(copy: &Path) -> Result<Vec<CarriedFile>, StoreError> {
    let files = files(copy, "")?;
    let db = Connection::open(copy)?;
    db.pragma_update(None, "secure_delete", true)?;
    db.execute_batch("DROP TABLE backup_file")?;
    Ok(files)
}

/// What is wrong with a backup, if anything: damage, or something that is no backup of a shop.
pub fn problem(backup: &Path) -> Option<String> {
    let check = || -> rusqlite::Result<Option<String>> {
        let db = Connection::open_with_flags(backup, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let count =
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('backup_file', 'host', 'meta')";
        let tables: i64 = db.query_row(count, [], |row| row.get(0))?;
        if tables < 3 {
            return Ok(Some("it is a database, but not a backup of a shop".to_owned()));
        }
        let result: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        Ok((result != "ok").then(|| format!("it is damaged: {result}")))
    };
    check().unwrap_or_else(|error| Some(format!("it can't be read as a backup: {error}")))
}

/// Why a backup of unknown origin must not become a shop's database, if so: as [`problem`], and what is in it
/// besides a shop's own tables and a reasonable number of files. Nothing that it contains is run.
pub fn refusal(backup: &Path) -> Option<String> {
    let check = || -> Result<Option<String>, StoreError> {
        let db = Connection::open_with_flags(backup, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let tables: i64 =
            db.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'backup_file'", [], |row| row.get(0))?;
        if tables == 0 {
            return Ok(Some("it is a database, but not a backup of a shop".to_owned()));
        }
        if let Some(foreign) = schema::foreign(&db, Some(schema::BACKUP_FILE))? {
            return Ok(Some(format!("{foreign}; if you have made that yourself, undo it in a copy of the backup")));
        }
        // As a blob: the length of a text ends at a NUL.
        let sizes = "SELECT count(*), coalesce(max(size), 0), coalesce(sum(size), 0) FROM \
                     (SELECT length(content) + length(CAST(name AS BLOB)) AS size FROM backup_file)";
        let (count, largest, total): (i64, i64, i64) =
            db.query_row(sizes, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        if !meta::has_secret_for_its_orders(&db)? {
            let text = "it has orders, but not the secret that their invoices were made with: held payments could not be \
                        taken, and what is paid for them would not be known. Restore another one";
            return Ok(Some(text.to_owned()));
        }
        if let Some(broken) = broken_reference(&db)? {
            return Ok(Some(format!("it is damaged: {broken}")));
        }
        let is_absurd = count > MOST_FILES || largest > MOST_BYTES.cast_signed() || total > MOST_IN_ALL;
        Ok(is_absurd.then(|| format!("it carries {count} files of {total} bytes, one of {largest}: no shop has those")))
    };
    match check() {
        Ok(None) => problem(backup),
        Ok(refusal) => refusal,
        Err(error @ StoreError::OtherVersion(_)) => Some(error.to_string()),
        Err(error) => Some(format!("it can't be read as a backup: {error}")),
    }
}

/// What is wrong with the database in use, if anything.
pub fn damage(db: &Connection) -> Result<Option<String>, StoreError> {
    let result: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if result != "ok" { Ok(Some(result)) } else { broken_reference(db) }
}

/// The first row that names one in another table which is not there, if any does.
fn broken_reference(db: &Connection) -> Result<Option<String>, StoreError> {
    let text = |row: &Row<'_>| {
        let (table, row_id, parent): (String, Option<i64>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let which = row_id.map_or_else(|| "a row".to_owned(), |number| format!("row {number}"));
        Ok(format!("{which} of table {table:?} belongs to one of table {parent:?} that is not there"))
    };
    Ok(db.query_row("PRAGMA foreign_key_check", [], text).optional()?)
}
