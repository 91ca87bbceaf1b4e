//! The objects of the API as they stand in answers and requests: names, order and types are the
//! contract's. They serialise themselves and describe themselves in the document.

pub mod host;
mod nullable;
pub mod order;
pub mod product;
pub mod request;

use poem_openapi::Object;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::Type;
use serde::Serialize;

use crate::domain::time::{NEVER_WIRE, Timestamp};

pub use nullable::Nullable;

/// One sentence that says what is wrong.
#[derive(Debug, Serialize, Object)]
pub struct Detail {
    /// What is wrong.
    pub detail: String,
}

/// The two shapes of a 400: one sentence, or messages by field; those of a nested object by its fields.
pub fn bad_request() -> MetaSchemaRef {
    let one_of = |any_of| MetaSchemaRef::Inline(Box::new(MetaSchema { any_of, ..MetaSchema::ANY }));
    let by_name = |values| {
        let additional_properties = Some(Box::new(values));
        MetaSchemaRef::Inline(Box::new(MetaSchema { additional_properties, ..MetaSchema::new("object") }))
    };
    let nested = by_name(one_of(vec![Vec::<String>::schema_ref(), by_name(Vec::<String>::schema_ref())]));
    one_of(vec![Detail::schema_ref(), by_name(one_of(vec![Vec::<String>::schema_ref(), nested]))])
}

/// A date as the contract writes it, or null.
pub(in crate::http) fn date(date: Option<Timestamp>) -> Option<String> {
    date.map(Timestamp::to_wire)
}

/// The end of a product as the contract writes it: without one, the end of time.
pub fn end(end: Option<Timestamp>) -> String {
    end.map_or_else(|| NEVER_WIRE.to_owned(), Timestamp::to_wire)
}

/// An amount as the contract writes it: an integer, in msat.
pub(in crate::http) fn msat(amount: crate::domain::money::Msat) -> i64 {
    amount.to_db()
}
