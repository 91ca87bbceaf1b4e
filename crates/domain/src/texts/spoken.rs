//! A key's text in a language.

use std::fmt;

use super::{Language, Message, OrderMessage, de, en};

impl OrderMessage {
    /// What the buyer reads.
    pub fn text(&self, language: Language) -> String {
        match language {
            Language::English => en::order(self),
            Language::German => de::order(self),
        }
    }
}

/// In English, for operators.
impl fmt::Display for OrderMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
    }
}

impl Message {
    /// What people read.
    pub fn text(&self, language: Language) -> String {
        match language {
            Language::English => en::message(self),
            Language::German => de::message(self),
        }
    }
}

/// In English, for logs and the command line.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Language::English))
    }
}
