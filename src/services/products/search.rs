//! Lists of products for those who run the shop, in pages.

use crate::domain::alias;
use crate::domain::id::{HostId, ProductId};
use crate::domain::product::ProductStatus;
use crate::domain::texts::Reason;
use crate::domain::time::Timestamp;
use crate::services::hosts::visible;
use crate::services::products::view::ProductView;
use crate::services::{Error, ReadTx, authz};
use crate::store::keyset::Span;
use crate::store::product_lists::{self as stored, Clue, Wanted};
use crate::store::{deals, hosts};

/// Which products are asked for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// What is remembered of one: its id or that of an order of it, its port, or how its target, alias, key or comment
    /// begins.
    pub text: Option<String>,
    /// Only those on this host.
    pub host: Option<HostId>,
    /// Only those in this state.
    pub status: Option<ProductStatus>,
    /// Only those that were ordered at this time or later.
    pub from: Option<Timestamp>,
    /// Only those that were ordered before this time.
    pub until: Option<Timestamp>,
    /// Those behind this one: the last of the page before.
    pub after: Option<ProductId>,
    /// Whether the oldest come first.
    pub oldest_first: bool,
    /// At most so many.
    pub limit: u32,
}

/// The products of the hosts that the one who asks may see, tombstones included.
///
/// # Errors
/// [`Error::NotFound`] for somebody else's host; [`Error::Invalid`] for an `after` that is not there any more.
pub fn list(tx: &ReadTx<'_>, query: &Query) -> Result<Vec<ProductView>, Error> {
    let db = tx.db;
    let hosts = visible::hosts_of(tx, query.host)?;
    let after = query.after.map(|id| position(tx, id)).transpose()?;
    let Query { from, until, oldest_first, limit, .. } = *query;
    let span = Span { from, until, after, oldest_first, limit };
    let wanted = Wanted { hosts, status: query.status, span };
    let found = match query.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => stored::search(db, &clue(tx, text)?, &wanted)?,
        None => stored::list(db, &wanted)?,
    };
    let mut named = visible::Named::default();
    found.into_iter().map(|seq| view(tx, seq, &mut named)).collect()
}

/// Where a page begins.
fn position(tx: &ReadTx<'_>, id: ProductId) -> Result<i64, Error> {
    let gone = || Error::field("after", Reason::PageGone);
    authz::needs_product(tx, id).map_err(|_| gone())?;
    stored::seq(tx.db, id)?.ok_or_else(gone)
}

/// What a text means that somebody types.
fn clue(tx: &ReadTx<'_>, text: &str) -> Result<Clue, Error> {
    if let Some(id) = ProductId::parse(text) {
        let of_order = deals::purchase(tx.db, crate::domain::id::OrderId(id.0))?.map(|(_, product)| product);
        return Ok(Clue::Id(of_order.unwrap_or(id)));
    }
    match text.parse::<u16>() {
        Ok(port) if port > 0 => Ok(Clue::Port(port)),
        // Targets and keys are stored in one spelling.
        _ => Ok(Clue::Beginning(alias::to_npub(text).unwrap_or_else(|| text.to_ascii_lowercase()))),
    }
}

fn view(tx: &ReadTx<'_>, seq: i64, named: &mut visible::Named) -> Result<ProductView, Error> {
    let product = stored::by_seq(tx.db, seq)?;
    let host = named.get(tx, product.host_id)?;
    Ok(ProductView { product, host })
}

/// What ends next on the hosts that the one who asks may see.
///
/// # Errors
/// [`Error::NotFound`] for those who run nothing.
pub fn ending_next(tx: &ReadTx<'_>, limit: u32) -> Result<Vec<ProductView>, Error> {
    let hosts = match visible::hosts_of(tx, None)? {
        Some(hosts) => hosts,
        None => hosts::ids(tx.db)?,
    };
    let mut found = Vec::new();
    for id in hosts {
        let products = stored::ending_next(tx.db, id, limit)?;
        if !products.is_empty() {
            let host = hosts::get_any(tx.db, id)?.ok_or(Error::NotFound)?;
            found.extend(products.into_iter().map(|product| ProductView { product, host: host.clone() }));
        }
    }
    found.sort_by_key(|view| view.product.suspend_after);
    found.truncate(limit as usize);
    Ok(found)
}
