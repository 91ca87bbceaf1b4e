//! Putting a backup in place. Nothing that is there is ever deleted: it is moved aside.

use std::fs;
use std::path::{Path, PathBuf};

use super::{BackupError, Places, files, io};
use crate::domain::id::{NodeId, OrderId};
use crate::services::instance::InstanceLock;
use crate::services::{Act, Error, refunds};
use crate::store::backup::{self, CarriedFile};
use crate::store::{Connection, Db, db, node_state, nodes};

/// What was restored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Whether the backup has keys of the onion service.
    pub onion: bool,
    /// Where the configuration of the backup was put, to compare with yours.
    pub config: Option<PathBuf>,
    /// Nodes whose credentials now come from the database, since their files are not here.
    pub nodes: Vec<String>,
    /// Orders that owe money, which may have been paid back since the backup was made.
    pub owing: Vec<OrderId>,
    /// What was moved aside.
    pub moved: Vec<PathBuf>,
}

/// Puts the backup `file` in place. Everything is checked before anything changes.
///
/// # Errors
/// [`BackupError::Exists`] when there is a shop and `force` is not given; [`BackupError::NoBackup`];
/// [`BackupError::Lock`] while a shop runs there.
pub fn restore(places: &Places, file: &Path, force: bool, act: &Act) -> Result<Restored, BackupError> {
    fs::metadata(file).map_err(io(file))?;
    if let Some(reason) = backup::problem(file) {
        return Err(BackupError::NoBackup { path: file.to_owned(), reason });
    }
    let keystore = places.onion_state_dir.join("keystore");
    if !force && (places.database.exists() || keystore.exists()) {
        return Err(BackupError::Exists(places.data_dir.clone()));
    }
    files::make_private_folder(&places.data_dir)?;
    let _lock = InstanceLock::take(&places.data_dir)?;
    let fresh = files::beside(&places.database, ".restoring");
    files::write_private(&fresh, b"")?;
    backup::copy(file, &fresh)?;
    let carried = backup::take_files(&fresh)?;
    db::migrate(&fresh)?;
    fs::File::open(&fresh).and_then(|file| file.sync_all()).map_err(io(&fresh))?;

    let mut restored =
        Restored { onion: carried.iter().any(|file| file.name.starts_with("onion/")), ..Restored::default() };
    let aside = format!(".replaced-{}", act.now.secs());
    for old in db::files_of(&places.database) {
        move_aside(&old, &aside, &mut restored)?;
    }
    if restored.onion {
        move_aside(&keystore, &aside, &mut restored)?;
    }
    files::publish(&fresh, &places.database)?;
    files::put_back(&places.onion_state_dir, &carried)?;
    if let Some(config) = carried.iter().find(|file| file.name == "config.toml") {
        let path = places.data_dir.join("config.restored.toml");
        files::write_private(&path, &config.content)?;
        restored.config = Some(path);
    }
    (restored.nodes, restored.owing) = take_into_use(places, carried, act)?;
    Ok(restored)
}

fn move_aside(path: &Path, suffix: &str, restored: &mut Restored) -> Result<(), BackupError> {
    if path.exists() {
        let to = files::beside(path, suffix);
        fs::rename(path, &to).map_err(io(path))?;
        restored.moved.push(to);
    }
    Ok(())
}

/// Opens the restored database (which brings an old one up to date), gives nodes whose files are not
/// on this machine the credentials from the backup, marks what may have happened since, and notes the restore in
/// the change log. Returns those nodes, and the orders whose debts are in doubt.
fn take_into_use(
    places: &Places,
    carried: Vec<CarriedFile>,
    act: &Act,
) -> Result<(Vec<String>, Vec<OrderId>), BackupError> {
    let act = act.clone();
    let db = Db::open(&places.database)?;
    let changed = db.write_blocking(move |db| {
        let changed = adopt(db, &carried)?;
        let owing = refunds::doubt(db, act.now)?;
        node_state::mark_history_due(db)?;
        act.record(db, "backup", "backup", "restored")?;
        Ok::<_, Error>((changed, owing))
    })?;
    Ok(changed)
}

fn adopt(db: &Connection, carried: &[CarriedFile]) -> Result<Vec<String>, Error> {
    let find = |id: NodeId, what: &str| {
        let name = format!("node/{id}/{what}");
        carried.iter().find(|file| file.name == name).map(|file| file.content.clone())
    };
    let is_missing = |file: &Option<String>| file.as_deref().is_some_and(|path| !Path::new(path).exists());
    let mut changed = Vec::new();
    for mut node in nodes::list(db, None)? {
        let before = node.clone();
        if let (true, Some(content)) = (is_missing(&node.certificate_file), find(node.id, "certificate")) {
            (node.certificate_file, node.certificate) = (None, Some(content));
        }
        if let (true, Some(content)) = (is_missing(&node.macaroon_file), find(node.id, "macaroon")) {
            (node.macaroon_file, node.macaroon) = (None, Some(content));
        }
        if node != before {
            nodes::update(db, &node)?;
            changed.push(node.name);
        }
    }
    Ok(changed)
}
