//! The file that `dumpdata` writes: one JSON array of objects with `model`, `pk` and `fields`. Nothing of it is believed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::refused::Refused;
use crate::domain::time::Timestamp;

/// A larger file is none of a shop of this kind, and would take the machine's memory. Bytes.
pub const MAX_BYTES: u64 = 128 << 20;

/// The command that writes a whole dump.
pub const COMMAND: &str = "python3 manage.py dumpdata --natural-foreign --indent 1 -o dump.json auth.user auth.group \
    authtoken sites lnnode shop lnpurchase lninvoice";

/// Which object it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// `app.model`, in lower case.
    pub model: String,
    /// Its primary key as text, or its natural key where it has no other.
    pub pk: String,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.model, self.pk)
    }
}

/// One object.
pub struct Object {
    /// Which it is.
    pub key: Key,
    fields: Map<String, Value>,
}

/// How an object names another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// By primary key.
    Number(i64),
    /// By natural key, or a primary key that is text.
    Name(String),
}

/// All objects, by model, in the order of the file.
pub type Shelf = BTreeMap<String, Vec<Object>>;

#[derive(Deserialize)]
struct Raw {
    model: String,
    #[serde(default)]
    pk: Value,
    fields: Map<String, Value>,
}

/// Reads the file.
///
/// # Errors
/// [`Refused`] for one that is cut off, something else, or names an object twice.
pub fn parse(bytes: &[u8]) -> Result<Shelf, Refused> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let raw: Vec<Raw> = serde_json::from_slice(bytes).map_err(|error| Refused::one(told(&error)))?;
    let (mut shelf, mut seen, mut wrong) = (Shelf::new(), BTreeSet::new(), Vec::new());
    for Raw { model, pk, fields } in raw {
        let model = model.to_lowercase();
        let Some(pk) = primary_key(&model, &pk, &fields) else {
            wrong.push(format!("an object {model} has no primary key: leave out --natural-primary"));
            continue;
        };
        let key = Key { model: model.clone(), pk };
        if !seen.insert(key.clone()) {
            wrong.push(format!("{key} is there twice"));
        }
        shelf.entry(model).or_default().push(Object { key, fields });
    }
    Refused::of(wrong)?;
    Ok(shelf)
}

fn told(error: &serde_json::Error) -> String {
    let place = format!("line {}, column {}", error.line(), error.column());
    if error.is_eof() {
        return format!("the file is cut off ({place}): write it again with `{COMMAND}`");
    }
    format!("this is not what `dumpdata` writes ({error}): write it with `{COMMAND}`")
}

/// The primary key as text. People and sites have a natural key, by which a dump may name them alone.
fn primary_key(model: &str, pk: &Value, fields: &Map<String, Value>) -> Option<String> {
    let natural = match model {
        "auth.user" => "username",
        "auth.group" => "name",
        "sites.site" => "domain",
        _ => "",
    };
    match pk {
        // One spelling of each id, so that none is there twice.
        Value::String(text) => Some(Uuid::try_parse(text).map_or_else(|_| text.clone(), |id| id.to_string())),
        Value::Number(number) => Some(number.to_string()),
        _ => fields.get(natural)?.as_str().map(str::to_owned),
    }
}

impl Object {
    fn get(&self, name: &str) -> Option<&Value> {
        self.fields.get(name).filter(|value| !value.is_null())
    }

    fn wrong(name: &str, wanted: &str) -> String {
        format!("field {name} is not {wanted}")
    }

    /// A text; `None` where there is none.
    pub fn text(&self, name: &str) -> Result<Option<String>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.contains('\0') => Ok(Some(text.clone())),
            Some(_) => Err(Self::wrong(name, "a text")),
        }
    }

    /// A text that must be there; it may be empty.
    pub fn some_text(&self, name: &str) -> Result<String, String> {
        self.text(name)?.ok_or_else(|| Self::wrong(name, "a text"))
    }

    /// A number; `None` where there is none.
    pub fn int(&self, name: &str) -> Result<Option<i64>, String> {
        let read = |value: &Value| value.as_i64().ok_or_else(|| Self::wrong(name, "a whole number"));
        self.get(name).map(read).transpose()
    }

    /// A number that is not negative, or `default`.
    pub fn amount(&self, name: &str, default: u64) -> Result<u64, String> {
        let Some(value) = self.int(name)? else { return Ok(default) };
        u64::try_from(value).map_err(|_| Self::wrong(name, "a number from 0"))
    }

    /// True or false, or `default`.
    pub fn truth(&self, name: &str, default: bool) -> Result<bool, String> {
        let read = |value: &Value| value.as_bool().ok_or_else(|| Self::wrong(name, "true or false"));
        self.get(name).map_or(Ok(default), read)
    }

    /// A time; `None` where there is none.
    pub fn time(&self, name: &str) -> Result<Option<Timestamp>, String> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        read_time(&text).map(Some).ok_or_else(|| Self::wrong(name, "a time"))
    }

    /// A time that must be there.
    pub fn some_time(&self, name: &str) -> Result<Timestamp, String> {
        self.time(name)?.ok_or_else(|| Self::wrong(name, "a time"))
    }

    /// The object that a field names; natural keys of one part are meant.
    pub fn reference(&self, name: &str) -> Result<Option<Reference>, String> {
        let Some(value) = self.get(name) else { return Ok(None) };
        reference(value).map(Some).ok_or_else(|| Self::wrong(name, "a reference to another object"))
    }

    /// The objects that a field lists.
    pub fn references(&self, name: &str) -> Result<Vec<Reference>, String> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let list = value.as_array().and_then(|list| list.iter().map(reference).collect::<Option<_>>());
        list.ok_or_else(|| Self::wrong(name, "a list of references"))
    }

    /// The id that a field names; `None` where there is none.
    pub fn id(&self, name: &str) -> Result<Option<Uuid>, String> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        Uuid::try_parse(&text).map(Some).map_err(|_| Self::wrong(name, "an id"))
    }

    /// The id that a field must name.
    pub fn some_id(&self, name: &str) -> Result<Uuid, String> {
        self.id(name)?.ok_or_else(|| Self::wrong(name, "an id"))
    }

    /// The object's own id.
    pub fn own_id(&self) -> Result<Uuid, String> {
        Uuid::try_parse(&self.key.pk).map_err(|_| "its primary key is not an id".to_owned())
    }
}

fn reference(value: &Value) -> Option<Reference> {
    match value {
        Value::Number(number) => number.as_i64().map(Reference::Number),
        Value::String(text) => Some(Reference::Name(text.clone())),
        Value::Array(parts) => match parts.as_slice() {
            [Value::String(text)] => Some(Reference::Name(text.clone())),
            _ => None,
        },
        _ => None,
    }
}

/// A time with its thousandths, which nobody who has paid for them may lose.
fn read_time(text: &str) -> Option<Timestamp> {
    let whole = Timestamp::parse_lenient(text)?;
    let fraction = text.split_once('.').map_or("", |(_, rest)| rest);
    let digits: String = fraction.chars().take_while(char::is_ascii_digit).chain("000".chars()).take(3).collect();
    Some(Timestamp(whole.0 + digits.parse::<i64>().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        parse(text.as_bytes()).err().expect("it is refused").to_string()
    }

    #[test]
    fn what_is_no_dump_is_told_as_what_it_is() {
        assert!(refusal(r#"[{"model": "shop.host", "pk""#).contains("cut off (line 1"));
        assert!(refusal("").contains("cut off"));
        for text in ["{}", "null", "<?xml version=\"1.0\"?>", "[1]", r#"[{"model": "a.b", "pk": 1}]"#, "[] []"] {
            assert!(refusal(text).contains("not what `dumpdata` writes"), "{text}");
        }
        assert!(refusal(&"[".repeat(100_000)).contains("not what"), "nesting has a limit");
        let twice = r#"{"model": "shop.host", "pk": "x", "fields": {}}"#;
        assert_eq!(refusal(&format!("[{twice}, {twice}]")), "shop.host x is there twice");
        assert!(refusal(r#"[{"model": "shop.host", "fields": {}}]"#).contains("--natural-primary"));
    }

    #[test]
    fn times_keep_their_thousandths_in_every_form() {
        let second = Timestamp::parse_lenient("2024-03-01T12:00:00Z").unwrap();
        for (text, millis) in [
            ("2024-03-01T12:00:00Z", 0),
            ("2024-03-01T12:00:00.1Z", 100),
            ("2024-03-01T12:00:00.123456Z", 123),
            ("2024-03-01T14:00:00.123+02:00", 123),
        ] {
            assert_eq!(read_time(text), Some(Timestamp(second.0 + millis)), "{text}");
        }
        assert_eq!(read_time("yesterday"), None);
    }
}
