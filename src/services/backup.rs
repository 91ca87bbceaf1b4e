//! One-file backups, taken while the shop runs, and their restore. What a backup is made of is
//! described in [`crate::store::backup`].
//!
//! The secret that preimages are derived from is in the database, and so in the backup: a restored
//! shop can still settle what it holds. Whoever has a backup is the shop: it is readable by its owner
//! alone (0600).
//!
//! Left out are the orders that have ended without ever having seen money, which the shop would delete some days
//! later: anybody can place as many as they like, and every backup would hold them.

mod claim;
mod error;
mod files;
mod own_names;
mod packed;
mod pending;
mod restore;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use claim::{Claim, PARTIAL};
use error::io;
use packed::Scratch;

use super::{Error, Session, authz};
use crate::domain::alert::AlertTopic;
use crate::domain::time::Timestamp;
use crate::store::backup::CarriedFile;
use crate::store::{Db, alerts, backup};

pub use error::BackupError;
pub use files::Places;
pub use own_names::refuse_own_name;
pub use pending::{is_pending, settle, settle_pending};
pub use restore::{Restored, restore};

/// How the names of backups begin and end.
const PREFIX: &str = "ip2tor-shop-";
const SUFFIX: &str = ".backup";

/// A backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupFile {
    /// The file.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// When it was made, as its name says.
    pub made_at: Timestamp,
}

/// Makes a backup in `output`, or in a new file of the backup folder. The file appears whole or not
/// at all: it is made under another name, synced, and renamed. Nothing that is there is replaced.
///
/// # Errors
/// [`BackupError`]; the file is not there then. Whoever has a backup is the shop: only administrators make one.
pub fn create(db: &Db, places: &Places, session: &Session, output: Option<&Path>) -> Result<BackupFile, BackupError> {
    authz::needs_administrator(&session.by)?;
    let claim = match output {
        Some(path) => {
            own_names::refuse_own_name(places, path)?;
            Claim::of(path)?
        }
        None => {
            files::make_private_folder(&places.backup_dir)?;
            claim_new_name(&places.backup_dir, session.now)?
        }
    };
    write(db, places, claim.partial())?;
    let path = claim.publish()?;
    let size = fs::metadata(&path).map_err(io(&path))?.len();
    let change = format!("made: {}", path.display());
    session.write(db, move |tx| tx.record("backup", "backup", &change))?;
    Ok(BackupFile { path, size, made_at: session.now })
}

/// What is to be said of the disk before [`create`], by hand, takes the last tenth of it.
pub fn crowding(db: &Db, places: &Places, output: Option<&Path>) -> Option<String> {
    let folder = output.map_or(places.backup_dir.as_path(), own_names::folder_of);
    // The folder may not be there yet; then it comes to the disk of the one above.
    let there = folder.ancestors().find(|above| above.exists())?;
    let refused = files::leave_room(there, db.path()).err()?;
    matches!(refused, BackupError::NoRoom { .. }).then(|| refused.to_string())
}

/// The nightly backup: as [`create`], and a failure is an alert that the next success closes.
///
/// # Errors
/// Why there is no new backup.
pub fn create_scheduled(db: &Db, places: &Places, now: Timestamp) -> Result<BackupFile, Error> {
    let made = files::make_private_folder(&places.backup_dir)
        .and_then(|()| files::leave_room(&places.backup_dir, db.path()))
        .and_then(|()| create(db, places, &Session::of_the_shop(now), None));
    let problem = made.as_ref().err().map(ToString::to_string);
    db.write_blocking(move |db| match problem {
        None => alerts::close(db, AlertTopic::BackupFailed, "", now),
        Some(text) => {
            let text = format!("The nightly backup could not be made: {text}");
            alerts::raise(db, AlertTopic::BackupFailed, "", &text, now).map(|_| ())
        }
    })?;
    made.map_err(|error| Error::Internal(error.to_string()))
}

/// Writes everything into a file that nobody else can read.
fn write(db: &Db, places: &Places, partial: &Path) -> Result<(), BackupError> {
    let copy = Scratch::new(files::beside(partial, ".copy"))?;
    backup::copy(db.path(), copy.path())?;
    backup::leave_out_unpaid(copy.path())?;
    backup::leave_out_sessions(copy.path())?;
    backup::add_files(copy.path(), &files::collect(db, places)?)?;
    match backup::problem(copy.path()) {
        None => packed::pack(copy.path(), partial),
        Some(reason) => Err(BackupError::NoBackup { path: partial.to_owned(), reason }),
    }
}

/// The backups in the backup folder, newest first.
///
/// # Errors
/// When the folder can't be read; one that is not there is empty.
pub fn list(places: &Places) -> Result<Vec<BackupFile>, BackupError> {
    list_in(&places.backup_dir)
}

/// The newest backup in a folder, if there is one.
fn newest_in(folder: &Path) -> Result<Option<PathBuf>, BackupError> {
    Ok(list_in(folder)?.into_iter().next().map(|newest| newest.path))
}

/// The keys of onion services in a backup, by the names of their files (`…/<nickname>/<file>`); no other secret.
/// It is unpacked for a moment in `folder`, which must be the shop's own.
///
/// # Errors
/// When the file is no backup, in whatever way.
pub fn onion_keys(file: &Path, key_file: &str, folder: &Path) -> Result<Vec<CarriedFile>, BackupError> {
    files::make_private_folder(folder)?;
    let unpacked = Scratch::unpacked(file, folder.join("backup.unpacked"))?;
    let mut keys = backup::files(unpacked.path(), "onion/keystore/hss/")?;
    keys.retain(|key| key.name.ends_with(&format!("/{key_file}")));
    Ok(keys)
}

fn list_in(folder: &Path) -> Result<Vec<BackupFile>, BackupError> {
    let mut found = Vec::new();
    for path in files::entries(folder)? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let Some((made_at, number)) = read_name(name) else { continue };
        let size = fs::metadata(&path).map_err(io(&path))?.len();
        found.push((number, BackupFile { path, size, made_at }));
    }
    found.sort_by_key(|(number, file)| std::cmp::Reverse((file.made_at, *number)));
    Ok(found.into_iter().map(|(_, file)| file).collect())
}

/// How many backups are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Days of which the newest one is kept.
    pub days: usize,
    /// Weeks of which the newest one is kept.
    pub weeks: usize,
}

/// Deletes the backups in the backup folder that are neither the newest of one of the last days that have one,
/// nor of one of the last weeks; never the newest one. Returns how many. What is left of unfinished ones goes as well.
///
/// # Errors
/// When a file can't be deleted.
pub fn delete_old(places: &Places, keep: Keep) -> Result<usize, BackupError> {
    let (files, mut deleted) = (list(places)?, 0);
    for file in too_many(&files, keep) {
        fs::remove_file(&file.path).map_err(io(&file.path))?;
        deleted += 1;
    }
    if let Some(newest) = files.first() {
        unfinished(&places.backup_dir, newest.made_at.plus_secs(-86_400))?
            .iter()
            .try_for_each(|left| files::discard(left))?;
    }
    Ok(deleted)
}

/// What is left of backups that were begun before then and cut short: the power has failed, and nobody works on it.
fn unfinished(folder: &Path, before: Timestamp) -> Result<Vec<PathBuf>, BackupError> {
    let mut found = files::entries(folder)?;
    found.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let begun = name.split_once(PARTIAL).and_then(|(name, _)| read_name(name));
        begun.is_some_and(|(begun, _)| begun < before)
    });
    Ok(found)
}

/// Which of these (newest first) are too many. Counted are days and weeks that have a backup, so that a shop that
/// was off for a month loses none of the last ones; no clock is asked.
fn too_many(files: &[BackupFile], keep: Keep) -> Vec<&BackupFile> {
    let (mut days, mut weeks) = (BTreeSet::new(), BTreeSet::new());
    let mut is_too_many = |(i, file): &(usize, &BackupFile)| {
        let day = file.made_at.secs().div_euclid(86_400);
        // 1970-01-01 was a Thursday: weeks begin on Mondays.
        let week = (day + 3).div_euclid(7);
        let of_day = days.len() < keep.days && days.insert(day);
        let of_week = weeks.len() < keep.weeks && weeks.insert(week);
        *i > 0 && !of_day && !of_week
    };
    files.iter().enumerate().filter(|file| is_too_many(file)).map(|(_, file)| file).collect()
}

/// A name in the backup folder that nobody has; backups of one second are numbered.
fn claim_new_name(folder: &Path, now: Timestamp) -> Result<Claim, BackupError> {
    let mut number = 1;
    loop {
        match Claim::of(&folder.join(name_at(now, number))) {
            Err(BackupError::Taken(_)) => number += 1,
            other => return other,
        }
    }
}

/// `ip2tor-shop-20300101T000000Z.backup`; the second one of that second is `…Z-2.backup`.
fn name_at(now: Timestamp, number: u32) -> String {
    let number = if number > 1 { format!("-{number}") } else { String::new() };
    format!("{PREFIX}{}{number}{SUFFIX}", now.to_wire().replace(['-', ':'], ""))
}

/// The time and the number in a name that [`name_at`] made.
fn read_name(name: &str) -> Option<(Timestamp, u32)> {
    let stem = name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?;
    let (compact, number) = stem.split_once('-').unwrap_or((stem, "1"));
    Some((time_of(compact)?, number.parse().ok()?))
}

fn time_of(compact: &str) -> Option<Timestamp> {
    if compact.len() != 16 || !compact.is_ascii() {
        return None;
    }
    let part = |range| &compact[range];
    let (day, clock) = ((part(0..4), part(4..6), part(6..8)), (part(9..11), part(11..13), part(13..15)));
    Timestamp::parse_lenient(&format!("{}-{}-{}T{}:{}:{}Z", day.0, day.1, day.2, clock.0, clock.1, clock.2))
}

#[cfg(test)]
mod tests;
