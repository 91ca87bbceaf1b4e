//! Tor's state directory: who may read it, and that one process at a time uses it.
//!
//! Invariants: the directory and the keystore in it belong to their owner alone (0700, key files
//! 0600), and a [`StateLock`] is held by whoever runs Tor on it or changes a key. arti has a lock
//! of its own, but goes on read-only without it, which for a service ends in two publishers that
//! fight over one address.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs_mistrust::Mistrust;

use super::error::OnionError;

/// The mode of every directory below the state directory.
const DIRECTORY_MODE: u32 = 0o700;
/// The mode of every key file.
const KEY_MODE: u32 = 0o600;
/// The permission bits of group and others.
const OTHERS: u32 = 0o077;
/// The lock file inside the state directory.
const LOCK_FILE: &str = "shop.lock";
/// How deep arti's keystore goes: `keystore/hss/<nickname>/<key>`.
const KEYSTORE_DEPTH: usize = 4;

/// How often a lock that is taken is tried.
const LOCK_ATTEMPTS: u32 = 100;
/// Between two of these attempts.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// The right to use a state directory. Released when dropped, also by a crash.
#[derive(Debug)]
pub struct StateLock {
    /// The operating system holds the lock as long as this file is open.
    _file: File,
}

impl StateLock {
    /// Takes the lock of `state_dir`, which must exist.
    ///
    /// # Errors
    /// [`OnionError::StateInUse`] when another process, or another part of this one, has it.
    pub fn take(state_dir: &Path) -> Result<Self, OnionError> {
        let path = state_dir.join(LOCK_FILE);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(KEY_MODE)
            .open(&path)
            .map_err(OnionError::io("open", &path))?;
        for attempt in 1.. {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                // A process that another thread is just starting has every open file, and so every
                // lock, until it runs its program.
                Err(TryLockError::WouldBlock) if attempt < LOCK_ATTEMPTS => std::thread::sleep(LOCK_PAUSE),
                Err(TryLockError::WouldBlock) => break,
                Err(TryLockError::Error(source)) => return Err(OnionError::io("lock", &path)(source)),
            }
        }
        Err(OnionError::StateInUse(state_dir.to_owned()))
    }
}

/// Makes `state_dir` (with mode 0700) when it is missing, then checks the modes in it.
///
/// # Errors
/// [`OnionError::Mode`] for a directory or key that others may read, [`OnionError::Io`].
pub fn prepare(state_dir: &Path) -> Result<(), OnionError> {
    make_directory(state_dir)?;
    check_modes(state_dir)
}

/// Makes a directory and its parents, for the owner alone.
pub(super) fn make_directory(path: &Path) -> Result<(), OnionError> {
    DirBuilder::new()
        .recursive(true)
        .mode(DIRECTORY_MODE)
        .create(path)
        .map_err(OnionError::io("make the directory", path))
}

/// Checks the modes of `state_dir` and of what is in it (keys, guards), where it exists.
///
/// # Errors
/// [`OnionError::Mode`] for the first directory or key that others may read, [`OnionError::Io`].
pub fn check_modes(state_dir: &Path) -> Result<(), OnionError> {
    check_mode(state_dir)?;
    for folder in ["state", "hss"] {
        check_tree(&state_dir.join(folder), 1)?;
    }
    check_tree(&state_dir.join("keystore"), KEYSTORE_DEPTH)
}

/// Checks, by arti's own rules, that nobody else can write to one of the directories on the way to
/// `path`, and so put another in its place.
///
/// # Errors
/// [`OnionError::Writable`] with the directory to repair, [`OnionError::Tor`] for what is no mode.
pub(super) fn check_parents(mistrust: &Mistrust, path: &Path) -> Result<(), OnionError> {
    match mistrust.verifier().permit_readable().check(path) {
        Err(fs_mistrust::Error::BadPermission(path, found, _)) => {
            Err(OnionError::Writable { path, found: found & 0o7777 })
        }
        checked => checked.map_err(OnionError::tor),
    }
}

fn check_tree(path: &Path, depth: usize) -> Result<(), OnionError> {
    if depth == 0 || !path.try_exists().map_err(OnionError::io("look at", path))? {
        return Ok(());
    }
    check_mode(path)?;
    if depth > 1 && path.is_dir() {
        for entry in entries(path)? {
            check_tree(&entry, depth - 1)?;
        }
    }
    Ok(())
}

fn check_mode(path: &Path) -> Result<(), OnionError> {
    let metadata = fs::metadata(path).map_err(OnionError::io("look at", path))?;
    let found = metadata.permissions().mode() & 0o7777;
    let wanted = if metadata.is_dir() { DIRECTORY_MODE } else { KEY_MODE };
    if found & OTHERS == 0 { Ok(()) } else { Err(OnionError::Mode { path: path.to_owned(), found, wanted }) }
}

/// What is in the directory `path`, sorted by name.
pub(super) fn entries(path: &Path) -> Result<Vec<PathBuf>, OnionError> {
    let list = fs::read_dir(path).map_err(OnionError::io("list", path))?;
    let mut paths = Vec::new();
    for entry in list {
        paths.push(entry.map_err(OnionError::io("list", path))?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Writes a new file that its owner alone may read.
///
/// # Errors
/// [`OnionError::Exists`] when there is such a file already, [`OnionError::Io`].
pub(super) fn write_secret(path: &Path, content: &[u8]) -> Result<(), OnionError> {
    use std::io::Write as _;
    let mut file = match OpenOptions::new().create_new(true).write(true).mode(KEY_MODE).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(OnionError::Exists(path.to_owned()));
        }
        Err(error) => return Err(OnionError::io("create", path)(error)),
    };
    file.write_all(content).and_then(|()| file.sync_all()).map_err(OnionError::io("write", path))
}

/// Removes a directory with all that is in it; one that does not exist is fine.
pub(super) fn remove_tree(path: &Path) -> Result<(), OnionError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(OnionError::io("remove", path)(error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_new_state_directory_belongs_to_its_owner_alone() {
        let outer = tempfile::tempdir().unwrap();
        let state = outer.path().join("lib/tor");
        prepare(&state).unwrap();
        assert_eq!(fs::metadata(&state).unwrap().permissions().mode() & 0o7777, 0o700);
    }

    #[test]
    fn a_state_directory_open_to_others_is_refused_with_the_remedy() {
        let state = tempfile::tempdir().unwrap();
        set_mode(state.path(), 0o750);
        let error = prepare(state.path()).unwrap_err();
        assert!(matches!(error, OnionError::Mode { found: 0o750, wanted: 0o700, .. }), "{error}");
        assert!(error.to_string().contains("chmod 700"), "{error}");
    }

    #[test]
    fn a_key_open_to_others_is_refused_with_the_remedy() {
        let state = tempfile::tempdir().unwrap();
        set_mode(state.path(), 0o700);
        let service = state.path().join("keystore/hss/shop");
        make_directory(&service).unwrap();
        let key = service.join("ks_hs_id.ed25519_expanded_private");
        write_secret(&key, b"secret").unwrap();
        prepare(state.path()).unwrap();
        set_mode(&key, 0o644);
        let error = prepare(state.path()).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }

    #[test]
    fn every_folder_that_tor_would_refuse_is_named_with_the_remedy() {
        let outer = tempfile::tempdir().unwrap();
        let state = outer.path().join("tor");
        prepare(&state).unwrap();
        make_directory(&state.join("state")).unwrap();
        set_mode(&state.join("state"), 0o755);
        let error = prepare(&state).unwrap_err();
        assert!(error.to_string().ends_with(&format!("chmod 700 '{}/state'", state.display())), "{error}");
        let mistrust = Mistrust::builder().ignore_environment().build().unwrap();
        check_parents(&mistrust, &state).unwrap();
        set_mode(outer.path(), 0o777);
        let error = check_parents(&mistrust, &state).unwrap_err();
        let folder = outer.path().canonicalize().unwrap();
        assert!(error.to_string().ends_with(&format!("chmod go-w '{}'", folder.display())), "{error}");
    }

    #[test]
    fn the_lock_is_held_once_and_free_again_after_its_holder() {
        let state = tempfile::tempdir().unwrap();
        let first = StateLock::take(state.path()).unwrap();
        assert!(matches!(StateLock::take(state.path()), Err(OnionError::StateInUse(_))));
        drop(first);
        StateLock::take(state.path()).unwrap();
    }

    #[test]
    fn a_secret_never_overwrites_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        write_secret(&path, b"one").unwrap();
        assert!(matches!(write_secret(&path, b"two"), Err(OnionError::Exists(_))));
        assert_eq!(fs::read(&path).unwrap(), b"one");
    }
}
