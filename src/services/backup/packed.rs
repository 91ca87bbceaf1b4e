//! A finished backup is compressed (gzip), since a dozen of them lie on a memory card. Inside is a database, which
//! `gunzip` makes of it as well; a backup that somebody has unpacked, or that is as old as that, will do.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;

use super::error::{BackupError, io as io_error};
use super::files;
use crate::store::db;

/// How files of each kind begin.
const GZIP: &[u8] = &[0x1f, 0x8b];
const SQLITE: &[u8] = b"SQLite format 3\0";

/// A database for a moment: whatever becomes of it, it is deleted in the end.
pub struct Scratch(PathBuf);

impl Scratch {
    /// An empty file, readable by its owner alone, in place of one that was left there.
    pub fn new(path: PathBuf) -> Result<Self, BackupError> {
        let scratch = Self(path);
        scratch.discard()?;
        files::write_new(&scratch.0, b"")?;
        Ok(scratch)
    }

    /// What is in a backup.
    pub fn unpacked(backup: &Path, path: PathBuf) -> Result<Self, BackupError> {
        let scratch = Self(path);
        scratch.discard()?;
        unpack(backup, &scratch.0)?;
        Ok(scratch)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn discard(&self) -> Result<(), BackupError> {
        db::files_of(&self.0).iter().try_for_each(|file| files::discard(file))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It has served; the error that counts, if there was one, was another.
        let _ = self.discard();
    }
}

/// Compresses a database that nobody has open into the file `backup`, durably.
pub fn pack(database: &Path, backup: &Path) -> Result<(), BackupError> {
    let mut from = File::open(database).map_err(io_error(database))?;
    let mut write = || {
        // The fastest level: the best one saves a twentieth more, for ten times the work.
        let mut packer =
            GzEncoder::new(OpenOptions::new().write(true).truncate(true).open(backup)?, Compression::fast());
        io::copy(&mut from, &mut packer)?;
        packer.finish()?.sync_all()
    };
    write().map_err(io_error(backup))
}

/// Writes the database that is in a backup into the new file `to`, for its owner alone. What is in it is for the
/// caller to look at; it takes half of the room on the disk at most.
pub fn unpack(backup: &Path, to: &Path) -> Result<(), BackupError> {
    let refuse = |reason: String| BackupError::NoBackup { path: backup.to_owned(), reason };
    let damaged = |error: io::Error| match error.kind() {
        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof => {
            refuse(format!("it is damaged: {error}"))
        }
        _ => io_error(backup)(error),
    };
    let file = File::open(backup).map_err(io_error(backup))?;
    let Some(mut from) = database_in(file).map_err(damaged)? else {
        return Err(refuse("it is no backup of a shop".to_owned()));
    };
    let mut into = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(io_error(to))?;
    let mut room = files::free(to)? / 2;
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = from.read(&mut buffer).map_err(damaged)?;
        if count == 0 {
            return into.sync_all().map_err(io_error(to));
        }
        room = room
            .checked_sub(count as u64)
            .ok_or_else(|| refuse("what is in it takes more than half of what is free on the disk".to_owned()))?;
        into.write_all(&buffer[..count]).map_err(io_error(to))?;
    }
}

/// The bytes of the database in a backup; `None` when it is neither compressed nor a database.
fn database_in(file: File) -> io::Result<Option<Box<dyn Read>>> {
    let mut file = BufReader::new(file);
    let start = file.fill_buf()?;
    Ok(if start.starts_with(GZIP) {
        Some(Box::new(GzDecoder::new(file)))
    } else if start.starts_with(SQLITE) {
        Some(Box::new(file))
    } else {
        None
    })
}
