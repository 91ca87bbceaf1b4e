//! JSON bodies: an object, or a message that says what it is instead.

use http::StatusCode;
use serde_json::{Map, Value};

use super::python::type_name;
use crate::domain::texts::Message;
use crate::http::problem::Problem;
use crate::services::error::NON_FIELD;

/// The fields of a JSON object.
pub fn parse(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    // Some programs put a mark before it that says in which order the bytes are.
    match serde_json::from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)) {
        Ok(value) => object(value),
        Err(error) => Err(Problem::detail(
            StatusCode::BAD_REQUEST,
            Message::NoJson { problem: error.to_string(), line: error.line(), column: error.column() },
        )),
    }
}

/// The fields of a value that must be an object.
pub fn object(value: Value) -> Result<Map<String, Value>, Problem> {
    match value {
        Value::Object(fields) => Ok(fields),
        Value::Null => Err(Problem::field(NON_FIELD, Message::NoData)),
        other => Err(Problem::field(NON_FIELD, Message::NoDictionary { kind: type_name(&other) })),
    }
}
