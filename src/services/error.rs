//! How a use case is refused. `http` turns these into answers in one place.

use crate::domain::texts::Message;
use crate::domain::transition::BrokenRule;
use crate::store::StoreError;

/// The key under which messages stand that belong to no single field.
pub const NON_FIELD: &str = "non_field_errors";

/// Why a use case was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Something in the request is wrong: messages by field, in the order of the fields (400).
    #[error("{}", flat(.0))]
    Invalid(Vec<(&'static str, Vec<Message>)>),
    /// The request can't be served in this state, for a reason that is not one field (400).
    #[error("{0}")]
    Refused(Message),
    /// There is no such thing, or the caller may not see it (404).
    #[error("not found")]
    NotFound,
    /// The thing is in use (409).
    #[error("{0}")]
    Conflict(Message),
    /// Not now: try again after so many seconds (503).
    #[error("{detail}")]
    Unavailable {
        /// What is missing.
        detail: Message,
        /// When it makes sense to try again.
        retry_after_secs: u32,
    },
    /// There was too much of it lately: try again after so many seconds (429).
    #[error("too much of it lately; try again in {retry_after_secs} s")]
    TooMany {
        /// When it makes sense to try again.
        retry_after_secs: u32,
    },
    /// A defect of ours that would have broken a transition table: nothing was changed, and the operator is told (500).
    #[error("{0}")]
    RuleBroken(BrokenRule),
    /// A defect of ours; the text is for the log, never for an answer (500).
    #[error("{0}")]
    Internal(String),
}

impl Error {
    /// One message under one field.
    pub fn field(name: &'static str, message: impl Into<Message>) -> Self {
        Self::Invalid(vec![(name, vec![message.into()])])
    }

    /// One message that belongs to no field.
    pub fn non_field(message: impl Into<Message>) -> Self {
        Self::field(NON_FIELD, message)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(detail) => {
                tracing::error!(%detail, "the database is not available");
                let detail = Message::StorageDown;
                Self::Unavailable { detail, retry_after_secs: 30 }
            }
            StoreError::Conflict(what) => Self::Conflict(Message::ChangedMeanwhile { what }),
            StoreError::OtherVersion(_) => Self::Conflict(error.to_string().into()),
            StoreError::Broken(detail) => Self::Internal(detail),
        }
    }
}

fn flat(fields: &[(&'static str, Vec<Message>)]) -> String {
    let lines = fields.iter().map(|(field, messages)| {
        let text = messages.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        if *field == NON_FIELD { text } else { format!("{field}: {text}") }
    });
    lines.collect::<Vec<_>>().join("; ")
}
