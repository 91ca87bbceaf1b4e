//! Sets the shop's domain and name; [`super::hosts::catalog::site`] reads them.

use super::hosts::catalog::{Site, site};
use super::{Error, Tx, authz};
use crate::domain::text::is_plain_name;
use crate::domain::texts::Reason;
use crate::store::meta;

/// The longest domain or name, as on the predecessor.
const MAX: usize = 100;

/// Sets the domain, the name or both.
///
/// # Errors
/// [`Error::Invalid`] by field.
pub fn set(tx: &Tx<'_>, domain: Option<&str>, name: Option<&str>) -> Result<Site, Error> {
    let db = tx.db;
    authz::needs_administrator(tx.actor)?;
    if let Some(domain) = domain {
        let domain = domain.trim();
        check("domain", domain, is_no_url(domain))?;
        meta::set_text(db, "site_domain", domain)?;
        tx.record("site", "site", &format!("domain set to {domain}"))?;
    }
    if let Some(name) = name {
        let name = name.trim();
        check("name", name, true)?;
        meta::set_text(db, "site_name", name)?;
        tx.record("site", "site", &format!("name set to {name}"))?;
    }
    site(db)
}

/// Whether these can be a shop's domain and name.
pub(super) fn fits(domain: &str, name: &str) -> bool {
    check("domain", domain, is_no_url(domain)).is_ok() && check("name", name, true).is_ok()
}

/// A domain stands alone: without a scheme, a path or whose it is.
fn is_no_url(domain: &str) -> bool {
    !domain.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '@' | '"' | '\'' | '<' | '>'))
}

fn check(field: &'static str, text: &str, fits: bool) -> Result<(), Error> {
    let length = text.chars().count();
    if fits && (1..=MAX).contains(&length) && is_plain_name(text) {
        return Ok(());
    }
    Err(Error::field(field, Reason::NoSiteText { text: text.to_owned(), most: MAX }))
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{administrator, database};
    use super::*;

    #[test]
    fn a_site_keeps_what_is_not_set() {
        let (_dir, db) = database();
        let name = db.read(site).unwrap().name;
        let session = administrator();
        let changed = session.write(&db, move |tx| set(tx, Some("shop.example"), None)).unwrap();
        assert_eq!((changed.domain.as_str(), changed.name), ("shop.example", name));
        for name in ["a\u{200b}b", "a\u{1b}b", "a\u{3164}"] {
            let session = administrator();
            assert!(session.write(&db, move |tx| set(tx, None, Some(name))).is_err(), "{name:?}");
        }
        let session = administrator();
        assert!(session.write(&db, move |tx| set(tx, Some("https://shop.example"), None)).is_err());
    }
}
