//! What is answered when a request can't be served, and the one place that turns errors of the
//! services into answers.

use std::fmt;

use http::{HeaderValue, StatusCode, header};
use poem::error::ResponseError;
use poem::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::language::{Language, german};
use super::response::json_response;
use crate::domain::id::{Random, SystemRandom};
use crate::services::Error;

/// An answer that is not a success: a status and the contract's JSON body, either
/// `{"detail": "…"}` or messages by field.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The status, 4xx or 5xx.
    pub status: StatusCode,
    /// The JSON body.
    pub body: Value,
    /// Seconds after which it makes sense to try again.
    pub retry_after_secs: Option<u32>,
}

/// Credentials are needed.
pub const NOT_AUTHENTICATED: &str = "Authentication credentials were not provided.";
/// The caller is known and may not do this.
pub const FORBIDDEN: &str = "You do not have permission to perform this action.";
/// There is no such thing, or the caller may not see it.
pub const NOT_FOUND: &str = "Not found.";
/// No form of answer fits the request's `Accept`.
pub const NOT_ACCEPTABLE: &str = "Could not satisfy the request Accept header.";

impl Problem {
    /// A status with one sentence.
    pub fn detail(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, body: json!({ "detail": text.into() }), retry_after_secs: None }
    }

    /// Messages by field (400); values are lists of messages, or objects of such for nested fields.
    pub const fn fields(fields: Map<String, Value>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, body: Value::Object(fields), retry_after_secs: None }
    }

    /// One message under one field (400).
    pub fn field(name: &str, message: impl Into<String>) -> Self {
        let mut fields = Map::new();
        fields.insert(name.to_owned(), json!([message.into()]));
        Self::fields(fields)
    }

    /// No or unknown credentials where some are needed (401).
    pub fn unauthorized(text: &str) -> Self {
        Self::detail(StatusCode::UNAUTHORIZED, text)
    }

    /// There is no such thing (404).
    pub fn not_found() -> Self {
        Self::detail(StatusCode::NOT_FOUND, NOT_FOUND)
    }

    /// The resource does not know the method (405). The caller adds `Allow`.
    pub fn method_not_allowed(method: &str) -> Self {
        Self::detail(StatusCode::METHOD_NOT_ALLOWED, format!("Method \"{method}\" not allowed."))
    }

    /// A defect: what happened goes to the log under a new id, only the id to the client (500).
    pub fn internal(what: &str) -> Self {
        let id = SystemRandom.uuid();
        tracing::error!(request = %id, "internal error: {what}");
        Self::detail(StatusCode::INTERNAL_SERVER_ERROR, format!("Internal error. The operator finds it as {id}."))
    }

    /// Too many requests: try again after so many seconds (429).
    pub fn throttled(secs: u32) -> Self {
        let text = format!("Request was throttled. Expected available in {secs} seconds.");
        Self { retry_after_secs: Some(secs), ..Self::detail(StatusCode::TOO_MANY_REQUESTS, text) }
    }
}

impl Problem {
    /// The problem in a language.
    #[must_use]
    pub fn in_language(mut self, language: Language) -> Self {
        if language == Language::German {
            translate(&mut self.body);
        }
        self
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(fields) => {
                let fields = fields.into_iter().map(|(name, messages)| (name.to_owned(), json!(messages)));
                Self::fields(fields.collect())
            }
            Error::Refused(text) => Self::detail(StatusCode::BAD_REQUEST, text),
            Error::NotFound => Self::not_found(),
            Error::Conflict(text) => Self::detail(StatusCode::CONFLICT, text),
            Error::Unavailable { detail, retry_after_secs } => {
                let problem = Self::detail(StatusCode::SERVICE_UNAVAILABLE, detail);
                Self { retry_after_secs: Some(retry_after_secs), ..problem }
            }
            Error::Internal(what) => Self::internal(&what),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = json_response(self.status, &self.body);
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"api\""));
        }
        if let Some(secs) = self.retry_after_secs {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        response
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status, self.body)
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

/// Replaces every message that has a German text by it.
fn translate(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(german) = german(text) {
                german.clone_into(text);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(translate),
        Value::Object(fields) => fields.values_mut().for_each(translate),
        _ => {}
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
