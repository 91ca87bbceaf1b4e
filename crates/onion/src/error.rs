//! What can go wrong with the embedded Tor, its state on disk and its keys. Every text says what
//! to do about it; none holds key material.

use std::borrow::Cow;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

/// An error of the onion part of the shop.
#[derive(Debug, thiserror::Error)]
pub enum OnionError {
    /// A setting of `[onion]` that cannot work.
    #[error("setting onion.{field}: {problem}")]
    Config {
        /// The setting, as it stands in the configuration file below `[onion]`.
        field: Cow<'static, str>,
        /// What is wrong with it.
        problem: String,
    },
    /// Another process (or another client in this one) holds the state directory.
    #[error(
        "Tor's state in {} is in use by another process: stop the other shop first, or give this one its own onion.state_dir",
        .0.display()
    )]
    StateInUse(PathBuf),
    /// A file or directory that others than its owner may read or write.
    #[error("{} has mode {found:04o}: others could read the onion service's keys. Run: chmod {wanted:o} '{}'", .path.display(), .path.display())]
    Mode {
        /// The file or directory.
        path: PathBuf,
        /// Its permission bits.
        found: u32,
        /// The permission bits it should have.
        wanted: u32,
    },
    /// A directory on the way to Tor's own that others may write to.
    #[error("{} has mode {found:04o}: others could replace what is in it, Tor's keys too. Run: chmod go-w '{}'", .path.display(), .path.display())]
    Writable {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        found: u32,
    },
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is no identity key yet.
    #[error("there is no key for the onion service \"{nickname}\" in {}: start the shop once with `onion.enabled = true` to make one, or import a key", .state_dir.display())]
    NoKey {
        /// The service's nickname.
        nickname: String,
        /// Where the key was looked for.
        state_dir: PathBuf,
    },
    /// The identity key is there, and cannot be read.
    #[error(
        "the onion service's key {} is damaged ({problem}). If you have an export of it: ip2tor-shop onion reset --yes-lose-the-address, then ip2tor-shop onion import FILE; without one the address is lost, and reset makes room for a new one",
        .path.display()
    )]
    DamagedKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file that should be an identity key, and is not.
    #[error("{} is not a key of an onion service: {problem}", .path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// An import would replace another identity.
    #[error(
        "this shop already is {address}: importing another key would lose that address. Export its key first if it is there and may be needed again, then `onion reset --yes-lose-the-address` and import"
    )]
    OtherKey {
        /// The address that would be lost.
        address: String,
    },
    /// A file that is not overwritten.
    #[error("{} exists already: remove it or choose another name", .0.display())]
    Exists(PathBuf),
    /// Something inside the Tor library.
    #[error("Tor: {0}")]
    Tor(String),
}

impl OnionError {
    /// For `map_err` on file operations.
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// Wraps an error of arti with all its causes.
    pub(super) fn tor(error: impl Error) -> Self {
        Self::Tor(with_causes(&error))
    }
}

/// `error` and what caused it, in one line. arti's own texts say only the outermost thing.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.ends_with(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_mode_names_the_command_that_repairs_it() {
        let error = OnionError::Mode { path: "/var/lib/shop/tor".into(), found: 0o755, wanted: 0o700 };
        assert!(error.to_string().ends_with("Run: chmod 700 '/var/lib/shop/tor'"), "{error}");
    }

    #[test]
    fn causes_are_told_from_the_outside_in() {
        let error = OnionError::io("read", Path::new("/x"))(io::Error::other("disk on fire"));
        assert_eq!(with_causes(&error), "cannot read /x: disk on fire");
    }
}
