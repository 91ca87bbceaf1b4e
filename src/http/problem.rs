//! What is answered when a request can't be served, and the one place that turns errors of the
//! services into answers.

use std::fmt;

use http::{HeaderValue, StatusCode, header};
use poem::error::ResponseError;
use poem::{IntoResponse, Response};

pub use super::problem_content::{Content, FieldProblem, Fields};
use super::response::json_response;
use crate::domain::id::{Random, SystemRandom};
use crate::domain::texts::{Language, Message};
use crate::services::Error;

/// An answer that is not a success: a status and the contract's JSON body, either
/// `{"detail": "…"}` or messages by field.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The status, 4xx or 5xx.
    pub status: StatusCode,
    /// What is said.
    pub content: Content,
    /// Seconds after which it makes sense to try again.
    pub retry_after_secs: Option<u32>,
}

impl Problem {
    /// A status with one sentence.
    pub const fn detail(status: StatusCode, message: Message) -> Self {
        Self { status, content: Content::Detail(message), retry_after_secs: None }
    }

    /// Messages by field (400).
    pub const fn fields(fields: Fields) -> Self {
        Self { status: StatusCode::BAD_REQUEST, content: Content::Fields(fields), retry_after_secs: None }
    }

    /// One message under one field (400).
    pub fn field(name: &str, message: Message) -> Self {
        Self::fields(Fields::one(name, message))
    }

    /// No or unknown credentials where some are needed (401).
    pub const fn unauthorized(message: Message) -> Self {
        Self::detail(StatusCode::UNAUTHORIZED, message)
    }

    /// There is no such thing (404).
    pub const fn not_found() -> Self {
        Self::detail(StatusCode::NOT_FOUND, Message::NotFound)
    }

    /// The resource does not know the method (405). The caller adds `Allow`.
    pub fn method_not_allowed(method: &str) -> Self {
        Self::detail(StatusCode::METHOD_NOT_ALLOWED, Message::MethodNotAllowed { method: method.to_owned() })
    }

    /// Whether this is all that is said.
    pub fn is(&self, message: &Message) -> bool {
        matches!(&self.content, Content::Detail(said) if said == message)
    }

    /// A defect: what happened goes to the log under a new id, only the id to the client (500).
    pub fn internal(what: &str) -> Self {
        let id = SystemRandom.uuid();
        tracing::error!(request = %id, "internal error: {what}");
        Self::detail(StatusCode::INTERNAL_SERVER_ERROR, Message::Internal { id: id.to_string() })
    }

    /// Too many requests: try again after so many seconds (429).
    pub fn throttled(secs: u32) -> Self {
        let problem = Self::detail(StatusCode::TOO_MANY_REQUESTS, Message::Throttled { secs });
        Self { retry_after_secs: Some(secs), ..problem }
    }
}

impl Problem {
    /// The answer, in one language: `wanted` where every text of it exists in that, else English.
    pub fn answer(&self, wanted: Language) -> Response {
        let language = if self.content.is_in(wanted) { wanted } else { Language::English };
        let mut response = json_response(self.status, &self.content.body(language));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"api\""));
        }
        if let Some(secs) = self.retry_after_secs {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(fields) => {
                let mut all = Fields::default();
                for (name, messages) in fields {
                    all.set(name, FieldProblem::Messages(messages));
                }
                Self::fields(all)
            }
            Error::Refused(text) => Self::detail(StatusCode::BAD_REQUEST, text),
            Error::NotFound => Self::not_found(),
            Error::Conflict(text) => Self::detail(StatusCode::CONFLICT, text),
            Error::Unavailable { detail, retry_after_secs } => {
                let problem = Self::detail(StatusCode::SERVICE_UNAVAILABLE, detail);
                Self { retry_after_secs: Some(retry_after_secs), ..problem }
            }
            Error::TooMany { retry_after_secs } => Self::throttled(retry_after_secs),
            Error::RuleBroken(rule) => Self::internal(&rule.to_string()),
            Error::Internal(what) => Self::internal(&what),
        }
    }
}

/// In English, where nobody has asked what language is wanted.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.answer(Language::English)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.content.body(Language::English))
    }
}

impl std::error::Error for Problem {}

// Operations fail with a `poem::Error` that holds the problem, so that the frame can still
// translate it.
impl ResponseError for Problem {
    fn status(&self) -> StatusCode {
        self.status
    }

    fn as_response(&self) -> Response {
        self.clone().into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_much_of_something_is_429_and_says_when_to_try_again() {
        let response = Problem::throttled(120).into_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.header(header::RETRY_AFTER), Some("120"));
    }
}
