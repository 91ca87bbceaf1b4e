//! The words of the pages: one value per language with a text for every place, so that a missing one does not compile.
//! What orders and errors say themselves is in `domain::texts`.

mod de;
mod en;
mod words;

pub use words::Texts;

use crate::domain::texts::Language;

impl Texts {
    /// Those of a language.
    pub const fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &en::TEXTS,
            Language::German => &de::TEXTS,
        }
    }
}
