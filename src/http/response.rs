//! The form that answers of all rooms have in common.

use http::{HeaderValue, StatusCode, header};
use poem::Response;
use serde::Serialize;

/// Compact JSON, raw UTF-8; `Content-Type` without a charset, as the contract has it.
pub fn json_response(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => {
            let mut response = Response::builder().status(status).body(bytes);
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        // Maps with other keys than strings are the only thing that serde_json refuses.
        Err(error) => {
            tracing::error!(%error, "an answer can't be written as JSON");
            Response::builder().status(StatusCode::INTERNAL_SERVER_ERROR).finish()
        }
    }
}
