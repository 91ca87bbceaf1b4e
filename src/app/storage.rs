//! The data folder and the database at the start. A disk that is full or read-only then is waited
//! for: ending would only have the process started again, in a loop.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use super::parts::StartError;
use super::systemd::Systemd;
use crate::config::Config;
use crate::services::backup::{self, BackupError};
use crate::services::file_permissions;
use crate::services::instance::{InstanceLock, LockError};
use crate::store::{Db, StoreError, meta, schema};

/// How long until a disk that can't be written is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(10);

/// Why there is no database.
enum Problem {
    /// The disk: it may get better.
    Disk(String),
    /// Another process has it: it may end.
    Taken(String),
    /// Something else, which trying again does not change.
    Final(String),
}

/// Takes the data folder for this process alone, as soon as it can be written.
pub async fn lock(data_dir: &Path) -> Result<InstanceLock, StartError> {
    patiently(data_dir, || InstanceLock::take(data_dir).map_err(lock_problem)).await
}

/// Opens the database as soon as it can be written, after a restore that was cut short is complete.
pub async fn open(config: &Config, lock: &InstanceLock) -> Result<Db, StartError> {
    let places = config.places();
    patiently(&config.data_dir, || backup::settle(&places, lock).map_err(restore_problem)).await?;
    patiently(&config.data_dir, || open_database(config)).await
}

async fn patiently<T>(data_dir: &Path, attempt: impl Fn() -> Result<T, Problem>) -> Result<T, StartError> {
    loop {
        match attempt() {
            Ok(made) => return Ok(made),
            Err(Problem::Final(text)) => return Err(StartError::Final(text)),
            Err(Problem::Taken(text)) => return Err(StartError::Failed(text)),
            Err(Problem::Disk(text)) => {
                Systemd::of_process().status(&format!("waiting for the disk: {text}"));
                let (folder, secs) = (data_dir.display(), RETRY_DELAY.as_secs());
                tracing::error!("{text}: make room in {folder}, or make it writable; the next try is in {secs} s");
            }
        }
        tokio::time::sleep(RETRY_DELAY).await;
    }
}

fn open_database(config: &Config) -> Result<Db, Problem> {
    let file = config.database();
    let problem = |error: StoreError| match (file_permissions::denial(&file), &error) {
        (Some(denial), _) => Problem::Final(denial),
        (None, StoreError::Unavailable(_)) => Problem::Disk(format!("can't use {}: {error}", file.display())),
        (None, _) => Problem::Final(format!("can't use {}: {error}", file.display())),
    };
    if schema::is_behind(&file).unwrap_or(false) {
        tracing::info!("the database is of an older version: it is brought up to date");
        Systemd::of_process().migrating();
    }
    let db = Db::open(&file).map_err(problem)?;
    // A database that opens may yet take no change.
    db.write_blocking(|db| meta::set_text(db, "version", env!("CARGO_PKG_VERSION"))).map_err(problem)?;
    Ok(db)
}

/// Without the rest of the restore there is no shop, or half of one: nothing may be opened then.
fn restore_problem(error: BackupError) -> Problem {
    let text = format!("a restore can't be completed: {error}");
    match error {
        BackupError::Io { source, .. } if is_of_the_disk(source.kind()) => Problem::Disk(text),
        _ => Problem::Final(text),
    }
}

const fn is_of_the_disk(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::ReadOnlyFilesystem)
}

fn lock_problem(error: LockError) -> Problem {
    match &error {
        LockError::Io { path, source } => match (file_permissions::denial(path), source.kind()) {
            (Some(denial), _) => Problem::Final(denial),
            (None, kind) if is_of_the_disk(kind) => Problem::Disk(error.to_string()),
            (None, _) => Problem::Final(error.to_string()),
        },
        LockError::Running(_) => Problem::Taken(error.to_string()),
    }
}
