//! How a command fails, what it says then, and the exit code.

use std::fmt;

use crate::app::StartError;
use crate::config::Problems;
use crate::services::Error;
use crate::services::backup::BackupError;
use crate::services::error::NON_FIELD;
use crate::store::StoreError;

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// The command makes no sense as it was given (2).
    Usage(String),
    /// The configuration is wrong (78).
    Config(Problems),
    /// It could not be done (1).
    Failed(String),
}

impl Failure {
    /// The exit code; 78 is `EX_CONFIG` of sysexits.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Config(_) => 78,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Failed(text) => write!(f, "error: {text}"),
            Self::Config(problems) => write!(f, "the configuration has problems:\n{problems}"),
        }
    }
}

impl From<Problems> for Failure {
    fn from(problems: Problems) -> Self {
        Self::Config(problems)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Config(problems) => Self::Config(problems),
            StartError::Failed(text) => Self::Failed(text),
        }
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<Error> for Failure {
    /// Fields become the flags that set them.
    fn from(error: Error) -> Self {
        let fields = match error {
            Error::Invalid(fields) => fields,
            Error::NotFound => return Self::Failed("there is no such thing: `list` shows what there is".to_owned()),
            other => return Self::Failed(other.to_string()),
        };
        let lines = fields.iter().map(|(field, messages)| {
            let text = messages.join(" ");
            if *field == NON_FIELD { text } else { format!("--{}: {text}", field.replace('_', "-")) }
        });
        Self::Failed(lines.collect::<Vec<_>>().join("\n       "))
    }
}
