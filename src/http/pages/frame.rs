//! What stands around every page: its head, the way to other pages, and the same page in other languages.

use super::assets;
use super::texts::Texts;
use crate::domain::texts::Language;
use crate::http::Branding;

/// The frame of a page.
pub struct Frame {
    /// The words.
    pub t: &'static Texts,
    /// What the page is about.
    pub title: String,
    /// The shop's name.
    pub shop: String,
    /// A picture beside it.
    pub logo: Option<String>,
    /// The stylesheet with the shop's own colours.
    pub brand: Option<String>,
    /// Links of its operator: words and address.
    pub links: Vec<(String, String)>,
    /// Whom to tell of abuse.
    pub abuse_contact: Option<String>,
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
    pub fn new(
        language: Language,
        query: &[(String, String)],
        title: String,
        shop: String,
        branding: &Branding,
    ) -> Self {
        let others = Language::ALL.into_iter().filter(|other| *other != language);
        Self {
            t: Texts::of(language),
            title,
            shop: branding.name.clone().unwrap_or(shop),
            logo: branding.logo().map(str::to_owned),
            brand: branding.style().map(str::to_owned),
            links: branding.links.clone(),
            abuse_contact: branding.abuse_contact.clone(),
            refresh: None,
            languages: others.map(|other| (other.tag(), name(other), link(query, other))).collect(),
            style: assets::STYLE_CSS,
            icon: assets::ICON_PNG,
            script: assets::SCRIPT_JS,
        }
    }

    #[cfg(test)]
    pub(super) fn sample(language: Language) -> Self {
        Self::new(language, &[], "A page".to_owned(), "A shop".to_owned(), &Branding::default())
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

#[cfg(test)]
mod tests {
    use askama::Template;

    use super::*;

    #[derive(Template)]
    #[template(path = "frame.html")]
    struct Bare {
        frame: Frame,
    }

    #[test]
    fn what_an_operator_writes_into_the_frame_is_never_markup() {
        let hostile = || "\"><script>alert('1')</script>".to_owned();
        for language in Language::ALL {
            let branding = Branding {
                name: Some(hostile()),
                links: vec![(hostile(), hostile())],
                abuse_contact: Some(hostile()),
                ..Branding::default()
            };
            let branding = branding.with_colours("#123456", "#abcdef").with_logo("image/png", vec![1]);
            let frame = Frame::new(language, &[], hostile(), "site".to_owned(), &branding);
            let page = Bare { frame }.render().unwrap();
            assert!(page.matches("<script").count() == 1 && !page.contains("'1'"), "only our own: {page}");
            assert!(page.contains("/branding/") && !page.contains("site"), "{page}");
        }
    }
}
