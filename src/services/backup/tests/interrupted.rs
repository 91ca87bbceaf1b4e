//! Restores that end at any step, and what the next start makes of them.

use super::*;
use crate::services::backup::pending;

/// The old shop, with another secret, in `dir`; and the backup of the new one beside it.
fn old_shop_and_backup(dir: &Path) -> (Places, PathBuf) {
    let (new, data) = (dir.join("new"), dir.join("data"));
    std::fs::create_dir(&new).unwrap();
    std::fs::create_dir(&data).unwrap();
    let (db, from, _) = shop(&new);
    let made = create(&db, &from, &administrator(), None).unwrap();
    let places = places(&data);
    std::fs::create_dir_all(data.join("tor/keystore/hss/shop")).unwrap();
    std::fs::write(data.join("tor/keystore/hss/shop/key"), "old key").unwrap();
    std::fs::create_dir_all(data.join("tor/hss/shop")).unwrap();
    std::fs::write(data.join("config.restored.toml"), "of an earlier restore").unwrap();
    let db = Db::open(&places.database).unwrap();
    operator(&db, "old");
    db.write_blocking(|db| meta::preimage_secret(db, &[1; 32])).unwrap();
    drop(db);
    // The writer's thread closes it a moment later; connections that are closed in the same moment leave these files to
    // whoever closes it next.
    let beside = &db::files_of(&places.database)[1..3];
    while beside.iter().any(|file| file.exists()) {
        let next = crate::store::Connection::open(&places.database).unwrap();
        next.query_row("SELECT count(*) FROM meta", [], |_| Ok(())).unwrap();
    }
    // As after a crash: a log of the old database lies beside it.
    beside.iter().for_each(|file| std::fs::write(file, "").unwrap());
    (places, made.path)
}

/// The secret in a database, and the key beside it, as the next start finds them.
fn found(places: &Places) -> ([u8; 32], String) {
    let lock = InstanceLock::take(&places.data_dir).unwrap();
    settle(places, &lock).unwrap();
    let db = Db::open(&places.database).unwrap();
    let secret = db.write_blocking(|db| meta::preimage_secret(db, &[9; 32])).unwrap();
    (secret, std::fs::read_to_string(places.onion_state_dir.join("keystore/hss/shop/key")).unwrap())
}

/// What must never be left: prepared things, and the mark.
fn assert_clean(places: &Places) {
    let all = ["", "tor"].map(|folder| files::entries(&places.data_dir.join(folder)).unwrap()).concat();
    let left: Vec<_> = all.iter().filter(|path| path.display().to_string().contains(".restoring")).collect();
    assert!(left.is_empty() && !is_pending(places), "{left:?}");
}

#[test]
fn a_restore_that_ends_after_any_step_is_completed_by_the_next_start() {
    let mut steps = 0;
    loop {
        let dir = tempfile::tempdir().unwrap();
        let (places, file) = old_shop_and_backup(dir.path());
        let lock = InstanceLock::take(&places.data_dir).unwrap();
        restore::prepare(&places, &file, &administrator()).unwrap();
        pending::decide(&places, &pending::unused_suffix(&places, 7)).unwrap();
        let mut taken = 0;
        while taken < steps
            && let Some(step) = pending::next(&places).unwrap()
        {
            assert!(!step.to.exists(), "nothing is replaced: {step:?}");
            pending::take(&step).unwrap();
            taken += 1;
        }
        let was_last = pending::next(&places).unwrap().is_none();
        drop(lock);
        assert_eq!(found(&places), (SECRET, "onion key".to_owned()), "after {taken} steps");
        assert_clean(&places);
        let old = places.database.with_extension("sqlite3.replaced-7");
        let db = Db::open(&old).unwrap();
        assert_eq!(db.write_blocking(|db| meta::preimage_secret(db, &[9; 32])).unwrap(), [1; 32]);
        assert_eq!(std::fs::read(places.onion_state_dir.join("keystore.replaced-7/hss/shop/key")).unwrap(), b"old key");
        if was_last {
            break;
        }
        steps += 1;
    }
    assert!(steps >= 9, "{steps}: keys, state, configuration and database, each moved aside and put in place");
}

#[test]
fn a_restore_that_ends_before_it_was_decided_is_undone_by_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let (places, file) = old_shop_and_backup(dir.path());
    restore::prepare(&places, &file, &administrator()).unwrap();
    // Half of the decision is none.
    std::fs::write(places.data_dir.join("restore.pending.new"), "{").unwrap();
    assert_eq!(found(&places), ([1; 32], "old key".to_owned()));
    assert_clean(&places);
    assert!(!places.data_dir.join("restore.pending.new").exists());
    restore(&places, &file, true, &administrator()).unwrap();
    assert_eq!(found(&places), (SECRET, "onion key".to_owned()));
}

#[test]
fn a_command_completes_a_restore_too_and_a_second_restore_comes_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let (places, file) = old_shop_and_backup(dir.path());
    let decide = || {
        restore::prepare(&places, &file, &administrator()).unwrap();
        pending::decide(&places, &pending::unused_suffix(&places, 7)).unwrap();
    };
    decide();
    // The old database is out of the way, the new one is not in place: here an empty shop was begun once.
    while places.database.exists() {
        pending::take(&pending::next(&places).unwrap().unwrap()).unwrap();
    }
    let error = restore(&places, &file, false, &administrator()).unwrap_err();
    assert!(matches!(error, BackupError::Exists(_)), "the one that was pending is complete: {error}");
    assert_clean(&places);
    decide();
    settle_pending(&places).unwrap();
    assert_clean(&places);
    let running = InstanceLock::take(&places.data_dir).unwrap();
    decide();
    assert!(matches!(settle_pending(&places), Err(BackupError::Lock(_))), "another restore is under way");
    drop(running);
    assert_eq!(found(&places), (SECRET, "onion key".to_owned()));
}

#[test]
fn a_restore_is_completed_where_it_was_begun_though_the_configuration_names_another_folder_by_then() {
    let dir = tempfile::tempdir().unwrap();
    let (places, file) = old_shop_and_backup(dir.path());
    let elsewhere = Places { onion_state_dir: dir.path().join("keys"), ..places.clone() };
    restore::prepare(&elsewhere, &file, &administrator()).unwrap();
    pending::decide(&elsewhere, ".replaced-7").unwrap();
    settle_pending(&places).unwrap();
    assert_eq!(std::fs::read(elsewhere.onion_state_dir.join("keystore/hss/shop/key")).unwrap(), b"onion key");
}

#[test]
fn a_restored_database_has_its_marks_whenever_it_is_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let (places, file) = old_shop_and_backup(dir.path());
    restore::prepare(&places, &file, &administrator()).unwrap();
    pending::decide(&places, ".replaced-7").unwrap();
    settle_pending(&places).unwrap();
    let db = Db::open(&places.database).unwrap();
    let log = db.read(|db| audit_log::of(db, "backup")).unwrap();
    assert_eq!(log.last().map(|entry| entry.change.as_str()), Some("restored"));
    let marked = "SELECT count(*) FROM meta WHERE key = 'restored_orders'";
    assert_eq!(db.read(|db| Ok::<i64, StoreError>(db.query_row(marked, [], |row| row.get(0))?)).unwrap(), 1);
}

#[test]
fn a_decided_restore_whose_files_are_gone_does_not_end_in_an_empty_shop() {
    let dir = tempfile::tempdir().unwrap();
    let (places, file) = old_shop_and_backup(dir.path());
    restore::prepare(&places, &file, &administrator()).unwrap();
    pending::decide(&places, ".replaced-7").unwrap();
    // Somebody has cleared up before the next start.
    for gone in [&places.database, &pending::fresh(&places.database)] {
        std::fs::remove_file(gone).unwrap();
    }
    assert!(settle_pending(&places).is_err());
    assert!(is_pending(&places) && !places.database.exists(), "nobody may open it before that is cleared up");
}
