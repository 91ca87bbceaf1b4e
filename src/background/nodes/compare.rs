//! Compares the open invoices of a node with ours, since streams alone can miss some. It costs what is open: it begins
//! at the oldest that is, and only seldom looks at everything that the node has pending.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::entry::Entry;
use super::troubles::Way;
use super::{health, heard, history, troubles};
use crate::background::kept;
use crate::domain::lightning::{NodeError, NodeInvoice, NodeInvoiceState, PaymentHash};
use crate::domain::time::Timestamp;
use crate::services::invoices::absence::{Absence, Asked};
use crate::services::{Error, Shop, invoices, left_out, payments};
use crate::store::{deals, node_state, nodes};

/// Open invoices asked for at a time.
const PAGE: u32 = 500;
/// An invoice that this shop made, but knows no order of, is cancelled when it is still there after this time: its order
/// was lost with a restored backup, and a buyer may wait for a held payment.
const STRANGER_SECS: i64 = 240;
/// How often everything that a node has pending is looked at: for what only a restored backup can have lost.
const FULL_LOOK_SECS: i64 = 6 * 3600;
/// Between tries while comparisons fail.
const RETRY_DELAY: Duration = Duration::from_secs(30);
/// How often a node is compared with whose stream may be deaf, while something can be paid: the first payment at a node
/// that has begun to count anew is found by this alone.
const UNSURE_INTERVAL: Duration = Duration::from_secs(10);

/// Compares whenever the node's bell rings; runs until dropped. Rings while it compares count once.
pub async fn run(shop: Shop, entry: Entry) {
    let mut strangers = Strangers::at_start();
    let mut has_failed = false;
    loop {
        if has_failed {
            drop(tokio::time::timeout(RETRY_DELAY, entry.compare.notified()).await);
        } else {
            due(&shop, &entry).await;
        }
        let compared = kept::caught("comparing invoices", once(&shop, &entry, &mut strangers)).await;
        let had_failed = std::mem::replace(&mut has_failed, !matches!(compared, Ok(Ok(_))));
        match compared {
            Ok(Ok(_)) => troubles::went_well(&shop, &entry, Way::Comparison).await,
            Ok(Err(error)) => {
                match had_failed {
                    true => tracing::debug!(node = entry.spec.name, %error, "comparing invoices failed again"),
                    false => tracing::warn!(node = entry.spec.name, %error, "comparing invoices failed"),
                }
                troubles::went_wrong(&shop, &entry, Way::Comparison, &error).await;
            }
            Err(error) => tracing::error!(node = entry.spec.name, %error, "comparing invoices failed"),
        }
    }
}

/// Waits for the bell, or for the time to look whether the stream is deaf.
async fn due(shop: &Shop, entry: &Entry) {
    while tokio::time::timeout(UNSURE_INTERVAL, entry.compare.notified()).await.is_err() {
        if is_unheard(shop, entry) {
            return;
        }
    }
}

/// Whether something can be paid of which the node's stream may not tell.
fn is_unheard(shop: &Shop, entry: &Entry) -> bool {
    let is_sure = entry.is_counting_on.load(Ordering::Relaxed);
    !is_sure && shop.db.read(|db| node_state::is_payable(db, entry.spec.id)).unwrap_or(false)
}

/// What is remembered between comparisons: when everything was last looked at, and invoices of unknown orders.
#[derive(Debug, Default)]
pub struct Strangers {
    /// Since when they have been seen.
    since: HashMap<PaymentHash, Timestamp>,
    /// When everything that the node has pending was last looked at.
    full_look: Option<Timestamp>,
    /// Whether they are cancelled without waiting: at the start nothing of ours can be on its way.
    at_once: bool,
}

impl Strangers {
    /// What is remembered at the start of the shop.
    pub fn at_start() -> Self {
        Self { at_once: true, ..Self::default() }
    }

    /// Whether everything is to be looked at.
    fn is_full_look_due(&self, now: Timestamp) -> bool {
        !self.since.is_empty() || self.full_look.is_none_or(|at| !at.is_within(FULL_LOOK_SECS, now))
    }
}

/// Compares our open invoices with the node's, page by page, and looks only the differences up.
/// Returns how many differed; none with a node that is not ours any more, or does not answer.
///
/// # Errors
/// Those of the database.
pub async fn compare(shop: &Shop, entry: &Entry, strangers: &mut Strangers) -> Result<usize, Error> {
    Ok(once(shop, entry, strangers).await?.unwrap_or_else(|error| {
        tracing::warn!(node = entry.spec.name, %error, "comparing invoices failed");
        0
    }))
}

/// Inside: what the node refused to answer. Outside: the database.
async fn once(shop: &Shop, entry: &Entry, strangers: &mut Strangers) -> Result<Result<usize, NodeError>, Error> {
    let (node, now) = (entry.spec.id, shop.now());
    if let Err(error) = health::confirm(shop, entry).await? {
        return Ok(Err(error));
    }
    // Ours first: one that is made while we compare must not look as if the node had lost it.
    let ours = shop.db.scan(move |db| node_state::live_invoices(db, node)).await?;
    let is_full = strangers.is_full_look_due(now);
    let pending = match pending_at_node(shop, entry, begin(&ours, is_full), &ours).await {
        Ok(pending) => pending,
        Err(error) => return Ok(Err(error)),
    };
    // One that is gone needs no watching.
    strangers.since.retain(|hash, _| pending.iter().any(|invoice| invoice.hash == *hash));
    let mut differences = offered_at_node(shop, entry, &pending, &ours, strangers).await?;
    differences += held_at_node(shop, entry, &pending, strangers).await?;
    if is_full {
        strangers.full_look = Some(now);
        strangers.at_once = false;
    }
    let known: BTreeSet<PaymentHash> = pending.iter().map(|invoice| invoice.hash).collect();
    let missing: Vec<_> = ours.into_keys().filter(|hash| !known.contains(hash)).collect();
    differences += missing.len();
    if let Err(error) = look_up_missing(shop, entry, missing).await? {
        return Ok(Err(error));
    }
    Ok(history::look_through(shop, entry).await?.map(|()| differences))
}

/// The add index after which the node's pending invoices matter; `None` when none do. Ours whose index is not known make
/// it the first.
fn begin(ours: &BTreeMap<PaymentHash, Option<u64>>, is_full: bool) -> Option<u64> {
    if is_full {
        return Some(0);
    }
    let oldest = ours.values().map(|index| index.unwrap_or(0)).min()?;
    Some(oldest.saturating_sub(1))
}

/// What the node has pending after an add index, as far as it is ours: a node may have very much of others'.
async fn pending_at_node(
    shop: &Shop,
    entry: &Entry,
    begin: Option<u64>,
    ours: &BTreeMap<PaymentHash, Option<u64>>,
) -> Result<Vec<NodeInvoice>, NodeError> {
    let mut pending = Vec::new();
    let mut next = begin;
    while let Some(after) = next {
        let page = entry.node.open_invoices(after, PAGE).await?;
        next = page.next;
        let is_ours = |invoice: &NodeInvoice| {
            ours.contains_key(&invoice.hash) || invoices::ownership::maker(shop, invoice).is_some()
        };
        pending.extend(page.invoices.into_iter().filter(is_ours));
    }
    Ok(pending)
}

/// Asks for each invoice that the node does not list as open. What it does not know at all is gone,
/// provided that it is still the same node after it said so. One that can't be looked up, or whose state can't be
/// stored, holds up no other.
async fn look_up_missing(
    shop: &Shop,
    entry: &Entry,
    missing: Vec<PaymentHash>,
) -> Result<Result<(), NodeError>, Error> {
    let mut unknown = Vec::new();
    let mut answered = Ok(());
    for hash in missing {
        match entry.node.look_up(hash).await {
            Ok(Some(invoice)) => {
                let is_left = invoice.state == NodeInvoiceState::Canceled && entry.node.keeps_expired();
                each(shop, hash, heard::apply(shop, entry, invoice, None).await).await?;
                if is_left {
                    // It ended by itself, while the shop was down, say: nobody else will delete it.
                    each(shop, hash, payments::apply::apply_leftover(shop, entry.spec.id, hash).await).await?;
                }
            }
            Ok(None) => unknown.push(hash),
            Err(error) => {
                let is_away = error.is_absence();
                answered = Err(error);
                if is_away {
                    break;
                }
            }
        }
    }
    if unknown.is_empty() {
        return Ok(answered);
    }
    if let Err(error) = health::confirm(shop, entry).await? {
        return Ok(Err(error));
    }
    let absence = Absence { forgets_paid: entry.node.forgets_paid(), asked: Asked::Compared };
    for hash in unknown {
        each(shop, hash, invoices::absence::apply_unknown(shop, entry.spec.id, hash, absence).await).await?;
    }
    Ok(answered)
}

/// What became of one invoice: when it is at fault itself it is left out, and the others go on.
async fn each(shop: &Shop, hash: PaymentHash, result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(error) if left_out::is_its_own(&error) => {
            left_out::tell(shop, hash, "applying the state of an invoice", &error).await;
            Ok(())
        }
        result => result,
    }
}

/// Open invoices of ours that are none of our live ones: left over from lost answers, or of orders that are lost.
async fn offered_at_node(
    shop: &Shop,
    entry: &Entry,
    pending: &[NodeInvoice],
    ours: &BTreeMap<PaymentHash, Option<u64>>,
    strangers: &mut Strangers,
) -> Result<usize, Error> {
    let node = entry.spec.id;
    let is_open = |invoice: &&NodeInvoice| invoice.state == NodeInvoiceState::Open;
    let mut differences = 0;
    for invoice in pending.iter().filter(is_open).filter(|invoice| !ours.contains_key(&invoice.hash)) {
        differences += 1;
        let applied = if shop.db.read(|db| deals::order_by_hash(db, invoice.hash, node))?.is_some() {
            invoices::absence::apply_leftover(shop, node, invoice.hash).await
        } else {
            for_stranger(shop, entry, invoice, strangers).await
        };
        each(shop, invoice.hash, applied).await?;
    }
    Ok(differences)
}

/// Held payments at the node, each judged with the node's height.
async fn held_at_node(
    shop: &Shop,
    entry: &Entry,
    pending: &[NodeInvoice],
    strangers: &mut Strangers,
) -> Result<usize, Error> {
    let held: Vec<_> = pending.iter().filter(|invoice| invoice.state == NodeInvoiceState::Accepted).collect();
    if held.is_empty() {
        return Ok(0);
    }
    let height = entry.height().await;
    let node = entry.spec.id;
    for invoice in &held {
        let applied = if shop.db.read(|db| deals::order_by_hash(db, invoice.hash, node))?.is_some() {
            heard::apply(shop, entry, (*invoice).clone(), height).await
        } else {
            for_stranger(shop, entry, invoice, strangers).await
        };
        each(shop, invoice.hash, applied).await?;
    }
    Ok(held.len())
}

/// An invoice which this shop has made, but whose order it does not know: nobody may pay it any more, and what is held
/// for it goes back.
async fn for_stranger(
    shop: &Shop,
    entry: &Entry,
    invoice: &NodeInvoice,
    strangers: &mut Strangers,
) -> Result<(), Error> {
    if is_followed_elsewhere(shop, entry, invoice.hash)? {
        return Ok(());
    }
    let now = shop.now();
    let since = strangers.since.entry(invoice.hash).or_insert(now);
    // A clock that is put back must not hold the payment for ever.
    *since = now.min(*since);
    if strangers.at_once || since.plus_secs(STRANGER_SECS) <= now {
        tracing::warn!(hash = %invoice.hash, memo = invoice.memo, "cancelling the invoice of an unknown order");
        match entry.node.cancel(invoice.hash).await {
            Ok(_) => drop(strangers.since.remove(&invoice.hash)),
            Err(error) => tracing::warn!(%error, "it could not be cancelled now"),
        }
    }
    Ok(())
}

/// Whether the same node is there under another record, which made this invoice and looks after its payment.
fn is_followed_elsewhere(shop: &Shop, entry: &Entry, hash: PaymentHash) -> Result<bool, Error> {
    shop.db.read(|db| {
        let other = invoices::ownership::other_record(db, entry.spec.id, hash)?;
        // Nobody follows a removed one: a live order can't depend on it.
        Ok(match other {
            Some(other) => nodes::get(db, other)?.is_some(),
            None => false,
        })
    })
}

#[cfg(test)]
mod tests;
