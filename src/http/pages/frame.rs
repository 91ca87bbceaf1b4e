//! What stands around every page: its head, the way to other pages, and the same page in other languages.

use super::assets;
use super::texts::Texts;
use crate::domain::texts::Language;

/// The frame of a page.
pub struct Frame {
    /// The words.
    pub t: &'static Texts,
    /// What the page is about.
    pub title: String,
    /// The shop's name.
    pub shop: String,
    /// After so many seconds a browser without JavaScript looks again.
    pub refresh: Option<u32>,
    /// The other languages: tag, own name, link.
    pub languages: Vec<(&'static str, &'static str, String)>,
    /// Where the stylesheet is.
    pub style: &'static str,
    /// Where the icon is.
    pub icon: &'static str,
    /// Where the script is.
    pub script: &'static str,
}

impl Frame {
    /// The frame of a page in a language, asked for with a query.
    pub fn new(language: Language, query: &[(String, String)], title: String, shop: String) -> Self {
        let others = Language::ALL.into_iter().filter(|other| *other != language);
        Self {
            t: Texts::of(language),
            title,
            shop,
            refresh: None,
            languages: others.map(|other| (other.tag(), name(other), link(query, other))).collect(),
            style: assets::STYLE_CSS,
            icon: assets::ICON_PNG,
            script: assets::SCRIPT_JS,
        }
    }

    #[cfg(test)]
    pub(super) fn sample(language: Language) -> Self {
        Self::new(language, &[], "A page".to_owned(), "A shop".to_owned())
    }
}

const fn name(language: Language) -> &'static str {
    match language {
        Language::English => "English",
        Language::German => "Deutsch",
    }
}

/// The same page in another language; what else was asked for stays.
fn link(query: &[(String, String)], language: Language) -> String {
    let kept = query.iter().filter(|(name, _)| name != "lang").map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<(&str, &str)> = kept.chain([("lang", language.tag())]).collect();
    format!("?{}", serde_urlencoded::to_string(all).unwrap_or_default())
}
