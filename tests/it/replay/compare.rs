//! Comparing answers: status, headers, types and values, but for ids, dates, ports drawn at random
//! and wording.

use serde_json::Value;

use super::exchange::{Exchange, is_uuid};
use crate::support::request::Answer;

/// Keys whose texts are wording.
const WORDING: [&str; 5] = ["detail", "description", "label", "help_text", "message"];
/// Keys whose values are drawn or made: only their type counts.
const DRAWN: [&str; 3] = ["port", "payment_hash", "payment_request"];

/// Why the answer is not the recorded one; `None` when it is.
pub fn mismatch(exchange: &Exchange, answer: &Answer) -> Option<String> {
    if answer.status.as_u16() != exchange.status {
        return Some(format!("status {} instead of {}", answer.status, exchange.status));
    }
    for (name, value) in &exchange.expected_headers {
        let own = answer.header(name);
        if shape(own) != shape(value) {
            return Some(format!("{name}: {own:?} instead of {value:?}"));
        }
    }
    if exchange.method == "HEAD" {
        return (!answer.body.is_empty()).then(|| "HEAD with a body".to_owned());
    }
    if exchange.json != Value::Null {
        // The names in the recorded lists are not all valid ones.
        let is_list = exchange.name.starts_with("nostr_list");
        let any_text = exchange.status >= 400 || is_list;
        return value(&exchange.json, &answer.json(), "", any_text);
    }
    let expected = exchange.text.as_deref().unwrap_or_default();
    if exchange.expected_headers.get("content-type").is_some_and(|kind| kind.starts_with("text/plain")) {
        let own = answer.text();
        // The recording keeps only the beginning of a long text.
        let (whole, kept) = (shape(&own), shape(expected.rsplit_once('\n').map_or(expected, |(kept, _)| kept)));
        return (!whole.starts_with(&kept)).then(|| format!("{own:?} instead of {expected:?}"));
    }
    (expected.is_empty() != answer.body.is_empty()).then(|| "a body instead of none, or none".to_owned())
}

fn value(expected: &Value, own: &Value, at: &str, any_text: bool) -> Option<String> {
    match (expected, own) {
        (Value::Object(expected), Value::Object(own)) => {
            let (keys, own_keys) = (keys(expected), keys(own));
            if keys != own_keys {
                return Some(format!("{at}: fields {own_keys:?} instead of {keys:?}"));
            }
            let fields = expected.iter();
            fields.into_iter().find_map(|(key, expected)| value(expected, &own[key], &format!("{at}.{key}"), any_text))
        }
        (Value::Array(expected), Value::Array(own)) => {
            if expected.len() != own.len() {
                return Some(format!("{at}: {} elements instead of {}", own.len(), expected.len()));
            }
            let pairs = expected.iter().zip(own).enumerate();
            pairs.into_iter().find_map(|(i, (expected, own))| value(expected, own, &format!("{at}[{i}]"), any_text))
        }
        (Value::String(expected), Value::String(own)) => {
            let key = at.rsplit('.').next().unwrap_or_default();
            let is_free = any_text || WORDING.contains(&key) || DRAWN.contains(&key);
            let same = if is_free { own.is_empty() == expected.is_empty() } else { shape(own) == shape(expected) };
            (!same).then(|| format!("{at}: {own:?} instead of {expected:?}"))
        }
        (Value::Number(_), Value::Number(_)) if at.ends_with(".port") => None,
        _ => (expected != own).then(|| format!("{at}: {own} instead of {expected}")),
    }
}

fn keys(object: &serde_json::Map<String, Value>) -> Vec<&str> {
    object.keys().map(String::as_str).collect()
}

/// A text with its ids, dates and ports as placeholders.
fn shape(text: &str) -> String {
    let separators = |c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == ':' || c == '_');
    let mut shape = String::with_capacity(text.len());
    for word in text.split_inclusive(separators) {
        let end = word.trim_end_matches(separators).len();
        let (word, rest) = word.split_at(end);
        shape.push_str(&placeholder(word));
        shape.push_str(rest);
    }
    shape
}

fn placeholder(word: &str) -> String {
    let is_date = word.len() == 20 && word.ends_with('Z') && word.as_bytes()[10] == b'T';
    let is_port = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_uuid(word) {
        "<id>".to_owned()
    } else if is_date {
        "<date>".to_owned()
    } else if word.starts_with("qr_") {
        "<picture>".to_owned()
    } else if is_port(word) {
        "<port>".to_owned()
    } else {
        match word.rsplit_once(':') {
            Some((before, port)) if is_port(port) => format!("{before}:<port>"),
            _ => word.to_owned(),
        }
    }
}
