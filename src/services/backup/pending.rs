//! The last part of a restore. All that it puts in place lies finished beside its place, under a name that ends
//! in `.restoring`; a file `restore.pending` says that it shall be put there. From then on it is completed, by
//! whoever comes next if need be; until then it can only be undone. Each step is one renaming, and what is left
//! to do is seen from what is there: it does not matter after which step the power fails.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::error::{BackupError, io};
use super::files::Places;
use super::files::{beside, discard, publish, sync_folder, write_new};
use crate::services::instance::InstanceLock;
use crate::store::db;

/// The file that says so, in the data folder.
const MARK: &str = "restore.pending";
/// How the names of finished things end until they are in place.
const FRESH: &str = ".restoring";

/// What is to be completed.
#[derive(Serialize, Deserialize)]
struct Mark {
    /// How the names of what is moved aside end.
    suffix: String,
    /// Where the keys are: the configuration may name another folder by the next start.
    onion_state_dir: PathBuf,
}

/// One renaming.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// What is renamed.
    pub from: PathBuf,
    /// Its new name, which nothing has.
    pub to: PathBuf,
    /// Whether it is moved out of the way of something else.
    pub is_aside: bool,
}

/// Where things wait for their place.
pub(super) fn fresh(place: &Path) -> PathBuf {
    beside(place, FRESH)
}

/// What a restore may put in place, the database last.
fn slots(places: &Places) -> [PathBuf; 5] {
    let onion = |folder| places.onion_state_dir.join(folder);
    [onion("keystore"), onion("hss"), onion("authorized_clients"), restored_config(places), places.database.clone()]
}

/// The folders of the onion service.
pub(super) fn key_folders(places: &Places) -> [PathBuf; 3] {
    let [keys, state, clients, ..] = slots(places);
    [keys, state, clients]
}

/// The names that a restore uses: of what it puts in place, of what it prepares, and of its mark.
pub(super) fn names(places: &Places) -> Vec<PathBuf> {
    let mark = mark(places);
    let prepared = slots(places).into_iter().flat_map(|place| db::files_of(&fresh(&place)));
    let mut names: Vec<_> = prepared.chain(slots(places)).collect();
    names.extend([beside(&mark, ".new"), mark]);
    names
}

/// Where the configuration of a backup goes.
pub(super) fn restored_config(places: &Places) -> PathBuf {
    places.data_dir.join("config.restored.toml")
}

fn mark(places: &Places) -> PathBuf {
    places.data_dir.join(MARK)
}

/// Whether a restore was decided and is not complete.
pub fn is_pending(places: &Places) -> bool {
    exists(&mark(places))
}

fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Decides that what lies ready is put in place.
pub(super) fn decide(places: &Places, suffix: &str) -> Result<(), BackupError> {
    let path = mark(places);
    let unwritable = |error: serde_json::Error| io(&path)(error.into());
    let folder = places.onion_state_dir.strip_prefix(&places.data_dir).unwrap_or(&places.onion_state_dir);
    let mark = Mark { suffix: suffix.to_owned(), onion_state_dir: folder.to_owned() };
    let text = serde_json::to_vec(&mark).map_err(unwritable)?;
    let finished = beside(&path, ".new");
    discard(&finished)?;
    write_new(&finished, &text)?;
    publish(&finished, &path)
}

/// Completes a restore that was decided, and clears away what is left of one that was not. For whoever is about
/// to open the database. Returns what was moved aside.
///
/// # Errors
/// When another process has the data folder, or the disk does not take it.
pub fn settle(places: &Places, _lock: &InstanceLock) -> Result<Vec<PathBuf>, BackupError> {
    if !is_pending(places) {
        // Nothing of it is used: it only takes room, and holds secrets.
        if let Err(error) = undo(places) {
            tracing::warn!("what is left of a restore that was not done could not be removed: {error}");
        }
        return Ok(Vec::new());
    }
    let moved = complete(places)?;
    tracing::warn!("a restore that was cut short is complete now; moved aside: {moved:?}");
    Ok(moved)
}

/// [`settle`] for a command, which has no lock; does nothing unless a restore is to be completed.
///
/// # Errors
/// As [`settle`].
pub fn settle_pending(places: &Places) -> Result<(), BackupError> {
    if is_pending(places) {
        settle(places, &InstanceLock::take(&places.data_dir)?)?;
    }
    Ok(())
}

/// Takes all steps that are left.
pub(super) fn complete(places: &Places) -> Result<Vec<PathBuf>, BackupError> {
    let mut moved = Vec::new();
    while let Some(step) = next(places)? {
        take(&step)?;
        if step.is_aside {
            moved.push(step.to);
        }
    }
    // Somebody has cleared up: an empty shop must not begin in its place.
    fs::symlink_metadata(&places.database).map_err(io(&places.database))?;
    let mark = mark(places);
    fs::remove_file(&mark).map_err(io(&mark))?;
    sync_folder(&places.data_dir)?;
    Ok(moved)
}

/// Takes one step, durably.
pub(super) fn take(step: &Step) -> Result<(), BackupError> {
    publish(&step.from, &step.to)
}

/// The next step of the restore that was decided; `None` when it is complete but for its mark.
pub(super) fn next(places: &Places) -> Result<Option<Step>, BackupError> {
    let path = mark(places);
    // A pipe would be waited for, for ever.
    if !fs::symlink_metadata(&path).map_err(io(&path))?.is_file() {
        return Err(io(&path)(std::io::Error::other("it is no regular file, and so no decided restore: remove it")));
    }
    let text = fs::read(&path).map_err(io(&path))?;
    let Mark { suffix, onion_state_dir } = serde_json::from_slice(&text).map_err(|error| io(&path)(error.into()))?;
    let places = Places { onion_state_dir: places.data_dir.join(onion_state_dir), ..places.clone() };
    Ok(slots(&places).iter().find_map(|place| next_of(place, &suffix)))
}

fn next_of(place: &Path, suffix: &str) -> Option<Step> {
    let fresh = fresh(place);
    if !exists(&fresh) {
        return None;
    }
    let aside = |path: &Path, number| beside(path, &numbered(suffix, number));
    let free = (1..).find(|number| !exists(&aside(place, *number)))?;
    if exists(place) {
        return Some(Step { from: place.to_owned(), to: aside(place, free), is_aside: true });
    }
    // What SQLite keeps beside a database follows it, under the name at which it looks for it. A folder has none.
    let old = aside(place, free.saturating_sub(1).max(1));
    let companions = db::files_of(place).into_iter().zip(db::files_of(&old)).skip(1);
    let companion = companions.into_iter().find(|(from, _)| exists(from));
    let step = |(from, to)| Step { from, to, is_aside: true };
    companion.map(step).or_else(|| Some(Step { from: fresh, to: place.to_owned(), is_aside: false }))
}

/// A suffix for what is moved aside under which nothing lies yet.
pub(super) fn unused_suffix(places: &Places, secs: i64) -> String {
    let suffix = format!(".replaced-{secs}");
    let is_free = |suffix: &str| !slots(places).iter().any(|place| exists(&beside(place, suffix)));
    let found = (1..).map(|number| numbered(&suffix, number)).find(|suffix| is_free(suffix));
    found.unwrap_or(suffix)
}

fn numbered(suffix: &str, number: u32) -> String {
    if number > 1 { format!("{suffix}-{number}") } else { suffix.to_owned() }
}

/// Clears away what a restore that was not decided has prepared: it holds secrets.
pub(super) fn undo(places: &Places) -> Result<(), BackupError> {
    for place in slots(places) {
        for left in db::files_of(&fresh(&place)) {
            discard(&left)?;
        }
    }
    discard(&beside(&mark(places), ".new"))
}
