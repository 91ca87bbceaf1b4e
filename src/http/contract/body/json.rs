//! JSON bodies: an object, or a message that says what it is instead.

use http::StatusCode;
use serde_json::{Map, Value};

use super::python::type_name;
use crate::domain::texts::Message;
use crate::http::problem::Problem;
use crate::services::error::NON_FIELD;

/// More values than this are nobody's order or report. In memory each takes up to a hundred times its own bytes, and
/// what was taken once stays with the process.
const MAX_VALUES: usize = 1000;

/// The fields of a JSON object.
pub fn parse(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    if has_more_than(MAX_VALUES, bytes) {
        return Err(Problem::detail(StatusCode::BAD_REQUEST, Message::TooManyValues { most: MAX_VALUES }));
    }
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

/// Whether there may be more values than `most`, seen before any is made: each comes after one of these marks, or is
/// the whole text. What is no JSON is counted up to its first mistake at least, where reading would end.
fn has_more_than(most: usize, bytes: &[u8]) -> bool {
    let (mut marks, mut is_text, mut is_escaped) = (0, false, false);
    for byte in bytes {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b',' | b'[' | b'{' if !is_text => marks += 1,
            _ => {}
        }
    }
    marks > most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_of_very_many_values_is_refused_and_a_long_text_is_one_value() {
        let list = |count: usize| format!("{{\"a\":[{}0]}}", "0,".repeat(count - 1));
        assert_eq!(parse(list(900).as_bytes()).unwrap()["a"].as_array().unwrap().len(), 900);
        let fields: String = (0..1100).map(|number| format!("\"{number}\":0,")).collect();
        for many in [list(1100), format!("{{{fields}\"a\":0}}"), "[".repeat(1100)] {
            let refused = parse(many.as_bytes()).unwrap_err();
            assert!(refused.to_string().contains("more than 1000 values"), "{refused}");
        }
        let text = format!("{{\"a\":\"{}\"}}", ",[{\\\"".repeat(1100));
        assert_eq!(parse(text.as_bytes()).unwrap().len(), 1);
    }
}
