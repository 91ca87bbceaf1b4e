//! Request bodies: JSON, form or multipart, read into one shape.

mod form;
mod json;
mod python;
pub mod read;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value};

use crate::domain::texts::Message;
use crate::http::problem::Problem;
use crate::http::server::bodies::Bodies;

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

/// Reads a body.
pub async fn read(headers: &HeaderMap, body: poem::Body, bodies: &Bodies) -> Result<Input, Problem> {
    refuse_encoded(headers)?;
    let bytes = bodies.read(headers, body).await?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    parse(content_type, &bytes).await
}

/// A compressed body would be read as if it were what it says it is.
fn refuse_encoded(headers: &HeaderMap) -> Result<(), Problem> {
    for encoding in headers.get_all(header::CONTENT_ENCODING) {
        let is_plain = |coding: &str| matches!(coding.trim(), "" | "identity");
        if !encoding.to_str().is_ok_and(|codings| codings.to_ascii_lowercase().split(',').all(is_plain)) {
            return Err(Problem::detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, Message::HasEncoding));
        }
    }
    Ok(())
}

async fn parse(content_type: &str, bytes: &Bytes) -> Result<Input, Problem> {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if bytes.is_empty() {
        return Ok(Input { fields: Map::new(), is_form: essence != JSON });
    }
    match essence.as_str() {
        JSON => Ok(Input { fields: json::parse(bytes)?, is_form: false }),
        FORM => Ok(Input { fields: form::urlencoded(bytes)?, is_form: true }),
        MULTIPART => Ok(Input { fields: form::multipart(content_type, bytes).await?, is_form: true }),
        _ => {
            let name = python::shortened(content_type);
            Err(Problem::detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, Message::UnsupportedMediaType { name }))
        }
    }
}
