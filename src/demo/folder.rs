//! The demo's folder: that it is the demo's, and the small files in it.

use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::app::StartError;
use crate::config::{DATABASE_FILE, FILE_IN_DATA_DIR};
use crate::store::db;

/// What stands above the demo's settings.
const HEAD: &str = "# Written by `ip2tor-shop demo` at each start: changes are lost. What is not in here has its default.\n\
                    # Commands with --data-dir read this file.\n";

/// Makes the folder the demo's, where no demo is remembered. A first start that was cut short is
/// begun again: nobody was told yet of what it had made.
///
/// # Errors
/// [`StartError::Failed`] for the folder of somebody else's shop.
pub fn claim(dir: &Path, marker: &str) -> Result<(), StartError> {
    if !dir.join(marker).exists() {
        refuse_if_taken(dir)?;
        return put(dir, marker, "null");
    }
    for file in db::files_of(&dir.join(DATABASE_FILE)) {
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(broken(&file, &error)),
            _ => {}
        }
    }
    Ok(())
}

fn refuse_if_taken(dir: &Path) -> Result<(), StartError> {
    let Some(found) = [DATABASE_FILE, FILE_IN_DATA_DIR].into_iter().find(|file| dir.join(file).exists()) else {
        return Ok(());
    };
    Err(StartError::Failed(format!(
        "{} has a {found} that is not the demo's: choose another folder with --data-dir DIR (make demo DEMO_DIR=DIR)",
        dir.display()
    )))
}

/// Writes the settings in which the demo differs from the defaults.
pub fn write_config(dir: &Path, listen: SocketAddr, with_onion: bool) -> Result<(), StartError> {
    let settings = toml::Table::from_iter([
        ("data_dir".to_owned(), dir.display().to_string().into()),
        ("http".to_owned(), section("listen", listen.to_string().into())),
        ("lightning".to_owned(), section("allow_regtest", true.into())),
        ("onion".to_owned(), section("enabled", with_onion.into())),
    ]);
    put(dir, FILE_IN_DATA_DIR, &format!("{HEAD}{settings}"))
}

fn section(key: &str, value: toml::Value) -> toml::Value {
    toml::Table::from_iter([(key.to_owned(), value)]).into()
}

/// Puts a file in place as a whole, readable by its owner alone.
pub fn put(dir: &Path, name: &str, text: &str) -> Result<(), StartError> {
    let (file, new) = (dir.join(name), dir.join(format!("{name}.new")));
    let write = || {
        let mut options = std::fs::OpenOptions::new();
        let mut to = options.write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        to.write_all(text.as_bytes())?;
        to.sync_all()?;
        std::fs::rename(&new, &file)
    };
    write().map_err(|error: std::io::Error| broken(&file, &error))
}

/// A file of the demo that can't be used.
pub fn broken(file: &Path, error: &dyn std::fmt::Display) -> StartError {
    StartError::Failed(format!("{}: {error}; remove the demo's folder to start afresh", file.display()))
}
