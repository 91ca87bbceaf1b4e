//! How values stand in bodies, and how parameters are read: times as `YYYY-MM-DDTHH:MM:SSZ`, amounts in msat, ids as UUIDs.

use poem_openapi::Object;
use serde::Serialize;

use crate::domain::money::Msat;
use crate::domain::texts::{Language, Message};
use crate::domain::time::Timestamp;
use crate::http::problem::Problem;
use crate::services::changes::Entry;

pub(in crate::http) use crate::http::contract::dto::{date, msat};

/// A setting as it stands in a body.
pub trait Shown: Sized {
    /// Its type there.
    type As;

    /// As it is shown.
    fn shown(&self) -> Self::As;

    /// As it was sent.
    fn read(sent: Self::As) -> Self;
}

macro_rules! shown_as_it_is {
    ($($type:ty),*) => {$(
        impl Shown for $type {
            type As = Self;

            fn shown(&self) -> Self {
                self.clone()
            }

            fn read(sent: Self) -> Self {
                sent
            }
        }
    )*};
}

shown_as_it_is!(String, bool, i64, u16);

impl Shown for Msat {
    type As = u64;

    fn shown(&self) -> u64 {
        self.0
    }

    fn read(sent: u64) -> Self {
        Self(sent)
    }
}

/// An optional parameter that has to be one of some values; an empty one is none.
pub fn one_of<T>(
    name: &'static str,
    text: Option<String>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Problem> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let wrong = Problem::field(name, Message::NoChoice { value: text.clone() });
    parse(&text).map(Some).ok_or(wrong)
}

/// An optional parameter that is a time or a day.
pub fn time(name: &'static str, text: Option<String>) -> Result<Option<Timestamp>, Problem> {
    one_of(name, text, Timestamp::parse_lenient)
}

/// One entry of the change log.
#[derive(Debug, Serialize, Object)]
pub struct AdminChange {
    /// When.
    pub at: String,
    /// Who: `operator:<name>`, `cli:<account>`, `host:<id>`, `node:<id>`, `buyer` or `shop`.
    pub actor: String,
    /// What kind of thing changed.
    pub noun: String,
    /// Its id.
    pub noun_id: String,
    /// What changed, in words (English).
    pub change: String,
}

impl From<Entry> for AdminChange {
    fn from(entry: Entry) -> Self {
        let Entry { at, actor, noun, noun_id, change } = entry;
        Self { at: at.to_wire(), actor, noun, noun_id, change }
    }
}

/// What a change may say of its reason.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct AdminReason {
    /// Why, for the change log; at most 140 characters.
    pub reason: Option<String>,
}

/// The longest reason.
const MAX_REASON: usize = 140;

/// A reason as it goes to the log.
pub fn reason(text: Option<String>) -> Result<Option<String>, Problem> {
    let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    match text {
        Some(text) if text.chars().count() > MAX_REASON => {
            Err(Problem::field("reason", Message::TooLong { max: MAX_REASON }))
        }
        text => Ok(text),
    }
}

/// An order's message in a language.
pub fn told(message: Option<&crate::domain::texts::OrderMessage>, language: Language) -> Option<String> {
    message.map(|message| message.text(language))
}
