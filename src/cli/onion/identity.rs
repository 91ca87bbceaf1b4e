//! The key of one onion service together with the address that the database remembers.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::data::Data;
use super::super::failure::Failure;
use super::super::user;
use crate::config::Config;
use crate::domain::time::{Clock, SystemClock};
use crate::onion::keys::{self, KeyFormat};
use crate::onion::{OnionConfig, OnionError};
use crate::services::backup::Places;
use crate::services::onion_address::{self, Service};
use crate::services::{Session, backup};
use crate::store::Db;
use crate::store::db::is_file_of;

/// Larger files are no keys. Bytes.
const MAX_BYTES: u64 = 1 << 20;

/// One service of a shop.
pub struct Identity {
    service: Service,
    state_dir: PathBuf,
    nickname: String,
    places: Places,
    /// The shop's database, if there is one yet.
    db: Option<Db>,
}

impl Identity {
    /// The shop's own service, or the operators'.
    pub fn of(config: &Config, onion: &OnionConfig, is_admin: bool) -> Result<Self, Failure> {
        let (service, nickname) = match is_admin {
            false => (Service::Public, onion.nickname.clone()),
            true => (Service::Operators, onion.admin.nickname.clone()),
        };
        // One that may not be seen is there; opening it says what is wrong.
        let is_there = config.database().try_exists().unwrap_or(true);
        let db = if is_there { Some(Data::open(config.clone())?.db) } else { None };
        Ok(Self { service, state_dir: onion.state_dir.clone(), nickname, places: config.places(), db })
    }

    fn remembered(&self) -> Result<Option<String>, Failure> {
        let Some(db) = &self.db else { return Ok(None) };
        Ok(db.read(|db| onion_address::remembered(db, self.service))?)
    }

    /// The address, also when its key is not where it should be.
    pub fn address(&self) -> Result<String, Failure> {
        match (self.remembered()?, keys::address(&self.state_dir, &self.nickname)) {
            (None, address) => Ok(address?),
            (Some(address), Ok(present)) if present == address => Ok(address),
            (Some(address), Ok(present)) => Err(self.lost(&address, &format!("{present} is there in its place"))),
            (Some(address), Err(OnionError::NoKey { .. })) => Err(self.lost(&address, "there is none")),
            (Some(_), Err(other)) => Err(other.into()),
        }
    }

    fn lost(&self, address: &str, what: &str) -> Failure {
        Failure::Failed(format!(
            "the key of {address} is not in {} under the nickname {:?}: {what}. The start of the shop raises an alert \
             that says where it still is (`alerts`); `onion import FILE` takes it from an export or a backup",
            self.state_dir.display(),
            self.nickname
        ))
    }

    /// Writes the key into a new file.
    pub fn export(&self, file: &Path, format: KeyFormat) -> Result<(), Failure> {
        backup::refuse_own_name(&self.places, file)?;
        Ok(keys::export(&self.state_dir, &self.nickname, file, format)?)
    }

    /// Takes over the key in a file or backup; says its address.
    pub fn import(&self, file: &Path) -> Result<String, Failure> {
        let remembered = self.remembered()?;
        // A pipe would be waited for, for ever.
        let about = fs::metadata(file).map_err(|error| unreadable(file, &error))?;
        if !about.is_file() {
            return Err(Failure::Failed(format!("{} is no regular file: name one", file.display())));
        }
        if is_file_of(&self.places.database, file) {
            let text =
                format!("{} is a part of the shop's database, which is in use: name a key or a backup", file.display());
            return Err(Failure::Failed(text));
        }
        let contents = match backup::onion_keys(file, keys::KEY_FILE, &self.places.data_dir) {
            Ok(found) => self.of_backup(found.into_iter().map(|key| (key.name, key.content)).collect(), file)?,
            Err(_) => vec![read_key(file)?],
        };
        let mut result = Err(Failure::Failed(format!("there is no key of an onion service in {}", file.display())));
        for content in contents {
            let remembered = remembered.as_deref();
            result = keys::import(&self.state_dir, &self.nickname, file, &content, remembered).map_err(of_change);
            if result.is_ok() {
                break;
            }
        }
        result
    }

    /// The keys of a backup that may be meant: that of the same nickname, or for an address that is remembered any
    /// (only its own is taken).
    fn of_backup(&self, mut found: Vec<(String, Vec<u8>)>, file: &Path) -> Result<Vec<Vec<u8>>, Failure> {
        let own = format!("/{}/{}", self.nickname, keys::KEY_FILE);
        found.sort_by_key(|(name, _)| !name.ends_with(&own));
        if self.remembered()?.is_none() {
            found.retain(|(name, _)| name.ends_with(&own));
        }
        if found.is_empty() {
            let text = format!("the backup {} has no key for the nickname {:?}", file.display(), self.nickname);
            return Err(Failure::Failed(text));
        }
        Ok(found.into_iter().map(|(_, content)| content).collect())
    }

    /// The address that this shop has, when it is not `wanted`.
    pub fn other_than(&self, wanted: &str) -> Result<Option<String>, Failure> {
        let present = match keys::address(&self.state_dir, &self.nickname) {
            Ok(address) => Some(address),
            // What is damaged may be the key that comes; taking that decides.
            Err(OnionError::NoKey { .. } | OnionError::DamagedKey { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        Ok(self.remembered()?.into_iter().chain(present).find(|address| address != wanted))
    }

    /// Gives the address up; says which it was.
    pub fn reset(&self) -> Result<Option<String>, Failure> {
        let remembered = self.remembered()?;
        if remembered.is_none()
            && let Err(error @ OnionError::NoKey { .. }) = keys::address(&self.state_dir, &self.nickname)
        {
            return Err(error.into());
        }
        let lost = keys::reset(&self.state_dir, &self.nickname).map_err(of_change)?;
        if let Some(db) = &self.db {
            let (session, service) = (Session { by: user::principal(), now: SystemClock.now() }, self.service);
            session.write(db, move |tx| onion_address::forget(tx, service))?;
        }
        Ok(lost.or(remembered))
    }
}

/// The content of a file that may be a key; a backup is none here.
pub fn read_key(file: &Path) -> Result<Vec<u8>, Failure> {
    let about = fs::metadata(file).map_err(|error| unreadable(file, &error))?;
    if !about.is_file() || about.len() > MAX_BYTES {
        return Err(Failure::Failed(format!("{} is not a key of an onion service, nor a backup", file.display())));
    }
    fs::read(file).map_err(|error| unreadable(file, &error))
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::Failed(format!("cannot read {}: {error}", file.display()))
}

/// A key can't be changed while the shop runs.
pub fn of_change(error: OnionError) -> Failure {
    match error {
        OnionError::StateInUse(_) => Failure::Failed(
            "the shop is running: stop it first (systemctl stop ip2tor-shop), then run this again".to_owned(),
        ),
        other => other.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::db::files_of;
    use crate::store::db::tests::locks_on;

    fn identity(dir: &Path, db: Db) -> Identity {
        let state_dir = dir.join("tor");
        let places = Places {
            data_dir: dir.to_owned(),
            database: db.path().to_owned(),
            backup_dir: dir.join("backups"),
            onion_state_dir: state_dir.clone(),
            config_file: None,
        };
        Identity { service: Service::Public, state_dir, nickname: "shop".to_owned(), places, db: Some(db) }
    }

    #[test]
    fn a_database_in_use_is_never_opened_as_a_key() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("shop.sqlite3");
        let db = Db::open(&database).unwrap();
        let link = dir.path().join("a link");
        fs::hard_link(&database, &link).unwrap();
        let wal_index = files_of(&database)[2].clone();
        let held = (locks_on(&database), locks_on(&wal_index));
        assert!(held.0 > 0 && held.1 > 0);
        let identity = identity(dir.path(), db);
        for file in [&database, &link, &wal_index] {
            let error = identity.import(file).unwrap_err();
            assert!(format!("{error:?}").contains("database"), "{error:?}");
            assert_eq!((locks_on(&database), locks_on(&wal_index)), held, "{}", file.display());
        }
    }

    #[test]
    fn no_key_is_written_under_a_name_that_sqlite_takes_for_a_part_of_the_database() {
        let dir = tempfile::tempdir().unwrap();
        let database = dir.path().join("shop.sqlite3");
        let db = Db::open(&database).unwrap();
        let identity = identity(dir.path(), db);
        let error = identity.export(&dir.path().join("./shop.sqlite3-journal"), KeyFormat::Arti).unwrap_err();
        assert!(format!("{error:?}").contains("the shop itself"), "{error:?}");
    }
}
