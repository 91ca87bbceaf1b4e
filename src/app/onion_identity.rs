//! Whether an onion service may be launched: not as another address than the shop has had. Who has lost its key is
//! told where it still is; only `onion reset` makes room for another address.

use std::path::Path;

use super::onion_trouble;
use super::parts::StartError;
use crate::config::Config;
use crate::domain::alert::AlertTopic;
use crate::onion::{OnionConfig, OnionError, keys};
use crate::services::backup::{self, Places};
use crate::services::onion_address::{self, Service};
use crate::services::{Error, Session, Shop};
use crate::store::alerts;

/// What is wrong with a service's key, if anything.
#[derive(Debug, PartialEq, Eq)]
enum Trouble {
    /// There is none.
    Missing,
    /// It is there and can't be read.
    Damaged(String),
    /// It is that of another address.
    Other(String),
}

/// Where a service's key is, and where backups are.
pub struct Keys<'a> {
    shop: &'a Shop,
    places: Places,
    onion: &'a OnionConfig,
}

impl<'a> Keys<'a> {
    /// Those of a shop that has started Tor, and so holds the lock of its state.
    pub fn of(shop: &'a Shop, config: &Config, onion: &'a OnionConfig) -> Self {
        Self { shop, places: config.places(), onion }
    }

    fn nickname(&self, service: Service) -> &'a str {
        match service {
            Service::Public => &self.onion.nickname,
            Service::Operators => &self.onion.admin.nickname,
        }
    }

    /// Whether a service has the key of its address, or has none yet. Raises or closes the alert.
    pub fn permit(&self, service: Service) -> Result<bool, StartError> {
        let remembered = self.remembered(service)?;
        let present = keys::address(&self.onion.state_dir, self.nickname(service));
        // A key that can't be reached is neither lost nor damaged.
        if let Some(why) =
            present.is_err().then(|| onion_trouble::diagnose(self.onion, self.nickname(service))).flatten()
        {
            self.raise(service, off(service, &why))?;
            return Ok(false);
        }
        let text = remembered.and_then(|address| Some(self.explain(service, &address, &trouble(&address, present)?)));
        let Some(text) = text else {
            self.close(service)?;
            return Ok(true);
        };
        self.raise(service, text)?;
        Ok(false)
    }

    /// Tells that a service does not run, for a reason that its launch met.
    pub fn switch_off(&self, service: Service, error: &str) -> Result<(), StartError> {
        let why = onion_trouble::diagnose(self.onion, self.nickname(service));
        self.raise(service, off(service, why.as_deref().unwrap_or(error)))
    }

    fn raise(&self, service: Service, text: String) -> Result<(), StartError> {
        let now = self.shop.now();
        let raise = move |db: &_| {
            alerts::raise(db, AlertTopic::OnionKeyLost, service.name(), &text, now)?;
            Ok::<(), Error>(())
        };
        Ok(self.shop.db.write_blocking(raise)?)
    }

    /// Makes the key of a service durable: before its address is known to anybody.
    pub fn make_durable(&self, service: Service) -> Result<(), OnionError> {
        keys::make_durable(&self.onion.state_dir, self.nickname(service))
    }

    /// Remembers the address of a service that was launched for the first time.
    pub fn remember(&self, service: Service, address: &str) -> Result<(), StartError> {
        if self.remembered(service)?.is_some() {
            return Ok(());
        }
        let (session, address) = (Session::of_the_shop(self.shop.now()), address.to_owned());
        Ok(session.write(&self.shop.db, move |tx| onion_address::remember(tx, service, &address))?)
    }

    fn remembered(&self, service: Service) -> Result<Option<String>, StartError> {
        let read = self.shop.db.read(|db| onion_address::remembered(db, service));
        Ok(read.map_err(Error::from)?)
    }

    fn close(&self, service: Service) -> Result<(), StartError> {
        let now = self.shop.now();
        let close = move |db: &_| Ok::<(), Error>(alerts::close(db, AlertTopic::OnionKeyLost, service.name(), now)?);
        Ok(self.shop.db.write_blocking(close)?)
    }

    fn explain(&self, service: Service, address: &str, trouble: &Trouble) -> String {
        let (nickname, state) = (self.nickname(service), self.onion.state_dir.display());
        let what = match trouble {
            Trouble::Missing => format!("there is none for the nickname {nickname:?} in {state}"),
            Trouble::Damaged(problem) => {
                format!("the one for the nickname {nickname:?} in {state} is damaged ({problem})")
            }
            Trouble::Other(other) => format!("the nickname {nickname:?} in {state} has that of {other}"),
        };
        let flag = if service == Service::Operators { " --admin" } else { "" };
        let reset = format!("`ip2tor-shop onion reset{flag} --yes-lose-the-address`");
        let room = match trouble {
            Trouble::Other(other) => format!("{reset} (which removes the key of {other}), then "),
            Trouble::Missing | Trouble::Damaged(_) => String::new(),
        };
        let import = |file: &Path| {
            format!("stop the shop, {room}`ip2tor-shop onion import{flag} {}`, and start it again", file.display())
        };
        let setting = if service == Service::Operators { "onion.admin.nickname" } else { "onion.nickname" };
        let remedy = match (keys::nickname_of(&self.onion.state_dir, address), self.backup_with(address)) {
            (Some(name), _) => format!("It is there under the nickname {name:?}: set {setting} = {name:?} again."),
            (None, Some(file)) => format!("The backup {} has it: {}.", file.display(), import(&file)),
            (None, None) => format!(
                "No backup in {} has it. From an export, or a backup that you keep elsewhere: {}.",
                self.places.backup_dir.display(),
                import(Path::new("FILE"))
            ),
        };
        format!(
            "The key of {name}, {address}, is gone: {what}. The shop runs without it, and its address is not replaced. \
             {remedy} If onion.state_dir or data_dir names another folder than before, set it right. Only {reset} gives \
             the address up for another.",
            name = service.name(),
        )
    }

    /// The newest backup with the key of an address.
    fn backup_with(&self, address: &str) -> Option<std::path::PathBuf> {
        let files = backup::list(&self.places).unwrap_or_default().into_iter().map(|file| file.path);
        let is_key = |content: &[u8]| {
            let found = keys::address_in(&self.onion.state_dir, Path::new("a backup"), content);
            found.is_ok_and(|found| found == address)
        };
        let has_it = |file: &std::path::PathBuf| {
            let keys = backup::onion_keys(file, keys::KEY_FILE, &self.places.data_dir);
            keys.is_ok_and(|keys| keys.iter().any(|key| is_key(&key.content)))
        };
        { files }.find(has_it)
    }
}

/// The alert for a service that does not run although nothing says that its key is lost.
fn off(service: Service, why: &str) -> String {
    format!(
        "{} is off: {why}. The shop sells without it, and its address is not replaced; put that right, then start the \
         shop again.",
        service.name()
    )
}

/// Compares the address that a service is to have with the key that is there. What is no matter of the key is left
/// to the launch, which says it.
fn trouble(address: &str, present: Result<String, OnionError>) -> Option<Trouble> {
    match present {
        Ok(present) if present == address => None,
        Ok(present) => Some(Trouble::Other(present)),
        Err(OnionError::NoKey { .. }) => Some(Trouble::Missing),
        Err(OnionError::DamagedKey { problem, .. }) => Some(Trouble::Damaged(problem)),
        Err(_) => None,
    }
}

/// A shop without onion services misses no key: alerts of earlier runs are closed.
pub fn forget_trouble(shop: &Shop) -> Result<(), StartError> {
    let now = shop.now();
    let close = move |db: &_| {
        for service in [Service::Public, Service::Operators] {
            alerts::close(db, AlertTopic::OnionKeyLost, service.name(), now)?;
        }
        Ok::<(), Error>(())
    };
    Ok(shop.db.write_blocking(close)?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use crate::services::test_support::shop_in;

    use super::*;

    /// A key of C Tor, and its file.
    fn key(dir: &Path, seed: u8) -> (PathBuf, Vec<u8>) {
        let mut content = b"== ed25519v1-secret: type0 ==\0\0\0".to_vec();
        content.extend([8].iter().chain(&[seed; 30]).chain(&[0x47]).chain(&[9; 32]));
        let path = dir.join(format!("key{seed}"));
        fs::write(&path, &content).unwrap();
        (path, content)
    }

    fn nickname(onion: &mut OnionConfig, service: Service) -> &mut String {
        match service {
            Service::Public => &mut onion.nickname,
            Service::Operators => &mut onion.admin.nickname,
        }
    }

    fn import(onion: &OnionConfig, service: Service, dir: &Path, seed: u8) -> String {
        let (path, content) = key(dir, seed);
        let nickname = nickname(&mut onion.clone(), service).clone();
        keys::import(&onion.state_dir, &nickname, &path, &content, None).unwrap()
    }

    /// The text of the one open alert.
    fn alert(shop: &Shop) -> Option<String> {
        let open = shop.db.read(|db| alerts::list(db, false)).unwrap();
        assert!(open.iter().all(|alert| alert.topic == AlertTopic::OnionKeyLost) && open.len() <= 1, "{open:?}");
        open.into_iter().next().map(|alert| alert.text)
    }

    #[test]
    fn a_service_without_the_key_of_its_address_is_not_launched_and_it_is_told_where_the_key_is() {
        loses_its_key(Service::Public, "onion.nickname", "shop", "");
    }

    #[test]
    fn nor_is_the_operators_service_without_the_key_of_its_address() {
        loses_its_key(Service::Operators, "onion.admin.nickname", "admin", " --admin");
    }

    /// A service whose key is elsewhere, in a backup, another's, and damaged. `setting` names its keys, by default with
    /// `name`, and `flag` tells the commands which of the services is meant.
    fn loses_its_key(service: Service, setting: &str, name: &str, flag: &str) {
        let dir = tempfile::tempdir().unwrap();
        let config = Config::in_dir(dir.path());
        let (shop, mut onion) = (shop_in(&config.database()), config.onion_settings().unwrap());
        let permit = |onion: &OnionConfig| Keys::of(&shop, &config, onion).permit(service).unwrap();
        assert!(permit(&onion), "the first start makes a key");
        let address = import(&onion, service, dir.path(), 7);
        Keys::of(&shop, &config, &onion).remember(service, &address).unwrap();
        assert!(permit(&onion) && alert(&shop).is_none());

        let right = onion.clone();
        "another".clone_into(nickname(&mut onion, service));
        assert!(!permit(&onion));
        let text = alert(&shop).unwrap();
        assert!(text.contains(&address) && text.contains(&format!("set {setting} = {name:?} again")), "{text}");
        onion = right.clone();
        assert!(permit(&onion) && alert(&shop).is_none(), "the key is there again");

        let session = Session::of_the_shop(shop.now());
        let made = backup::create(&shop.db, &config.places(), &session, None).unwrap();
        onion.state_dir = dir.path().join("elsewhere");
        crate::onion::prepare(&onion.state_dir).unwrap();
        assert!(!permit(&onion));
        let text = alert(&shop).unwrap();
        assert!(text.contains(&format!("`ip2tor-shop onion import{flag} {}`", made.path.display())), "{text}");

        let other = import(&onion, service, dir.path(), 5);
        assert!(!permit(&onion));
        let text = alert(&shop).unwrap();
        let reset = format!("`ip2tor-shop onion reset{flag} --yes-lose-the-address`");
        assert!(text.contains(&format!("has that of {other}")) && text.contains(&reset), "{text}");

        fs::remove_file(&made.path).unwrap();
        fs::write(right.state_dir.join("keystore/hss").join(name).join(keys::KEY_FILE), "x").unwrap();
        assert!(!permit(&right));
        let text = alert(&shop).unwrap();
        assert!(text.contains("is damaged") && text.contains("No backup in"), "{text}");
        assert_eq!(shop.db.read(|db| onion_address::remembered(db, service)).unwrap(), Some(address));
    }
}
