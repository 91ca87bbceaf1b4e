//! What Lightning nodes say about invoices, applied to orders. Every function is idempotent: the
//! same news may come from a stream, a comparison and the answer of a call.

use std::collections::BTreeSet;

use crate::store::Connection;

use super::return_late;
use crate::domain::deal::Deal;
use crate::domain::id::{NodeId, OrderId};
use crate::domain::lightning::{NodeInvoice, NodeInvoiceState};
use crate::domain::money::Msat;
use crate::domain::purchase::{Invoice, InvoiceState, Purchase};
use crate::domain::texts::{Message, Reason};
use crate::domain::time::Timestamp;
use crate::services::deals::change_order;
pub use crate::services::invoices::absence::{apply_gone, apply_leftover};
use crate::services::shop::Shop;
use crate::services::{Error, Principal, Tx, authz, invoices, left_out};
use crate::store::node_state;
use crate::store::node_state::Cursor;
use crate::store::outbox;
use crate::store::outbox::IntentKind;
use crate::store::{audit_log, deals, refunds};

/// A node's clock may be so far from ours. Seconds.
const CLOCKS_APART_SECS: i64 = 3600;

/// What one piece of news led to; for logs and tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// It concerns this order (and may have been known already).
    Order(OrderId),
    /// It is a settlement for this order that its stream should have told long ago: the node counts its
    /// settlements anew, and the stream is to be opened again from the cursor, which has gone back.
    CountsAnew(OrderId),
    /// It is a payment for an invoice of ours whose order is not known here.
    Unknown,
    /// It is somebody else's invoice.
    Foreign,
}

/// Applies the state of an invoice as its node reports it. `height` is the node's best block, when
/// known, for judging how close a held payment is to its deadline. News that does not come by the
/// stream may be ahead of it, so it moves the node's cursor only to the very next settlement, or where it
/// was never moved: a cursor of 0 replays nothing.
pub async fn apply(shop: &Shop, node: NodeId, news: NodeInvoice, height: Option<u32>) -> Result<Applied, Error> {
    let inner = shop.clone();
    shop.tx(&Principal::Node(node), move |tx| {
        let db = tx.db;
        let Heard { applied, is_new } = apply_in(&inner, tx, node, &news, height)?;
        left_out::forget(tx, [news.hash])?;
        let index = news.settle_index;
        let cursor = node_state::cursor(db, node)?.index;
        if index == 0 {
            return Ok(applied);
        }
        if cursor == 0 {
            node_state::begin_cursor(db, node, index)?;
        } else if cursor.saturating_add(1) == index {
            node_state::advance_cursor(db, node, index)?;
        } else if let (Applied::Order(order), true) = (applied, is_new && index <= cursor) {
            node_state::count_anew(db, node, index)?;
            return Ok(Applied::CountsAnew(order));
        }
        Ok(applied)
    })
    .await
}

/// How far one life of a node's stream has come. A node may replay settlements in another order than that of
/// their indexes, and indexes have gaps: the stored cursor moves over what is there without a gap, and to the end
/// only when the stream has nothing more to tell.
#[derive(Clone, Debug, Default)]
pub struct StreamPosition {
    /// Where the stream was opened.
    pub opened: Cursor,
    /// Indexes of settlements that have been applied, ahead of the stored cursor.
    ahead: BTreeSet<u64>,
}

/// More indexes ahead of the cursor than this are kept as the highest alone: then only silence moves the cursor.
const MOST_AHEAD: usize = 100_000;

impl StreamPosition {
    /// That of a stream that has just been opened.
    pub fn new(opened: Cursor) -> Self {
        Self { opened, ahead: BTreeSet::new() }
    }

    /// Notes that settlements were applied; answers with how far all are, beginning at `cursor`.
    fn note(&mut self, news: &[NodeInvoice], cursor: u64) -> u64 {
        if self.opened.is_in_order || self.opened.index == 0 {
            // LND replays nothing then, and tells what is new in its order.
            return news.iter().map(|invoice| invoice.settle_index).fold(cursor, u64::max);
        }
        self.ahead.extend(news.iter().map(|invoice| invoice.settle_index));
        let mut reached = cursor;
        while let Some(first) = self.ahead.first().copied().filter(|first| *first <= reached.saturating_add(1)) {
            self.ahead.remove(&first);
            reached = reached.max(first);
        }
        while self.ahead.len() > MOST_AHEAD {
            self.ahead.pop_first();
        }
        reached
    }

    /// The stream has ended: what it would have told next is not known.
    pub fn end(&mut self) {
        self.ahead.clear();
    }

    /// A settlement could not be applied: the stream goes on behind it.
    pub fn pass_over(&mut self, index: u64) {
        self.ahead.insert(index);
    }

    /// Whether something was applied that the stored cursor is not at yet.
    pub fn is_ahead(&self) -> bool {
        !self.ahead.is_empty()
    }
}

/// Applies the news of a node's stream: one transaction, one fsync, the node's cursor included.
pub async fn apply_all(
    shop: &Shop,
    node: NodeId,
    news: Vec<NodeInvoice>,
    mut position: StreamPosition,
) -> Result<(Vec<Applied>, StreamPosition), Error> {
    let inner = shop.clone();
    let change = move |tx: &mut Tx<'_>| {
        let db = tx.db;
        let before = node_state::cursor(db, node)?;
        let mut all = Vec::with_capacity(news.len());
        for invoice in &news {
            let Heard { applied, is_new } = apply_in(&inner, tx, node, invoice, None)?;
            let index = invoice.settle_index;
            all.push(match applied {
                // A node that keeps the order was not asked for this one.
                Applied::Order(order) if is_new && before.is_in_order && index > 0 && index <= before.index => {
                    node_state::count_anew(db, node, index)?;
                    Applied::CountsAnew(order)
                }
                applied => applied,
            });
        }
        left_out::forget(tx, news.iter().map(|invoice| invoice.hash))?;
        let cursor = node_state::cursor(db, node)?;
        if cursor.counting == position.opened.counting {
            node_state::advance_cursor(db, node, position.note(&news, cursor.index))?;
        }
        Ok((all, position))
    };
    shop.tx(&Principal::Node(node), change).await
}

/// The stream has told all that there was: the cursor moves behind the last.
pub async fn caught_up(shop: &Shop, node: NodeId, position: StreamPosition) -> Result<StreamPosition, Error> {
    let StreamPosition { opened, ahead } = position;
    let last = ahead.last().copied().unwrap_or(0);
    shop.tx(&Principal::Node(node), move |tx| {
        let db = tx.db;
        if node_state::cursor(db, node)?.counting == opened.counting {
            node_state::advance_cursor(db, node, last)?;
        }
        Ok(StreamPosition::new(opened))
    })
    .await
}

/// What a piece of news is about, and whether it is a settlement that was not known.
struct Heard {
    applied: Applied,
    is_new: bool,
}

fn apply_in(
    shop: &Shop,
    tx: &mut Tx<'_>,
    node: NodeId,
    news: &NodeInvoice,
    height: Option<u32>,
) -> Result<Heard, Error> {
    let db = tx.db;
    let Some(order) = deals::order_by_hash(db, news.hash, node)? else {
        let is_unknown = news.state == NodeInvoiceState::Settled
            && invoices::ownership::tell_of_unknown_payment(shop, db, node, news)?;
        return Ok(Heard { applied: if is_unknown { Applied::Unknown } else { Applied::Foreign }, is_new: false });
    };
    let is_new = apply_to_order(shop, tx, node, order, news, height)?;
    Ok(Heard { applied: Applied::Order(order), is_new })
}

fn apply_to_order(
    shop: &Shop,
    tx: &mut Tx<'_>,
    node: NodeId,
    order: OrderId,
    news: &NodeInvoice,
    height: Option<u32>,
) -> Result<bool, Error> {
    let db = tx.db;
    let mut is_new = false;
    let stranded = change_order(shop, tx, order, |deal, i, now| {
        let Invoice { hash, node_id, state, .. } = deal.purchases[i].invoice;
        let visible = hash == news.hash;
        match news.state {
            NodeInvoiceState::Open => {}
            NodeInvoiceState::Settled => {
                is_new = settled(db, deal, i, news, now)?;
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
        outbox::add(db, IntentKind::Cancel, order, hash, node, tx.now)?;
        tx.after.outbox = true;
    }
    Ok(is_new)
}

/// Money that came is money that counts, once for each payment hash: also for a former attempt, and also
/// when the order was paid before by another one. Returns whether it was not known.
fn settled(db: &Connection, deal: &mut Deal, i: usize, news: &NodeInvoice, now: Timestamp) -> Result<bool, Error> {
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
        (true, false) => deal.payment_settled(i, news.received, settled_at(deal, i, news, now), now),
        (true, true) => deal.paid_again(i, news.received),
    }
    Ok(is_new)
}

/// When a node says that it was paid, if that can be: not before the invoice was decided, nor later than now. Nodes have
/// zeros and stranger numbers there.
fn settled_at(deal: &Deal, i: usize, news: &NodeInvoice, now: Timestamp) -> Timestamp {
    let decided = deal.purchases[i].invoice.created_at;
    let is_possible =
        |at: &Timestamp| decided.plus_secs(-CLOCKS_APART_SECS) <= *at && *at <= now.plus_secs(CLOCKS_APART_SECS);
    news.settled_at.filter(is_possible).unwrap_or(now)
}

fn blocks_left(news: &NodeInvoice, height: Option<u32>) -> Option<i64> {
    let height = height.max(news.accept_height)?;
    Some(i64::from(news.nearest_htlc_expiry?) - i64::from(height))
}

/// Records that the operator has paid back what an order owed, by whatever means.
pub async fn mark_refunded(shop: &Shop, order: OrderId, by: &Principal, note: &str) -> Result<Msat, Error> {
    let (inner, note) = (shop.clone(), note.to_owned());
    shop.tx(by, move |tx| {
        let db = tx.db;
        authz::needs_order(tx, order)?;
        refuse_open_refund(db, order)?;
        return_late::owe_instead(&inner, tx, order)?;
        let (purchase, _) = deals::purchase(db, order)?.ok_or(Error::NotFound)?;
        if purchase.owed == Msat(0) {
            return Err(Error::Conflict(Message::NothingOwed));
        }
        record_refund(&inner, tx, order, purchase.owed, &note)?;
        Ok(purchase.owed)
    })
    .await
}

/// While the node may be paying the buyer back, nothing else is decided about the same money.
fn refuse_open_refund(db: &Connection, order: OrderId) -> Result<(), Error> {
    match refunds::open_of(db, order)? {
        None => Ok(()),
        Some(_) => Err(Error::Conflict(Reason::RefundOpen.into())),
    }
}

/// `amount` was paid back to the buyer of an order.
pub(in crate::services) fn record_refund(
    shop: &Shop,
    tx: &mut Tx<'_>,
    order: OrderId,
    amount: Msat,
    note: &str,
) -> Result<(), Error> {
    change_order(shop, tx, order, |deal, i, now| {
        deal.refunded(i, amount, now);
        Ok(())
    })?;
    Ok(audit_log::record_order(tx.db, tx.author(), order, &format!("refunded {amount}: {note}"))?)
}

/// Tries again to deliver an order in state N.
pub async fn retry_delivery(shop: &Shop, order: OrderId, by: &Principal) -> Result<(), Error> {
    let inner = shop.clone();
    shop.tx(by, move |tx| {
        let db = tx.db;
        authz::needs_order(tx, order)?;
        refuse_open_refund(db, order)?;
        change_order(&inner, tx, order, |deal, i, now| {
            deal.retry_delivery(i, now).map_err(|refusal| Error::Conflict(refusal.0))
        })
    })
    .await
}
