//! Why a backup could not be made or restored.

use std::path::{Path, PathBuf};

use crate::services::Error;
use crate::services::instance::LockError;
use crate::store::StoreError;

/// Why a backup could not be made or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A file could not be used.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A use case failed on the restored database.
    #[error(transparent)]
    Service(#[from] Error),
    /// The file is no backup, or damaged.
    #[error("{} can't be restored: {reason}", .path.display())]
    NoBackup {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The name for the new backup is taken.
    #[error("{} exists already, and a backup replaces nothing: choose another name, or remove it", .0.display())]
    Taken(PathBuf),
    /// The name is one that the shop, or SQLite for it, looks for.
    #[error("{} is, or would become, a part of the shop itself: choose another name or folder", .0.display())]
    Reserved(PathBuf),
    /// A scheduled backup would leave too little of the disk.
    #[error(
        "{}: a backup of {needed} bytes would leave less than a tenth of the disk free ({free} of {total} bytes are): free \
         some, or make one by hand on another disk (`ip2tor-shop backup create --output FILE`)",
        .folder.display()
    )]
    NoRoom {
        /// The folder that it was to go to.
        folder: PathBuf,
        /// What the backup needs at the most. Bytes.
        needed: u64,
        /// What is free. Bytes.
        free: u64,
        /// The size of the disk. Bytes.
        total: u64,
    },
    /// An upgrade would have too little of the disk.
    #[error(
        "{}: before an upgrade {needed} bytes must be free, three times the database, and {free} are: make room, then try \
         again",
        .folder.display()
    )]
    NoRoomForUpgrade {
        /// The folder of the backups.
        folder: PathBuf,
        /// What must be free. Bytes.
        needed: u64,
        /// What is free. Bytes.
        free: u64,
    },
    /// There is a shop already, and nobody said that it may be replaced.
    #[error("there is a shop in {} already: --force moves it aside", .0.display())]
    Exists(PathBuf),
    /// The shop is running.
    #[error(transparent)]
    Lock(#[from] LockError),
}

/// The error of a file that could not be used.
pub(super) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> BackupError + use<> {
    let path = path.to_owned();
    move |source| BackupError::Io { path, source }
}
