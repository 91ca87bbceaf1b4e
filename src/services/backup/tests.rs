//! Backups and restores, tried on real files.

use std::os::unix::fs::PermissionsExt;

use super::super::test_support::{administrator, host, operator};
use super::*;
use crate::domain::id::{OperatorId, SystemRandom};
use crate::domain::node::NodeKind;
use crate::services::hosts::manage::hash_token;
use crate::services::instance::InstanceLock;
use crate::services::instance::LockError;
use crate::services::nodes::manage;
use crate::services::nodes::manage::NodeChange;
use crate::store::StoreError;
use crate::store::backup::CarriedFile;
use crate::store::{Connection, audit_log, db, host_tokens, hosts, meta, nodes, sessions};

const SECRET: [u8; 32] = [7; 32];

fn places(dir: &Path) -> Places {
    Places {
        data_dir: dir.to_owned(),
        database: dir.join("shop.sqlite3"),
        backup_dir: dir.join("backups"),
        onion_state_dir: dir.join("tor"),
        config_file: Some(dir.join("config.toml")),
    }
}

/// A shop with a host, a node, an onion key and a configuration; and the token of the host.
fn shop(dir: &Path) -> (Db, Places, String) {
    let places = places(dir);
    std::fs::write(dir.join("config.toml"), "[http]\n").unwrap();
    std::fs::write(dir.join("invoice.macaroon"), "macaroon").unwrap();
    std::fs::create_dir_all(dir.join("tor/keystore/hss/shop")).unwrap();
    std::fs::write(dir.join("tor/keystore/hss/shop/key"), "onion key").unwrap();
    std::fs::write(dir.join("tor/cached"), "not worth it").unwrap();
    let db = Db::open(&places.database).unwrap();
    operator(&db, "anna");
    let (_, token) = host(&db, "anna", "192.0.2.1", &[(20_000, 20_099)]);
    let change = NodeChange {
        host: Some("127.0.0.1".to_owned()),
        macaroon_file: Some(dir.join("invoice.macaroon").display().to_string()),
        ..NodeChange::default()
    };
    let session = administrator();
    let added = session.write(&db, move |tx| {
        meta::preimage_secret(tx.db, &SECRET)?;
        manage::add(tx, &SystemRandom, NodeKind::LndGrpc, change, None)
    });
    added.unwrap();
    (db, places, token)
}

/// The database in a backup, for a look or a change; a restore takes it as well.
fn unpacked(backup: &Path) -> PathBuf {
    let plain = files::beside(backup, ".sqlite3");
    packed::unpack(backup, &plain).unwrap();
    plain
}

#[test]
fn a_backup_brings_back_hosts_tokens_the_secret_the_onion_key_and_credentials() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (db, from, token) = shop(old.path());
    let now = administrator().now;
    db.write_blocking(move |db| sessions::insert(db, &[1; 32], OperatorId(1), ("here", ""), now, 9)).unwrap();
    let made = create(&db, &from, &administrator(), None).unwrap();
    let moved = new.path().join("a.backup");
    std::fs::copy(&made.path, &moved).unwrap();
    drop((db, old));

    let to = Places { config_file: None, ..places(&new.path().join("data")) };
    let restored = restore(&to, &moved, false, &administrator()).unwrap();
    assert!(restored.onion && restored.moved.is_empty());
    assert_eq!(restored.nodes, ["127.0.0.1:10009"]);
    assert_eq!(std::fs::read(restored.config.unwrap()).unwrap(), b"[http]\n");
    let key = to.onion_state_dir.join("keystore/hss/shop/key");
    assert_eq!(std::fs::read(&key).unwrap(), b"onion key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!to.onion_state_dir.join("cached").exists());
    let db = Db::open(&to.database).unwrap();
    let found = db.read(|db| host_tokens::owner(db, &hash_token(&token), administrator().now)).unwrap();
    assert!(found.is_some());
    assert_eq!(db.read(|db| sessions::list(db, None)).unwrap(), [], "nobody is signed in after a restore");
    assert_eq!(db.write_blocking(|db| meta::preimage_secret(db, &[0; 32])).unwrap(), SECRET);
    let node = db.read(|db| nodes::list(db, None)).unwrap().remove(0);
    assert_eq!((node.macaroon_file, node.macaroon.as_deref()), (None, Some(&b"macaroon"[..])));
    assert!(!std::fs::read(&to.database).unwrap().windows(9).any(|bytes| bytes == b"onion key"));
}

#[test]
fn a_backup_is_private_whole_and_taken_while_the_shop_writes() {
    let dir = tempfile::tempdir().unwrap();
    let (db, places, _) = shop(dir.path());
    let writer = std::thread::spawn({
        let db = db.clone();
        move || {
            for number in 0..200 {
                db.write_blocking(move |db| meta::set_text(db, "site_name", &number.to_string())).unwrap();
            }
        }
    });
    let made = create(&db, &places, &administrator(), None).unwrap();
    writer.join().unwrap();
    assert_eq!(files::entries(&places.backup_dir).unwrap().len(), 1, "nothing else is left");
    assert_eq!(backup::problem(&unpacked(&made.path)), None);
    assert_eq!(std::fs::metadata(&made.path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(list(&places).unwrap(), [made]);
}

#[test]
fn a_backup_of_another_version_replaces_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (db, places, token) = shop(dir.path());
    let made = create(&db, &places, &administrator(), None).unwrap();
    drop(db);
    let changed = unpacked(&made.path);
    let backup = Connection::open(&changed).unwrap();
    backup.execute("UPDATE refinery_schema_history SET checksum = '1'", []).unwrap();
    drop(backup);
    let error = restore(&places, &changed, true, &administrator()).unwrap_err();
    assert!(error.to_string().contains("another version"), "{error}");
    assert!(!files::beside(&places.database, ".restoring").exists());
    let db = Db::open(&places.database).unwrap();
    assert!(db.read(|db| host_tokens::owner(db, &hash_token(&token), administrator().now)).unwrap().is_some());
}

#[test]
fn a_backup_with_a_file_that_leads_elsewhere_replaces_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (db, places, _) = shop(dir.path());
    let made = create(&db, &places, &administrator(), None).unwrap();
    drop(db);
    let changed = unpacked(&made.path);
    for names in [
        &["onion/keystore/../../../config.toml"][..],
        &["onion/keystore/hss/a\0b"],
        &["onion/keystore"],
        &["onion/keystore/"],
        &["onion/keystore//a"],
        &["/etc/passwd"],
        &["node/../../x/certificate"],
        &["something else"],
        &["onion/keystore/a\u{1b}[2J"],
        // Two that can't both be there.
        &["onion/keystore/hss/a", "onion/keystore/hss/a/b"],
    ] {
        let file = |name: &&str| CarriedFile { name: (*name).to_owned(), content: Vec::new() };
        backup::add_files(&changed, &names.iter().map(file).collect::<Vec<_>>()).unwrap();
        let error = restore(&places, &changed, true, &administrator()).unwrap_err();
        assert!(matches!(error, BackupError::NoBackup { .. }), "{names:?}: {error}");
        assert!(!error.to_string().contains('\u{1b}') && !error.to_string().contains('\0'), "{error:?}");
        assert!(places.database.exists() && places.onion_state_dir.join("keystore/hss/shop/key").exists());
        let left = ["", "tor"].map(|folder| files::entries(&places.data_dir.join(folder)).unwrap()).concat();
        assert!(left.iter().all(|path| !path.display().to_string().contains("restor")), "{left:?}");
    }
}

#[test]
fn a_shop_is_replaced_only_when_told_and_is_moved_aside() {
    let dir = tempfile::tempdir().unwrap();
    let (db, places, _) = shop(dir.path());
    let made = create(&db, &places, &administrator(), None).unwrap();
    drop(db);
    let error = restore(&places, &made.path, false, &administrator()).unwrap_err();
    assert!(matches!(error, BackupError::Exists(_)), "{error}");
    let running = InstanceLock::take(&places.data_dir).unwrap();
    let error = restore(&places, &made.path, true, &administrator()).unwrap_err();
    assert!(matches!(error, BackupError::Lock(LockError::Running(_))), "{error}");
    drop(running);
    let restored = restore(&places, &made.path, true, &administrator()).unwrap();
    assert!(restored.moved.iter().all(|path| path.exists()));
    assert!(restored.moved.len() >= 2, "the database and the keys: {:?}", restored.moved);
    let old = restored.moved.iter().find(|path| path.display().to_string().contains("shop.sqlite3.replaced"));
    assert!(Db::open(old.unwrap()).is_ok(), "it is still a shop's: {:?}", restored.moved);
}

#[test]
fn what_is_no_backup_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (db, from, _) = shop(dir.path());
    let made = create(&db, &from, &administrator(), None).unwrap();
    let damage = |file: &Path, name: &str, harm: &dyn Fn(&mut Vec<u8>)| {
        let (mut bytes, damaged) = (std::fs::read(file).unwrap(), dir.path().join(name));
        harm(&mut bytes);
        std::fs::write(&damaged, bytes).unwrap();
        damaged
    };
    let overwrite = |bytes: &mut Vec<u8>| {
        // A page of a database, or what so much is compressed to.
        let (middle, end) = (bytes.len() / 2, bytes.len());
        bytes[middle..end.min(middle + 4096)].fill(0xff);
    };
    let damaged = damage(&made.path, "damaged", &overwrite);
    let damaged_inside = damage(&unpacked(&made.path), "damaged inside", &overwrite);
    let cut_short = damage(&made.path, "cut short", &|bytes| bytes.truncate(bytes.len() - 1));
    let text = dir.path().join("text");
    std::fs::write(&text, "hello").unwrap();
    let to = places(&dir.path().join("new"));
    for file in [&damaged, &damaged_inside, &cut_short, &text, &from.database] {
        let error = restore(&to, file, false, &administrator()).unwrap_err();
        assert!(matches!(error, BackupError::NoBackup { .. }), "{error}");
        assert_untouched(&to);
    }
}

/// Nothing was put into a folder that was not there but the lock of whoever looked.
fn assert_untouched(places: &Places) {
    let left = files::entries(&places.data_dir).unwrap();
    assert!(left.iter().all(|path| path.ends_with("instance.lock")), "{left:?}");
}

mod hostile;
mod interrupted;

/// A day whose midnight begins a Monday.
const MONDAY: i64 = 1_893_456_000 - 86_400;

/// The days before [`MONDAY`] whose backups are kept of those that were made at noon of each `days` before it.
fn kept(days: impl IntoIterator<Item = i64>, keep: Keep) -> Vec<i64> {
    let dir = tempfile::tempdir().unwrap();
    let (_db, places, _) = shop(dir.path());
    std::fs::create_dir(&places.backup_dir).unwrap();
    let at = |day: i64| Timestamp::from_secs(MONDAY + 43_200 - day * 86_400);
    for day in days {
        std::fs::write(places.backup_dir.join(name_at(at(day), 1)), "").unwrap();
    }
    std::fs::write(places.backup_dir.join("something else"), "").unwrap();
    delete_old(&places, keep).unwrap();
    assert!(places.backup_dir.join("something else").exists());
    list(&places).unwrap().iter().map(|file| (MONDAY + 43_200 - file.made_at.secs()) / 86_400).collect()
}

const WEEK_AND_MONTH: Keep = Keep { days: 7, weeks: 4 };

#[test]
fn the_newest_backup_of_each_of_seven_days_and_four_weeks_is_kept() {
    // On a Monday: this week's is today's, the others are their weeks' Sundays.
    assert_eq!(kept(0..365, WEEK_AND_MONTH), [0, 1, 2, 3, 4, 5, 6, 8, 15]);
}

#[test]
fn a_shop_that_was_off_for_long_loses_none_of_its_last_backups() {
    assert_eq!(kept([300, 301, 302], WEEK_AND_MONTH), [300, 301, 302]);
    assert_eq!(kept([0, 300, 600], Keep { days: 1, weeks: 0 }), [0]);
}

#[test]
fn of_several_backups_of_a_day_the_newest_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (_db, places, _) = shop(dir.path());
    std::fs::create_dir(&places.backup_dir).unwrap();
    for hour in 0..5 {
        let at = Timestamp::from_secs(MONDAY + hour * 3600);
        std::fs::write(places.backup_dir.join(name_at(at, 1)), "").unwrap();
    }
    assert_eq!(delete_old(&places, WEEK_AND_MONTH).unwrap(), 4);
    assert_eq!(list(&places).unwrap()[0].made_at, Timestamp::from_secs(MONDAY + 4 * 3600));
}

#[test]
fn what_a_power_failure_left_of_a_backup_goes_a_day_later() {
    let dir = tempfile::tempdir().unwrap();
    let (db, places, _) = shop(dir.path());
    let made = create(&db, &places, &administrator(), None).unwrap();
    let at = |secs| places.backup_dir.join(name_at(made.made_at.plus_secs(secs), 1));
    let left = [".partial", ".partial.copy", ".partial.copy-journal"].map(|end| files::beside(&at(-90_000), end));
    let new = files::beside(&at(-3_600), ".partial.copy");
    left.iter().chain([&new]).for_each(|file| std::fs::write(file, "").unwrap());
    delete_old(&places, WEEK_AND_MONTH).unwrap();
    assert_eq!(files::entries(&places.backup_dir).unwrap(), [new, made.path]);
}

#[test]
fn a_backup_leaves_a_tenth_of_the_disk_free() {
    assert!(files::has_room(10, 110, 1000));
    assert!(!files::has_room(11, 110, 1000));
    assert!(!files::has_room(200, 110, 1000));
}

#[test]
fn a_backup_made_by_hand_that_takes_the_last_tenth_of_a_disk_is_made_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let (db, places, _) = shop(dir.path());
    let large = &db::files_of(&places.database)[3];
    std::fs::File::create(large).unwrap().set_len(8 << 40).unwrap();
    for output in [None, Some(dir.path().join("by hand"))] {
        let text = crowding(&db, &places, output.as_deref()).unwrap();
        assert!(text.contains("less than a tenth"), "{text}");
    }
    // Nobody is refused the backup before an update: whose disk it is knows best.
    std::fs::remove_file(large).unwrap();
    assert!(create(&db, &places, &administrator(), None).is_ok());
}

#[test]
fn a_nightly_backup_that_fails_is_an_alert_until_one_succeeds() {
    let dir = tempfile::tempdir().unwrap();
    let (db, places, _) = shop(dir.path());
    let now = administrator().now;
    let open = || db.read(|db| alerts::list(db, false)).unwrap().len();
    std::fs::write(&places.backup_dir, "in the way").unwrap();
    assert!(create_scheduled(&db, &places, now).is_err());
    assert_eq!(open(), 1);
    std::fs::remove_file(&places.backup_dir).unwrap();
    create_scheduled(&db, &places, now).unwrap();
    assert_eq!(open(), 0);
}

#[test]
fn a_backup_replaces_no_file_and_least_of_all_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let (db, places, _) = shop(dir.path());
    let file = dir.path().join("mine.backup");
    std::fs::write(&file, "something else").unwrap();
    for taken in [&places.database, &file] {
        let error = create(&db, &places, &administrator(), Some(taken)).unwrap_err();
        assert!(matches!(&error, BackupError::Taken(path) | BackupError::Reserved(path) if path == taken), "{error}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"something else");
    assert!(!files::beside(&file, ".partial").exists());
    std::fs::remove_file(&file).unwrap();
    create(&db, &places, &administrator(), Some(&file)).unwrap();
    assert_eq!(backup::problem(&unpacked(&file)), None);
    db.read(|db| hosts::list(db, None)).unwrap();
}

#[test]
fn two_backups_of_one_second_are_two_files_the_later_one_first() {
    let dir = tempfile::tempdir().unwrap();
    let (db, places, _) = shop(dir.path());
    let made: Vec<_> = (0..12).map(|_| create(&db, &places, &administrator(), None).unwrap()).collect();
    let listed = list(&places).unwrap();
    assert_eq!(listed, made.into_iter().rev().collect::<Vec<_>>());
}

#[test]
fn a_nightly_backup_that_would_fill_the_disk_is_not_made_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let (db, places, _) = shop(dir.path());
    // Beside the database lies more than the disk has room for; it consists of a hole.
    std::fs::File::create(&db::files_of(&places.database)[3]).unwrap().set_len(8 << 40).unwrap();
    let error = create_scheduled(&db, &places, administrator().now).unwrap_err();
    assert!(format!("{error:?}").contains("less than a tenth of the disk"), "{error:?}");
    assert_eq!(db.read(|db| alerts::list(db, false)).unwrap()[0].topic, AlertTopic::BackupFailed);
    assert_eq!(list(&places).unwrap(), []);
}
