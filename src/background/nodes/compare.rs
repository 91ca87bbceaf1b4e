//! Compares the open invoices of a node with ours, since streams alone can miss some. It costs what is open: it begins
//! at the oldest that is, and only seldom looks at everything that the node has pending.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::entry::Entry;
use super::strangers;
pub use super::strangers::Strangers;
use super::troubles::Way;
use super::{arrivals, health, heard, history, troubles};
use crate::background::kept;
use crate::domain::lightning::{NodeError, NodeInvoice, NodeInvoiceState, PaymentHash};
use crate::services::invoices::absence::{Absence, Asked};
use crate::services::{Error, Shop, invoices, left_out, payments, restored};
use crate::store::{deals, node_state};

/// Open invoices asked for at a time.
const PAGE: u32 = 500;
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
            due(&shop, &entry, strangers.has_held()).await;
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

/// Waits for the bell, or for the time to look whether the stream is deaf, or whether what a lost order holds can go back.
async fn due(shop: &Shop, entry: &Entry, holds_lost: bool) {
    while tokio::time::timeout(UNSURE_INTERVAL, entry.compare.notified()).await.is_err() {
        if holds_lost || is_unheard(shop, entry) {
            return;
        }
    }
}

/// Whether something can be paid of which the node's stream may not tell.
fn is_unheard(shop: &Shop, entry: &Entry) -> bool {
    let is_sure = entry.is_counting_on.load(Ordering::Relaxed);
    !is_sure && shop.db.read(|db| node_state::is_payable(db, entry.spec.id)).unwrap_or(false)
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
    // Before anything is judged that has come since; at first nothing has, and what is paid is looked for sooner.
    let is_first = strangers.reading.is_none();
    if !is_first && let Err(error) = arrivals::read_on(shop, entry, &mut strangers.reading).await? {
        return Ok(Err(error));
    }
    // Ours first: one that is made while we compare must not look as if the node had lost it.
    let ours = shop.db.scan(move |db| node_state::live_invoices(db, node)).await?;
    strangers.mind_copy(shop.db.read(restored::is_copied)?);
    let is_full = strangers.is_full_look_due(now);
    let pending = match pending_at_node(shop, entry, begin(&ours, is_full), &ours).await {
        Ok(pending) => pending,
        Err(error) => return Ok(Err(error)),
    };
    strangers.keep(&pending);
    // Before any of them is cancelled: some nodes have nothing of it afterwards.
    let strange = pending.iter().filter(|invoice| !ours.contains_key(&invoice.hash)).cloned().collect();
    restored::note(shop, node, strange, strangers.seen()).await?;
    let mut differences = offered_at_node(shop, entry, &pending, &ours, strangers).await?;
    differences += held_at_node(shop, entry, &pending, strangers).await?;
    if is_full {
        strangers.looked_at_all(now);
    }
    let known: BTreeSet<PaymentHash> = pending.iter().map(|invoice| invoice.hash).collect();
    let missing: Vec<_> = ours.into_keys().filter(|hash| !known.contains(hash)).collect();
    differences += missing.len();
    if let Err(error) = look_up_missing(shop, entry, missing).await? {
        return Ok(Err(error));
    }
    if is_first && let Err(error) = arrivals::read_on(shop, entry, &mut strangers.reading).await? {
        return Ok(Err(error));
    }
    if is_full {
        arrivals::store(shop, entry, strangers.reading).await?;
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
            strangers::attend(shop, entry, invoice, strangers).await
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
            strangers::attend(shop, entry, invoice, strangers).await
        };
        each(shop, invoice.hash, applied).await?;
    }
    Ok(held.len())
}

#[cfg(test)]
mod tests;
