//! Secrets are never written into the configuration or onto the command line: only where they are.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// `file:PATH`: the first line of a file.
    File(PathBuf),
    /// `env:NAME`: an environment variable.
    Env(String),
    /// `cred:NAME`: a credential that systemd hands over (`LoadCredential=`).
    Credential(String),
    /// Itself, out of the database; a configuration never has it.
    Given(Secret),
}

/// A secret; its `Debug` output hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret as it is.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Reads what somebody has written into a file or typed: the first line, without a byte order mark and the blanks
    /// around it, which nobody sees and nobody would type again.
    ///
    /// # Errors
    /// What is wrong with it, without repeating it.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let text = match bytes {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Err("it is in UTF-16: store it in UTF-8"),
            bytes => std::str::from_utf8(bytes).map_err(|_| "it is not in UTF-8"),
        }?;
        let line = text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default().trim();
        if line.is_empty() {
            return Err("the first line is empty".to_owned());
        }
        if line.contains(char::is_control) {
            return Err("there is a control character in it".to_owned());
        }
        Ok(Self(line.to_owned()))
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
                Ok(text) => {
                    Secret::read(text.as_bytes()).map_err(|why| format!("the environment variable {name}: {why}"))
                }
                Err(_) => Err(format!("the environment variable {name} is not set")),
            },
            Self::Credential(name) => match std::env::var_os("CREDENTIALS_DIRECTORY") {
                Some(folder) => read_file(&Path::new(&folder).join(name)),
                None => Err(format!("there is no credential {name}: systemd hands none over (LoadCredential=)")),
            },
            Self::Given(secret) => Ok(secret.clone()),
        }
    }
}

/// The place, as it stands in the file.
impl fmt::Display for SecretSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Env(name) => write!(f, "env:{name}"),
            Self::Credential(name) => write!(f, "cred:{name}"),
            Self::Given(_) => f.write_str("what was given"),
        }
    }
}

fn read_file(path: &Path) -> Result<Secret, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("can't read {}: {error}", path.display()))?;
    Secret::read(&bytes).map_err(|why| format!("{}: {why}", path.display()))
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
    fn a_secret_is_the_first_line_of_its_file_however_that_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        let read = |content: &[u8]| {
            std::fs::write(&path, content).unwrap();
            SecretSource::File(path.clone()).read()
        };
        for content in [
            "correct horse",
            "correct horse\n",
            "correct horse\r\nand a note\r\n",
            "\u{feff}correct horse\n",
            "  correct horse \t\n",
            "correct horse\n\n",
        ] {
            assert_eq!(read(content.as_bytes()).unwrap().reveal(), "correct horse", "{content:?}");
        }
        assert_eq!(format!("{:?}", read(b"correct horse").unwrap()), "Secret(hidden)");
        for content in [&b""[..], b"\n", b"  \nsecond", b"\xff\xfec\0o\0", b"\xff", b"cor\x1brect"] {
            let message = read(content).unwrap_err();
            assert!(message.starts_with(path.to_str().unwrap()) && !message.contains("second"), "{message}");
        }
    }
}
