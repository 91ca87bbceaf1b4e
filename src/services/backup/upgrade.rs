//! The backup that the package makes before it is upgraded: the way back. The nightly job deletes none of them.

use std::path::{Path, PathBuf};
use std::{fs, time::SystemTime};

use super::claim::Claim;
use super::error::{BackupError, io};
use super::files::{self, Places, entries};
use super::{BackupFile, create};
use crate::services::Session;
use crate::store::Db;
use crate::store::db::files_of;

/// How the names of these backups begin.
const PREFIX: &str = "before-";
/// So many of them are kept.
const KEPT: usize = 3;
/// So many times the database must be free: for the copy, for what a migration writes anew, and to go on selling.
const TIMES: u64 = 3;

/// Makes `backups/before-VERSION.backup`, numbered where that is taken, and deletes all but the newest few of its kind.
///
/// # Errors
/// [`BackupError::NoRoomForUpgrade`] when too little is free; else as [`create`].
pub fn create_before(db: &Db, places: &Places, session: &Session, version: &str) -> Result<BackupFile, BackupError> {
    files::make_private_folder(&places.backup_dir)?;
    let size = |path: &PathBuf| fs::metadata(path).map_or(0, |about| about.len());
    let needed = files_of(db.path()).iter().map(size).sum::<u64>() * TIMES;
    enough(&places.backup_dir, needed, files::free(&places.backup_dir)?)?;
    let made = create(db, places, session, Some(&free_name(&places.backup_dir, version)?))?;
    for old in kind(&places.backup_dir)?.into_iter().skip(KEPT).filter(|old| *old != made.path) {
        fs::remove_file(&old).map_err(io(&old))?;
    }
    Ok(made)
}

/// All in bytes.
fn enough(folder: &Path, needed: u64, free: u64) -> Result<(), BackupError> {
    if free >= needed {
        return Ok(());
    }
    Err(BackupError::NoRoomForUpgrade { folder: folder.to_owned(), needed, free })
}

/// A name that nobody has.
fn free_name(folder: &Path, version: &str) -> Result<PathBuf, BackupError> {
    for number in 1.. {
        let number = if number > 1 { format!("-{number}") } else { String::new() };
        let path = folder.join(format!("{PREFIX}{version}{number}.backup"));
        match Claim::of(&path) {
            Ok(_) => return Ok(path),
            Err(BackupError::Taken(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Err(BackupError::Taken(folder.to_owned()))
}

/// The backups of this kind, newest first.
fn kind(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let mut found: Vec<(SystemTime, PathBuf)> = Vec::new();
    for path in entries(folder)? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with(PREFIX) && name.ends_with(".backup") {
            found.push((fs::metadata(&path).and_then(|about| about.modified()).map_err(io(&path))?, path));
        }
    }
    found.sort();
    Ok(found.into_iter().rev().map(|(_, path)| path).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::test_support::administrator;

    #[test]
    fn each_upgrade_has_its_backup_and_the_newest_few_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places {
            data_dir: dir.path().to_owned(),
            database: dir.path().join("shop.sqlite3"),
            backup_dir: dir.path().join("backups"),
            onion_state_dir: dir.path().join("tor"),
            config_file: None,
        };
        let db = Db::open(&places.database).unwrap();
        let nightly = create(&db, &places, &administrator(), None).unwrap().path;
        let made: Vec<_> = ["1.0", "1.1", "1.1", "1.2", "1.2"]
            .iter()
            .map(|version| create_before(&db, &places, &administrator(), version).unwrap().path)
            .collect();
        assert!(made[0].ends_with("backups/before-1.0.backup") && made[2].ends_with("before-1.1-2.backup"), "{made:?}");
        let kept: Vec<_> = made.iter().map(|path| path.exists()).collect();
        assert_eq!(kept, [false, false, true, true, true]);
        assert!(nightly.exists() && entries(&places.backup_dir).unwrap().len() == 4);
    }

    #[test]
    fn an_upgrade_waits_for_room() {
        assert!(enough(Path::new("/backups"), 300, 300).is_ok());
        let error = enough(Path::new("/backups"), 300, 299).unwrap_err();
        assert!(error.to_string().contains("300 bytes"), "{error}");
    }
}
