//! The language of a page: what was chosen with a link, what was chosen before (a cookie), what the browser prefers.

use http::{HeaderMap, HeaderValue, header};

use crate::domain::texts::Language;
use crate::http::server::client::Origin;
use crate::http::server::surface::Surface;

/// How long a choice is kept. Seconds.
const KEPT_SECS: u32 = 31_536_000;

/// The language that a link asks for in a parameter: `?lang=de`.
pub fn named(query: &[(String, String)], parameter: &str) -> Option<Language> {
    parse(&query.iter().rev().find(|(name, _)| name == parameter)?.1)
}

/// The language of a page.
pub fn of(asked: Option<Language>, headers: &HeaderMap, surface: Surface) -> Language {
    let accepted = || headers.get(header::ACCEPT_LANGUAGE).and_then(|line| line.to_str().ok());
    asked.or_else(|| kept(headers, surface)).unwrap_or_else(|| Language::accepted(accepted()))
}

/// The line that keeps a choice.
pub fn cookie(language: Language, origin: &Origin) -> Option<HeaderValue> {
    // Browsers drop what is `Secure` where there is no https, `.onion` among them.
    let secure = if origin.base.starts_with("https:") { "; Secure" } else { "" };
    let (name, tag) = (cookie_name(origin.surface), language.tag());
    HeaderValue::try_from(format!("{name}={tag}; Path=/; Max-Age={KEPT_SECS}; HttpOnly; SameSite=Strict{secure}")).ok()
}

fn kept(headers: &HeaderMap, surface: Surface) -> Option<Language> {
    let name = cookie_name(surface);
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(key, value)| parse(value).filter(|_| key == name))
}

/// Cookies know no ports: each face of the shop has its own.
const fn cookie_name(surface: Surface) -> &'static str {
    match surface {
        Surface::Clearnet => "ip2tor-language",
        Surface::Onion => "ip2tor-language-onion",
        Surface::Operators => "ip2tor-language-operators",
        Surface::Admin => "ip2tor-language-admin",
    }
}

fn parse(tag: &str) -> Option<Language> {
    Language::ALL.into_iter().find(|language| language.tag() == tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::server::client::Client;

    #[test]
    fn a_link_comes_before_a_cookie_and_that_before_the_browser() {
        let headers = |lines: &[(&'static str, &str)]| -> HeaderMap {
            lines.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
        };
        let german = headers(&[("accept-language", "de")]);
        assert_eq!(of(None, &german, Surface::Clearnet), Language::German);
        let kept = headers(&[("accept-language", "de"), ("cookie", "a=b; ip2tor-language=en")]);
        assert_eq!(of(None, &kept, Surface::Clearnet), Language::English);
        assert_eq!(of(None, &kept, Surface::Onion), Language::German, "that face's cookie is another one");
        assert_eq!(of(Some(Language::German), &kept, Surface::Clearnet), Language::German);
        let odd = headers(&[("cookie", "ip2tor-language=fr; ip2tor-language=; =;;")]);
        assert_eq!(of(None, &odd, Surface::Clearnet), Language::English);
    }

    #[test]
    fn only_https_makes_the_cookie_secure() {
        let line = |base: &str| {
            let origin = Origin { client: Client::Unknown, surface: Surface::Onion, base: base.to_owned() };
            cookie(Language::German, &origin).unwrap().to_str().unwrap().to_owned()
        };
        assert!(line("http://shop").ends_with("; HttpOnly; SameSite=Strict"));
        assert!(line("https://shop").ends_with("; HttpOnly; SameSite=Strict; Secure"));
    }
}
