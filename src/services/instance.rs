//! One process per data folder: two shops on one database would make each other's invoices.

use std::fs::{self, File, Permissions, TryLockError};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The name of the lock in the data folder.
pub const LOCK_FILE: &str = "instance.lock";
/// How often a lock that is taken is tried: a command may have it for a moment.
const ATTEMPTS: u32 = 10;
/// Between two of these attempts.
const RETRY_DELAY: Duration = Duration::from_millis(20);

/// Held while a shop runs, or while its database is replaced. Given back on drop, and by the system
/// when the process ends in any way.
#[derive(Debug)]
pub struct InstanceLock {
    _file: File,
}

/// Why a data folder can't be had alone.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// A shop is running on it.
    #[error("a shop is running on {}: stop it first", .0.display())]
    Running(PathBuf),
    /// The lock file can't be used.
    #[error("can't lock {}: {source}", .path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl InstanceLock {
    /// Takes the lock of an existing data folder.
    ///
    /// # Errors
    /// [`LockError::Running`] when another process has it.
    pub fn take(data_dir: &Path) -> Result<Self, LockError> {
        let path = data_dir.join(LOCK_FILE);
        let file = match File::options().create(true).truncate(false).write(true).mode(0o600).open(&path) {
            Ok(file) => file,
            Err(source) => return Err(LockError::Io { path, source }),
        };
        // One of an earlier version is open to all. That it stays so, on a file system without modes or in
        // somebody else's folder, is no reason not to sell: there is nothing in it.
        let _ = fs::set_permissions(&path, Permissions::from_mode(0o600));
        for attempt in 1.. {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) if attempt < ATTEMPTS => std::thread::sleep(RETRY_DELAY),
                Err(TryLockError::WouldBlock) => break,
                Err(TryLockError::Error(source)) => return Err(LockError::Io { path, source }),
            }
        }
        Err(LockError::Running(data_dir.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_its_owners_alone_also_one_of_an_earlier_version() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(LOCK_FILE);
        for before in [None, Some(0o644)] {
            if let Some(mode) = before {
                fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            }
            drop(InstanceLock::take(dir.path()).unwrap());
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_data_folder_has_one_shop_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = InstanceLock::take(dir.path()).unwrap();
        assert!(matches!(InstanceLock::take(dir.path()), Err(LockError::Running(_))));
        drop(first);
        assert!(InstanceLock::take(dir.path()).is_ok());
    }
}
