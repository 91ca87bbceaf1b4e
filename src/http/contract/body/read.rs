//! Reading fields one by one: each function says what a field may be, and every message of a body
//! is collected before it is answered.

use serde_json::Value;

use super::{Input, python_text};
use crate::domain::text;
use crate::domain::texts::Message;
use crate::domain::time::Timestamp;
use crate::http::problem::{FieldProblem, Fields, Problem};

/// What a text field may be.
#[derive(Clone, Copy, Debug)]
pub struct TextRule {
    /// The most characters; 0 is no limit.
    pub max: usize,
    /// Whether it may be empty.
    pub blank: bool,
    /// Whether it may be null (read as `Some(None)`).
    pub null: bool,
}

/// Reads the fields of one body and collects what is wrong with them, in the order of reading.
pub struct Reader<'a> {
    input: &'a Input,
    problems: Fields,
}

impl<'a> Reader<'a> {
    /// A reader of this body.
    pub fn new(input: &'a Input) -> Self {
        Self { input, problems: Fields::default() }
    }

    /// Notes a message under a field.
    pub fn complain(&mut self, name: &str, message: Message) {
        self.problems.add(name, message);
    }

    /// Notes what is only found out once all fields are read, in the field's place: behind those of
    /// `earlier`.
    pub fn complain_late(&mut self, earlier: &[&str], name: &str, message: Message) {
        self.problems.insert_behind(earlier, name, message);
    }

    /// Notes messages of a nested field.
    pub fn complain_nested(&mut self, name: &str, fields: Fields) {
        self.problems.set(name, FieldProblem::Nested(fields));
    }

    /// Whether anything is wrong so far.
    pub fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// All messages at once, or nothing.
    pub fn finish(self) -> Result<(), Problem> {
        if self.problems.is_empty() { Ok(()) } else { Err(Problem::fields(self.problems)) }
    }

    /// The value of a field as it came.
    pub fn raw(&self, name: &str) -> Option<&'a Value> {
        self.input.fields.get(name)
    }

    /// Like [`Reader::raw`], with a message when it is missing.
    pub fn required(&mut self, name: &str) -> Option<&'a Value> {
        let value = self.raw(name);
        if value.is_none() {
            self.complain(name, Message::Required);
        }
        value
    }

    /// A text. `None`: absent or wrong; `Some(None)`: null.
    pub fn text(&mut self, name: &str, rule: TextRule) -> Option<Option<String>> {
        let value = self.raw(name)?;
        let text = match value {
            Value::Null if rule.null => return Some(None),
            Value::Null => return self.refuse(name, Message::Null),
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return self.refuse(name, Message::NoString),
        };
        if text.is_empty() && !rule.blank {
            // A form sends every field of a page, also those that were left empty.
            return if self.input.is_form { None } else { self.refuse(name, Message::Blank) };
        }
        if text.contains('\0') {
            return self.refuse(name, Message::NullCharacters);
        }
        if !text::is_plain_text(&text) {
            return self.refuse(name, Message::NotPlain);
        }
        if rule.max > 0 && text.chars().count() > rule.max {
            return self.refuse(name, Message::TooLong { max: rule.max });
        }
        Some(Some(text))
    }

    /// A truth value in one of the spellings that clients use.
    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        let found = match self.raw(name)? {
            Value::Null => return self.refuse(name, Message::Null),
            Value::Bool(value) => Some(*value),
            Value::Number(number) => match number.as_f64() {
                Some(1.0) => Some(true),
                Some(0.0) => Some(false),
                _ => None,
            },
            Value::String(text) => truth(text),
            _ => None,
        };
        found.or_else(|| self.refuse(name, Message::NoBoolean))
    }

    /// A whole number within bounds; texts and `1.0` count.
    pub fn integer(&mut self, name: &str, min: i64, max: i64) -> Option<i64> {
        let value = self.raw(name)?;
        let number = match value {
            Value::Null => return self.refuse(name, Message::Null),
            Value::String(text) if text.is_empty() && self.input.is_form => return None,
            Value::String(text) if text.len() > 1000 => return self.refuse(name, Message::NumberTooLong),
            value => whole(value),
        };
        let Some(number) = number else { return self.refuse(name, Message::NoInteger) };
        if number > i128::from(max) {
            return self.refuse(name, Message::AtMost { max });
        }
        if number < i128::from(min) {
            return self.refuse(name, Message::AtLeast { min });
        }
        i64::try_from(number).ok()
    }

    /// A point in time. `None`: absent or wrong; `Some(None)`: null.
    pub fn date(&mut self, name: &str) -> Option<Option<Timestamp>> {
        match self.raw(name)? {
            Value::Null => Some(None),
            Value::String(text) if text.is_empty() && self.input.is_form => Some(None),
            Value::String(text) if text.len() <= 64 => match Timestamp::parse_lenient(text) {
                Some(date) => Some(Some(date)),
                None => self.refuse(name, Message::NoDate),
            },
            _ => self.refuse(name, Message::NoDate),
        }
    }

    /// One of the values that `parse` knows.
    pub fn choice<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let value = self.raw(name)?;
        let found = match value {
            Value::Null => return self.refuse(name, Message::Null),
            Value::String(text) => parse(text),
            _ => None,
        };
        found.or_else(|| self.refuse(name, Message::NoChoice { value: python_text(value) }))
    }

    /// An id in any form that clients use, also as a number.
    pub fn uuid<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let found = match self.raw(name)? {
            Value::Null => return self.refuse(name, Message::Null),
            Value::String(text) => parse(text),
            Value::Number(number) => {
                number.as_u64().and_then(|number| parse(&uuid::Uuid::from_u128(u128::from(number)).to_string()))
            }
            _ => None,
        };
        found.or_else(|| self.refuse(name, Message::NoUuid))
    }

    fn refuse<T>(&mut self, name: &str, message: Message) -> Option<T> {
        self.complain(name, message);
        None
    }
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "t" | "T" | "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" | "1" => {
            Some(true)
        }
        "f" | "F" | "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" | "0" => {
            Some(false)
        }
        _ => None,
    }
}

/// A whole number, however it is written: `1`, `"1"`, `1.0`, `"1.00"`.
fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), ..) => Some(i128::from(number)),
            (_, Some(number), _) => Some(i128::from(number)),
            (.., Some(number)) if number.fract() == 0.0 && number.abs() < 1e30 => Some(number as i128),
            _ => None,
        },
        Value::String(text) => {
            let text = text.trim();
            let digits = match text.split_once('.') {
                Some((whole, zeros)) if zeros.bytes().all(|byte| byte == b'0') => whole,
                _ => text,
            };
            digits.parse().ok()
        }
        _ => None,
    }
}
