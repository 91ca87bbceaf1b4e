//! Products as hosts and buyers see them, and what a host may report.

use crate::store::Connection;

use crate::domain::deal::{Deal, Refusal};
use crate::domain::host::Host;
use crate::domain::id::{HostId, ProductId};
use crate::domain::product::{Product, ProductKind, ProductStatus};
use crate::domain::purchase::{OrderStatus, Purchase};
use crate::domain::texts::Message;
use crate::domain::time::Timestamp;
use crate::services::authz::{self, Reach};
use crate::services::deals::change_product;
use crate::services::shop::Shop;
use crate::services::{Error, Principal, ReadTx, Tx};
use crate::store::products;
use crate::store::products::{Filter, Order};
use crate::store::{hosts, refunds};

/// A product with its host.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug)]
pub struct ProductView {
    pub product: Product,
    pub host: Host,
}

/// What a host (or an administrator) asks to change; `None` leaves a field alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductPatch {
    /// The new status.
    pub status: Option<ProductStatus>,
    /// The new comment; the inner `None` clears it.
    pub comment: Option<Option<String>>,
    /// Bytes left, as the host counts them.
    pub bandwidth_remaining: Option<i64>,
    /// When they were counted.
    pub bandwidth_last_checked: Option<Option<Timestamp>>,
}

/// A product that anybody may look at, knowing its id.
pub fn public(shop: &Shop, id: ProductId, kind: ProductKind) -> Result<Product, Error> {
    shop.db.read(|db| existing(db, id, kind))
}

/// A product of a kind that is not deleted.
pub(in crate::services) fn existing(db: &Connection, id: ProductId, kind: ProductKind) -> Result<Product, Error> {
    let product = products::get(db, id)?.ok_or(Error::NotFound)?;
    if product.kind() == kind && product.deleted_at.is_none() { Ok(product) } else { Err(Error::NotFound) }
}

fn visible(tx: &ReadTx<'_>, id: ProductId, kind: ProductKind) -> Result<ProductView, Error> {
    let product = existing(tx.db, id, kind)?;
    let host = hosts::get_any(tx.db, product.host_id)?;
    let host = host.filter(|host| authz::compatible(tx.actor).includes(host)).ok_or(Error::NotFound)?;
    Ok(ProductView { product, host })
}

/// One product, to its host or an administrator; its host may have it from here on.
pub async fn show(shop: &Shop, by: &Principal, id: ProductId, kind: ProductKind) -> Result<ProductView, Error> {
    loop {
        let view = get(shop, by, id, kind)?;
        if tell(shop, by, std::slice::from_ref(&view)).await? {
            return Ok(view);
        }
    }
}

/// One product, if the caller may see it.
pub fn get(shop: &Shop, by: &Principal, id: ProductId, kind: ProductKind) -> Result<ProductView, Error> {
    shop.read(by, |tx| visible(tx, id, kind))
}

/// The products that the caller may see, newest first, as hosts are told of them: from here on a host may have what is
/// P among them, and has it in the order in which it was paid, since the longest waiting one is the first to be given
/// up. A `host` that the caller may not see gives an empty list, one that does not exist an error under `host`.
pub async fn list(
    shop: &Shop,
    by: &Principal,
    kind: ProductKind,
    host: Option<HostId>,
    status: Option<ProductStatus>,
) -> Result<Vec<ProductView>, Error> {
    loop {
        let views = look(shop, by, kind, host, status).await?;
        if tell(shop, by, &views).await? {
            return Ok(views);
        }
    }
}

/// Notes, before its host hears of it, that products are shown as P for the first time; a host that polls for what it
/// knows costs no write. `false` when one of them is P no more: it must not be shown so, since its port may be
/// another's by now. What anybody else looks at stands nowhere: were it noted, a port that no host knows would have to
/// be reported as taken down, and a page could have an administrator's browser look.
async fn tell(shop: &Shop, by: &Principal, views: &[ProductView]) -> Result<bool, Error> {
    let news = views.iter().map(|view| &view.product).filter(|product| is_news(by, product));
    let news: Vec<ProductId> = news.map(|product| product.id).collect();
    if news.is_empty() {
        return Ok(true);
    }
    let now = shop.now();
    shop.tx(&Principal::Shop, move |tx| {
        let db = tx.db;
        let mut all = true;
        for id in news {
            all &= products::mark_shown(db, id, now)?;
        }
        Ok(all)
    })
    .await
}

/// Whether somebody is a host that hears of a product as P for the first time.
fn is_news(by: &Principal, product: &Product) -> bool {
    let is_waiting = product.status == ProductStatus::NeedsActivate;
    is_waiting && product.shown_at.is_none() && matches!(by, Principal::Host(_))
}

/// A product as it is answered after its change. What tells its host of it as P is noted as [`tell`] does, in the
/// transaction of the change: nothing can come between.
fn answered(tx: &Tx<'_>, id: ProductId, kind: ProductKind) -> Result<ProductView, Error> {
    let view = visible(tx, id, kind)?;
    if !is_news(tx.actor, &view.product) {
        return Ok(view);
    }
    products::mark_shown(tx.db, id, tx.now)?;
    visible(tx, id, kind)
}

async fn look(
    shop: &Shop,
    by: &Principal,
    kind: ProductKind,
    host: Option<HostId>,
    status: Option<ProductStatus>,
) -> Result<Vec<ProductView>, Error> {
    let by = by.clone();
    let query = move |db: &Connection| {
        if let Some(host) = host
            && hosts::get(db, host)?.is_none()
        {
            return Err(Error::field("host", Message::NotAvailable));
        }
        let host = match (authz::compatible(&by), host) {
            (Reach::Everything, host) => host,
            (Reach::Host(own), None) => Some(own),
            (Reach::Host(own), Some(host)) if own == host => Some(host),
            _ => return Ok(Vec::new()),
        };
        let is_work = matches!(by, Principal::Host(_)) && status == Some(ProductStatus::NeedsActivate);
        let order = if is_work { Order::LongestPendingFirst } else { Order::NewestFirst };
        with_hosts(db, products::list(db, kind, Filter { host, status }, order)?)
    };
    // What a host polls for is short; everything else may be long.
    if status.is_some_and(|status| matches!(status, ProductStatus::NeedsActivate | ProductStatus::NeedsSuspend)) {
        shop.db.read(query)
    } else {
        shop.db.scan(query).await
    }
}

fn with_hosts(db: &Connection, products: Vec<Product>) -> Result<Vec<ProductView>, Error> {
    let mut known: Vec<Host> = Vec::new();
    let mut views = Vec::with_capacity(products.len());
    for product in products {
        let host = match known.iter().find(|host| host.id == product.host_id) {
            Some(host) => host.clone(),
            None => {
                let host = hosts::get_any(db, product.host_id)?.ok_or(Error::NotFound)?;
                known.push(host.clone());
                host
            }
        };
        views.push(ProductView { product, host });
    }
    Ok(views)
}

/// Changes what the caller may change.
pub async fn patch(
    shop: &Shop,
    by: &Principal,
    id: ProductId,
    kind: ProductKind,
    patch: ProductPatch,
) -> Result<ProductView, Error> {
    let inner = shop.clone();
    shop.tx(by, move |tx| {
        let db = tx.db;
        visible(tx, id, kind)?;
        change_product(&inner, tx, id, |deal, now| {
            refuse_late_delivery(db, deal, &patch)?;
            apply(deal, &patch, now)
        })?;
        answered(tx, id, kind)
    })
    .await
}

/// What an order in state N paid for is not delivered while the node may be paying its buyer back: the buyer would
/// have both.
fn refuse_late_delivery(db: &Connection, deal: &Deal, patch: &ProductPatch) -> Result<(), Error> {
    if patch.status != Some(ProductStatus::Active) || deal.product.status == ProductStatus::Active {
        return Ok(());
    }
    let undelivered = |purchase: &&Purchase| purchase.has_claim() && purchase.status == OrderStatus::NeedsRefund;
    for purchase in deal.purchases.iter().filter(undelivered) {
        if refunds::open_of(db, purchase.id)?.is_some() {
            return Err(Error::field("status", Message::BeingPaidBack));
        }
    }
    Ok(())
}

fn apply(deal: &mut Deal, patch: &ProductPatch, now: Timestamp) -> Result<(), Error> {
    if let Some(comment) = &patch.comment {
        deal.product.comment.clone_from(comment);
    }
    if let Some(remaining) = patch.bandwidth_remaining {
        report_remaining(deal, remaining, now)?;
    }
    if let Some(checked) = patch.bandwidth_last_checked {
        deal.product.bandwidth_checked_at = checked;
    }
    match patch.status {
        Some(status) => report_status(deal, status, now),
        None => Ok(()),
    }
}

fn report_remaining(deal: &mut Deal, remaining: i64, now: Timestamp) -> Result<(), Error> {
    let left = deal.product.bandwidth_remaining;
    if remaining < 0 {
        return Err(Error::field("bandwidth_remaining", Message::AtLeast { min: 0 }));
    }
    if remaining > left.max(0) {
        return Err(Error::field("bandwidth_remaining", Message::OnlyUsedUp { left: left.max(0) }));
    }
    deal.bandwidth_used(left.max(0) - remaining, now);
    Ok(())
}

fn report_status(deal: &mut Deal, status: ProductStatus, now: Timestamp) -> Result<(), Error> {
    if status == deal.product.status {
        return Ok(());
    }
    let done = match status {
        ProductStatus::Active => deal.host_activates(now),
        ProductStatus::Suspended => deal.host_suspends(now),
        ProductStatus::Failed => deal.host_fails(now),
        other => Err(Refusal(Message::NoSuchMove { from: deal.product.status.letter(), to: other.letter() })),
    };
    done.map_err(|refusal| Error::field("status", refusal.0))
}

/// Subtracts used bandwidth.
pub async fn consume_bandwidth(shop: &Shop, by: &Principal, id: ProductId, bytes: i64) -> Result<ProductView, Error> {
    let inner = shop.clone();
    let kind = ProductKind::TorBridge;
    shop.tx(by, move |tx| {
        visible(tx, id, kind)?;
        change_product(&inner, tx, id, |deal, now| {
            deal.bandwidth_used(bytes, now);
            Ok(())
        })?;
        answered(tx, id, kind)
    })
    .await
}

/// Deletes a product that owes nothing to anybody; a tombstone stays.
pub async fn delete(shop: &Shop, by: &Principal, id: ProductId, kind: ProductKind) -> Result<(), Error> {
    let inner = shop.clone();
    shop.tx(by, move |tx| {
        visible(tx, id, kind)?;
        change_product(&inner, tx, id, |deal, now| deal.delete(now).map_err(|refusal| Error::Conflict(refusal.0)))
    })
    .await
}

/// Monitored bridges for the monitoring configuration: a host's active ones, for an administrator
/// all, each with its host.
pub async fn monitored(shop: &Shop, by: &Principal) -> Result<Vec<ProductView>, Error> {
    let status = matches!(by, Principal::Host(_)).then_some(ProductStatus::Active);
    let mut views = look(shop, by, ProductKind::TorBridge, None, status).await?;
    views.retain(|view| view.product.is_monitored && view.product.placed);
    Ok(views)
}

#[cfg(test)]
mod tests;
