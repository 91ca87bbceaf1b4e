//! What Lightning nodes say about invoices, applied to orders. Every function is idempotent: the
//! same news may come from a stream, a comparison and the answer of a call.

use crate::store::Connection;

use super::deals::change_order;
use super::shop::{Aftermath, Shop};
use super::{Error, late};
use crate::domain::deal::Deal;
use crate::domain::effect::AlertTopic;
use crate::domain::id::{NodeId, OrderId};
use crate::domain::lightning::{NodeInvoice, NodeInvoiceState, PaymentHash};
use crate::domain::money::Msat;
use crate::domain::purchase::{Invoice, InvoiceState, Purchase};
use crate::domain::time::Timestamp;
use crate::store::outbox::{self, IntentKind};
use crate::store::{alerts, audit_log, deals, node_state, refunds};

/// The node's clock may be so far behind ours. Seconds.
const CLOCKS_APART_SECS: i64 = 3600;

/// What one piece of news led to; for logs and tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It concerns this order (and may have been known already).
    Order(OrderId),
    /// It is somebody else's invoice.
    Foreign,
}

/// Applies the state of an invoice as its node reports it. `height` is the node's best block, when
/// known, for judging how close a held payment is to its deadline. News that does not come by the
/// stream may be ahead of it, so it moves the node's cursor only to the very next settlement, or where it
/// was never moved: a cursor of 0 replays nothing.
pub async fn apply(shop: &Shop, node: NodeId, news: NodeInvoice, height: Option<u32>) -> Result<Applied, Error> {
    let inner = shop.clone();
    shop.change(move |db, after| {
        let applied = apply_in(&inner, db, after, node, &news, height)?;
        let cursor = node_state::cursor(db, node)?;
        if cursor == 0 || cursor.saturating_add(1) == news.settle_index {
            node_state::advance_cursor(db, node, news.settle_index)?;
        }
        Ok(applied)
    })
    .await
}

/// Applies the news of a node's stream, in its order: one transaction, one fsync. The last settlement
/// moves the node's cursor in that transaction.
pub async fn apply_all(shop: &Shop, node: NodeId, news: Vec<NodeInvoice>) -> Result<Vec<Applied>, Error> {
    let inner = shop.clone();
    let change = move |db: &Connection, after: &mut Aftermath| {
        let apply_one = |invoice| apply_in(&inner, db, after, node, invoice, None);
        let applied = news.iter().map(apply_one).collect::<Result<_, _>>()?;
        let newest = news.iter().map(|invoice| invoice.settle_index).max();
        node_state::advance_cursor(db, node, newest.unwrap_or(0))?;
        Ok(applied)
    };
    shop.change(change).await
}

fn apply_in(
    shop: &Shop,
    db: &Connection,
    after: &mut Aftermath,
    node: NodeId,
    news: &NodeInvoice,
    height: Option<u32>,
) -> Result<Applied, Error> {
    match deals::order_by_hash(db, news.hash, node)? {
        Some(order) => {
            apply_to_order(shop, db, after, node, order, news, height)?;
            Ok(Applied::Order(order))
        }
        None => {
            tell_of_unknown_payment(shop, db, node, news)?;
            Ok(Applied::Foreign)
        }
    }
}

fn apply_to_order(
    shop: &Shop,
    db: &Connection,
    after: &mut Aftermath,
    node: NodeId,
    order: OrderId,
    news: &NodeInvoice,
    height: Option<u32>,
) -> Result<(), Error> {
    let actor = format!("node:{node}");
    let stranded = change_order(shop, db, after, order, &actor, |deal, i, now| {
        let Invoice { hash, node_id, state, .. } = deal.purchases[i].invoice;
        let visible = hash == news.hash;
        match news.state {
            NodeInvoiceState::Open => {}
            NodeInvoiceState::Settled => {
                settled(db, deal, i, news, now)?;
                let payable = matches!(state, InvoiceState::Open | InvoiceState::Held);
                return Ok((payable && !visible).then_some((hash, node_id)));
            }
            NodeInvoiceState::Accepted if visible => {
                deal.payment_held(i, news.received, blocks_left(news, height), now, now);
            }
            NodeInvoiceState::Canceled if visible => deal.payment_void(i, now),
            // A former attempt: its request was never shown, so only cancelling it is left.
            NodeInvoiceState::Accepted => return Ok(Some((news.hash, node))),
            NodeInvoiceState::Canceled => {}
        }
        Ok(None)
    })?;
    if let Some((hash, node)) = stranded {
        outbox::add(db, IntentKind::Cancel, order, hash, node, shop.now())?;
        after.outbox = true;
    }
    Ok(())
}

/// Money that came is money that counts, once for each payment hash: also for a former attempt, and also
/// when the order was paid before by another one.
fn settled(db: &Connection, deal: &mut Deal, i: usize, news: &NodeInvoice, now: Timestamp) -> Result<(), Error> {
    let Purchase { id, invoice, .. } = &deal.purchases[i];
    let (visible, paid) = (invoice.hash == news.hash, invoice.state == InvoiceState::Paid);
    let is_new = match (visible, paid) {
        (true, false) => true,
        // What came by the former attempts is noted with them; the rest came by this one.
        (true, true) => invoice.received == Some(outbox::received_by_others(db, *id)?),
        (false, _) => outbox::note_received(db, news.hash, news.received)?,
    };
    match (is_new, paid) {
        (false, _) => {}
        (true, false) => deal.payment_settled(i, news.received, news.settled_at.unwrap_or(now), now),
        (true, true) => deal.paid_again(i, news.received),
    }
    Ok(())
}

fn blocks_left(news: &NodeInvoice, height: Option<u32>) -> Option<i64> {
    let height = height.max(news.accept_height)?;
    Some(i64::from(news.nearest_htlc_expiry?) - i64::from(height))
}

/// The record of a node, removed ones included, under which the shop had this invoice made, when it is not
/// `node` but seems to be the same machine: one LND may be there twice (by gRPC and by REST, say), or was
/// removed and added again. While a public key is not known yet, a hash of ours counts as made there.
pub fn other_record(db: &Connection, node: NodeId, hash: PaymentHash) -> Result<Option<NodeId>, Error> {
    let Some(attempt) = outbox::attempt(db, hash)?.filter(|attempt| attempt.node_id != node) else { return Ok(None) };
    let differs = match (node_state::pubkey(db, attempt.node_id)?, node_state::pubkey(db, node)?) {
        (Some(maker), Some(teller)) => maker != teller,
        _ => false,
    };
    Ok((!differs).then_some(attempt.node_id))
}

/// The node may serve others too: only a memo of ours about an order that we don't have, or not there,
/// is strange (a restored backup is the usual reason).
fn tell_of_unknown_payment(shop: &Shop, db: &Connection, node: NodeId, news: &NodeInvoice) -> Result<(), Error> {
    let memo_order = news.memo.strip_prefix("PO: ").and_then(OrderId::parse);
    let (NodeInvoiceState::Settled, Some(order)) = (news.state, memo_order) else { return Ok(()) };
    if node_state::added_at(db, node)?.is_some_and(|added| news.created_at.plus_secs(CLOCKS_APART_SECS) < added) {
        // From the node's past, as another shop's.
        return Ok(());
    }
    if other_record(db, node, news.hash)?.is_some() {
        // That record hears of it too.
        return Ok(());
    }
    let text = format!(
        "Node {node} received {} for order {order} (payment hash {}), which this shop does not know \
         there. Was a backup restored, or the hash of another node's invoice used? Please settle this with the buyer.",
        news.received, news.hash
    );
    alerts::raise(db, AlertTopic::UnknownPayment, &news.hash.to_string(), &text, shop.now())?;
    Ok(())
}

/// The node does not know (any more) the invoice with this hash: it is gone, unpaid.
pub async fn apply_gone(shop: &Shop, node: NodeId, hash: PaymentHash) -> Result<(), Error> {
    let inner = shop.clone();
    shop.change(move |db, after| {
        let Some(order) = deals::order_by_hash(db, hash, node)? else { return Ok(()) };
        let actor = format!("node:{node}");
        change_order(&inner, db, after, order, &actor, |deal, i, now| {
            if deal.purchases[i].invoice.hash == hash {
                deal.payment_void(i, now);
            }
            Ok(())
        })
    })
    .await
}

/// The node offers an invoice that nobody may pay any more, or that was never shown: a lost answer
/// left it there. It is to be cancelled.
pub async fn apply_leftover(shop: &Shop, node: NodeId, hash: PaymentHash) -> Result<(), Error> {
    let inner = shop.clone();
    shop.change(move |db, after| {
        let Some(attempt) = outbox::attempt(db, hash)?.filter(|attempt| attempt.node_id == node) else {
            return Ok(());
        };
        let Some((purchase, _)) = deals::purchase(db, attempt.order)? else { return Ok(()) };
        // One whose making is not recorded yet is not left over.
        if purchase.invoice.hash == hash && purchase.invoice.state.is_live() {
            return Ok(());
        }
        after.outbox = true;
        Ok(outbox::add(db, IntentKind::Cancel, attempt.order, hash, node, inner.now())?)
    })
    .await
}

/// Records that the operator has paid back what an order owed, by whatever means.
pub async fn mark_refunded(shop: &Shop, order: OrderId, actor: &str, note: &str) -> Result<Msat, Error> {
    let (inner, actor, note) = (shop.clone(), actor.to_owned(), note.to_owned());
    shop.change(move |db, after| {
        refuse_open_refund(db, order)?;
        late::owe_instead(&inner, db, after, order, &actor)?;
        let (purchase, _) = deals::purchase(db, order)?.ok_or(Error::NotFound)?;
        if purchase.owed == Msat(0) {
            return Err(Error::Conflict("Nothing is owed for this order.".to_owned()));
        }
        record_refund(&inner, db, after, order, purchase.owed, &actor, &note)?;
        Ok(purchase.owed)
    })
    .await
}

/// While the node may be paying the buyer back, nothing else is decided about the same money.
fn refuse_open_refund(db: &Connection, order: OrderId) -> Result<(), Error> {
    match refunds::open_of(db, order)? {
        None => Ok(()),
        Some(_) => Err(Error::Conflict(
            "A refund of this order has been begun. Run `order refund` again to learn what became of it (or, if its wallet \
             is lost, state it with --refund-outcome)."
                .to_owned(),
        )),
    }
}

/// `amount` was paid back to the buyer of an order.
pub(super) fn record_refund(
    shop: &Shop,
    db: &Connection,
    after: &mut Aftermath,
    order: OrderId,
    amount: Msat,
    actor: &str,
    note: &str,
) -> Result<(), Error> {
    change_order(shop, db, after, order, actor, |deal, i, now| {
        deal.refunded(i, amount, now);
        Ok(())
    })?;
    Ok(audit_log::record_order(db, shop.now(), actor, order, &format!("refunded {amount}: {note}"))?)
}

/// Tries again to deliver an order in state N.
pub async fn retry_delivery(shop: &Shop, order: OrderId, actor: &str) -> Result<(), Error> {
    let (inner, actor) = (shop.clone(), actor.to_owned());
    shop.change(move |db, after| {
        refuse_open_refund(db, order)?;
        change_order(&inner, db, after, order, &actor, |deal, i, now| {
            deal.retry_delivery(i, now).map_err(|refusal| Error::Conflict(refusal.0))
        })
    })
    .await
}
