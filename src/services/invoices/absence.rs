//! Invoices that can't be paid any more: cancelled, unknown to their node, or left over there. Each function is
//! idempotent.

use crate::domain::id::NodeId;
use crate::domain::lightning::PaymentHash;
use crate::domain::purchase::{Invoice, InvoiceState};
use crate::domain::time::{CLOCK_TOLERANCE_SECS, Timestamp};
use crate::services::deals::change_order;
use crate::services::shop::Shop;
use crate::services::{Error, Principal};
use crate::store::outbox;
use crate::store::outbox::IntentKind;
use crate::store::{Connection, deals};

/// The node has cancelled the invoice with this hash: it is gone, unpaid.
pub async fn apply_gone(shop: &Shop, node: NodeId, hash: PaymentHash) -> Result<(), Error> {
    apply_end(shop, node, hash, |_, _| End::Void).await
}

/// What is known of a node that does not know an invoice.
#[derive(Clone, Copy, Debug)]
pub struct Absence {
    /// The node may have forgotten an invoice although it was paid.
    pub forgets_paid: bool,
    /// What it was asked for.
    pub asked: Asked,
}

/// What a node was asked for that does not know an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The state of an open invoice.
    Compared,
    /// To cancel it; an earlier call that may have been carried out may have removed it.
    Cancelled {
        /// Whether there was one.
        is_again: bool,
    },
    /// To take its payment.
    Settled,
}

/// The node does not know (any more) the invoice with this hash. It is gone unpaid if its time was over, or the shop
/// itself had it removed, at a node that keeps what was paid; else nobody can tell.
pub async fn apply_unknown(shop: &Shop, node: NodeId, hash: PaymentHash, absence: Absence) -> Result<(), Error> {
    apply_end(shop, node, hash, move |invoice, now| {
        let is_asked_elsewhere = matches!(invoice.state, InvoiceState::Cancelling | InvoiceState::Settling);
        if absence.asked == Asked::Compared && is_asked_elsewhere {
            // The outbox is at it, and may just have removed it.
            return End::Later;
        }
        let is_held = matches!(invoice.state, InvoiceState::Held | InvoiceState::Settling);
        let is_over = invoice.expires_at.is_none_or(|end| end <= now.plus_secs(CLOCK_TOLERANCE_SECS));
        let is_ours = absence.asked == Asked::Cancelled { is_again: true };
        let has_vanished = absence.forgets_paid || is_held || !(is_over || is_ours);
        if has_vanished { End::Vanished } else { End::Void }
    })
    .await
}

/// How an invoice has ended.
enum End {
    Void,
    Vanished,
    /// That is not to be said here.
    Later,
}

async fn apply_end(
    shop: &Shop,
    node: NodeId,
    hash: PaymentHash,
    how: impl FnOnce(&Invoice, Timestamp) -> End + Send + 'static,
) -> Result<(), Error> {
    let inner = shop.clone();
    shop.tx(&Principal::Node(node), move |tx| {
        let db = tx.db;
        let Some(order) = deals::order_by_hash(db, hash, node)? else { return Ok(()) };
        change_order(&inner, tx, order, |deal, i, now| {
            let invoice = &deal.purchases[i].invoice;
            // A former attempt's request was never shown.
            let end = if invoice.hash == hash { how(invoice, now) } else { End::Later };
            match end {
                End::Void => deal.payment_void(i, now),
                End::Vanished => deal.payment_vanished(i, now),
                End::Later => {}
            }
            Ok(())
        })
    })
    .await
}

/// The node offers an invoice that nobody may pay any more, or that was never shown: a lost answer
/// left it there. It is to be cancelled.
pub async fn apply_leftover(shop: &Shop, node: NodeId, hash: PaymentHash) -> Result<(), Error> {
    shop.tx(&Principal::Node(node), move |tx| {
        let db = tx.db;
        let Some(intent) = leftover(db, node, hash)? else { return Ok(()) };
        tx.after.outbox = true;
        Ok(outbox::add(db, IntentKind::Cancel, intent.order, hash, node, tx.now)?)
    })
    .await
}

fn leftover(db: &Connection, node: NodeId, hash: PaymentHash) -> Result<Option<outbox::Attempt>, Error> {
    let Some(attempt) = outbox::attempt(db, hash)?.filter(|attempt| attempt.node_id == node) else {
        return Ok(None);
    };
    let Some((purchase, _)) = deals::purchase(db, attempt.order)? else { return Ok(None) };
    // One whose making is not recorded yet is not left over.
    let is_wanted = purchase.invoice.hash == hash && purchase.invoice.state.is_live();
    Ok((!is_wanted).then_some(attempt))
}
