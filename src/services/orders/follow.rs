//! Orders as their buyers follow them: one with everything that is said of it, those of a product, and one of which only
//! its payment is known.

use super::place::OrderView;
use crate::domain::host::Host;
use crate::domain::id::{OrderId, ProductId};
use crate::domain::lightning::{PaymentHash, Preimage};
use crate::domain::product::{Product, ProductKind};
use crate::domain::purchase::Purchase;
use crate::services::Error;
use crate::services::products::view::existing;
use crate::services::shop::Shop;
use crate::store::claims::{Claim, ClaimState};
use crate::store::deals::Search;
use crate::store::{claims, deals, hosts, products, refunds};

/// More orders of one product are not shown.
const MOST_ORDERS: u32 = 50;

/// An order, and how what it owes is coming back.
#[derive(Clone, Debug)]
pub struct Followed {
    /// The order.
    pub view: OrderView,
    /// Whether what is owed is on its way.
    pub is_being_paid_back: bool,
    /// How its buyer has asked for it.
    pub claim: Option<Claim>,
}

/// A product with its orders.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug)]
pub struct Bought {
    pub product: Product,
    pub host: Host,
    /// Its orders, the newest first, so many as are shown.
    pub orders: Vec<Purchase>,
}

/// An order as its buyer follows it.
pub fn follow(shop: &Shop, id: OrderId) -> Result<Followed, Error> {
    let view = super::place::view(shop, id)?;
    let (refund, claim) = shop.db.read(|db| Ok::<_, Error>((refunds::open_of(db, id)?, claims::get(db, id)?)))?;
    let is_claimed = claim.as_ref().is_some_and(|claim| claim.state == ClaimState::Open);
    Ok(Followed { view, is_being_paid_back: refund.is_some() || is_claimed, claim })
}

/// A product that anybody may look at, knowing its id, with its orders.
pub fn bought(shop: &Shop, id: ProductId, kind: ProductKind) -> Result<Bought, Error> {
    shop.db.read(|db| {
        let product = existing(db, id, kind)?;
        let host = hosts::get_any(db, product.host_id)?.ok_or(Error::NotFound)?;
        let search = Search { product: Some(id), limit: MOST_ORDERS, ..Search::default() };
        let orders = deals::search(db, search)?.into_iter().map(|(purchase, _)| purchase).collect();
        Ok(Bought { product, host, orders })
    })
}

/// The kind of a product, for one who knows its id.
pub fn kind_of(shop: &Shop, id: ProductId) -> Result<Option<ProductKind>, Error> {
    shop.db.read(|db| {
        let product = products::get(db, id)?.filter(|product| product.deleted_at.is_none());
        Ok(product.map(|product| product.kind()))
    })
}

/// The order whose invoice has this hash.
pub fn by_hash(shop: &Shop, hash: PaymentHash) -> Result<Option<Purchase>, Error> {
    shop.db.read(|db| {
        let Some(order) = deals::order_of_hash(db, hash)? else { return Ok(None) };
        Ok(deals::purchase(db, order)?.map(|(purchase, _)| purchase))
    })
}

/// The order that somebody has paid who shows its preimage.
pub fn by_preimage(shop: &Shop, preimage: &Preimage) -> Result<Option<OrderId>, Error> {
    Ok(by_hash(shop, preimage.hash())?.map(|purchase| purchase.id))
}
