//! How a command fails, what it says then, and the exit code.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::app::StartError;
use crate::config::{Problem, Problems};
use crate::domain::texts::Message;
use crate::services::Error;
use crate::services::backup::BackupError;
use crate::services::error::NON_FIELD;
use crate::services::file_permissions;
use crate::store::StoreError;

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// The command makes no sense as it was given (2).
    Usage(String),
    /// The configuration is wrong (78).
    Config(Problems),
    /// The shop can't run as it is installed, and trying again does not change that (78).
    Final(String),
    /// It could not be done (1).
    Failed(String),
    /// It could not be done with these values (1).
    Invalid(Vec<FieldMessages>),
    /// What was asked about is not as it should be, and the result has told how: there is nothing more to say (1).
    Told,
}

/// A field as the API calls it, and what is wrong with it.
type FieldMessages = (&'static str, Vec<Message>);

impl Failure {
    /// The exit code; 78 is `EX_CONFIG` of sysexits.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::Invalid(_) | Self::Told => 1,
            Self::Usage(_) => 2,
            Self::Config(_) | Self::Final(_) => 78,
        }
    }
}

impl Failure {
    /// The failure of a start that has not got as far as the database: trying it again changes nothing.
    pub fn at_start(self) -> Self {
        match self {
            Self::Failed(text) => Self::Final(text),
            other => other,
        }
    }

    /// What people read. `argument` says how a field is given on the command line.
    pub fn text(&self, argument: impl Fn(&str) -> String) -> String {
        let message = |(field, messages): &FieldMessages| {
            let text = messages.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
            if *field == NON_FIELD { text } else { format!("{}: {text}", argument(field)) }
        };
        match self {
            Self::Usage(text) | Self::Final(text) | Self::Failed(text) => text.clone(),
            Self::Config(problems) => format!("the configuration has problems:\n{problems}"),
            Self::Invalid(fields) => fields.iter().map(message).collect::<Vec<_>>().join("\n"),
            Self::Told => String::new(),
        }
    }

    /// What scripts read: `error`, the `text` for people, and `fields`, the messages by field of the
    /// API or by key of the configuration.
    pub fn document(&self, text: &str) -> Value {
        let mut fields: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        match self {
            Self::Usage(_) | Self::Final(_) | Self::Failed(_) | Self::Told => {}
            Self::Config(problems) => {
                for Problem { key, message } in &problems.0 {
                    let key = if key.is_empty() { NON_FIELD } else { key };
                    fields.entry(key).or_default().push(message.clone());
                }
            }
            Self::Invalid(invalid) => {
                for (field, messages) in invalid {
                    fields.entry(field).or_default().extend(messages.iter().map(ToString::to_string));
                }
            }
        }
        json!({"error": text, "fields": fields})
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
            StartError::Final(text) => Self::Final(text),
            StartError::Failed(text) => Self::Failed(text),
        }
    }
}

impl From<BackupError> for Failure {
    fn from(error: BackupError) -> Self {
        let advice = match &error {
            BackupError::Io { path, source } if source.kind() == std::io::ErrorKind::PermissionDenied => {
                format!("; {}", file_permissions::how_to_read(path))
            }
            _ => String::new(),
        };
        Self::Failed(format!("{error}{advice}"))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(fields) => Self::Invalid(fields),
            Error::NotFound => Self::Failed("there is no such thing: `list` shows what there is".to_owned()),
            other => Self::Failed(other.to_string()),
        }
    }
}
