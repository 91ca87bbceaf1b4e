//! The names that the shop and SQLite look for. A file of somebody's under one of them would be taken for a part of the
//! shop: SQLite tries to roll back with anything that is called as its journal, and a restore clears away what is
//! called as things that it has prepared. Folders are compared by what they are, since each has many spellings.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::BackupError;
use super::files::Places;
use super::pending;
use crate::services::instance;
use crate::store::db::files_of;

/// The lock in the folder of the onion service, and the configuration in the data folder.
const OTHERS: [&str; 2] = ["shop.lock", "config.toml"];

/// Refuses a file for something that its user names (a backup, an exported key), if the shop would find it.
///
/// # Errors
/// [`BackupError::Reserved`].
pub fn refuse_own_name(places: &Places, output: &Path) -> Result<(), BackupError> {
    let name = output.file_name().map(|name| name.as_encoded_bytes());
    let folder = identity(folder_of(output));
    // On a USB stick the case of letters may not count.
    let is_it = |own: &PathBuf| {
        own.file_name().is_some_and(|own| name.is_some_and(|name| own.as_encoded_bytes().eq_ignore_ascii_case(name)))
            && folder.is_some()
            && identity(folder_of(own)) == folder
    };
    if is_among_keys(places, folder_of(output)) || own_names(places).iter().any(is_it) {
        return Err(BackupError::Reserved(output.to_owned()));
    }
    Ok(())
}

/// The folder that a file is in, or would be.
pub(super) fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What a folder is, whatever it is called.
fn identity(folder: &Path) -> Option<(u64, u64)> {
    fs::metadata(folder).ok().map(|about| (about.dev(), about.ino()))
}

fn own_names(places: &Places) -> Vec<PathBuf> {
    let mut names = pending::names(places);
    names.extend(files_of(&places.database));
    // SQLite keeps its other files beside what a link leads to.
    names.extend(fs::canonicalize(&places.database).iter().flat_map(|file| files_of(file)));
    names.extend([
        places.data_dir.join(instance::LOCK_FILE),
        places.backup_dir.clone(),
        places.onion_state_dir.clone(),
    ]);
    names.extend(
        [&places.onion_state_dir, &places.data_dir].into_iter().zip(OTHERS).map(|(folder, name)| folder.join(name)),
    );
    names.extend(places.config_file.clone());
    names
}

/// Whether a folder belongs to the onion service: each file there is taken for one of its keys.
fn is_among_keys(places: &Places, folder: &Path) -> bool {
    let Ok(folder) = fs::canonicalize(folder) else { return false };
    let is_within = |folder: &Path, other: &Path| {
        let other = identity(other);
        other.is_some() && folder.ancestors().any(|above| identity(above) == other)
    };
    let state = &places.onion_state_dir;
    // Somebody may have put all of it into one folder.
    let holds_data = fs::canonicalize(&places.data_dir).is_ok_and(|data| is_within(&data, state));
    (!holds_data && is_within(&folder, state))
        || pending::key_folders(places).iter().any(|keys| is_within(&folder, keys))
}
