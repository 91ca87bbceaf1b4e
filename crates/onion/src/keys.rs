//! The identity key of an onion service, which is its address: shown, saved, moved, removed. All of
//! this works without a network.
//!
//! Two formats: arti's own, an OpenSSH private key of the type
//! `ed25519-expanded@spec.torproject.org`, exactly the file in the keystore; and C-tor's
//! `hs_ed25519_secret_key`, 32 bytes of header and the 64 bytes of the expanded key. arti keeps the
//! secret number in it reduced, which C-tor does not: an export of a key that came from C-tor has
//! other bytes than the original, is the same key all the same, and C-tor serves it at the same
//! address. Neither file is encrypted: who has it has the address.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use safelog::DisplayRedacted as _;
use tor_hscrypto::pk::{HsIdKey, HsIdKeypair};
use tor_hsservice::HsIdKeypairSpecifier;
use tor_keymgr::{ArtiNativeKeystore, KeyMgr, KeyMgrBuilder, KeystoreSelector};
use tor_llcrypto::pk::ed25519::ExpandedKeypair;

use super::config::settings::{OnionConfig, parse_nickname};
use super::error::{OnionError, with_causes};
use super::state::{self, StateLock};

#[cfg(test)]
mod tests;

/// How often a keystore is looked at again that can't be read, and after how long.
const READ_ATTEMPTS: u32 = 5;
const RETRY_DELAY: Duration = Duration::from_millis(20);

/// What a C-tor secret key file starts with.
const C_TOR_HEADER: &[u8; 32] = b"== ed25519v1-secret: type0 ==\0\0\0";
/// What arti's key file starts with.
const OPENSSH_HEADER: &[u8] = b"-----BEGIN OPENSSH PRIVATE KEY-----";
/// The bytes of a C-tor secret key file.
const C_TOR_LENGTH: usize = 96;
/// The identity key's file in a service's part of the keystore.
pub const KEY_FILE: &str = "ks_hs_id.ed25519_expanded_private";
/// A keystore that lives for one import.
const SCRATCH: &str = "import.tmp";

/// How an identity key is written to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFormat {
    /// The OpenSSH text file that arti keeps.
    Arti,
    /// The binary `hs_ed25519_secret_key` that C-tor keeps, for a torrc's `HiddenServiceDir`.
    CTor,
}

/// The address of the service `nickname`: `<56 characters>.onion`.
///
/// # Errors
/// [`OnionError::NoKey`] when it has none yet; a wrong mode; a key that cannot be read.
pub fn address(state_dir: &Path, nickname: &str) -> Result<String, OnionError> {
    state_exists(state_dir, nickname)?;
    state::check_modes(state_dir)?;
    Ok(address_of(&load(state_dir, nickname)?))
}

/// Writes the identity key of `nickname` to the new file `file`, mode 0600.
///
/// # Errors
/// As [`address`]; [`OnionError::Exists`] when there is such a file.
pub fn export(state_dir: &Path, nickname: &str, file: &Path, format: KeyFormat) -> Result<(), OnionError> {
    state_exists(state_dir, nickname)?;
    state::check_modes(state_dir)?;
    let key = load(state_dir, nickname)?;
    match format {
        KeyFormat::CTor => state::write_secret(file, &to_c_tor(key)),
        KeyFormat::Arti => {
            let path = key_path(state_dir, nickname);
            let content = fs::read(&path).map_err(OnionError::io("read", &path))?;
            state::write_secret(file, &content)
        }
    }
}

/// Makes the key in `content` (either format; `file` is named when it is none) the identity of `nickname`, and says
/// its address. The same key again is fine. `remembered` is the address that the service is to have.
///
/// # Errors
/// [`OnionError::OtherKey`] when the service has, or is to have, another identity, [`OnionError::StateInUse`]
/// when the shop runs, [`OnionError::NotAKey`], wrong modes.
pub fn import(
    state_dir: &Path,
    nickname: &str,
    file: &Path,
    content: &[u8],
    remembered: Option<&str>,
) -> Result<String, OnionError> {
    parse_nickname("nickname", nickname)?;
    state::prepare(state_dir)?;
    let _lock = StateLock::take(state_dir)?;
    let key = parse(state_dir, nickname, file, content)?;
    let wanted = address_of(&key);
    match load(state_dir, nickname) {
        Ok(old) if address_of(&old) == wanted => return Ok(wanted),
        Ok(old) => return Err(OnionError::OtherKey { address: address_of(&old) }),
        Err(_) if remembered.is_some_and(|remembered| remembered != wanted) => {
            return Err(OnionError::OtherKey { address: remembered.unwrap_or_default().to_owned() });
        }
        Err(OnionError::NoKey { .. }) => {}
        // What is damaged is the very key that comes now.
        Err(OnionError::DamagedKey { .. }) if remembered.is_some() => {}
        Err(error) => return Err(error),
    }
    forget(state_dir, nickname)?;
    let inserted = keystore(state_dir)?.insert(key, &specifier(nickname)?, KeystoreSelector::Primary, false);
    inserted.map_err(OnionError::tor)?;
    make_durable(state_dir, nickname)?;
    Ok(wanted)
}

/// The address of the key in `content`, in either format.
///
/// # Errors
/// [`OnionError::NotAKey`], or trouble with `state_dir`, whose lock the caller holds.
pub fn address_in(state_dir: &Path, file: &Path, content: &[u8]) -> Result<String, OnionError> {
    Ok(address_of(&parse(state_dir, "scratch", file, content)?))
}

/// The nickname under which the key of an address lies in `state_dir`, if it does.
pub fn nickname_of(state_dir: &Path, wanted: &str) -> Option<String> {
    let services = state::entries(&state_dir.join("keystore/hss")).unwrap_or_default();
    let mut names = services.iter().filter_map(|path| path.file_name()?.to_str());
    names.find(|name| address(state_dir, name).is_ok_and(|found| found == wanted)).map(str::to_owned)
}

/// Makes the key durable: once its address is known to anybody it must not be lost with the power.
///
/// # Errors
/// [`OnionError::Io`].
pub fn make_durable(state_dir: &Path, nickname: &str) -> Result<(), OnionError> {
    let file = key_path(state_dir, nickname);
    for path in file.ancestors().take_while(|path| path.starts_with(state_dir)) {
        let synced = fs::File::open(path).and_then(|opened| opened.sync_all());
        synced.map_err(OnionError::io("store", path))?;
    }
    Ok(())
}

/// Removes the identity of `nickname` and all that belongs to it, and says the address that was
/// lost, if the key is there and can be read. The next start makes a new one.
///
/// # Errors
/// [`OnionError::StateInUse`], wrong modes.
pub fn reset(state_dir: &Path, nickname: &str) -> Result<Option<String>, OnionError> {
    let lost = match address(state_dir, nickname) {
        Ok(address) => Some(address),
        Err(OnionError::DamagedKey { .. } | OnionError::NoKey { .. }) => None,
        Err(error) => return Err(error),
    };
    state::prepare(state_dir)?;
    let _lock = StateLock::take(state_dir)?;
    forget(state_dir, nickname)?;
    Ok(lost)
}

/// Removes keys and state of a service. Keys derived from one identity are wrong for the next.
fn forget(state_dir: &Path, nickname: &str) -> Result<(), OnionError> {
    state::remove_tree(&state_dir.join("keystore/hss").join(nickname))?;
    state::remove_tree(&state_dir.join("hss").join(nickname))
}

fn state_exists(state_dir: &Path, nickname: &str) -> Result<(), OnionError> {
    parse_nickname("nickname", nickname)?;
    if state_dir.try_exists().map_err(OnionError::io("look at", state_dir))? {
        Ok(())
    } else {
        Err(no_key(state_dir, nickname))
    }
}

fn no_key(state_dir: &Path, nickname: &str) -> OnionError {
    OnionError::NoKey { nickname: nickname.to_owned(), state_dir: state_dir.to_owned() }
}

fn key_path(state_dir: &Path, nickname: &str) -> PathBuf {
    state_dir.join("keystore/hss").join(nickname).join(KEY_FILE)
}

fn specifier(nickname: &str) -> Result<HsIdKeypairSpecifier, OnionError> {
    Ok(HsIdKeypairSpecifier::new(parse_nickname("nickname", nickname)?))
}

/// arti's view of the keys in `state_dir`; starts nothing and locks nothing.
fn keystore(state_dir: &Path) -> Result<KeyMgr, OnionError> {
    let config = OnionConfig { state_dir: state_dir.to_owned(), ..OnionConfig::default() }.to_arti()?;
    state::check_parents(config.fs_mistrust(), state_dir)?;
    let open = || ArtiNativeKeystore::from_path_and_mistrust(state_dir.join("keystore"), config.fs_mistrust());
    let mut store = open();
    // Beside a running shop: a key that it is just writing may have another name before it is looked at.
    for _ in 0..READ_ATTEMPTS {
        if store.is_ok() {
            break;
        }
        std::thread::sleep(RETRY_DELAY);
        store = open();
    }
    let store = store.map_err(OnionError::tor)?;
    KeyMgrBuilder::default().primary_store(Box::new(store)).build().map_err(OnionError::tor)
}

fn load(state_dir: &Path, nickname: &str) -> Result<HsIdKeypair, OnionError> {
    let key = keystore(state_dir)?.get(&specifier(nickname)?).map_err(|error| {
        let path = key_path(state_dir, nickname);
        unreadable(&path).unwrap_or_else(|| OnionError::DamagedKey { path, problem: with_causes(&error) })
    })?;
    key.ok_or_else(|| no_key(state_dir, nickname))
}

/// Why a file that is there can't be read: that is no damage, and no reason to give the key up.
fn unreadable(path: &Path) -> Option<OnionError> {
    // Opening what is no file could wait for ever.
    let is_file = fs::metadata(path).is_ok_and(|about| about.is_file());
    let error = is_file.then(|| fs::File::open(path)).and_then(Result::err)?;
    Some(OnionError::io("read", path)(error))
}

fn address_of(key: &HsIdKeypair) -> String {
    HsIdKey::from(key).id().display_unredacted().to_string()
}

fn to_c_tor(key: HsIdKeypair) -> Vec<u8> {
    let key: ExpandedKeypair = key.into();
    [C_TOR_HEADER.as_slice(), &key.to_secret_key_bytes()].concat()
}

fn parse(state_dir: &Path, nickname: &str, file: &Path, content: &[u8]) -> Result<HsIdKeypair, OnionError> {
    let key = if content.starts_with(OPENSSH_HEADER) {
        parse_arti(state_dir, nickname, file, content)?
    } else {
        parse_c_tor(file, content)?
    };
    // Not even a damaged key is refused by arithmetic: zeros make an address, which everybody can take.
    let key: ExpandedKeypair = key.into();
    if key.to_secret_key_bytes().chunks(32).any(|half| half.iter().all(|byte| *byte == 0)) {
        let problem = "it is damaged, half of the key is zeros; copy it again from where it was, or from a backup";
        return Err(OnionError::NotAKey { path: file.to_owned(), problem: problem.to_owned() });
    }
    Ok(key.into())
}

fn parse_c_tor(file: &Path, content: &[u8]) -> Result<HsIdKeypair, OnionError> {
    let not_a_key = |problem: &str| OnionError::NotAKey { path: file.to_owned(), problem: problem.to_owned() };
    if !content.starts_with(C_TOR_HEADER) {
        return Err(not_a_key("expected Tor's hs_ed25519_secret_key or a file written by: ip2tor-shop onion export"));
    }
    let secret: [u8; C_TOR_LENGTH - 32] = content[C_TOR_HEADER.len()..]
        .try_into()
        .map_err(|_| not_a_key(&format!("it has {} bytes instead of {C_TOR_LENGTH}", content.len())))?;
    ExpandedKeypair::from_secret_key_bytes(secret).map(Into::into).ok_or_else(|| not_a_key("its numbers are no key"))
}

/// Lets arti read the file, in a keystore made for it, so that there is one reader of its format.
fn parse_arti(state_dir: &Path, nickname: &str, file: &Path, content: &[u8]) -> Result<HsIdKeypair, OnionError> {
    let scratch = state_dir.join(SCRATCH);
    state::remove_tree(&scratch)?;
    let path = key_path(&scratch, nickname);
    state::make_directory(path.parent().unwrap_or(&scratch))?;
    let key = state::write_secret(&path, content).and_then(|()| load(&scratch, nickname));
    state::remove_tree(&scratch)?;
    key.map_err(|error| match error {
        OnionError::DamagedKey { problem, .. } => OnionError::NotAKey { path: file.to_owned(), problem },
        // The state directory's own trouble, not the file's.
        other => other,
    })
}
