//! The change log.

use poem_openapi::param::Query;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use super::answer::{Answer, Reply};
use super::context::Context;
use super::page::{Page, Slice};
use super::signed::Signed;
use super::tag::Tag;
use super::values::{AdminChange, time};
use crate::services::changes;

/// The change log.
pub struct Changes;

/// An entry with its number.
#[derive(Debug, Serialize, Object)]
pub struct AdminLogged {
    /// Its number.
    pub number: i64,
    /// The entry.
    pub change: AdminChange,
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Tag::Admin")]
impl Changes {
    /// Who changed what, newest first, in pages; for administrators
    #[oai(path = "/changes/", method = "get", operation_id = "admin_change_list")]
    #[expect(clippy::too_many_arguments, reason = "each is a parameter of the query")]
    async fn list(
        &self,
        context: &Context,
        signed: Signed,
        /// Only those about this kind of thing: `order`, `product`, `host`, `node`, `operator`, `deny_entry`, `site`, …
        noun: Query<Option<String>>,
        /// Only those of this person: `operator:<name>`, `cli` or `cli:<account>`.
        person: Query<Option<String>>,
        /// Only those of this time or later: `YYYY-MM-DD` or with the time.
        from: Query<Option<String>>,
        /// Only those before this time.
        until: Query<Option<String>>,
        /// The `next` of the page before.
        after: Query<Option<String>>,
        /// So many in a page, at most 250.
        limit: Query<Option<u32>>,
    ) -> Answer<Reply<Page<AdminLogged>>> {
        let slice = Slice::of(after.0, limit.0)?;
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let query = changes::Query {
            noun: given(noun.0),
            person: given(person.0),
            from: time("from", from.0)?,
            until: time("until", until.0)?,
            after: slice.after(|text| text.parse().ok())?,
            limit: slice.wanted(),
        };
        let found = context.shop().read(&signed.by, |tx| changes::list(tx, &query))?;
        let shown = |(number, entry): (i64, changes::Entry)| AdminLogged { number, change: entry.into() };
        Ok(Reply(slice.page(found, |(number, _)| number.to_string(), shown)))
    }
}
