//! The files that a backup carries besides the database, and careful ways with files.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{BackupError, Places, io};
use crate::store::backup::CarriedFile;
use crate::store::db::files_of;
use crate::store::{Db, nodes};

/// The folders of the onion service that are worth a backup; the rest can be fetched again.
const ONION_FOLDERS: [&str; 2] = ["keystore", "authorized_clients"];
/// Larger files are none of ours.
const MAX_BYTES: u64 = 1 << 20;

/// Reads everything that belongs to the shop: `config.toml`, `onion/…`, `node/<id>/certificate` and
/// `node/<id>/macaroon`. A node's file that can't be read now is left out: it is the node's.
pub fn collect(db: &Db, places: &Places) -> Result<Vec<CarriedFile>, BackupError> {
    let mut files = Vec::new();
    if let Some(path) = &places.config_file {
        files.push(CarriedFile { name: "config.toml".to_owned(), content: fs::read(path).map_err(io(path))? });
    }
    for folder in ONION_FOLDERS {
        walk(&places.onion_state_dir.join(folder), &format!("onion/{folder}"), &mut files)?;
    }
    for node in db.read(|db| nodes::list(db, None))? {
        for (what, file) in [("certificate", node.certificate_file), ("macaroon", node.macaroon_file)] {
            let content = file.as_deref().and_then(|path| fs::read(path).ok());
            files.extend(content.map(|content| CarriedFile { name: format!("node/{}/{what}", node.id), content }));
        }
    }
    Ok(files)
}

fn walk(folder: &Path, name: &str, files: &mut Vec<CarriedFile>) -> Result<(), BackupError> {
    for path in entries(folder)? {
        let Some(last) = path.file_name().and_then(|last| last.to_str()) else { continue };
        let name = format!("{name}/{last}");
        let about = fs::symlink_metadata(&path).map_err(io(&path))?;
        if about.is_dir() {
            walk(&path, &name, files)?;
        } else if about.is_file() && about.len() <= MAX_BYTES {
            files.push(CarriedFile { name, content: fs::read(&path).map_err(io(&path))? });
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

/// A carried file whose name would lead out of the onion service's folders.
pub fn stray(files: &[CarriedFile]) -> Option<&CarriedFile> {
    let belongs = |name: &str| {
        name.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
            && ONION_FOLDERS.iter().any(|folder| name.starts_with(&format!("{folder}/")))
    };
    files.iter().find(|file| file.name.strip_prefix("onion/").is_some_and(|name| !belongs(name)))
}

/// Writes the carried onion files below `state_dir`; none of them is a [`stray`].
pub fn put_back(state_dir: &Path, files: &[CarriedFile]) -> Result<(), BackupError> {
    for file in files {
        let Some(name) = file.name.strip_prefix("onion/") else { continue };
        let path = state_dir.join(name);
        path.parent().map_or(Ok(()), make_private_folder)?;
        write_private(&path, &file.content)?;
    }
    Ok(())
}

/// Refuses a backup in `folder` after which less than a tenth of its disk would be free: the shop needs room to
/// go on selling, and so does whatever else lives there.
pub fn leave_room(folder: &Path, database: &Path) -> Result<(), BackupError> {
    let disk = rustix::fs::statvfs(folder).map_err(|error| io(folder)(error.into()))?;
    let (free, total) = (disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize);
    let size = |path: &PathBuf| fs::metadata(path).map_or(0, |about| about.len());
    let needed = files_of(database).iter().map(size).sum();
    if has_room(needed, free, total) {
        return Ok(());
    }
    Err(BackupError::NoRoom { folder: folder.to_owned(), needed, free, total })
}

/// All in bytes.
pub(super) const fn has_room(needed: u64, free: u64, total: u64) -> bool {
    free.saturating_sub(needed) >= total / 10
}

/// Makes a folder, and those above it, for its owner alone.
pub fn make_private_folder(folder: &Path) -> Result<(), BackupError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(io(folder))
}

/// Writes a file for its owner alone.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), BackupError> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(io(path))
}

/// Renames a finished file into place, durably.
pub fn publish(finished: &Path, path: &Path) -> Result<(), BackupError> {
    fs::rename(finished, path).map_err(io(path))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io(folder))
}

/// The path with something added to its last part.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
