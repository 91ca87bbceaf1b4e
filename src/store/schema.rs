//! Whether a database has exactly the tables, indexes and triggers that the migrations make. What else is in
//! one runs by itself: a trigger when a row changes, a view when it is read.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::db::{self, StoreError};

/// The table with the files that a backup carries.
pub const BACKUP_FILE: &str = "CREATE TABLE backup_file (name TEXT NOT NULL PRIMARY KEY, content BLOB NOT NULL) STRICT";

/// What Litestream, which replicates a database as it is, keeps in it: data alone, nothing that runs.
const LITESTREAM: [(&str, &str); 2] = [
    ("_litestream_seq", "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)"),
    ("_litestream_lock", "CREATE TABLE _litestream_lock (id INTEGER)"),
];

/// An entry of `sqlite_schema`: type, name, table and text.
type Entry = (String, String, String, Option<String>);

/// What a database has besides, or instead of, what the migrations that it names have made; nothing of it is
/// run. `carried` is the text of one more table that it has.
///
/// # Errors
/// [`StoreError::OtherVersion`] when it names migrations that are not this program's.
pub fn foreign(db: &Connection, carried: Option<&str>) -> Result<Option<String>, StoreError> {
    let found = entries(db)?;
    let history = found.iter().find(|entry| entry.1 == "refinery_schema_history");
    let Some(version) = history.map(|history| version(db, history)).transpose()?.flatten() else {
        return Ok(Some("it is a database, but not one of a shop".to_owned()));
    };
    let mut expected = entries(&db::blank(version)?)?;
    if let Some(text) = carried {
        expected.push(("table".into(), "backup_file".into(), "backup_file".into(), Some(text.to_owned())));
    }
    let name = |(kind, name, ..): &Entry| format!("{kind} {name:?}");
    let too_much = found.iter().find(|entry| !expected.contains(entry));
    let missing = expected.iter().find(|entry| !found.contains(entry));
    Ok(match (too_much, missing) {
        (Some(entry), _) => Some(format!("it has a {} that is not the shop's", name(entry))),
        (None, Some(entry)) => Some(format!("it lacks the {}", name(entry))),
        (None, None) => None,
    })
}

/// What is in the schema, but for what SQLite makes by itself.
fn entries(db: &Connection) -> Result<Vec<Entry>, StoreError> {
    let mut statement = db.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let mut all: Vec<Entry> = rows.collect::<Result<_, _>>()?;
    all.retain(|(kind, name, _, sql)| {
        let is_index = kind == "index" && sql.is_none() && name.starts_with("sqlite_autoindex_");
        let is_table = kind == "table" && ["sqlite_sequence", "sqlite_stat1", "sqlite_stat4"].contains(&name.as_str());
        let is_litestreams =
            LITESTREAM.iter().any(|(own, text)| kind == "table" && name == own && sql.as_deref() == Some(*text));
        !is_index && !is_table && !is_litestreams
    });
    Ok(all)
}

/// The newest migration that was applied; all of them must be this program's.
fn version(db: &Connection, history: &Entry) -> Result<Option<i32>, StoreError> {
    let ours = entries(&db::blank(1)?)?;
    if !ours.contains(history) {
        return Ok(None);
    }
    let mut statement =
        db.prepare("SELECT version, name, checksum FROM refinery_schema_history ORDER BY version LIMIT 1000")?;
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, i32>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)))?;
    let known = db::known_migrations();
    let mut newest = None;
    for row in rows {
        let (version, name, checksum) = row?;
        let is_ours = |(number, _, own): &(i32, String, u64)| *number == version && own.to_string() == checksum;
        if !known.iter().any(is_ours) {
            let is_known = known.iter().any(|(number, ..)| *number == version);
            let what = if is_known { "is not ours" } else { "is not known here" };
            return Err(StoreError::OtherVersion(format!("its V{version}__{name} {what}")));
        }
        newest = Some(version);
    }
    Ok(newest)
}

/// Whether a database lacks migrations that this program would apply when it opens it.
///
/// # Errors
/// When it can't be read, or is none of a shop yet.
pub fn is_behind(database: &Path) -> Result<bool, StoreError> {
    let db = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let newest =
        db.query_row("SELECT max(version) FROM refinery_schema_history", [], |row| row.get::<_, Option<i32>>(0))?;
    Ok(newest.is_some_and(|newest| db::known_migrations().last().is_some_and(|(last, ..)| newest < *last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_migrations_make_is_the_shops_own_at_every_version() {
        for (version, ..) in db::known_migrations() {
            assert_eq!(foreign(&db::blank(version).unwrap(), None).unwrap(), None, "V{version}");
        }
    }

    #[test]
    fn what_litestream_keeps_in_a_database_is_known_by_its_text() {
        let newest = db::known_migrations().last().unwrap().0;
        let db = db::blank(newest).unwrap();
        // As its version 0.5.18 makes them.
        db.execute_batch(
            "CREATE TABLE IF NOT EXISTS _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER); \
             CREATE TABLE IF NOT EXISTS _litestream_lock (id INTEGER);",
        )
        .unwrap();
        assert_eq!(foreign(&db, None).unwrap(), None);
        db.execute_batch("DROP TABLE _litestream_lock; CREATE TABLE _litestream_lock (id INTEGER, evil AS (abs(id)))")
            .unwrap();
        assert!(foreign(&db, None).unwrap().unwrap().contains("_litestream_lock"));
    }

    #[test]
    fn what_somebody_added_changed_or_removed_is_named() {
        let newest = db::known_migrations().last().unwrap().0;
        for (change, says) in [
            ("CREATE TRIGGER evil AFTER INSERT ON meta BEGIN DELETE FROM host; END", "trigger \"evil\""),
            ("CREATE VIEW evil AS SELECT 1", "view \"evil\""),
            ("CREATE TABLE evil (a)", "table \"evil\""),
            ("CREATE INDEX evil ON host (name)", "index \"evil\""),
            ("CREATE VIRTUAL TABLE evil USING fts5(a)", "table \"evil"),
            ("DROP TRIGGER audit_log_no_delete", "lacks the trigger \"audit_log_no_delete\""),
            ("ALTER TABLE host ADD COLUMN evil AS (randomblob(1000000000))", "table \"host\""),
        ] {
            let db = db::blank(newest).unwrap();
            if db.execute_batch(change).is_err() {
                // A module that this SQLite does not have.
                continue;
            }
            let found = foreign(&db, None).unwrap().unwrap();
            assert!(found.contains(says), "{change}: {found}");
        }
    }

    #[test]
    fn a_table_under_the_name_of_the_migrations_is_not_believed() {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch("CREATE VIEW refinery_schema_history AS SELECT 1 AS version, 'x' AS name, '1' AS checksum")
            .unwrap();
        assert!(foreign(&db, None).unwrap().unwrap().contains("not one of a shop"));
    }
}
