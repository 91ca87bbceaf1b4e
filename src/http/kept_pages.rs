//! The pages that everybody looks at first, kept as they were packed last: to put a list together and to pack it costs
//! many times what else there is to do about it. Each is kept with everything that it was made of, and sent again only
//! while that is the same.

use bytes::Bytes;
use parking_lot::Mutex;

use crate::domain::fiat::Rate;
use crate::domain::id::HostId;
use crate::domain::texts::Language;

/// The front page and the list of hosts, in each language.
const MOST: usize = 4;
/// A larger page is made anew each time. Bytes, packed.
const MOST_PAGE: usize = 32 << 10;
/// What all of them take at most, in bytes, with the ids of their hosts.
pub const MOST_BYTES: usize = MOST * 2 * MOST_PAGE;

/// Everything that such a page is made of, beside what stays as long as the program runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// The title, which tells the pages apart.
    pub title: &'static str,
    /// The language.
    pub language: Language,
    /// The state of the database: hosts, prices, free ports, the shop's name.
    pub version: i64,
    /// The hosts that are there at this moment, which is also a matter of time.
    pub open: Vec<HostId>,
    /// What prices are converted with; it is used only while it is fresh.
    pub rate: Option<Rate>,
}

/// The pages.
#[derive(Default)]
pub struct KeptPages(Mutex<Vec<(Basis, Bytes)>>);

impl KeptPages {
    /// The page, if it was made of the same.
    pub fn get(&self, basis: &Basis) -> Option<Bytes> {
        let kept = self.0.lock();
        kept.iter().find(|(other, _)| other == basis).map(|(_, page)| page.clone())
    }

    /// Keeps a page in the place of what it was before.
    pub fn put(&self, basis: Basis, page: &Bytes) {
        let mut kept = self.0.lock();
        kept.retain(|(other, _)| (other.title, other.language) != (basis.title, basis.language));
        if page.len() <= MOST_PAGE && kept.len() < MOST {
            kept.push((basis, page.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::fiat::Currency;

    fn basis(title: &'static str, version: i64) -> Basis {
        Basis { title, language: Language::English, version, open: vec![HostId(Uuid::nil())], rate: None }
    }

    #[test]
    fn a_page_is_sent_again_only_while_all_that_it_was_made_of_is_the_same() {
        let pages = KeptPages::default();
        pages.put(basis("front", 1), &Bytes::from_static(b"one"));
        assert_eq!(pages.get(&basis("front", 1)).as_deref(), Some(b"one".as_slice()));
        let rate = Rate { currency: Currency::parse("EUR").expect("a currency"), cents: 1 };
        for other in [
            basis("list", 1),
            basis("front", 2),
            Basis { language: Language::German, ..basis("front", 1) },
            Basis { open: Vec::new(), ..basis("front", 1) },
            Basis { rate: Some(rate), ..basis("front", 1) },
        ] {
            assert_eq!(pages.get(&other), None, "{other:?}");
        }
    }

    #[test]
    fn each_page_is_kept_once_and_few_of_them_and_none_that_is_large() {
        let pages = KeptPages::default();
        for version in 0..9 {
            pages.put(basis("front", version), &Bytes::from_static(b"x"));
        }
        assert!(pages.get(&basis("front", 8)).is_some());
        assert_eq!(pages.0.lock().len(), 1);
        pages.put(basis("front", 9), &Bytes::from(vec![0; MOST_PAGE + 1]));
        assert!(pages.0.lock().is_empty());
        for title in ["a", "b", "c", "d", "e"] {
            pages.put(basis(title, 1), &Bytes::from_static(b"x"));
        }
        assert_eq!(pages.0.lock().len(), MOST);
    }
}
