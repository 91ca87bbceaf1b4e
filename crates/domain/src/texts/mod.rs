//! What people read, by key: a key says what is meant, and each language has a text for every one of them. The texts
//! are exhaustive matches, so a missing one does not compile, and nothing has to recognise a sentence again.

use strum::EnumCount;

mod de;
mod en;
pub mod message;
pub mod order;
pub mod reason;
mod spoken;

pub use message::{Message, OnionFault};
pub use order::{Ending, OrderMessage};
pub use reason::Reason;

/// A language of the answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, EnumCount)]
pub enum Language {
    /// English, also for everything unknown.
    #[default]
    English,
    /// German.
    German,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; Self::COUNT] = [Self::English, Self::German];

    /// The best known language of an `Accept-Language` header.
    pub fn accepted(header: Option<&str>) -> Self {
        let mut best = (Self::English, 0.0);
        for choice in header.unwrap_or_default().split(',').take(16) {
            let (tag, parameters) = choice.split_once(';').unwrap_or((choice, ""));
            let quality = parameters.trim().strip_prefix("q=").and_then(|q| q.trim().parse().ok()).unwrap_or(1.0);
            let language = match tag.trim().split('-').next().map(str::to_ascii_lowercase).as_deref() {
                Some("de") => Self::German,
                Some("en") => Self::English,
                _ => continue,
            };
            if quality > best.1 {
                best = (language, quality);
            }
        }
        best.0
    }

    /// The value of `Content-Language`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn the_best_known_language_wins_and_english_is_the_default() {
        for (header, tag) in [
            (None, "en"),
            (Some("de"), "de"),
            (Some("de-AT,en;q=0.5"), "de"),
            (Some("fr, de;q=0.2, en;q=0.8"), "en"),
            (Some("de, en"), "de"),
            (Some("en, de"), "en"),
            (Some("fr"), "en"),
            (Some(";;q=x,,"), "en"),
        ] {
            assert_eq!(Language::accepted(header).tag(), tag, "{header:?}");
        }
    }
}
