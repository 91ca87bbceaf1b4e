//! Lists in pages by key: `?after=…&limit=…` asks for those behind a key, and the answer names the key to go on with.
//! What was added or removed in between moves nothing, and a page far behind costs no more than the first.

use poem_openapi::Object;
use poem_openapi::types::{ParseFromJSON, ToJSON, Type};
use serde::Serialize;

use crate::domain::texts::Message;
use crate::http::contract::dto::Nullable;
use crate::http::problem::Problem;

/// So many are in a page when nobody says how many.
const USUAL: u32 = 50;
/// So many are in a page at most.
const MOST: u32 = 250;

/// One page of a list.
#[derive(Debug, Serialize, Object)]
pub struct Page<T: Type + ParseFromJSON + ToJSON> {
    /// What is in it.
    pub items: Vec<T>,
    /// What `after` is for the next page; without a next page it is null.
    pub next: Nullable<String>,
}

/// Which part of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Behind this key.
    pub after: Option<String>,
    /// So many at most.
    pub limit: u32,
}

impl Slice {
    /// Of the parameters `after` and `limit`.
    ///
    /// # Errors
    /// A limit that is 0 or too large.
    pub fn of(after: Option<String>, limit: Option<u32>) -> Result<Self, Problem> {
        match limit.unwrap_or(USUAL) {
            0 => Err(Problem::field("limit", Message::AtLeast { min: 1 })),
            limit if limit > MOST => Err(Problem::field("limit", Message::AtMost { max: MOST.into() })),
            limit => Ok(Self { after, limit }),
        }
    }

    /// The key behind which to begin.
    ///
    /// # Errors
    /// One that is none.
    pub fn after<K>(&self, parse: impl FnOnce(&str) -> Option<K>) -> Result<Option<K>, Problem> {
        let wrong = || Problem::field("after", Message::NoChoice { value: self.after.clone().unwrap_or_default() });
        self.after.as_deref().map(|text| parse(text).ok_or_else(wrong)).transpose()
    }

    /// How many the store is to be asked for: one more than are shown, which tells whether there is a next page.
    pub const fn wanted(&self) -> u32 {
        self.limit + 1
    }

    /// The page of what the store has found; `key` names one, `view` is how it is shown.
    pub fn page<R, T: Type + ParseFromJSON + ToJSON>(
        &self,
        mut found: Vec<R>,
        key: impl Fn(&R) -> String,
        view: impl FnMut(R) -> T,
    ) -> Page<T> {
        let limit = self.limit as usize;
        let has_more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| has_more).map(key);
        Page { items: found.into_iter().map(view).collect(), next: Nullable(next) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages_of(all: &[i64], limit: u32) -> Vec<Vec<i64>> {
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let slice = Slice::of(after, Some(limit)).unwrap();
            let begin = slice.after(|text| text.parse::<i64>().ok()).unwrap().unwrap_or(i64::MIN);
            let found = all.iter().copied().filter(|id| *id > begin).take(slice.wanted() as usize).collect();
            let page = slice.page(found, i64::to_string, |id| id);
            pages.push(page.items);
            match page.next.0 {
                Some(next) => after = Some(next),
                None => return pages,
            }
        }
    }

    #[test]
    fn every_item_is_in_one_page_and_no_page_is_promised_that_is_empty() {
        assert_eq!(pages_of(&[1, 2, 3, 4], 2), [vec![1, 2], vec![3, 4]]);
        assert_eq!(pages_of(&[1, 2, 3], 2), [vec![1, 2], vec![3]]);
        assert_eq!(pages_of(&[], 2), [Vec::<i64>::new()]);
    }

    #[test]
    fn a_limit_or_a_key_that_can_not_be_is_refused() {
        assert!(Slice::of(None, Some(0)).is_err() && Slice::of(None, Some(MOST + 1)).is_err());
        let slice = Slice::of(Some("x".to_owned()), None).unwrap();
        assert!(slice.after(|text| text.parse::<i64>().ok()).is_err());
    }
}
