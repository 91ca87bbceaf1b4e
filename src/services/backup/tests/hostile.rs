//! Backups that somebody has made to do harm, and things that are none.

use super::*;

/// A shop's backup, changed by `change`, and where it is to go.
fn changed(dir: &Path, change: &str) -> (Places, PathBuf) {
    let from = dir.join("from");
    std::fs::create_dir(&from).unwrap();
    let (db, from, _) = shop(&from);
    let made = create(&db, &from, &administrator(), None).unwrap();
    let changed = unpacked(&made.path);
    Connection::open(&changed).unwrap().execute_batch(change).unwrap();
    std::fs::remove_file(&made.path).unwrap();
    std::fs::write(&made.path, "").unwrap();
    packed::pack(&changed, &made.path).unwrap();
    (places(&dir.join("to")), made.path)
}

#[test]
fn what_runs_by_itself_in_a_backup_or_is_not_the_shops_is_refused_before_it_runs() {
    let endless = "WITH RECURSIVE n (a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n) SELECT a, a FROM n";
    for (change, says) in [
        ("CREATE TRIGGER t AFTER INSERT ON audit_log BEGIN DELETE FROM host; END".to_owned(), "trigger \"t\""),
        ("CREATE TRIGGER t AFTER UPDATE ON meta BEGIN DELETE FROM host; END".to_owned(), "trigger \"t\""),
        (format!("CREATE VIEW v AS {endless}"), "view \"v\""),
        (format!("DROP TABLE backup_file; CREATE VIEW backup_file (name, content) AS {endless}"), "backup_file"),
        ("ALTER TABLE backup_file ADD COLUMN more TEXT".to_owned(), "backup_file"),
        ("DROP TRIGGER audit_log_no_update".to_owned(), "lacks the trigger"),
        ("CREATE TABLE more (a)".to_owned(), "table \"more\""),
        ("INSERT INTO backup_file VALUES ('config.toml2', zeroblob(2000000))".to_owned(), "bytes"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (to, file) = changed(dir.path(), &change);
        let error = restore(&to, &file, false, &administrator()).unwrap_err();
        assert!(matches!(error, BackupError::NoBackup { .. }) && error.to_string().contains(says), "{change}: {error}");
        assert_untouched(&to);
    }
}

#[test]
fn what_was_restored_has_exactly_the_tables_of_a_shop() {
    let dir = tempfile::tempdir().unwrap();
    let (to, file) = changed(dir.path(), "");
    restore(&to, &file, false, &administrator()).unwrap();
    let db = Db::open(&to.database).unwrap();
    assert_eq!(db.read(|db| crate::store::schema::foreign(db, None)).unwrap(), None);
}

#[test]
fn a_pipe_is_not_waited_for_and_of_a_folder_the_newest_backup_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (db, places, _) = shop(dir.path());
    let made = create(&db, &places, &administrator(), None).unwrap();
    drop(db);
    let error = restore(&places, &places.backup_dir, true, &administrator()).unwrap_err();
    assert!(error.to_string().contains(made.path.to_str().unwrap()), "{error}");
    let error = restore(&places, &dir.path().join("tor"), true, &administrator()).unwrap_err();
    assert!(error.to_string().contains("no backup in it"), "{error}");
    let pipe = dir.path().join("pipe");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let error = restore(&places, &pipe, true, &administrator()).unwrap_err();
    assert!(error.to_string().contains("no regular file"), "{error}");
}

#[test]
fn pipes_among_the_shops_own_files_do_not_stop_its_backup_nor_a_restore() {
    let dir = tempfile::tempdir().unwrap();
    let (db, places, _) = shop(dir.path());
    let made = create(&db, &places, &administrator(), None).unwrap();
    let pipe = |path: &Path| {
        let _ = std::fs::remove_file(path);
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    };
    pipe(&dir.path().join("invoice.macaroon"));
    pipe(&dir.path().join("config.toml"));
    pipe(&dir.path().join("tor/keystore/pipe"));
    create(&db, &places, &administrator(), Some(&dir.path().join("another.backup"))).unwrap();
    drop(db);
    // Where the restore puts what it prepares, and where it puts the configuration.
    for name in ["shop.sqlite3.restoring", "config.restored.toml", "config.restored.toml.restoring"] {
        pipe(&dir.path().join(name));
    }
    let restored = restore(&places, &made.path, true, &administrator()).unwrap();
    assert_eq!(std::fs::read(restored.config.unwrap()).unwrap(), b"[http]\n");
}

#[test]
fn the_database_is_never_read_as_a_file_of_a_node() {
    let dir = tempfile::tempdir().unwrap();
    let (db, places, _) = shop(dir.path());
    let link = dir.path().join("invoice.macaroon");
    std::fs::remove_file(&link).unwrap();
    std::fs::hard_link(&places.database, &link).unwrap();
    let held = crate::store::db::tests::locks_on(&places.database);
    let made = create(&db, &places, &administrator(), None).unwrap();
    assert!(held > 0);
    assert_eq!(crate::store::db::tests::locks_on(&places.database), held);
    let carried = backup::files(&unpacked(&made.path), "node/").unwrap();
    assert!(carried.is_empty());
}

#[test]
fn no_backup_is_made_under_a_name_that_the_shop_or_sqlite_looks_for_however_it_is_spelled() {
    let dir = tempfile::tempdir().unwrap();
    let (db, places, _) = shop(dir.path());
    std::os::unix::fs::symlink(dir.path(), dir.path().join("link")).unwrap();
    let names = [
        "shop.sqlite3-journal",
        "SHOP.SQLITE3-journal",
        "shop.sqlite3.restoring",
        "restore.pending",
        "restore.pending.new",
        "instance.lock",
        "config.restored.toml",
        "backups",
        "tor/keystore/hss/shop/a.backup",
        "tor/a.backup",
    ];
    let back = Path::new("..").join(dir.path().file_name().unwrap());
    for (way, name) in ["", "tor/..", "link", "./."].iter().flat_map(|way| names.map(|name| (way, name))) {
        let output = dir.path().join(way).join(&back).join(name);
        let error = create(&db, &places, &administrator(), Some(&output)).err();
        let error = error.unwrap_or_else(|| panic!("{} was made", output.display())).to_string();
        assert!(error.contains("the shop itself"), "{}: {error}", output.display());
        assert!(!output.exists());
    }
    db.write_blocking(|db| meta::set_text(db, "site_name", "still writable")).unwrap();
    assert!(create(&db, &places, &administrator(), Some(&dir.path().join("link/fine.backup"))).is_ok());
}

#[test]
fn a_backup_that_has_orders_but_no_secret_is_refused() {
    let order = "PRAGMA foreign_keys = OFF; INSERT INTO invoice_attempt (seq, number, payment_hash, node_id, is_hold, \
                 outcome, created_at) VALUES (1, 1, zeroblob(32), zeroblob(16), 0, 'made', 0);";
    for without in [
        "DELETE FROM meta WHERE key = 'preimage_secret'",
        "UPDATE meta SET value = x'07' WHERE key = 'preimage_secret'",
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (to, file) = changed(dir.path(), &format!("{order}{without}"));
        let error = restore(&to, &file, false, &administrator()).unwrap_err().to_string();
        assert!(error.contains("secret"), "{error}");
        assert_untouched(&to);
    }
    // A shop that was never started has neither.
    let dir = tempfile::tempdir().unwrap();
    let (to, file) = changed(dir.path(), "DELETE FROM meta WHERE key = 'preimage_secret'");
    restore(&to, &file, false, &administrator()).unwrap();
}

#[test]
fn a_backup_with_a_row_that_belongs_to_none_is_refused_and_its_table_named() {
    let dir = tempfile::tempdir().unwrap();
    let (to, file) = changed(dir.path(), "PRAGMA foreign_keys = OFF; DELETE FROM operator");
    let error = restore(&to, &file, false, &administrator()).unwrap_err().to_string();
    assert!(error.contains("belongs to one of table \"operator\" that is not there"), "{error}");
    assert_untouched(&to);
}

#[test]
fn what_is_no_regular_file_under_the_name_of_a_decided_restore_is_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (db, places, _) = shop(dir.path());
    drop(db);
    let mark = dir.path().join("restore.pending");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &mark, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let (sender, answer) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(settle_pending(&places).map_err(|error| error.to_string())));
    let error =
        answer.recv_timeout(std::time::Duration::from_secs(5)).expect("it does not wait for the pipe").unwrap_err();
    assert!(error.contains("restore.pending") && error.contains("no regular file"), "{error}");
}
