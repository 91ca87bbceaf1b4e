//! The history of an order, a product or a host, for people and as JSON.

use serde_json::{Value, json};

use crate::store::audit_log::Entry;

/// Lines under the fields of what was shown.
pub fn text(history: &[Entry]) -> String {
    let line = |entry: &Entry| format!("  {}  {}  {} {}", entry.at, entry.actor, entry.noun, entry.change);
    history.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The same as JSON.
pub fn document(history: &[Entry]) -> Value {
    let entry = |entry: &Entry| {
        json!({
            "at": entry.at.to_wire(),
            "actor": entry.actor,
            "noun": entry.noun,
            "id": entry.noun_id,
            "change": entry.change,
        })
    };
    history.iter().map(entry).collect()
}
