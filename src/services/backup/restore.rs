//! Putting a backup in place. Nothing that is there is ever deleted: it is moved aside.

use std::fs;
use std::path::{Path, PathBuf};

use super::{BackupError, Places, files, io};
use crate::domain::id::{NodeId, OrderId};
use crate::services::instance::InstanceLock;
use crate::services::{Act, Error, refunds, sweep};
use crate::store::backup::{self, CarriedFile};
use crate::store::{Connection, StoreError, db, node_state, nodes};

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

/// A copy of a backup that is ready to be the shop's database, and what came with it.
struct Prepared {
    carried: Vec<CarriedFile>,
    nodes: Vec<String>,
    owing: Vec<OrderId>,
}

/// Puts the backup `file` in place. Everything is checked and prepared before anything changes.
///
/// # Errors
/// [`BackupError::Exists`] when there is a shop and `force` is not given; [`BackupError::NoBackup`];
/// [`BackupError::Lock`] while a shop runs there.
pub fn restore(places: &Places, file: &Path, force: bool, act: &Act) -> Result<Restored, BackupError> {
    fs::metadata(file).map_err(io(file))?;
    if let Some(reason) = backup::problem(file) {
        return Err(BackupError::NoBackup { path: file.to_owned(), reason });
    }
    if !force && (places.database.exists() || keystore(places).exists()) {
        return Err(BackupError::Exists(places.data_dir.clone()));
    }
    files::make_private_folder(&places.data_dir)?;
    let _lock = InstanceLock::take(&places.data_dir)?;
    let fresh = files::beside(&places.database, ".restoring");
    let prepared = prepare(file, &fresh, act).inspect_err(|_| {
        // What is left of it holds secrets.
        for left in db::files_of(&fresh) {
            let _ = fs::remove_file(left);
        }
    })?;
    put_in_place(places, &fresh, prepared, act)
}

fn keystore(places: &Places) -> PathBuf {
    places.onion_state_dir.join("keystore")
}

/// Makes the copy: brought up to date, with the credentials of the backup for nodes whose files are not on this
/// machine, and with marks on what may have happened since. Nobody may ever use it without these.
fn prepare(file: &Path, fresh: &Path, act: &Act) -> Result<Prepared, BackupError> {
    let refuse = |reason: String| BackupError::NoBackup { path: file.to_owned(), reason };
    files::write_private(fresh, b"")?;
    backup::copy(file, fresh)?;
    let carried = backup::take_files(fresh)?;
    if let Some(stray) = files::stray(&carried) {
        return Err(refuse(format!("it carries a file that does not belong into a shop: {}", stray.name)));
    }
    let revised = db::revise(fresh, |db| {
        let nodes = adopt(db, &carried)?;
        let owing = refunds::doubt(db, act.now)?;
        node_state::mark_history_due(db)?;
        sweep::doubt_all(db, act.now)?;
        act.record(db, "backup", "backup", "restored")?;
        Ok::<_, BackupError>((nodes, owing))
    });
    let (nodes, owing) = revised.map_err(|error| match error {
        BackupError::Store(StoreError::OtherVersion(_)) => refuse(error.to_string()),
        other => other,
    })?;
    fs::File::open(fresh).and_then(|file| file.sync_all()).map_err(io(fresh))?;
    Ok(Prepared { carried, nodes, owing })
}

fn put_in_place(places: &Places, fresh: &Path, prepared: Prepared, act: &Act) -> Result<Restored, BackupError> {
    let Prepared { carried, nodes, owing } = prepared;
    let onion = carried.iter().any(|file| file.name.starts_with("onion/"));
    let mut restored = Restored { onion, nodes, owing, ..Restored::default() };
    let aside = |path: &Path| files::beside(path, &format!(".replaced-{}", act.now.secs()));
    // With its log under the name at which SQLite looks for it.
    for (old, to) in db::files_of(&places.database).iter().zip(db::files_of(&aside(&places.database))) {
        move_aside(old, to, &mut restored)?;
    }
    if onion {
        let keystore = keystore(places);
        move_aside(&keystore, aside(&keystore), &mut restored)?;
    }
    files::publish(fresh, &places.database)?;
    files::put_back(&places.onion_state_dir, &carried)?;
    if let Some(config) = carried.iter().find(|file| file.name == "config.toml") {
        let path = places.data_dir.join("config.restored.toml");
        files::write_private(&path, &config.content)?;
        restored.config = Some(path);
    }
    Ok(restored)
}

fn move_aside(path: &Path, to: PathBuf, restored: &mut Restored) -> Result<(), BackupError> {
    if path.exists() {
        fs::rename(path, &to).map_err(io(path))?;
        restored.moved.push(to);
    }
    Ok(())
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
