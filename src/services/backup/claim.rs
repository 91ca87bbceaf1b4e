//! The name of a backup that is being made. It belongs to one maker at a time, and what stands under
//! it already is never replaced: it may be another backup, or the database itself.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::error::{BackupError, io};
use super::files;

/// What is added to the name of a backup that is being made.
pub const PARTIAL: &str = ".partial";

/// A claimed name. What was made under it is deleted unless it is published.
pub struct Claim {
    path: PathBuf,
    partial: PathBuf,
}

impl Claim {
    /// Claims `path` by making an empty file beside it, readable by its owner alone.
    ///
    /// # Errors
    /// [`BackupError::Taken`] when there is such a file, or somebody is making it.
    pub fn of(path: &Path) -> Result<Self, BackupError> {
        let partial = files::beside(path, PARTIAL);
        make_new(&partial)?;
        let claim = Self { path: path.to_owned(), partial };
        if fs::symlink_metadata(path).is_ok() {
            return Err(BackupError::Taken(path.to_owned()));
        }
        Ok(claim)
    }

    /// The file to write the backup into.
    pub fn partial(&self) -> &Path {
        &self.partial
    }

    /// Renames the finished file into place, durably.
    ///
    /// # Errors
    /// As [`Claim::of`]; somebody else may have used the name meanwhile.
    pub fn publish(self) -> Result<PathBuf, BackupError> {
        // Renaming replaces; so the name is taken first, by a file that may be replaced. (Hard links,
        // which never replace, are unknown to the file systems of USB sticks.)
        make_new(&self.path)?;
        if let Err(error) = files::publish(&self.partial, &self.path) {
            // The error that counts is the first.
            let _ = fs::remove_file(&self.path);
            return Err(error);
        }
        Ok(self.path.clone())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Once published there is none; what is left of a failed try is of no use.
        let _ = fs::remove_file(&self.partial);
    }
}

/// Makes an empty file that was not there, for its owner alone.
fn make_new(path: &Path) -> Result<(), BackupError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(BackupError::Taken(path.to_owned())),
        Err(error) => Err(io(path)(error)),
    }
}
