//! Groups of changes: one commit, each rolled back alone, and what a failing disk makes of them.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;

fn put(db: &Connection, key: &str, bytes: i64) -> Result<(), StoreError> {
    db.execute("INSERT INTO meta (key, value) VALUES (?, zeroblob(?))", (key, bytes))?;
    Ok(())
}

/// A job, and where its answer arrives.
fn waiting(
    change: impl FnOnce(&Connection) -> Result<(), StoreError> + Send + 'static,
) -> (Job, mpsc::Receiver<Result<(), StoreError>>) {
    let (sender, answer) = mpsc::channel();
    (job(change, move |result| drop(sender.send(result))), answer)
}

#[test]
fn the_database_is_its_owners_alone_and_what_was_open_to_others_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let mode = |name: &str| fs::metadata(dir.path().join(name)).unwrap().permissions().mode() & 0o777;
    let file = dir.path().join("shop.sqlite3");
    fs::write(&file, "").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let _db = Db::open(&file).unwrap();
    for name in ["shop.sqlite3", "shop.sqlite3-wal", "shop.sqlite3-shm"] {
        assert_eq!(mode(name), 0o600, "{name}");
        fs::set_permissions(dir.path().join(name), fs::Permissions::from_mode(0o644)).unwrap();
    }
    let _again = Db::open(&file).unwrap();
    for name in ["shop.sqlite3", "shop.sqlite3-wal", "shop.sqlite3-shm"] {
        assert_eq!(mode(name), 0o600, "{name}");
    }
    drop(Db::open(&dir.path().join("new")).unwrap());
    assert_eq!(mode("new"), 0o600);
}

/// How many locks this process has on a file, by what the system tells of each descriptor. Its list of all locks would
/// not do: that is read in pieces, between which the locks of tests beside this one come and go, and others are passed.
pub(crate) fn locks_on(file: &Path) -> usize {
    let about = |path: &Path| fs::metadata(path).map(|about| (about.dev(), about.ino()));
    let (wanted, mut locks) = (about(file).unwrap(), 0);
    for descriptor in fs::read_dir("/proc/self/fd").unwrap() {
        let descriptor = descriptor.unwrap();
        // Those of other tests may be closed by now.
        if about(&descriptor.path()).is_ok_and(|found| found == wanted) {
            let told = fs::read_to_string(Path::new("/proc/self/fdinfo").join(descriptor.file_name())).unwrap();
            locks += told.lines().filter(|line| line.starts_with("lock:")).count();
        }
    }
    locks
}

#[test]
fn nothing_that_is_done_to_a_database_in_use_gives_its_locks_back() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("shop.sqlite3");
    let db = Db::open(&file).unwrap();
    db.write_blocking(|db| put(db, "key", 1)).unwrap();
    let beside = files_of(&file)[2].clone();
    let held = (locks_on(&file), locks_on(&beside));
    assert!(held.0 > 0 && held.1 > 0, "SQLite holds locks on both: {held:?}");
    // What commands, the demo and the start do.
    let again = Db::open(&file).unwrap();
    assert!(again.read(super::super::backup::damage).unwrap().is_none());
    super::super::backup::copy(&file, &dir.path().join("copy")).unwrap();
    drop(again);
    // What is asked of it while the shop sells: its size and room, whether it takes changes, its version.
    assert!(db.room().unwrap().database > 0 && db.can_write() && db.version().unwrap() > 0);
    let held = (locks_on(&file), locks_on(&beside));
    assert!(held.0 > 0 && held.1 > 0, "they are still there: {held:?}");
}

#[test]
fn a_database_that_is_a_link_to_nowhere_is_no_reason_to_begin_an_empty_shop() {
    let dir = tempfile::tempdir().unwrap();
    let (file, unmounted) = (dir.path().join("shop.sqlite3"), dir.path().join("disk"));
    std::os::unix::fs::symlink(&unmounted, &file).unwrap();
    let Err(error) = Db::open(&file) else { panic!("a shop was begun") };
    assert!(error.to_string().contains("not mounted"), "{error}");
    assert!(!unmounted.exists());
}

/// The text of the whole schema.
fn tables(file: &Path) -> String {
    let db = connect(file, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    db.query_row("SELECT group_concat(sql) FROM sqlite_schema", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_database_of_another_version_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("shop.sqlite3");
    drop(Db::open(&file).unwrap());
    for (change, says) in [
        ("UPDATE refinery_schema_history SET checksum = '1' WHERE version = 1", "its V1__shop is not ours"),
        ("UPDATE refinery_schema_history SET version = 1000 WHERE version = 1", "its V1000__shop is not known here"),
    ] {
        connect(&file, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap().execute(change, []).unwrap();
        let before = tables(&file);
        let Err(error) = Db::open(&file) else { panic!("opened after {change}") };
        assert_eq!(tables(&file), before);
        assert!(matches!(error, StoreError::OtherVersion(_)) && error.to_string().contains(says), "{error}");
    }
}

#[test]
fn when_the_disk_is_full_a_whole_group_is_refused_and_nothing_of_it_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("shop.sqlite3");
    drop(Db::open(&file).unwrap());
    let mut writer = connect(&file, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    writer.pragma_update(None, "max_page_count", 1).unwrap();
    let (before, before_answer) = waiting(|db| put(db, "before", 1));
    let (full, full_answer) = waiting(|db| put(db, "full", 1 << 20));
    let (after, after_answer) = waiting(|db| put(db, "after", 1));
    let (mut group, mut finishes) = (VecDeque::from([before, full, after]), Vec::new());
    let outcome = run_group(&mut writer, &mut group, &mut finishes);
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
    finishes.into_iter().for_each(|finish| finish(outcome.clone()));
    assert_eq!(group.len(), 1, "the job behind it was not begun");
    assert!(matches!(before_answer.recv().unwrap(), Err(StoreError::Unavailable(_))));
    assert!(matches!(full_answer.recv().unwrap(), Err(StoreError::Unavailable(_))));
    let stored: i64 = writer
        .query_row("SELECT count(*) FROM meta WHERE key IN ('before', 'full', 'after')", [], |row| row.get(0))
        .unwrap();
    assert_eq!(stored, 0);
    writer.pragma_update(None, "max_page_count", 1 << 20).unwrap();
    let (mut group, mut finishes) = (group, Vec::new());
    let outcome = run_group(&mut writer, &mut group, &mut finishes);
    finishes.into_iter().for_each(|finish| finish(outcome.clone()));
    assert!(after_answer.recv().unwrap().is_ok(), "with room again it goes on");
}

#[test]
fn a_sentence_that_an_older_shop_has_written_becomes_its_key_and_reads_as_before() {
    use crate::domain::texts::{Ending, Language, OrderMessage};
    let endings = Ending::ALL.into_iter().flat_map(|end| [OrderMessage::Cancelling(end), OrderMessage::Ended(end)]);
    let verdict = || "The target does not answer".to_owned();
    let others = [
        OrderMessage::Probing,
        OrderMessage::PortTrial,
        OrderMessage::Held,
        OrderMessage::CancelledElsewhere,
        OrderMessage::HoldLost,
        OrderMessage::Vanished,
        OrderMessage::NoInvoice,
        OrderMessage::Denied,
        OrderMessage::NoPorts,
        OrderMessage::PortsUnchecked,
        OrderMessage::Undelivered,
        OrderMessage::Underpaid,
        OrderMessage::Undeliverable,
        OrderMessage::PaidAgain,
        OrderMessage::LateReturned,
        OrderMessage::Refunded,
        OrderMessage::DeliveredLate(361),
        OrderMessage::TargetWarned(verdict()),
        OrderMessage::TargetRefused(verdict()),
        OrderMessage::Free("Somebody wrote this by hand".to_owned()),
    ];
    let sql = include_str!("../../../migrations/V13__keys_of_messages.sql");
    let db = blank(12).unwrap();
    db.pragma_update(None, "foreign_keys", false).unwrap();
    for message in endings.chain(others) {
        db.execute("DELETE FROM purchase_order", []).unwrap();
        db.execute(
            "INSERT INTO purchase_order (id, product_seq, host_id, kind, status, message, price, late_secs, \
             created_at, modified_at) VALUES (zeroblob(16), 1, zeroblob(16), 'first', 'R', ?, 0, 361, 0, 0)",
            [message.text(Language::English)],
        )
        .unwrap();
        db.execute_batch(sql).unwrap();
        let read: OrderMessage = db.query_row("SELECT message FROM purchase_order", [], |row| row.get(0)).unwrap();
        assert_eq!(read, message);
    }
}

#[test]
fn what_the_old_log_says_of_suspended_products_is_found_by_its_event() {
    let sql = include_str!("../../../migrations/V15__events_of_the_log.sql");
    let db = blank(14).unwrap();
    for (noun, change) in [("product", "A->S"), ("product", "A->S; until 1"), ("product", "S->A"), ("order", "A->S")] {
        db.execute(
            "INSERT INTO audit_log (at, actor, noun, noun_id, change) VALUES (0, 'shop', ?, '', ?)",
            [noun, change],
        )
        .unwrap();
    }
    db.execute_batch(sql).unwrap();
    let found: Vec<i64> = db
        .prepare("SELECT id FROM audit_log WHERE event = 'suspended' ORDER BY id")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(found, [1, 2]);
    assert!(db.execute("UPDATE audit_log SET event = NULL", []).is_err(), "the log is append-only again");
}
