//! Watches a node's open hold invoices, one subscription each: nodes tell of an accepted payment
//! only there. Their number is limited by the settings.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;

use super::Tasks;
use super::registry::Entry;
use crate::domain::lightning::{NodeInvoice, NodeInvoiceState, PaymentHash};
use crate::services::{Error, Shop, payments};
use crate::store::node_state;

/// How often invoices without a watcher are looked for when nothing rings.
const LOOK: Duration = Duration::from_secs(5);
/// Between the end of a subscription and the next for the same invoice. Shorter than the wait before
/// a lost settlement stream is opened again: that one rings for this.
const AGAIN: Duration = Duration::from_millis(500);

type Watched = Arc<Mutex<HashSet<PaymentHash>>>;

/// Runs until dropped.
pub async fn run(shop: Shop, entry: Entry, tasks: Tasks) {
    let watched = Watched::default();
    loop {
        let node = entry.spec.id;
        let live = shop.db.read(|db| node_state::live_hold_hashes(db, node)).unwrap_or_default();
        for hash in live {
            if watched.lock().unwrap_or_else(PoisonError::into_inner).insert(hash) {
                start_watch(&shop, &entry, hash, &watched, &tasks);
            }
        }
        let _ = tokio::time::timeout(LOOK, entry.holds.notified()).await;
    }
}

fn start_watch(shop: &Shop, entry: &Entry, hash: PaymentHash, watched: &Watched, tasks: &Tasks) {
    let (shop, entry, watched) = (shop.clone(), entry.clone(), Arc::clone(watched));
    tasks.spawn(async move {
        let gone = entry.gone.clone();
        let end = tokio::select! {
            () = gone.cancelled() => Ok(()),
            end = watch(&shop, &entry, hash) => end,
        };
        tokio::time::sleep(AGAIN).await;
        watched.lock().unwrap_or_else(PoisonError::into_inner).remove(&hash);
        if let Err(error) = end {
            tracing::error!(%error, "the state of a hold invoice can't be stored; asking for it again");
            entry.holds.notify_one();
        }
    });
}

/// Applies each state of the invoice until the last, or until the subscription breaks.
///
/// # Errors
/// Those of the database. The node tells each state once: only another subscription tells it again.
async fn watch(shop: &Shop, entry: &Entry, hash: PaymentHash) -> Result<(), Error> {
    let mut states = match entry.node.watch(hash).await {
        Ok(states) => states,
        Err(error) => {
            tracing::debug!(node = entry.spec.name, %error, "can't watch an invoice");
            return Ok(());
        }
    };
    while let Some(Ok(invoice)) = states.next().await {
        let is_final = matches!(invoice.state, NodeInvoiceState::Settled | NodeInvoiceState::Canceled);
        observe(shop, entry, invoice).await?;
        if is_final {
            break;
        }
    }
    Ok(())
}

/// Applies one state of a hold invoice; an accepted payment is judged with the node's height.
///
/// # Errors
/// Only those of the database.
pub async fn observe(shop: &Shop, entry: &Entry, invoice: NodeInvoice) -> Result<(), Error> {
    let height = match invoice.state {
        NodeInvoiceState::Accepted => entry.height().await,
        _ => None,
    };
    payments::apply(shop, entry.spec.id, invoice, height).await.map(drop)
}
