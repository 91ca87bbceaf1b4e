//! Extending a product: more time for the price that was agreed at purchase.

use std::time::Duration;

use super::place::{check_periods, refuse_when_overloaded, store_purchase};
use crate::domain::deal::Deal;
use crate::domain::host::Host;
use crate::domain::id::{OrderId, ProductId};
use crate::domain::money::Msat;
use crate::domain::product::{Product, ProductKind, ProductStatus};
use crate::domain::purchase::{InvoiceState, Purchase, PurchaseKind};
use crate::domain::texts::{Ending, Message, OrderMessage};
use crate::domain::time::Timestamp;
use crate::services::deals::change_order;
use crate::services::invoices::choose_node;
use crate::services::invoices::choose_node::InvoicePlan;
use crate::services::shop::Shop;
use crate::services::{Error, Principal, Tx};
use crate::store::node_state::Candidate;
use crate::store::{Connection, deals, hosts};

/// An open extension order is answered again while it can be paid for at least this long, or for half of its time where
/// that is less. Seconds.
const MIN_PAYABLE_SECS: i64 = 300;
/// So many extensions of one product may be ordered within [`UNPAID_WINDOW_SECS`] and not be paid. Each is an order to
/// store and an invoice at a node, for which nobody pays; whoever pays may have as many as they like. The limits on new
/// orders do not count them over the API of the predecessor: a home extends all of its bridges at once, once a day.
pub const MAX_UNPAID: u32 = 12;
/// An hour.
const UNPAID_WINDOW_SECS: i64 = 3600;
/// When whoever has ordered too many should try again. Seconds.
const TRY_AGAIN_SECS: u32 = 600;

/// What asking for an extension leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extension {
    /// The order to pay, new or still open.
    Order(OrderId),
    /// The product is on a test host: not extended, said with status 200 (a rule of the contract).
    TestHost,
}

/// An invoice that is not made within this time is not waited for.
const INVOICE_WAIT: Duration = Duration::from_secs(5);

/// How much more is ordered, and how its invoice says what it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct More {
    /// For how many periods at once.
    pub periods: u32,
    /// A text of which the invoice is to carry the hash, in place of its memo (LUD-06).
    pub described_by: Option<String>,
}

impl Default for More {
    fn default() -> Self {
        Self { periods: 1, described_by: None }
    }
}

/// Orders one more period for a product, and waits for the invoice: clients take an order that is answered as one
/// that can be paid, and wait for minutes for the invoice of one that has ended.
///
/// # Errors
/// [`Error::Unavailable`] when no invoice can be made, or not soon; there is no order then.
pub async fn extend(shop: &Shop, product: ProductId, kind: ProductKind) -> Result<Extension, Error> {
    extend_by(shop, product, kind, More::default()).await
}

/// [`extend`] by several periods at once, or with an invoice that is described in another way.
///
/// # Errors
/// As [`extend`], and [`Error::Refused`] for more periods than the host sells at once.
pub async fn extend_by(shop: &Shop, product: ProductId, kind: ProductKind, more: More) -> Result<Extension, Error> {
    let extension = order_by(shop, product, kind, more).await?;
    if let Extension::Order(order) = extension
        && !is_payable_soon(shop, order).await?
    {
        return Err(choose_node::no_node());
    }
    Ok(extension)
}

/// Orders one more period for a product; its invoice follows.
pub async fn order(shop: &Shop, product: ProductId, kind: ProductKind) -> Result<Extension, Error> {
    order_by(shop, product, kind, More::default()).await
}

/// Orders more time for a product; its invoice follows.
pub async fn order_by(shop: &Shop, product: ProductId, kind: ProductKind, more: More) -> Result<Extension, Error> {
    let shop_in_change = shop.clone();
    shop.tx(&Principal::Buyer, move |tx| extend_in(&shop_in_change, tx, product, kind, more)).await
}

/// What one more period costs, if it can be sold now.
///
/// # Errors
/// As [`extend`], with the reason why it can't.
pub fn price_of_one(shop: &Shop, product: ProductId, kind: ProductKind) -> Result<Msat, Error> {
    shop.db.read(|db| {
        let (deal, host) = find(db, product, kind)?;
        if host.is_test_host {
            return Err(Error::Refused(Message::OnTestHost));
        }
        check_product(&deal)?;
        let price = deal.product.terms.price_extension;
        check_host(shop, db, &host, price).map(|_| price)
    })
}

/// Waits until the invoice of an order is made; gives the order up when that takes too long. Whether it can be paid.
async fn is_payable_soon(shop: &Shop, order: OrderId) -> Result<bool, Error> {
    let waiting = async {
        loop {
            let rung = shop.invoice_bell.notified();
            let state = invoice_state(shop, order)?;
            if state != InvoiceState::Initial {
                return Ok::<_, Error>(state);
            }
            rung.await;
        }
    };
    match tokio::time::timeout(INVOICE_WAIT, waiting).await {
        Ok(state) => Ok(state? != InvoiceState::Void),
        Err(_) => give_up(shop, order).await,
    }
}

fn invoice_state(shop: &Shop, order: OrderId) -> Result<InvoiceState, Error> {
    shop.db.read(|db| Ok(deals::purchase(db, order)?.ok_or(Error::NotFound)?.0.invoice.state))
}

/// An order whose invoice is not made yet ends: what its node may still make is cancelled there. Whether it can be paid
/// after all.
pub async fn give_up(shop: &Shop, order: OrderId) -> Result<bool, Error> {
    let inner = shop.clone();
    shop.tx(&Principal::Shop, move |tx| {
        change_order(&inner, tx, order, |deal, i, now| {
            deal.refuse(i, OrderMessage::NoInvoice, now);
            Ok(deal.purchases[i].invoice.state != InvoiceState::Void)
        })
    })
    .await
}

fn find(db: &Connection, product: ProductId, kind: ProductKind) -> Result<(Deal, Host), Error> {
    let deal = deals::load(db, product, None)?.ok_or(Error::NotFound)?;
    if deal.product.kind() != kind || deal.product.deleted_at.is_some() {
        return Err(Error::NotFound);
    }
    let host = hosts::get(db, deal.product.host_id)?.ok_or(Error::NotFound)?;
    Ok((deal, host))
}

fn extend_in(
    shop: &Shop,
    tx: &mut Tx<'_>,
    product: ProductId,
    kind: ProductKind,
    more: More,
) -> Result<Extension, Error> {
    let db = tx.db;
    let (deal, host) = find(db, product, kind)?;
    if host.is_test_host {
        return Ok(Extension::TestHost);
    }
    check_product(&deal)?;
    check_periods(&host, more.periods, deal.product.terms.duration_secs)?;
    super::deny::refuse_target(db, &deal.product)?;
    if let Some(open) = reusable_order(shop, &deal, &more, tx.now) {
        return Ok(Extension::Order(open));
    }
    refuse_when_overloaded(shop, db)?;
    refuse_too_many(db, product, tx.now)?;
    let price = Msat(deal.product.terms.price_extension.0.saturating_mul(u64::from(more.periods)));
    let node = check_host(shop, db, &host, price)?;
    replace_older_orders(shop, tx, &deal)?;
    let plan = InvoicePlan {
        product,
        host: &host,
        node,
        kind: PurchaseKind::Extension,
        price,
        periods: more.periods,
        described_by: more.described_by,
        // A running product is extended at once; one that the host must re-activate is only paid
        // for if it does.
        may_hold: deal.product.status != ProductStatus::Active,
    };
    Ok(Extension::Order(store_purchase(shop, tx, OrderId(shop.new_id()), &plan)?.id))
}

fn check_product(deal: &Deal) -> Result<(), Error> {
    let product: &Product = &deal.product;
    match product.status {
        ProductStatus::Archived | ProductStatus::NeedsDelete | ProductStatus::Failed => return Err(Error::NotFound),
        ProductStatus::Initial => {
            return Err(Error::Refused(Message::NotPaidYet));
        }
        _ => {}
    }
    if product.is_killed {
        return Err(Error::Refused(Message::SwitchedOff));
    }
    if !deal.was_ever_bought() {
        return Err(Error::Refused(Message::NeverDelivered));
    }
    if product.terms.duration_secs == 0 {
        return Err(Error::Refused(Message::NeverEnds));
    }
    let held = |purchase: &Purchase| matches!(purchase.invoice.state, InvoiceState::Held | InvoiceState::Settling);
    if product.status == ProductStatus::NeedsActivate && deal.purchases.iter().any(held) {
        return Err(Error::Refused(Message::StillHeld));
    }
    Ok(())
}

/// Without regard to a clock that was ahead: orders that it has dated count when they are in the past.
fn refuse_too_many(db: &Connection, product: ProductId, now: Timestamp) -> Result<(), Error> {
    let unpaid = deals::unpaid_extensions(db, product, now.plus_secs(-UNPAID_WINDOW_SECS), now)?;
    if unpaid < MAX_UNPAID { Ok(()) } else { Err(Error::TooMany { retry_after_secs: TRY_AGAIN_SECS }) }
}

/// The open extension order that is answered again: no second invoice for the same wish. A wallet that has asked for
/// a certain description takes no other.
fn reusable_order(shop: &Shop, deal: &Deal, more: &More, now: Timestamp) -> Option<OrderId> {
    let least = MIN_PAYABLE_SECS.min(i64::from(shop.settings.invoice_expiry_secs) / 2);
    let is_wanted = |purchase: &Purchase| {
        let fits = more.described_by.is_none() || purchase.invoice.described_by == more.described_by;
        purchase.periods == more.periods && fits
    };
    let reusable = |purchase: &&Purchase| {
        let invoice = &purchase.invoice;
        let waits = invoice.state == InvoiceState::Initial;
        let payable =
            invoice.state == InvoiceState::Open && invoice.expires_at.is_some_and(|end| end >= now.plus_secs(least));
        purchase.kind == PurchaseKind::Extension && is_wanted(purchase) && (waits || payable)
    };
    deal.purchases.iter().rev().find(reusable).map(|purchase| purchase.id)
}

/// A dead host or node is said as 503: a client that gets an order would wait for its invoice.
fn check_host(shop: &Shop, db: &Connection, host: &Host, price: Msat) -> Result<Candidate, Error> {
    if !host.is_enabled || !host.is_alive(shop.now()) {
        return Err(Error::Unavailable { detail: Message::HostDown, retry_after_secs: 120 });
    }
    choose_node::choose_node(shop, db, host, &[], price)?.ok_or_else(choose_node::no_node)
}

/// An open order with too little time left, or for something else, gives way to the new one.
fn replace_older_orders(shop: &Shop, tx: &mut Tx<'_>, deal: &Deal) -> Result<(), Error> {
    let open = deal
        .purchases
        .iter()
        .filter(|purchase| purchase.kind == PurchaseKind::Extension && purchase.invoice.state == InvoiceState::Open);
    for purchase in open {
        change_order(shop, tx, purchase.id, |deal, i, _| {
            deal.close_unpaid(i, Ending::Replaced);
            Ok(())
        })?;
    }
    Ok(())
}
