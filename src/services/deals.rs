//! The one way in which a deal changes: load, let the domain decide, store, and carry out what can
//! be done in the same transaction.

use crate::store::Connection;

use super::payments;
use super::shop::Shop;
use super::{Error, Tx};
use crate::domain::alert::AlertTopic;
use crate::domain::deal::Deal;
use crate::domain::effect::Effect;
use crate::domain::id::{OrderId, ProductId};
use crate::domain::product::{ProductStatus, Subject};
use crate::domain::purchase::{Invoice, InvoiceState, Purchase};
use crate::domain::time::Timestamp;
use crate::store::outbox::{self, IntentKind};
use crate::store::{alerts, deals, hosts, reservations};

/// Applies `event` to the deal of an order; it gets the order's place in the deal.
pub fn change_order<T>(
    shop: &Shop,
    tx: &mut Tx<'_>,
    order: OrderId,
    event: impl FnOnce(&mut Deal, usize, Timestamp) -> Result<T, Error>,
) -> Result<T, Error> {
    let db = tx.db;
    let (deal, i) = deals::load_by_order(db, order)?.ok_or(Error::NotFound)?;
    change(shop, tx, deal, |deal, now| event(deal, i, now))
}

/// Applies `event` to the deal of a product.
pub fn change_product<T>(
    shop: &Shop,
    tx: &mut Tx<'_>,
    product: ProductId,
    event: impl FnOnce(&mut Deal, Timestamp) -> Result<T, Error>,
) -> Result<T, Error> {
    let db = tx.db;
    let deal = deals::load(db, product, None)?.ok_or(Error::NotFound)?;
    change(shop, tx, deal, event)
}

fn change<T>(
    shop: &Shop,
    tx: &mut Tx<'_>,
    before: Deal,
    event: impl FnOnce(&mut Deal, Timestamp) -> Result<T, Error>,
) -> Result<T, Error> {
    let db = tx.db;
    let now = tx.now;
    let mut deal = before.clone();
    let value = event(&mut deal, now)?;
    // Reserving a place can fail, which is an event of its own; so effects are a queue.
    let mut position = 0;
    while let Some(effect) = deal.effects.get(position).cloned() {
        position += 1;
        perform(shop, tx, &mut deal, &effect, now)?;
    }
    if let Some(broken) = deal.broken {
        return Err(Error::RuleBroken(broken));
    }
    forget_moot_intents(tx, &before, &deal, now)?;
    close_stuck(db, &before, &deal, now)?;
    payments::late::note(db, &before, &mut deal, now)?;
    deals::save(db, &before, &mut deal, tx.author())?;
    Ok(value)
}

fn perform(shop: &Shop, tx: &mut Tx<'_>, deal: &mut Deal, effect: &Effect, now: Timestamp) -> Result<(), Error> {
    let db = tx.db;
    match effect {
        Effect::CancelInvoice(order) => intend(tx, deal, *order, IntentKind::Cancel, now)?,
        Effect::SettleInvoice(order) => intend(tx, deal, *order, IntentKind::Settle, now)?,
        Effect::ReservePlace => {
            if !reserve_place(shop, db, deal)? {
                deal.place_unavailable(now);
            }
        }
        Effect::ReleasePlace => {
            if !reservations::release(db, &deal.product)? {
                // A defect, but not one that a payment may have to wait for.
                tracing::error!(product = %deal.product.id, "the port or name of a product was not reserved");
            }
        }
        Effect::NotifyHost => tx.after.hosts.push(deal.product.host_id),
        Effect::Alert { topic, subject, text } => {
            alerts::raise(db, *topic, subject, text, now)?;
        }
        Effect::CloseAlert(topic, subject) => alerts::close(db, *topic, subject, now)?,
    }
    Ok(())
}

fn intend(tx: &mut Tx<'_>, deal: &Deal, order: OrderId, kind: IntentKind, now: Timestamp) -> Result<(), Error> {
    let db = tx.db;
    if let Some(purchase) = deal.purchases.iter().find(|purchase| purchase.id == order) {
        let Invoice { hash, node_id, .. } = purchase.invoice;
        outbox::add(db, kind, order, hash, node_id, now)?;
        tx.after.outbox = true;
    }
    Ok(())
}

/// A final invoice needs nothing from its node any more. Attempts that were abandoned keep theirs. What has come
/// to be owed may need a second look.
fn forget_moot_intents(tx: &mut Tx<'_>, before: &Deal, deal: &Deal, now: Timestamp) -> Result<(), Error> {
    let db = tx.db;
    for (old, new) in before.purchases.iter().zip(&deal.purchases) {
        close_moot_alert(db, old, new, now)?;
        payments::doubt::doubt_new_debt(db, old, new, now)?;
        let hash = new.invoice.hash;
        let made = old.invoice.state == InvoiceState::Initial && new.invoice.state != InvoiceState::Initial;
        let given_up = made && new.invoice.state == InvoiceState::Void;
        if made {
            let begun = outbox::drop_kind(db, IntentKind::Make, hash)?;
            if given_up {
                outbox::drop_kind(db, IntentKind::Probe, hash)?;
            }
            if given_up && begun {
                // The node may be making it at this moment: that one must not be payable.
                intend(tx, deal, new.id, IntentKind::Cancel, now)?;
            }
        }
        if old.invoice.state.is_live() && !new.invoice.state.is_live() && !given_up {
            outbox::drop_kind(db, IntentKind::Cancel, hash)?;
            outbox::drop_kind(db, IntentKind::Settle, hash)?;
            alerts::close(db, AlertTopic::FailedIntent, &hash.to_string(), now)?;
        }
    }
    Ok(())
}

/// A product that its host has taken down after all, or has again, is nobody's worry any more.
fn close_stuck(db: &Connection, before: &Deal, deal: &Deal, now: Timestamp) -> Result<(), Error> {
    let (old, new) = (before.product.status, deal.product.status);
    if old == ProductStatus::NeedsSuspend && new != ProductStatus::NeedsSuspend {
        alerts::close(db, AlertTopic::StuckSuspension, &deal.product.id.to_string(), now)?;
    }
    Ok(())
}

/// Once it is paid or given up, nobody has to look at an order's target any more.
fn close_moot_alert(db: &Connection, old: &Purchase, new: &Purchase, now: Timestamp) -> Result<(), Error> {
    // Who was warned has a message.
    if old.status.is_open() && !new.status.is_open() && old.message.is_some() {
        alerts::close(db, AlertTopic::TargetUnreachable, &new.id.to_string(), now)?;
    }
    Ok(())
}

/// Reserves the product's former place if it is free, else (for a bridge) another port.
fn reserve_place(shop: &Shop, db: &Connection, deal: &mut Deal) -> Result<bool, Error> {
    let Some(host) = hosts::get(db, deal.product.host_id)? else { return Ok(false) };
    if host.unswept_since.is_some() {
        // What is free here may be in use there, and a payment can't wait for a trial: the money goes back, or is
        // owed. An operator who has swept the host can have it delivered again.
        return Ok(false);
    }
    let product = &mut deal.product;
    product.placed = match &product.subject {
        Subject::Alias { alias, .. } => reservations::reserve_alias(db, &host.ip, alias, product.id)?,
        Subject::Target(_) => {
            let same = match product.port {
                Some(port) => reservations::reserve_same_port(db, &host, port, product.id)?,
                None => false,
            };
            let other = match same {
                true => product.port,
                false => {
                    let ranges = reservations::bridge_ranges(db, host.id)?;
                    reservations::reserve_port(db, &*shop.random, &host.ip, &ranges, product.id)?
                }
            };
            product.port = other.or(product.port);
            other.is_some()
        }
    };
    Ok(product.placed)
}
