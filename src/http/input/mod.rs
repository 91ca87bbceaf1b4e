//! Request bodies: JSON, form or multipart, read into one shape.

mod form;
mod json;
mod python;
pub mod read;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use poem::error::ReadBodyError;
use serde_json::{Map, Value};

use super::problem::Problem;

pub use python::{python_text, type_name};

/// The media type of JSON.
pub const JSON: &str = "application/json";
/// The media type of forms.
pub const FORM: &str = "application/x-www-form-urlencoded";
/// The media type of forms with parts.
pub const MULTIPART: &str = "multipart/form-data";

/// The fields of a body. In a form every value is a text, and a blank one counts as absent where the
/// field is optional.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Input {
    /// The fields; repeated ones with their last value.
    pub fields: Map<String, Value>,
    /// Whether they come from a form (or there was no body at all).
    pub is_form: bool,
}

/// Reads a body of at most `limit` bytes.
pub async fn read(headers: &HeaderMap, body: poem::Body, limit: usize) -> Result<Input, Problem> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > limit as u64) {
        return Err(too_large(limit));
    }
    let bytes = match body.into_bytes_limit(limit).await {
        Ok(bytes) => bytes,
        Err(ReadBodyError::PayloadTooLarge) => return Err(too_large(limit)),
        Err(_) => return Err(Problem::detail(StatusCode::BAD_REQUEST, "The body could not be read.")),
    };
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    parse(content_type, &bytes)
}

fn too_large(limit: usize) -> Problem {
    Problem::detail(StatusCode::PAYLOAD_TOO_LARGE, format!("The body is larger than {limit} bytes."))
}

fn parse(content_type: &str, bytes: &Bytes) -> Result<Input, Problem> {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if bytes.is_empty() {
        return Ok(Input { fields: Map::new(), is_form: essence != JSON });
    }
    match essence.as_str() {
        JSON => Ok(Input { fields: json::parse(bytes)?, is_form: false }),
        FORM => Ok(Input { fields: form::urlencoded(bytes)?, is_form: true }),
        MULTIPART => Ok(Input { fields: form::multipart(content_type, bytes)?, is_form: true }),
        _ => {
            let text = format!("Unsupported media type \"{}\" in request.", python::shortened(content_type));
            Err(Problem::detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, text))
        }
    }
}
