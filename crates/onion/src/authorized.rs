//! The clients that a restricted onion service admits: who they are, and where they are kept.
//!
//! A service launched with [`AuthorizedClients`] encrypts its introduction points for them; nobody
//! else can even find out whether it is up. The files are those of C-tor's `authorized_clients`:
//! `<name>.auth` with one line `descriptor:x25519:<base32>`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tor_hscrypto::pk::HsClientDescEncKey;
use tor_hsservice::config::OnionServiceConfigBuilder;
use tor_hsservice::config::restricted_discovery::HsClientNickname;

use super::config::settings::{OnionConfig, parse_nickname};
use super::error::OnionError;
use super::state;

/// Below the state directory.
const DIRECTORY: &str = "authorized_clients";
/// The ending of a client's file.
const EXTENSION: &str = "auth";
/// More make the service's descriptor too large for Tor.
const MAX_CLIENTS: usize = 160;

/// Names and public keys of clients.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthorizedClients(BTreeMap<HsClientNickname, HsClientDescEncKey>);

impl AuthorizedClients {
    /// The clients of the admin service that are in the settings.
    ///
    /// # Errors
    /// [`OnionError::Config`] for a key or a name that is none.
    pub fn from_settings(config: &OnionConfig) -> Result<Self, OnionError> {
        let mut clients = Self::default();
        for (name, key) in &config.admin.clients {
            clients.insert("admin.clients", name, key)?;
        }
        Ok(clients)
    }

    /// The clients of the admin service: those in the settings and those in files. A name in both
    /// means the file.
    ///
    /// # Errors
    /// A key or a name that is none, or a file that cannot be read.
    pub fn for_admin(config: &OnionConfig) -> Result<Self, OnionError> {
        let mut clients = Self::from_settings(config)?;
        clients.0.extend(Self::load(&config.state_dir, &config.admin.nickname)?.0);
        Ok(clients)
    }

    /// Who can find the operators' own service; `None` when there is to be none.
    ///
    /// # Errors
    /// Those of [`AuthorizedClients::for_admin`], and [`OnionError::Config`] when nobody is on the list, which
    /// would lock everybody out, or too many.
    pub fn of_operators(config: &OnionConfig) -> Result<Option<Self>, OnionError> {
        if !(config.enabled && config.admin.enabled) {
            return Ok(None);
        }
        let clients = Self::for_admin(config)?;
        clients.check()?;
        Ok(Some(clients))
    }

    /// The clients in files, for the service `nickname`.
    ///
    /// # Errors
    /// A file that cannot be read or holds no key.
    pub fn load(state_dir: &Path, nickname: &str) -> Result<Self, OnionError> {
        let mut clients = Self::default();
        let directory = directory(state_dir, nickname)?;
        if !directory.try_exists().map_err(OnionError::io("look at", &directory))? {
            return Ok(clients);
        }
        for path in state::entries(&directory)? {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                let key = fs::read_to_string(&path).map_err(OnionError::io("read", &path))?;
                clients.insert("admin.clients", &name, &key).map_err(|error| in_file(error, &path))?;
            }
        }
        Ok(clients)
    }

    /// Adds one client, or changes its key.
    ///
    /// # Errors
    /// [`OnionError::Config`] for `field`, when the name or the key is none.
    pub fn insert(&mut self, field: &'static str, name: &str, key: &str) -> Result<(), OnionError> {
        self.0.insert(parse_name(field, name)?, parse_key(field, key)?);
        Ok(())
    }

    /// The clients' names, sorted.
    pub fn names(&self) -> Vec<String> {
        self.0.keys().map(ToString::to_string).collect()
    }

    /// Whether a service can be launched for them.
    fn check(&self) -> Result<(), OnionError> {
        if self.0.is_empty() || self.0.len() > MAX_CLIENTS {
            let problem = format!(
                "the service needs 1 to {MAX_CLIENTS} authorized clients and has {}; add one with: ip2tor-shop onion authorize NAME KEY",
                self.0.len()
            );
            return Err(OnionError::Config { field: "admin.clients".into(), problem });
        }
        Ok(())
    }

    /// Makes a service admit these clients and nobody else.
    pub(super) fn restrict(&self, builder: &mut OnionServiceConfigBuilder) -> Result<(), OnionError> {
        self.check()?;
        let restricted = builder.restricted_discovery();
        restricted.enabled(true);
        restricted.static_keys().access().extend(self.0.clone());
        Ok(())
    }
}

/// Lets the client `name` with the public `key` find the service `nickname`, from its next start
/// on. A client of that name gets the new key.
///
/// # Errors
/// A name or a key that is none, or a file that cannot be written.
pub fn authorize(state_dir: &Path, nickname: &str, name: &str, key: &str) -> Result<(), OnionError> {
    let (name, key) = (parse_name("admin.clients", name)?, parse_key("admin.clients", key.trim())?);
    let directory = directory(state_dir, nickname)?;
    state::make_directory(&directory)?;
    let path = directory.join(format!("{name}.{EXTENSION}"));
    let new = directory.join(format!("{name}.new"));
    remove_file(&new)?;
    state::write_secret(&new, format!("{key}\n").as_bytes())?;
    fs::rename(&new, &path).map_err(OnionError::io("rename", &new))
}

/// Takes the client `name` off the list again; it says whether it was on it. The service admits it
/// until its next start.
///
/// # Errors
/// A name that is none, or a file that cannot be removed.
pub fn revoke(state_dir: &Path, nickname: &str, name: &str) -> Result<bool, OnionError> {
    let name = parse_name("admin.clients", name)?;
    remove_file(&directory(state_dir, nickname)?.join(format!("{name}.{EXTENSION}")))
}

fn remove_file(path: &Path) -> Result<bool, OnionError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(OnionError::io("remove", path)(error)),
    }
}

fn directory(state_dir: &Path, nickname: &str) -> Result<PathBuf, OnionError> {
    Ok(state_dir.join(DIRECTORY).join(parse_nickname("admin.nickname", nickname)?.to_string()))
}

fn parse_name(field: &'static str, name: &str) -> Result<HsClientNickname, OnionError> {
    name.parse().map_err(|error| OnionError::Config {
        field: field.into(),
        problem: format!("the client name \"{name}\": {error}"),
    })
}

/// Names the file that a bad name or key came from.
fn in_file(error: OnionError, path: &Path) -> OnionError {
    match error {
        OnionError::Config { field, problem } => {
            OnionError::Config { field, problem: format!("{}: {problem}", path.display()) }
        }
        other => other,
    }
}

/// Reads `descriptor:x25519:<base32>`, or the base32 alone.
fn parse_key(field: &'static str, text: &str) -> Result<HsClientDescEncKey, OnionError> {
    let text = text.trim();
    let full = if text.contains(':') { text.to_owned() } else { format!("descriptor:x25519:{text}") };
    full.parse().map_err(|error| {
        let problem = format!("not a client's public key ({error}); it looks like descriptor:x25519:<52 characters>");
        OnionError::Config { field: field.into(), problem }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "descriptor:x25519:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    #[test]
    fn an_authorized_client_is_listed_until_it_is_revoked() {
        let state = tempfile::tempdir().unwrap();
        authorize(state.path(), "admin", "laptop", KEY).unwrap();
        authorize(state.path(), "admin", "laptop", &KEY["descriptor:x25519:".len()..]).unwrap();
        authorize(state.path(), "admin", "phone", KEY).unwrap();
        assert_eq!(AuthorizedClients::load(state.path(), "admin").unwrap().names(), ["laptop", "phone"]);
        assert!(revoke(state.path(), "admin", "phone").unwrap());
        assert!(!revoke(state.path(), "admin", "phone").unwrap());
        assert_eq!(AuthorizedClients::load(state.path(), "admin").unwrap().names(), ["laptop"]);
        assert!(AuthorizedClients::load(state.path(), "shop").unwrap().names().is_empty());
    }

    #[test]
    fn clients_come_from_the_settings_and_from_files() {
        let state = tempfile::tempdir().unwrap();
        let mut config = OnionConfig { state_dir: state.path().to_owned(), ..OnionConfig::default() };
        config.admin.clients.insert("desk".to_owned(), KEY.to_owned());
        authorize(state.path(), "admin", "laptop", KEY).unwrap();
        assert_eq!(AuthorizedClients::for_admin(&config).unwrap().names(), ["desk", "laptop"]);
    }

    #[test]
    fn a_file_without_a_key_is_named() {
        let state = tempfile::tempdir().unwrap();
        authorize(state.path(), "admin", "laptop", KEY).unwrap();
        let file = directory(state.path(), "admin").unwrap().join("laptop.auth");
        fs::write(&file, "hello").unwrap();
        let error = AuthorizedClients::load(state.path(), "admin").unwrap_err();
        assert!(error.to_string().contains(&file.display().to_string()), "{error}");
    }

    #[test]
    fn names_that_are_paths_and_keys_that_are_none_are_refused() {
        let state = tempfile::tempdir().unwrap();
        assert!(authorize(state.path(), "admin", "../laptop", KEY).is_err());
        let error = authorize(state.path(), "admin", "laptop", "hello").unwrap_err();
        assert!(error.to_string().contains("descriptor:x25519:<52 characters>"), "{error}");
    }

    #[test]
    fn nobody_authorized_is_not_the_same_as_open_to_all() {
        let mut builder = OnionServiceConfigBuilder::default();
        let error = AuthorizedClients::default().restrict(&mut builder).unwrap_err();
        assert!(error.to_string().contains("onion authorize NAME KEY"), "{error}");
    }
}
