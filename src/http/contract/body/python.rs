//! How the contract's messages show values: as the predecessor's language printed them.

use serde_json::Value;

/// Longer texts are cut in messages: an answer need not repeat a large request.
const MAX_SHOWN: usize = 100;

/// The name of a value's type.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// A value inside a message.
pub fn python_text(value: &Value) -> String {
    match value {
        Value::String(text) => shortened(text),
        other => shortened(&quoted(other, 8)),
    }
}

/// The beginning of a text.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]),
        None => text.to_owned(),
    }
}

fn quoted(value: &Value, depth: u8) -> String {
    let joined = |parts: Vec<String>| parts.join(", ");
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("'{}'", shortened(text)),
        _ if depth == 0 => "\u{2026}".to_owned(),
        Value::Array(values) => {
            format!("[{}]", joined(values.iter().take(MAX_SHOWN).map(|value| quoted(value, depth - 1)).collect()))
        }
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| format!("'{}': {}", shortened(key), quoted(value, depth - 1));
            format!("{{{}}}", joined(fields.iter().take(MAX_SHOWN).map(field).collect()))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_shown_as_the_contract_shows_them() {
        assert_eq!(python_text(&json!("Q")), "Q");
        assert_eq!(python_text(&json!(["A"])), "['A']");
        assert_eq!(python_text(&json!({"a": [true, null, 1.5]})), "{'a': [True, None, 1.5]}");
        assert_eq!(python_text(&json!("x".repeat(500))).chars().count(), MAX_SHOWN + 1);
    }
}
