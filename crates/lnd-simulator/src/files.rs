//! The folder of a simulated node: its secrets and the macaroons it bakes.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ip2tor_domain::id::Random;
use ip2tor_lightning::macaroon::{DEFAULT_ROOT_KEY_ID, Macaroon};

/// Why a simulator could not be started or reached.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A file of the folder.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong with it.
        source: io::Error,
    },
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where it should have listened.
        address: String,
        /// Why it cannot.
        source: io::Error,
    },
    /// The certificate.
    #[error("the simulator's certificate: {0}; delete tls.cert and tls.key in its folder to get new ones")]
    Certificate(String),
    /// A secret in the folder is not what it was made as.
    #[error("{0} is damaged; delete it to get a new one (macaroons and the node's key change with it)")]
    DamagedSecret(PathBuf),
    /// Another process uses the folder.
    #[error("a simulator is already running in {0}; stop it first or use another folder")]
    AlreadyRunning(PathBuf),
}

/// A file of the folder that goes wrong.
pub fn file_error(path: &Path) -> impl FnOnce(io::Error) -> StartError + '_ {
    move |source| StartError::File { path: path.to_owned(), source }
}

/// Everything that LND's admin macaroon permits.
const ADMIN: &[(&str, &str)] = &[
    ("address", "read"),
    ("address", "write"),
    ("info", "read"),
    ("info", "write"),
    ("invoices", "read"),
    ("invoices", "write"),
    ("macaroon", "generate"),
    ("macaroon", "read"),
    ("macaroon", "write"),
    ("message", "read"),
    ("message", "write"),
    ("offchain", "read"),
    ("offchain", "write"),
    ("onchain", "read"),
    ("onchain", "write"),
    ("peers", "read"),
    ("peers", "write"),
    ("signer", "generate"),
    ("signer", "read"),
];

/// LND's stock invoice macaroon: no `info:read`.
const INVOICE: &[(&str, &str)] =
    &[("address", "read"), ("address", "write"), ("invoices", "read"), ("invoices", "write"), ("onchain", "read")];

const READONLY: &[(&str, &str)] = &[
    ("address", "read"),
    ("info", "read"),
    ("invoices", "read"),
    ("macaroon", "read"),
    ("message", "read"),
    ("offchain", "read"),
    ("onchain", "read"),
    ("peers", "read"),
    ("signer", "read"),
];

/// As baked for a shop: `lncli bakemacaroon invoices:read invoices:write info:read`.
const SHOP: &[(&str, &str)] = &[("info", "read"), ("invoices", "read"), ("invoices", "write")];

/// The macaroon files and what each permits.
pub const MACAROONS: [(&str, &[(&str, &str)]); 4] = [
    ("admin.macaroon", ADMIN),
    ("invoice.macaroon", INVOICE),
    ("readonly.macaroon", READONLY),
    ("shop.macaroon", SHOP),
];

/// Bakes the macaroons that are missing in `dir` or were signed with another root key.
pub fn bake(dir: &Path, root_key: &[u8; 32], random: &dyn Random) -> Result<(), StartError> {
    for (name, permissions) in MACAROONS {
        let present = fs::read(dir.join(name)).ok().and_then(|bytes| Macaroon::parse(&bytes).ok());
        if present.is_some_and(|macaroon| macaroon.is_signed_by(root_key)) {
            continue;
        }
        let mut nonce = [0; 16];
        random.fill(&mut nonce);
        write_secret(dir, name, &Macaroon::mint(root_key, DEFAULT_ROOT_KEY_ID, nonce, permissions).encode())?;
    }
    Ok(())
}

/// The secret of 32 bytes in a file of `dir`, made when it is missing.
pub fn secret(dir: &Path, name: &str, random: &dyn Random) -> Result<[u8; 32], StartError> {
    let path = dir.join(name);
    let mut bytes = [0; 32];
    match fs::read_to_string(&path) {
        Ok(text) => {
            hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| StartError::DamagedSecret(path))?;
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            random.fill(&mut bytes);
            write_secret(dir, name, hex::encode(bytes).as_bytes())?;
        }
        Err(error) => return Err(file_error(&path)(error)),
    }
    Ok(bytes)
}

/// Writes a file that others may read.
pub fn write(dir: &Path, name: &str, content: &[u8]) -> Result<(), StartError> {
    write_with_mode(dir, name, content, 0o644)
}

/// Writes a file for the owner alone.
pub fn write_secret(dir: &Path, name: &str, content: &[u8]) -> Result<(), StartError> {
    write_with_mode(dir, name, content, 0o600)
}

/// Readers see the old file or the new one, nothing between.
fn write_with_mode(dir: &Path, name: &str, content: &[u8], mode: u32) -> Result<(), StartError> {
    let (path, next) = (dir.join(name), dir.join(format!("{name}.new")));
    let write = || {
        let mut file = OpenOptions::new().create(true).write(true).truncate(true).mode(mode).open(&next)?;
        file.write_all(content)?;
        fs::rename(&next, &path)
    };
    write().map_err(file_error(&path))
}
