//! Making invoices: what a node is asked for, and what follows when it has made one, or none, or gives no answer. Called by
//! the worker that talks to the nodes. Cancelling and taking is in `intent.rs`.

use crate::store::Connection;

use super::choose_node;
use super::ownership::{MAX_ATTEMPTS, MEMO};
use crate::domain::alert::AlertTopic;
use crate::domain::clocks;
use crate::domain::deal::Deal;
use crate::domain::id::{HostId, NodeId};
use crate::domain::lightning::{InvoiceRequest, MadeInvoice, Network, NodeError, NodeErrorKind};
use crate::domain::product::ProductStatus;
use crate::domain::purchase::{InvoiceState, PurchaseKind};
use crate::domain::texts::OrderMessage;
use crate::domain::time::Timestamp;
use crate::services::deals::change_order;
use crate::services::nodes;
use crate::services::shop::Shop;
use crate::services::{Error, Principal, Tx};
use crate::store::deals;
use crate::store::outbox;
use crate::store::outbox::{Attempt, AttemptEnd, Intent, IntentKind, Wanted};
use crate::store::{alerts, hosts, node_state, products};

/// Marks what a former process left in the outbox, at start: it may have been carried out without
/// its result being stored.
pub async fn take_over(shop: &Shop) -> Result<(), Error> {
    shop.tx(&Principal::Shop, |tx| Ok(outbox::mark_left_over(tx.db)?)).await
}

/// What is to be made; `None` when the invoice is not wanted any more.
pub fn wanted(shop: &Shop, intent: &Intent) -> Result<Option<Wanted>, Error> {
    Ok(shop.db.read(|db| outbox::wanted(db, intent.id))?)
}

/// The request for a wanted invoice.
pub fn request(shop: &Shop, intent: &Intent, wanted: &Wanted) -> InvoiceRequest {
    let preimage = || shop.preimage(intent.order, wanted.number);
    InvoiceRequest {
        hash: intent.hash,
        preimage: (!wanted.is_hold).then(preimage),
        amount: wanted.amount,
        memo: format!("{MEMO}{}", intent.order),
        described_by: wanted.described_by.clone(),
        expiry_secs: wanted.expiry_secs,
        cltv_expiry: wanted.is_hold.then_some(shop.settings.hold_cltv_blocks),
        private: shop.settings.private_route_hints,
    }
}

/// Whether another node could make the invoice if this one fails.
pub fn has_alternative(shop: &Shop, intent: &Intent) -> Result<bool, Error> {
    shop.db.read(|db| Ok(next_attempt(shop, db, intent, None)?.is_some()))
}

/// Refuses an invoice of another network than its host sells for: the node may have been moved since
/// it was last asked.
///
/// # Errors
/// [`NodeErrorKind::WrongNetwork`].
pub fn on_right_network(shop: &Shop, wanted: &Wanted, made: MadeInvoice) -> Result<MadeInvoice, NodeError> {
    let network = Network::of_payment_request(&made.payment_request);
    if shop.settings.network_fits(network, wanted.is_testnet) {
        return Ok(made);
    }
    let network = network.map_or("an unknown network", Network::name);
    let detail = format!("wrong network: the node made an invoice on {network}, which its host does not sell for");
    Err(NodeError::new(NodeErrorKind::WrongNetwork, detail))
}

/// The invoice as the shop keeps it, unless nobody could pay it in time: the node's clock is behind ours, or ours
/// is ahead.
///
/// # Errors
/// [`NodeErrorKind::ClocksApart`].
pub fn payable(shop: &Shop, wanted: &Wanted, made: MadeInvoice) -> Result<MadeInvoice, NodeError> {
    let now = shop.now();
    if clocks::is_payable(made.expires_at, wanted.expiry_secs, now) {
        return Ok(within_our_time(shop, wanted, made));
    }
    let detail = format!(
        "clocks apart: the node dated its invoice {}, and this machine's clock says {now}, so nobody could pay it in \
         time (`alerts` tells which clock is likely to be wrong)",
        made.created_at
    );
    Err(NodeError::new(NodeErrorKind::ClocksApart, detail))
}

/// An invoice of a node whose clock is ahead ends when ours says so, or its port would be kept for nobody.
fn within_our_time(shop: &Shop, wanted: &Wanted, made: MadeInvoice) -> MadeInvoice {
    let end = shop.now().plus_secs(i64::from(wanted.expiry_secs));
    let is_late = made.expires_at > end.plus_secs(clocks::TOLERANCE_SECS);
    MadeInvoice { expires_at: if is_late { end } else { made.expires_at }, ..made }
}

/// The node made the invoice: the order can be paid.
pub async fn made(shop: &Shop, intent: &Intent, made: MadeInvoice) -> Result<(), Error> {
    let (inner, intent) = (shop.clone(), intent.clone());
    shop.tx(&Principal::Shop, move |tx| {
        let db = tx.db;
        outbox::done(db, intent.id)?;
        outbox::set_made(db, intent.hash, made.add_index)?;
        node_state::set_failing(db, intent.node_id, false, tx.now)?;
        let (waits, host) = change_order(&inner, tx, intent.order, |deal, i, _| {
            let invoice = &deal.purchases[i].invoice;
            let waits = invoice.hash == intent.hash && invoice.state == InvoiceState::Initial;
            if waits {
                deal.invoice_made(i, &made);
            }
            Ok((waits, deal.product.host_id))
        })?;
        if waits {
            return Ok(alerts::close(db, AlertTopic::NoInvoices, &host.to_string(), tx.now)?);
        }
        // Another node took over, or the order ended: this invoice must not live on.
        cancel_attempt(tx, &intent)
    })
    .await?;
    shop.invoice_bell.notify_waiters();
    Ok(())
}

/// The intent is a new one also where there is one already: that may be under way and have found nothing at the node,
/// just before the call that made the invoice came through.
fn cancel_attempt(tx: &mut Tx<'_>, intent: &Intent) -> Result<(), Error> {
    let db = tx.db;
    outbox::drop_kind(db, IntentKind::Cancel, intent.hash)?;
    outbox::add(db, IntentKind::Cancel, intent.order, intent.hash, intent.node_id, tx.now)?;
    tx.after.outbox = true;
    Ok(())
}

/// The node could not make the invoice: the next node takes over, or the order is rejected.
pub async fn not_made(shop: &Shop, intent: &Intent, error: NodeError) -> Result<(), Error> {
    let (inner, intent) = (shop.clone(), intent.clone());
    shop.tx(&Principal::Shop, move |tx| {
        let db = tx.db;
        outbox::done(db, intent.id)?;
        // An earlier try may have counted, even when this one certainly did not.
        let is_unfit = matches!(error.kind, NodeErrorKind::WrongNetwork | NodeErrorKind::ClocksApart);
        let may_exist = error.may_have_happened() || intent.attempts > 0 || is_unfit;
        outbox::set_outcome(db, intent.hash, if may_exist { AttemptEnd::Abandoned } else { AttemptEnd::Failed })?;
        if may_exist {
            // Whoever takes over, or if nobody does: that invoice must not be payable.
            cancel_attempt(tx, &intent)?;
        }
        let Some((purchase, _)) = deals::purchase(db, intent.order)? else { return Ok(()) };
        if purchase.invoice.hash != intent.hash || purchase.invoice.state != InvoiceState::Initial {
            return Ok(());
        }
        let next = next_attempt(&inner, db, &intent, Some(&error))?;
        let host = change_order(&inner, tx, purchase.id, |deal, i, now| {
            match &next {
                Some(attempt) => switch_attempt(deal, i, attempt),
                None => deal.refuse(i, OrderMessage::NoInvoice, now),
            }
            Ok(deal.product.host_id)
        })?;
        match &next {
            Some(attempt) => choose_node::intend_to_make(tx, attempt),
            None if nodes::health::is_failure_told(db, intent.node_id, &error, tx.now)? => {
                tell_of_refusal(db, host, &intent, &error, tx.now)
            }
            None => Ok(()),
        }
    })
    .await?;
    shop.invoice_bell.notify_waiters();
    Ok(())
}

/// One alert per host: it stays open until an invoice is made for it.
fn tell_of_refusal(
    db: &Connection,
    host: HostId,
    intent: &Intent,
    error: &NodeError,
    now: Timestamp,
) -> Result<(), Error> {
    let text = format!(
        "No Lightning node could make an invoice for host {host}, so its order was refused. Node {}: {error}",
        intent.node_id
    );
    alerts::raise(db, AlertTopic::NoInvoices, &host.to_string(), &text, now)?;
    Ok(())
}

/// The visible invoice becomes that of another attempt.
fn switch_attempt(deal: &mut Deal, i: usize, attempt: &Attempt) {
    let invoice = &mut deal.purchases[i].invoice;
    invoice.node_id = attempt.node_id;
    invoice.hash = attempt.hash;
    invoice.is_hold = attempt.is_hold;
}

/// The attempt that takes the place of one that failed with `error`. A node that won't hold payments, although it
/// was thought to, is asked for a plain invoice before any other node is.
fn next_attempt(
    shop: &Shop,
    db: &Connection,
    intent: &Intent,
    error: Option<&NodeError>,
) -> Result<Option<Attempt>, Error> {
    let Some((purchase, product)) = deals::purchase(db, intent.order)? else { return Ok(None) };
    let Some(product) = products::get(db, product)? else { return Ok(None) };
    let Some(host) = hosts::get(db, product.host_id)? else { return Ok(None) };
    if !purchase.created_at.is_within(shop.settings.make_limit_secs, shop.now()) {
        return Ok(None);
    }
    let attempts = outbox::attempts(db, intent.order)?;
    if attempts.len() >= MAX_ATTEMPTS as usize {
        return Ok(None);
    }
    let refused_to_hold = attempts.last().is_some_and(|last| last.is_hold) && error.is_some_and(is_about_holding);
    let is_tried = |attempt: &&Attempt| !refused_to_hold || attempt.node_id != intent.node_id;
    let tried: Vec<NodeId> = attempts.iter().filter(is_tried).map(|attempt| attempt.node_id).collect();
    let Some(node) = choose_node::choose_node(shop, db, &host, &tried, purchase.price)? else { return Ok(None) };
    let fits = purchase.kind == PurchaseKind::First || product.status != ProductStatus::Active;
    let may_hold = fits && !(refused_to_hold && node.id == intent.node_id);
    let number = attempts.last().map_or(0, |attempt| attempt.number + 1);
    Ok(Some(choose_node::attempt(shop, db, &host, may_hold, &purchase, &node, number)?))
}

/// Whether a node may refuse so because it was asked to hold: it lacks the service or the right.
fn is_about_holding(error: &NodeError) -> bool {
    matches!(error.kind, NodeErrorKind::NotServed | NodeErrorKind::WrongMacaroon)
}
