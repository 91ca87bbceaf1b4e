//! The files of a database, looked at from outside SQLite: made, named and made private, but never opened.
//! Closing any handle on a file gives back all locks that this process has on it, those of SQLite included
//! (POSIX locks belong to the process, not to the handle): another program would then write into a database
//! in use, and destroy it.

use std::fs;
use std::io::{Error, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, mknodat};

/// The files of a database: itself, and what SQLite keeps beside it while it is open or after a crash.
pub fn files_of(database: &Path) -> [PathBuf; 4] {
    ["", "-wal", "-shm", "-journal"].map(|suffix| {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    })
}

/// Whether `file` is one of a database's, under whatever name.
pub fn is_file_of(database: &Path, file: &Path) -> bool {
    let identity = |path: &Path| fs::metadata(path).ok().map(|about| (about.dev(), about.ino()));
    let Some(wanted) = identity(file) else { return false };
    files_of(database).iter().any(|own| identity(own) == Some(wanted))
}

/// Makes the file if there is none, and takes the rights of all others away. SQLite gives the files
/// that it makes beside it the same mode.
pub(super) fn make_private(path: &Path) -> std::io::Result<()> {
    match mknodat(CWD, path, FileType::RegularFile, Mode::RUSR | Mode::WUSR, 0) {
        Ok(()) => return Ok(()),
        Err(rustix::io::Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    for file in files_of(path) {
        match fs::metadata(&file) {
            Ok(about) => narrow(&file, &about),
            // SQLite would begin an empty shop there.
            Err(error) if file == path && error.kind() == ErrorKind::NotFound => {
                let text = "it is a link to a file that is not there (a disk that is not mounted?)";
                return Err(Error::new(ErrorKind::NotFound, text));
            }
            Err(_) => {}
        }
    }
    Ok(())
}

/// A file system without modes, or a file of somebody else, is no reason not to sell.
fn narrow(path: &Path, about: &fs::Metadata) {
    if about.permissions().mode() & 0o077 != 0
        && let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(0o600))
    {
        tracing::warn!(file = %path.display(), %error, "others can read the database; this can't be changed");
    }
}
