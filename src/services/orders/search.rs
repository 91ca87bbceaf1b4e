//! Lists of orders for those who run the shop, in pages.

use crate::domain::id::{HostId, OrderId};
use crate::domain::lightning::PaymentHash;
use crate::domain::purchase::OrderStatus;
use crate::domain::texts::Reason;
use crate::domain::time::Timestamp;
use crate::services::hosts::visible;
use crate::services::orders::place::OrderView;
use crate::services::{Error, ReadTx, authz};
use crate::store::keyset::Span;
use crate::store::order_lists::{self as stored, Clue, Wanted};
use crate::store::products;

/// Which orders are asked for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// What is remembered of one: its id, that of its product, or a payment hash.
    pub text: Option<String>,
    /// Only those at this host.
    pub host: Option<HostId>,
    /// Only those in this state.
    pub status: Option<OrderStatus>,
    /// Only those that owe the buyer something.
    pub owed: bool,
    /// Only those that were placed at this time or later.
    pub from: Option<Timestamp>,
    /// Only those that were placed before this time.
    pub until: Option<Timestamp>,
    /// Those behind this one: the last of the page before.
    pub after: Option<OrderId>,
    /// Whether the oldest come first.
    pub oldest_first: bool,
    /// At most so many.
    pub limit: u32,
}

/// The orders at the hosts that the one who asks may see.
///
/// # Errors
/// [`Error::NotFound`] for somebody else's host; [`Error::Invalid`] for an `after` that is not there any more, or a text
/// that is neither an id nor a hash.
pub fn list(tx: &ReadTx<'_>, query: &Query) -> Result<Vec<OrderView>, Error> {
    let hosts = visible::hosts_of(tx, query.host)?;
    let after = query.after.map(|id| position(tx, id)).transpose()?;
    let Query { from, until, oldest_first, limit, .. } = *query;
    let span = Span { from, until, after, oldest_first, limit };
    let wanted = Wanted { hosts, status: query.status, owed: query.owed, span };
    let found = match query.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => stored::search(tx.db, clue(text)?, &wanted)?,
        None => stored::list(tx.db, &wanted)?,
    };
    let mut named = visible::Named::default();
    found.into_iter().map(|seq| view(tx, seq, &mut named)).collect()
}

/// Where a page begins. An order that nobody paid may have been deleted since.
fn position(tx: &ReadTx<'_>, id: OrderId) -> Result<i64, Error> {
    let gone = || Error::field("after", Reason::PageGone);
    authz::needs_order(tx, id).map_err(|_| gone())?;
    stored::seq(tx.db, id)?.ok_or_else(gone)
}

fn clue(text: &str) -> Result<Clue, Error> {
    let hash = || {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok().map(|()| Clue::Hash(PaymentHash(bytes)))
    };
    let wrong = || Error::field("q", Reason::NoClue);
    OrderId::parse(text).map(Clue::Id).or_else(hash).ok_or_else(wrong)
}

fn view(tx: &ReadTx<'_>, seq: i64, named: &mut visible::Named) -> Result<OrderView, Error> {
    let (purchase, product) = stored::by_seq(tx.db, seq)?;
    let product = products::get(tx.db, product)?.ok_or(Error::NotFound)?;
    let host = named.get(tx, product.host_id)?;
    Ok(OrderView { purchase, product, host })
}
