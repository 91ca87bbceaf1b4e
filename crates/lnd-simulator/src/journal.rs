//! What the simulated node remembers across restarts: one JSON line per change in `journal.jsonl`,
//! written before the change is answered, so that a killed process loses nothing that it said. It is
//! not synced to disk: a power cut is nothing that a development node has to survive.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::invoice::{Hex32, Progress, Terms};
use super::payment::Payment;

/// A line of the journal. Later lines about the same thing replace earlier ones.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Entry {
    /// An invoice was made.
    Added { add_index: u64, terms: Box<Terms>, progress: Progress },
    /// An invoice changed.
    Changed { hash: Hex32, progress: Progress },
    /// A cancelled invoice was removed.
    Forgotten { hash: Hex32 },
    /// A payment began or changed.
    Paid(Payment),
    /// A payment was deleted from the node's list.
    PaymentForgotten { hash: Hex32 },
    /// The highest numbers given out, which may belong to nothing that is still there.
    Counters { last_add: u64, last_settle: u64 },
    /// Settlements count on from here, whatever older ones are numbered.
    Recounted { last_settle: u64 },
    /// The chain grew.
    Height(u32),
    /// What the channels hold, in msat.
    Balance { local_msat: u64, remote_msat: u64 },
}

/// The open journal.
pub struct Journal {
    file: File,
}

impl Journal {
    /// Reads the entries in `dir`. A last line that was cut off by a kill is left out: nobody was
    /// told of it.
    pub fn read(dir: &Path) -> io::Result<Vec<Entry>> {
        let file = match File::open(path(dir)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut entries = Vec::new();
        for line in BufReader::new(file).split(b'\n') {
            match serde_json::from_slice(&line?) {
                Ok(entry) => entries.push(entry),
                Err(_) => break,
            }
        }
        Ok(entries)
    }

    /// Replaces the journal in `dir` by the shorter one with the same meaning, and opens it.
    pub fn compact(dir: &Path, entries: impl Iterator<Item = Entry>) -> io::Result<Self> {
        let next = dir.join("journal.jsonl.new");
        let mut options = OpenOptions::new();
        options.create(true).write(true).truncate(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut writer = BufWriter::new(options.open(&next)?);
        for entry in entries {
            writer.write_all(&line(&entry)?)?;
        }
        let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        std::fs::rename(&next, path(dir))?;
        Ok(Self { file })
    }

    /// Appends entries with one write.
    pub fn append(&mut self, entries: &[Entry]) -> io::Result<()> {
        let mut lines = Vec::with_capacity(1024 * entries.len());
        for entry in entries {
            lines.extend(line(entry)?);
        }
        self.file.write_all(&lines)
    }
}

fn line(entry: &Entry) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    Ok(line)
}

fn path(dir: &Path) -> PathBuf {
    dir.join("journal.jsonl")
}
