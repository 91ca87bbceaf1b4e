//! Which shop a command is about: `--config FILE` or `--data-dir DIR`. Commands open the database
//! themselves, beside a running shop.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::as_owner::{become_owner, give_to_shop};
use super::failure::Failure;
use super::user;
use crate::config::{Config, DATABASE_FILE, DEFAULT_FILE};
use crate::domain::id::SystemRandom;
use crate::domain::time::{Clock, SystemClock};
use crate::services::instance::{InstanceLock, LockError};
use crate::services::{Error, ReadTx, Session, Shop, Tx, backup, file_permissions};
use crate::store::{Db, schema};

/// The shop that a command is about.
#[derive(Args, Clone, Debug, Default)]
pub struct DataArgs {
    /// The configuration file [default: /etc/ip2tor-shop/config.toml, if there is one]
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// The data folder, with the config.toml in it if there is one, otherwise with the default configuration
    #[arg(long, value_name = "DIR", global = true, conflicts_with = "config")]
    pub data_dir: Option<PathBuf>,
}

impl DataArgs {
    /// The configuration that is meant. Root goes on as the user whom the data folder belongs to, before anything is made
    /// of the configuration: Tor's part remembers whose files it is to trust.
    pub fn load(&self) -> Result<Config, Failure> {
        let folder = match (&self.config, &self.data_dir) {
            (Some(file), _) => Config::data_dir_in(file),
            (None, Some(dir)) => Some(dir.clone()),
            (None, None) => Config::data_dir_in(Path::new(DEFAULT_FILE)),
        };
        folder.map_or(Ok(()), |folder| become_owner(&folder))?;
        self.read()
    }

    fn read(&self) -> Result<Config, Failure> {
        match (&self.config, &self.data_dir) {
            (Some(file), _) => Ok(Config::load(file)?),
            (None, Some(dir)) => {
                // A folder that root has copied is told as that, not as a file in it that can't be read.
                if let Some(denial) = file_permissions::denial(&dir.join(DATABASE_FILE)) {
                    return Err(Failure::Failed(denial));
                }
                Ok(Config::of_dir(dir)?)
            }
            // A file that may not be seen is there: reading it says what is wrong.
            (None, None) if Path::new(DEFAULT_FILE).try_exists().unwrap_or(true) => {
                Ok(Config::load(Path::new(DEFAULT_FILE))?)
            }
            (None, None) => Err(Failure::Usage("say which shop: --config FILE or --data-dir DIR".to_owned())),
        }
    }

    /// The database of an existing shop.
    pub fn open(&self) -> Result<Data, Failure> {
        let config = self.load()?;
        backup::settle_pending(&config.places())?;
        // One that may not be seen is there; opening it says what is wrong.
        if !config.database().try_exists().unwrap_or(true) {
            let text = format!("there is no shop in {}: add an operator first", config.data_dir.display());
            return Err(Failure::Failed(text));
        }
        Data::open(config)
    }

    /// The database of the shop, made if there is none yet.
    pub fn open_or_create(&self) -> Result<Data, Failure> {
        let config = self.load()?;
        create_data_dir(&config)?;
        backup::settle_pending(&config.places())?;
        Data::open(config)
    }
}

/// Makes the data folder if there is none. One that root makes for a configuration file is the packaged shop's.
pub fn create_data_dir(config: &Config) -> Result<(), Failure> {
    let folder = &config.data_dir;
    if folder.try_exists().unwrap_or(true) {
        return Ok(());
    }
    create_folder(folder)?;
    if config.file.is_some() {
        give_to_shop(folder)?;
    }
    become_owner(folder)
}

/// Makes a folder for its owner alone.
pub fn create_folder(dir: &Path) -> Result<(), Failure> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|error| {
        let failed = || format!("can't make the folder {}: {error}", dir.display());
        Failure::Failed(file_permissions::folder_denial(dir).unwrap_or_else(failed))
    })
}

/// A shop's configuration and database.
pub struct Data {
    /// The configuration.
    pub config: Config,
    /// The database.
    pub db: Db,
}

impl Data {
    /// Opens the database that a configuration names; made if there is none.
    pub fn open(config: Config) -> Result<Self, Failure> {
        let file = config.database();
        // A shop must not have its tables changed under it by a command of a newer version.
        if schema::is_behind(&file).unwrap_or(false)
            && let Err(LockError::Running(_)) = InstanceLock::take(&config.data_dir)
        {
            let text = "the shop that is running is of an older version than this command, and its database is left as \
                        it is: restart the shop (systemctl restart ip2tor-shop), then run this again";
            return Err(Failure::Failed(text.to_owned()));
        }
        let failed = |error| file_permissions::denial(&file).unwrap_or_else(|| format!("{}: {error}", file.display()));
        let db = Db::open(&file).map_err(|error| Failure::Failed(failed(error)))?;
        Ok(Self { config, db })
    }

    /// The shop on this database. A shop that runs beside it notices changes within a second.
    pub fn shop(self) -> Result<Shop, Failure> {
        let settings = self.config.shop_settings();
        Ok(Shop::new(self.db, Arc::new(SystemClock), Arc::new(SystemRandom), settings)?)
    }

    /// Keeps the shop from running until it is dropped.
    pub fn stopped(&self) -> Result<InstanceLock, Failure> {
        InstanceLock::take(&self.config.data_dir).map_err(|error| Failure::Failed(error.to_string()))
    }

    /// Looks at the database as the command line.
    pub fn read<T>(&self, query: impl FnOnce(&ReadTx<'_>) -> Result<T, Error>) -> Result<T, Failure> {
        Ok(session().read(&self.db, query)?)
    }

    /// Changes something as the command line.
    pub fn write<T, F>(&self, change: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    {
        Ok(session().write(&self.db, change)?)
    }
}

/// This command.
fn session() -> Session {
    Session { by: user::principal(), now: SystemClock.now() }
}
