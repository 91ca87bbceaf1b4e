//! The objects of the API as they stand in answers and requests: names, order and types are the
//! contract's. They serialise themselves and describe themselves in the document.

pub mod host;
pub mod order;
pub mod product;
pub mod request;

use poem_openapi::Object;
use serde::Serialize;

use crate::domain::time::{NEVER_WIRE, Timestamp};

/// One sentence that says what is wrong.
#[derive(Debug, Serialize, Object)]
pub struct Detail {
    /// What is wrong.
    pub detail: String,
}

/// A date as the contract writes it, or null.
pub(super) fn date(date: Option<Timestamp>) -> Option<String> {
    date.map(Timestamp::to_wire)
}

/// The end of a product as the contract writes it: without one, the end of time.
pub fn end(end: Option<Timestamp>) -> String {
    end.map_or_else(|| NEVER_WIRE.to_owned(), Timestamp::to_wire)
}

/// An amount as the contract writes it: an integer, in msat.
pub(super) fn msat(amount: crate::domain::money::Msat) -> i64 {
    amount.to_db()
}
