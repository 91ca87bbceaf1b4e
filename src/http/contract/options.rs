//! What OPTIONS answers: what a resource is, and which fields can be written.

use serde_json::{Value, json};

use super::body;
use super::call::RequestContext;
use super::negotiate::Renders;
use super::resources::{Resource, Writable};

/// The answer to OPTIONS.
pub fn of(resource: &Resource, call: &RequestContext) -> Value {
    let renders = match resource.renders {
        Renders::Json => json!(["application/json", "text/html"]),
        Renders::Text => json!(["text/plain"]),
    };
    let mut answer = json!({
        "name": resource.name,
        "description": resource.about,
        "renders": renders,
        "parses": [body::JSON, body::FORM, body::MULTIPART],
    });
    let actions = match resource.writable {
        Writable::Post(fields) => Some(json!({ "POST": fields() })),
        Writable::Put(fields, is_visible) if is_visible(call) => Some(json!({ "PUT": fields() })),
        _ => None,
    };
    if let Some(actions) = actions {
        answer["actions"] = actions;
    }
    answer
}
