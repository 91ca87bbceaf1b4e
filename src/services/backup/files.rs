//! The files that a backup carries besides the database, and careful ways with files.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::error::{BackupError, io};
use crate::store::backup::{CarriedFile, MOST_BYTES};
use crate::store::db::{files_of, is_file_of};
use crate::store::{Db, nodes};

/// Which files belong to a shop.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug)]
pub struct Places {
    /// The data folder.
    pub data_dir: PathBuf,
    pub database: PathBuf,
    /// Where backups go unless told otherwise.
    pub backup_dir: PathBuf,
    /// The folder with the keys of the onion service; may be missing.
    pub onion_state_dir: PathBuf,
    /// The configuration file, if there is one.
    pub config_file: Option<PathBuf>,
}

/// The folders of the onion service that are worth a backup; the rest can be fetched again.
const ONION_FOLDERS: [&str; 2] = ["keystore", "authorized_clients"];

/// Reads everything that belongs to the shop: `config.toml`, `onion/…`, `node/<id>/certificate` and
/// `node/<id>/macaroon`. A node's file that can't be read now is left out: it is the node's.
pub fn collect(db: &Db, places: &Places) -> Result<Vec<CarriedFile>, BackupError> {
    let mut files = Vec::new();
    if let Some(path) = &places.config_file
        && let Some(content) = content(path, db)?
    {
        files.push(CarriedFile { name: "config.toml".to_owned(), content });
    }
    for folder in ONION_FOLDERS {
        walk(&places.onion_state_dir.join(folder), &format!("onion/{folder}"), db, &mut files)?;
    }
    for node in db.read(|db| nodes::list(db, None))? {
        for (what, file) in [("certificate", node.certificate_file), ("macaroon", node.macaroon_file)] {
            let content = file.as_deref().and_then(|path| content(Path::new(path), db).ok()).flatten();
            files.extend(content.map(|content| CarriedFile { name: format!("node/{}/{what}", node.id), content }));
        }
    }
    Ok(files)
}

/// What is in a file, unless it is none of those that a backup carries: too large, no regular file (one would
/// wait for ever for what comes out of a pipe), or the database itself, whose locks would be lost.
fn content(path: &Path, db: &Db) -> Result<Option<Vec<u8>>, BackupError> {
    let about = fs::metadata(path).map_err(io(path))?;
    if !about.is_file() || about.len() > MOST_BYTES || is_file_of(db.path(), path) {
        return Ok(None);
    }
    fs::read(path).map(Some).map_err(io(path))
}

fn walk(folder: &Path, name: &str, db: &Db, files: &mut Vec<CarriedFile>) -> Result<(), BackupError> {
    for path in entries(folder)? {
        let Some(last) = path.file_name().and_then(|last| last.to_str()) else { continue };
        let name = format!("{name}/{last}");
        let about = fs::symlink_metadata(&path).map_err(io(&path))?;
        if about.is_dir() {
            walk(&path, &name, db, files)?;
        } else if about.is_file()
            && let Some(content) = content(&path, db)?
        {
            files.push(CarriedFile { name, content });
        }
    }
    Ok(())
}

/// What is in a folder, by name; nothing when there is no such folder.
pub fn entries(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let list = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(io(folder))?,
    };
    let mut paths =
        list.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(io(folder))?;
    paths.sort();
    Ok(paths)
}

/// Why a carried file has no place in a shop, if so.
pub fn stray(file: &CarriedFile) -> Option<String> {
    let name = file.name.as_str();
    let parts: Vec<_> = name.split('/').collect();
    let is_plain = |part: &str| !matches!(part, "" | "." | "..") && part.len() <= 255;
    let is_known = match parts.as_slice() {
        ["config.toml"] | ["node", _, "certificate" | "macaroon"] => true,
        ["onion", folder, _, ..] => ONION_FOLDERS.contains(folder),
        _ => false,
    };
    let fits = is_known && parts.iter().all(|part| is_plain(part)) && !name.contains(char::is_control);
    (!fits).then(|| format!("it carries a file that does not belong into a shop: {name:?}"))
}

/// Writes the carried files of one folder of the onion service into the new folder `to`, durably. `None` when the
/// backup has none of them; an error when two of them can't be in one folder.
pub fn unpack(folder: &str, files: &[CarriedFile], to: &Path) -> Result<Option<PathBuf>, BackupError> {
    let prefix = format!("onion/{folder}/");
    let mut made = None;
    for file in files {
        let Some(name) = file.name.strip_prefix(&prefix) else { continue };
        let path = to.join(name);
        path.parent().map_or(Ok(()), make_private_folder)?;
        write_new(&path, &file.content)?;
        made = Some(to.to_owned());
    }
    if made.is_some() {
        sync_folders(to)?;
    }
    Ok(made)
}

/// Makes the names in a folder, and in those below it, durable.
fn sync_folders(folder: &Path) -> Result<(), BackupError> {
    for path in entries(folder)?.iter().filter(|path| path.is_dir()) {
        sync_folders(path)?;
    }
    sync_folder(folder)
}

/// Makes the names in a folder durable.
pub fn sync_folder(folder: &Path) -> Result<(), BackupError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io(folder))
}

/// Deletes a file or a folder with all that is in it; links are not followed, and what is not there is fine.
pub fn discard(path: &Path) -> Result<(), BackupError> {
    let gone = match fs::symlink_metadata(path) {
        Ok(about) if about.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match gone {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(path)(error)),
        _ => Ok(()),
    }
}

/// Refuses a backup in `folder` after which less than a tenth of its disk would be free: the shop needs room to
/// go on selling, and so does whatever else lives there. The disk is what is used of it and what may be used; blocks
/// that are kept for root, or for others by a quota, are neither.
pub fn leave_room(folder: &Path, database: &Path) -> Result<(), BackupError> {
    let disk = rustix::fs::statvfs(folder).map_err(|error| io(folder)(error.into()))?;
    let (free, used) = (disk.f_bavail * disk.f_frsize, (disk.f_blocks - disk.f_bfree) * disk.f_frsize);
    let total = used + free;
    let size = |path: &PathBuf| fs::metadata(path).map_or(0, |about| about.len());
    // The copy, and beside it until it is finished what it is compressed to.
    let needed = files_of(database).iter().map(size).sum::<u64>() * 2;
    if has_room(needed, free, total) {
        return Ok(());
    }
    Err(BackupError::NoRoom { folder: folder.to_owned(), needed, free, total })
}

/// What is free on the disk of a file. Bytes.
pub fn free(file: &Path) -> Result<u64, BackupError> {
    let disk = rustix::fs::statvfs(file).map_err(|error| io(file)(error.into()))?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// All in bytes.
pub(super) const fn has_room(needed: u64, free: u64, total: u64) -> bool {
    free.saturating_sub(needed) >= total / 10
}

/// Makes a folder, and those above it, for its owner alone.
pub fn make_private_folder(folder: &Path) -> Result<(), BackupError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io(folder))
}

/// Writes a file that was not there, for its owner alone, durably.
pub fn write_new(path: &Path, content: &[u8]) -> Result<(), BackupError> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(io(path))
}

/// Gives a finished file or folder its name, durably.
pub fn publish(finished: &Path, path: &Path) -> Result<(), BackupError> {
    fs::rename(finished, path).map_err(io(path))?;
    sync_folder(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// The path with something added to its last part.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
