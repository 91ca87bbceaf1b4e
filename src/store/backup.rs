//! Copies of the database, taken while it is in use.
//!
//! A backup is one SQLite file: the database itself and a table `backup_file` with the few files that
//! belong to it (keys of the onion service, credentials of nodes, the configuration). So one
//! well-known format carries everything, SQLite checks its integrity, and any SQLite tool can look
//! into it when the shop can't.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, backup::Backup, params};

use super::db::StoreError;

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

/// Adds files to a backup.
pub fn add_files(backup: &Path, files: &[CarriedFile]) -> Result<(), StoreError> {
    let mut db = Connection::open(backup)?;
    let transaction = db.transaction()?;
    transaction.execute_batch(
        "DROP TABLE IF EXISTS backup_file; \
         CREATE TABLE backup_file (name TEXT NOT NULL PRIMARY KEY, content BLOB NOT NULL) STRICT;",
    )?;
    for file in files {
        let row = params![file.name, file.content];
        transaction.execute("INSERT INTO backup_file (name, content) VALUES (?, ?)", row)?;
    }
    transaction.commit()?;
    Ok(())
}

/// Takes the files out of a backup's copy, leaving nothing of them in it.
pub fn take_files(copy: &Path) -> Result<Vec<CarriedFile>, StoreError> {
    let db = Connection::open(copy)?;
    let mut statement = db.prepare("SELECT name, content FROM backup_file ORDER BY name")?;
    let rows = statement.query_map([], |row| Ok(CarriedFile { name: row.get(0)?, content: row.get(1)? }))?;
    let files = rows.collect::<Result<_, _>>()?;
    drop(statement);
    db.pragma_update(None, "secure_delete", true)?;
    db.execute_batch("DROP TABLE backup_file")?;
    Ok(files)
}

/// What is wrong with a backup, if anything: damage, or something that is no backup of a shop.
pub fn problem(backup: &Path) -> Option<String> {
    let check = || -> rusqlite::Result<Option<String>> {
        let db = Connection::open_with_flags(backup, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let result: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if result != "ok" {
            return Ok(Some(format!("it is damaged: {result}")));
        }
        let count =
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('backup_file', 'host', 'meta')";
        let tables: i64 = db.query_row(count, [], |row| row.get(0))?;
        Ok((tables < 3).then(|| "it is a database, but not a backup of a shop".to_owned()))
    };
    check().unwrap_or_else(|error| Some(format!("it can't be read as a backup: {error}")))
}

/// What is wrong with the database in use, if anything.
pub fn damage(db: &Connection) -> Result<Option<String>, StoreError> {
    let result: String = db.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    Ok((result != "ok").then_some(result))
}
