//! Connections: one writer thread that commits in groups, and read-only readers.
//!
//! Every change is a closure run by the writer thread. It takes all closures that are waiting into
//! one transaction, each in a savepoint of its own, commits once (one fsync), and only then answers.
//! So an answer is durable, a closure that fails rolls back alone, and many waiting changes cost one
//! fsync: an SD card takes 10-50 ms for each.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use rusqlite::{Connection, OpenFlags, Savepoint, TransactionBehavior};
use tokio::sync::oneshot;

mod files;

pub use files::{files_of, is_file_of};

mod migrations {
    refinery::embed_migrations!("migrations");
}

/// At most this many changes share one transaction; more only make the first ones wait longer.
const GROUP: usize = 256;
/// How long SQLite waits for another process (the command line) that is writing.
const BUSY: Duration = Duration::from_secs(10);
/// With less room on its disk, in bytes, the database can't be written for long.
const LEAST_ROOM: u64 = 1 << 20;
/// Idle read connections kept for the next reader.
const READERS: usize = 8;

/// Why the other changes of a group failed with the one that met a full or failing disk.
const UNDONE: &str = "the disk is full or failing; nothing of the transaction was stored";

/// How the database fails.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The disk is full or read-only, or another process holds the database: try again later.
    #[error("the database can't be written now: {0}")]
    Unavailable(String),
    /// The row that was to be changed is not in the expected state any more.
    #[error("{0} was changed by somebody else")]
    Conflict(&'static str),
    /// The database is not one that this program's migrations have made.
    #[error(
        "it was made by another version of ip2tor-shop, and is left as it is ({0}): run that version again, restore \
         a backup that fits this one, or use another folder"
    )]
    OtherVersion(String),
    /// A defect: a constraint or a statement failed that should not.
    #[error("database: {0}")]
    Broken(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::from(&error)
    }
}

impl From<&rusqlite::Error> for StoreError {
    fn from(error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        match error.sqlite_error_code() {
            Some(
                Code::DiskFull
                | Code::ReadOnly
                | Code::SystemIoFailure
                | Code::DatabaseBusy
                | Code::DatabaseLocked
                | Code::CannotOpen
                | Code::PermissionDenied,
            ) => Self::Unavailable(error.to_string()),
            _ => Self::Broken(error.to_string()),
        }
    }
}

/// A change and its caller: given a savepoint it runs there and returns how to answer after the
/// commit; given an error it answers with that at once.
type Job = Box<dyn FnOnce(Result<&mut Savepoint<'_>, StoreError>) -> Option<Finish> + Send>;
/// Answers the caller with the outcome of the commit.
type Finish = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    queue: mpsc::Sender<Job>,
    readers: Mutex<Vec<Connection>>,
    /// Sees other connections' commits (`PRAGMA data_version`); never reads or writes data.
    watcher: Mutex<Connection>,
    /// Whether the last commit failed.
    is_failing: Arc<AtomicBool>,
}

impl Db {
    /// Opens (or creates) the database file, migrates it, and starts the writer. The file is its
    /// owner's alone: it holds secrets.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        files::make_private(path).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let writer = writer(path)?;
        let watcher = reader(path)?;
        let (queue, jobs) = mpsc::channel();
        let is_failing = Arc::new(AtomicBool::default());
        let outcome = Arc::clone(&is_failing);
        std::thread::Builder::new()
            .name("db-writer".to_owned())
            .spawn(move || write_loop(writer, &jobs, &outcome))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let (path, watcher) = (path.to_owned(), Mutex::new(watcher));
        Ok(Self { inner: Arc::new(Inner { path, queue, readers: Mutex::default(), watcher, is_failing }) })
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Runs `change` in a transaction and returns its answer once it is durable. An error from the
    /// closure rolls its changes back. The closure may touch only the database: it runs before the
    /// commit, and the commit can fail.
    pub async fn write<T, E, F>(&self, change: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        let sent = self.inner.queue.send(job(change, move |result| drop(sender.send(result))));
        sent.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// [`Db::write`] for callers without an async runtime (the command line).
    pub fn write_blocking<T, E, F>(&self, change: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let (sender, answer) = mpsc::sync_channel(1);
        let sent = self.inner.queue.send(job(change, move |result| drop(sender.send(result))));
        sent.map_err(|_| closed())?;
        answer.recv().map_err(|_| closed())?
    }

    /// Runs `query` on a read-only connection, on the calling thread, in one read transaction: all
    /// its statements see the same state. For look-ups by key or index (microseconds); use
    /// [`Db::scan`] for anything that grows with the data.
    pub fn read<T, E, F>(&self, query: F) -> Result<T, E>
    where
        E: From<StoreError>,
        F: FnOnce(&Connection) -> Result<T, E>,
    {
        let pooled = lock(&self.inner.readers).pop();
        let connection = match pooled {
            Some(connection) => connection,
            None => reader(&self.inner.path)?,
        };
        let transaction = connection.unchecked_transaction().map_err(StoreError::from)?;
        let answer = query(&transaction);
        drop(transaction);
        let mut readers = lock(&self.inner.readers);
        if readers.len() < READERS {
            readers.push(connection);
        }
        answer
    }

    /// [`Db::read`] on a blocking thread.
    pub async fn scan<T, E, F>(&self, query: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let db = self.clone();
        tokio::task::spawn_blocking(move || db.read(query)).await.map_err(|_| closed())?
    }

    /// Whether changes can be stored, as far as can be told without a write: the last commit did not fail, and
    /// the disk takes something. After a failure the next commit that succeeds says that it is over.
    pub fn can_write(&self) -> bool {
        let folder = self.inner.path.parent().unwrap_or(Path::new("."));
        let takes = rustix::fs::statvfs(folder).is_ok_and(|disk| {
            !disk.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY)
                && disk.f_bavail.saturating_mul(disk.f_frsize) >= LEAST_ROOM
        });
        takes && !self.inner.is_failing.load(Ordering::Relaxed)
    }

    /// The room on the disk of the database; `None` where that can't be told.
    pub fn room(&self) -> Option<Room> {
        let folder = self.inner.path.parent().unwrap_or(Path::new("."));
        let disk = rustix::fs::statvfs(folder).ok()?;
        let size = |path: &PathBuf| std::fs::metadata(path).map_or(0, |file| file.len());
        Some(Room {
            free: disk.f_bavail.saturating_mul(disk.f_frsize),
            total: disk.f_blocks.saturating_mul(disk.f_frsize),
            database: files_of(&self.inner.path).iter().map(size).sum(),
        })
    }

    /// A number that changes with every commit by any connection or process: the key for caches.
    pub fn version(&self) -> Result<i64, StoreError> {
        Ok(lock(&self.inner.watcher).pragma_query_value(None, "data_version", |row| row.get(0))?)
    }
}

/// The version of SQLite.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// Room on a disk, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Free for the shop.
    pub free: u64,
    /// In all.
    pub total: u64,
    /// What the database and the files beside it take.
    pub database: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

fn closed() -> StoreError {
    StoreError::Unavailable("the shop is shutting down".to_owned())
}

/// A migration that met a full or failing disk is no defect.
fn migration_error(error: &refinery::Error) -> StoreError {
    use refinery::error::Kind;
    let store_error = match error.kind() {
        Kind::Connection(_, cause) => cause.downcast_ref::<rusqlite::Error>().map(StoreError::from),
        Kind::DivergentVersion(applied, _) => Some(StoreError::OtherVersion(format!("its {applied} is not ours"))),
        Kind::MissingVersion(applied) => Some(StoreError::OtherVersion(format!("its {applied} is not known here"))),
        _ => None,
    };
    store_error.unwrap_or_else(|| StoreError::Broken(error.to_string()))
}

fn connect(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(96);
    // Without it REPLACE removes rows past the triggers that keep them, those of the change log among them.
    connection.pragma_update(None, "recursive_triggers", true)?;
    Ok(connection)
}

fn reader(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -1024)?;
    Ok(connection)
}

/// Brings a database that nobody has open up to date and changes it, all in the one file: nothing of it is
/// left in a log beside it.
///
/// # Errors
/// [`StoreError::OtherVersion`] when it is not one that this program's migrations have made; an error of
/// `change`.
pub fn revise<T, E: From<StoreError>>(path: &Path, change: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E> {
    let mut db = writer(path)?;
    let transaction = db.transaction().map_err(StoreError::from)?;
    let value = change(&transaction)?;
    transaction.commit().map_err(StoreError::from)?;
    // Closing would fold the log in as well, but not tell when that fails. With `synchronous=FULL` it is on the disk then
    // (`tests/process/durable_restore.rs`).
    db.pragma_update(None, "journal_mode", "DELETE").map_err(StoreError::from)?;
    Ok(value)
}

/// The migrations that this program knows, oldest first: version, name and checksum.
pub(super) fn known_migrations() -> Vec<(i32, String, u64)> {
    let mut known: Vec<_> = migrations::migrations::runner()
        .get_migrations()
        .iter()
        .map(|migration| (migration.version(), migration.to_string(), migration.checksum()))
        .collect();
    known.sort();
    known
}

/// An empty database in memory, as the migrations up to `version` make it.
pub(super) fn blank(version: i32) -> Result<Connection, StoreError> {
    let mut db = Connection::open_in_memory()?;
    let runner = migrations::migrations::runner().set_target(refinery::Target::Version(version));
    runner.run(&mut db).map_err(|error| migration_error(&error))?;
    Ok(db)
}

/// The connection that changes a database: brings it up to date first.
pub(super) fn writer(path: &Path) -> Result<Connection, StoreError> {
    let mut writer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    writer.pragma_update(None, "journal_mode", "WAL")?;
    writer.pragma_update(None, "synchronous", "FULL")?;
    writer.pragma_update(None, "foreign_keys", true)?;
    // Each order touches many pages: a longer log writes the hot ones once for many orders instead of
    // once for twenty.
    writer.pragma_update(None, "wal_autocheckpoint", 4000)?;
    writer.pragma_update(None, "journal_size_limit", 16 << 20)?;
    // Ports and payment hashes are random, so the pages that orders touch lie far apart. KiB.
    writer.pragma_update(None, "cache_size", -8192)?;
    // What a savepoint could roll back is kept in memory: a file of its own would be written for
    // every group of changes and never be read.
    writer.pragma_update(None, "temp_store", "MEMORY")?;
    migrations::migrations::runner().run(&mut writer).map_err(|error| migration_error(&error))?;
    Ok(writer)
}

/// Wraps a typed closure: it runs in its savepoint, and its answer is sent after the commit.
fn job<T, E, F, S>(change: F, send: S) -> Job
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    S: FnOnce(Result<T, E>) + Send + 'static,
{
    Box::new(move |savepoint| {
        let savepoint = match savepoint {
            Ok(savepoint) => savepoint,
            Err(error) => {
                send(Err(error.into()));
                return None;
            }
        };
        let run = catch_unwind(AssertUnwindSafe(|| change(savepoint)));
        let answer = run.unwrap_or_else(|_| Err(StoreError::Broken("a change panicked".to_owned()).into()));
        savepoint.set_drop_behavior(match answer {
            Ok(_) => rusqlite::DropBehavior::Commit,
            Err(_) => rusqlite::DropBehavior::Rollback,
        });
        Some(Box::new(move |committed: Result<(), StoreError>| {
            // A change that failed by itself keeps its own error.
            send(answer.and_then(|value| committed.map(|()| value).map_err(E::from)));
        }))
    })
}

fn write_loop(mut connection: Connection, jobs: &mpsc::Receiver<Job>, is_failing: &AtomicBool) {
    while let Ok(first) = jobs.recv() {
        let mut group = VecDeque::from([first]);
        group.extend(jobs.try_iter().take(GROUP - 1));
        let mut finishes = Vec::with_capacity(group.len());
        let before = connection.total_changes();
        let outcome = run_group(&mut connection, &mut group, &mut finishes);
        // A group that changed nothing says nothing of the disk.
        if outcome.is_err() || connection.total_changes() != before {
            is_failing.store(outcome.is_err(), Ordering::Relaxed);
        }
        for finish in finishes {
            finish(outcome.clone());
        }
        if let Err(error) = outcome {
            tracing::error!(%error, "a commit failed; nothing of it was stored");
            for job in group {
                job(Err(error.clone()));
            }
        }
    }
    // The last `Db` is gone: fold the log into the database, so that a copy of the file is whole.
    let _ = connection.pragma_update(None, "wal_checkpoint", "TRUNCATE");
}

fn run_group(
    connection: &mut Connection,
    group: &mut VecDeque<Job>,
    finishes: &mut Vec<Finish>,
) -> Result<(), StoreError> {
    // Whatever stops a whole group is the machine's fault, not the change's.
    let unavailable = |error: rusqlite::Error| StoreError::Unavailable(error.to_string());
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(unavailable)?;
    while let Some(job) = group.pop_front() {
        let mut savepoint = match transaction.savepoint() {
            Ok(savepoint) => savepoint,
            Err(error) => {
                group.push_front(job);
                return Err(unavailable(error));
            }
        };
        finishes.extend(job(Ok(&mut savepoint)));
        drop(savepoint);
        // A full or failing disk ends the whole transaction, not only the statement: what follows
        // would be stored alone, and be answered as if it were not.
        if transaction.is_autocommit() {
            return Err(StoreError::Unavailable(UNDONE.to_owned()));
        }
    }
    transaction.commit().map_err(unavailable)
}

#[cfg(test)]
pub(crate) mod tests;
