//! Restoring a backup: all of it is checked and made ready beside the shop's files, and then put in place by
//! [`super::pending`]. Nothing that is there is ever deleted: it is moved aside.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::error::{BackupError, io};
use super::files::Places;
use super::{files, packed, pending};
use crate::domain::id::{NodeId, OrderId};
use crate::services::instance::InstanceLock;
use crate::services::onion_address::{self, Service};
use crate::services::{Error, Session, Tx, authz, restored};
use crate::store::backup::{self, CarriedFile};
use crate::store::{StoreError, db, nodes};

/// What was restored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Whether the backup has keys of the onion service.
    pub onion: bool,
    /// The address that the shop had when the backup was made, if it is known.
    pub address: Option<String>,
    /// Where the configuration of the backup was put, to compare with yours.
    pub config: Option<PathBuf>,
    /// Nodes whose credentials now come from the database, since their files are not here.
    pub nodes: Vec<String>,
    /// Orders that owe money, which may have been paid back since the backup was made.
    pub owing: Vec<OrderId>,
    /// What was moved aside.
    pub moved: Vec<PathBuf>,
}

/// Puts the backup `file` in place, all of it or nothing. Everything is checked and prepared before anything
/// changes; what is cut short after that is completed by the next start or command.
///
/// # Errors
/// [`BackupError::Exists`] when there is a shop and `force` is not given; [`BackupError::NoBackup`];
/// [`BackupError::Lock`] while a shop runs there; [`Error::NotFound`] for anybody but an administrator.
pub fn restore(places: &Places, file: &Path, force: bool, session: &Session) -> Result<Restored, BackupError> {
    authz::needs_administrator(&session.by)?;
    check_kind(file)?;
    if db::is_file_of(&places.database, file) {
        // It may be in use: only SQLite opens it.
        let reason = "it is the shop's database itself, not a backup of it".to_owned();
        return Err(BackupError::NoBackup { path: file.to_owned(), reason });
    }
    files::make_private_folder(&places.data_dir)?;
    let lock = InstanceLock::take(&places.data_dir)?;
    pending::settle(places, &lock)?;
    // After that: a restore that was cut short may just have been completed.
    if !force && is_taken(places) {
        return Err(BackupError::Exists(places.data_dir.clone()));
    }
    let restored = prepare(places, file, session).inspect_err(|_| {
        // The error that counts is the first.
        let _ = pending::undo(places);
    })?;
    pending::decide(places, &pending::unused_suffix(places, session.now.secs()))?;
    Ok(Restored { moved: pending::complete(places)?, ..restored })
}

fn is_taken(places: &Places) -> bool {
    [&places.database, &places.onion_state_dir.join("keystore")]
        .into_iter()
        .any(|path| fs::symlink_metadata(path).is_ok())
}

/// Only a regular file is looked into: a pipe never ends, and of a folder the backups in it are named.
fn check_kind(file: &Path) -> Result<(), BackupError> {
    let about = fs::metadata(file).map_err(io(file))?;
    let reason = if about.is_dir() {
        match super::newest_in(file)? {
            Some(newest) => format!("it is a folder; the newest backup in it is {}", newest.display()),
            None => "it is a folder, and there is no backup in it; name the file".to_owned(),
        }
    } else if about.is_file() {
        // SQLite would only say that it can't open it.
        return access(file, Access::READ_OK).map_err(|error| io(file)(error.into()));
    } else {
        "it is no regular file; copy it to one first".to_owned()
    };
    Err(BackupError::NoBackup { path: file.to_owned(), reason })
}

/// Makes everything ready beside its place.
pub(super) fn prepare(places: &Places, file: &Path, session: &Session) -> Result<Restored, BackupError> {
    let refuse = |reason: String| BackupError::NoBackup { path: file.to_owned(), reason };
    let fresh = pending::fresh(&places.database);
    packed::unpack(file, &fresh)?;
    // Nothing of it is read, let alone run, before that.
    if let Some(reason) = backup::refusal(&fresh) {
        return Err(refuse(reason));
    }
    let carried = backup::take_files(&fresh)?;
    if let Some(reason) = carried.iter().find_map(files::stray) {
        return Err(refuse(reason));
    }
    let onion = prepare_onion(places, &carried).map_err(|error| match error {
        BackupError::Io { source, .. } if is_clash(&source) => {
            refuse("two of the files that it carries have one name, or are in each other's way".to_owned())
        }
        other => other,
    })?;
    let mut restored = prepare_database(&fresh, &carried, session).map_err(|error| match error {
        BackupError::Store(StoreError::OtherVersion(_)) => refuse(error.to_string()),
        other => other,
    })?;
    if let Some(config) = carried.iter().find(|file| file.name == "config.toml") {
        let path = pending::restored_config(places);
        files::write_new(&pending::fresh(&path), &config.content)?;
        restored.config = Some(path);
    }
    files::sync_folder(&places.data_dir)?;
    Ok(Restored { onion, ..restored })
}

fn is_clash(error: &std::io::Error) -> bool {
    use std::io::ErrorKind as Kind;
    matches!(error.kind(), Kind::AlreadyExists | Kind::NotADirectory | Kind::IsADirectory | Kind::InvalidFilename)
}

/// Writes the keys and the list of clients; says whether the backup has keys.
fn prepare_onion(places: &Places, carried: &[CarriedFile]) -> Result<bool, BackupError> {
    let state = &places.onion_state_dir;
    if !carried.iter().any(|file| file.name.starts_with("onion/")) {
        return Ok(false);
    }
    files::make_private_folder(state)?;
    let place = |folder: &str| pending::fresh(&state.join(folder));
    files::unpack("authorized_clients", carried, &place("authorized_clients"))?;
    let has_keys = files::unpack("keystore", carried, &place("keystore"))?.is_some();
    if has_keys {
        // What Tor remembers of a service belongs to its keys.
        files::make_private_folder(&place("hss"))?;
    }
    files::sync_folder(state)?;
    Ok(has_keys)
}

/// Makes the database: brought up to date, with the credentials of the backup for nodes whose files are not on this
/// machine, and with marks on what may have happened since. Nobody may ever use it without these.
fn prepare_database(fresh: &Path, carried: &[CarriedFile], session: &Session) -> Result<Restored, BackupError> {
    let mark = |tx: &mut Tx<'_>| {
        let db = tx.db;
        let nodes = adopt(tx, carried)?;
        let owing = restored::doubt(tx)?;
        tx.record("backup", "backup", "restored")?;
        let address = onion_address::remembered(db, Service::Public)?;
        Ok::<_, BackupError>(Restored { nodes, owing, address, ..Restored::default() })
    };
    db::revise(fresh, |db| session.within(db, mark))
}

fn adopt(tx: &Tx<'_>, carried: &[CarriedFile]) -> Result<Vec<String>, Error> {
    let find = |id: NodeId, what: &str| {
        let name = format!("node/{id}/{what}");
        carried.iter().find(|file| file.name == name).map(|file| file.content.clone())
    };
    let is_missing = |file: &Option<String>| file.as_deref().is_some_and(|path| !Path::new(path).exists());
    let mut changed = Vec::new();
    for mut node in nodes::list(tx.db, None)? {
        let before = node.clone();
        if let (true, Some(content)) = (is_missing(&node.certificate_file), find(node.id, "certificate")) {
            (node.certificate_file, node.certificate) = (None, Some(content));
        }
        if let (true, Some(content)) = (is_missing(&node.macaroon_file), find(node.id, "macaroon")) {
            (node.macaroon_file, node.macaroon) = (None, Some(content));
        }
        if node != before {
            nodes::update(tx.db, &node, tx.author())?;
            changed.push(node.name);
        }
    }
    Ok(changed)
}
