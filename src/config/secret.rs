//! Secrets are never written into the configuration or onto the command line: only where they are.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// `file:PATH`: the content of a file.
    File(PathBuf),
    /// `env:NAME`: an environment variable.
    Env(String),
    /// `cred:NAME`: a credential that systemd hands over (`LoadCredential=`).
    Credential(String),
}

/// A secret; its `Debug` output hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret; line ends after it are cut.
    pub fn new(text: &str) -> Self {
        Self(text.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

impl SecretSource {
    /// Reads `file:PATH`, `env:NAME` or `cred:NAME`.
    ///
    /// # Errors
    /// A message that does not repeat the text: it may be the secret itself.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            Some(("cred", name)) if !name.is_empty() && !name.contains('/') => Ok(Self::Credential(name.to_owned())),
            _ => Err("say where the secret is, not what it is: file:PATH, env:NAME or cred:NAME".to_owned()),
        }
    }

    /// The secret.
    ///
    /// # Errors
    /// Why it can't be read, naming its place.
    pub fn read(&self) -> Result<Secret, String> {
        match self {
            Self::File(path) => read_file(path),
            Self::Env(name) => match std::env::var(name) {
                Ok(text) => Ok(Secret::new(&text)),
                Err(_) => Err(format!("the environment variable {name} is not set")),
            },
            Self::Credential(name) => match std::env::var_os("CREDENTIALS_DIRECTORY") {
                Some(folder) => read_file(&Path::new(&folder).join(name)),
                None => Err(format!("there is no credential {name}: systemd hands none over (LoadCredential=)")),
            },
        }
    }
}

fn read_file(path: &Path) -> Result<Secret, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("can't read {}: {error}", path.display()))?;
    let secret = Secret::new(&text);
    if secret.reveal().is_empty() { Err(format!("{} is empty", path.display())) } else { Ok(secret) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_named_by_its_place() {
        assert_eq!(SecretSource::parse("file:/a:b"), Ok(SecretSource::File("/a:b".into())));
        assert_eq!(SecretSource::parse("env:PASSWORD"), Ok(SecretSource::Env("PASSWORD".to_owned())));
        assert_eq!(SecretSource::parse("cred:admin"), Ok(SecretSource::Credential("admin".to_owned())));
        let message = SecretSource::parse("correct horse").unwrap_err();
        assert!(!message.contains("horse"), "{message}");
        assert!(SecretSource::parse("cred:../x").is_err());
    }

    #[test]
    fn a_secret_file_loses_its_line_end_and_may_not_be_empty() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        std::fs::write(&path, "correct horse\n").unwrap();
        let secret = SecretSource::File(path.clone()).read().unwrap();
        assert_eq!(secret.reveal(), "correct horse");
        assert_eq!(format!("{secret:?}"), "Secret(hidden)");
        std::fs::write(&path, "\n").unwrap();
        assert!(SecretSource::File(path).read().is_err());
    }
}
