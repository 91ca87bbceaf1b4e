//! Watches a node's open hold invoices, one subscription each: nodes tell of an accepted payment
//! only there. Their number is limited by the settings.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

use super::entry::Entry;
use super::heard;
use crate::background::Tasks;
use crate::background::marks::{Mark, Marks};
use crate::domain::lightning::{NodeInvoice, NodeInvoiceState, PaymentHash};
use crate::services::{Error, Shop};
use crate::store::node_state;

/// How often invoices without a watcher are looked for when nothing rings.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// Between the end of a subscription and the next for the same invoice. Shorter than the wait before
/// a lost settlement stream is opened again: that one rings for this.
const RESUBSCRIBE_DELAY: Duration = Duration::from_millis(500);

/// Who is watched, and what ends each watcher when its invoice is over otherwise.
#[derive(Default)]
struct Watchers {
    marks: Marks<PaymentHash>,
    ends: HashMap<PaymentHash, CancellationToken>,
}

/// Runs until dropped.
pub async fn run(shop: Shop, entry: Entry, tasks: Tasks) {
    let mut watchers = Watchers::default();
    loop {
        let node = entry.spec.id;
        match shop.db.read(|db| node_state::live_hold_hashes(db, node)) {
            Ok(live) => watchers.look(&shop, &entry, &tasks, live),
            Err(error) => tracing::error!(%error, "the open hold invoices can't be read"),
        }
        let _ = tokio::time::timeout(POLL_INTERVAL, entry.holds.notified()).await;
    }
}

impl Watchers {
    /// Watches those that are live, and nothing else: a node may never say another word of one that it has deleted.
    fn look(&mut self, shop: &Shop, entry: &Entry, tasks: &Tasks, live: Vec<PaymentHash>) {
        let live: HashSet<PaymentHash> = live.into_iter().collect();
        self.ends.retain(|hash, end| {
            if !live.contains(hash) {
                end.cancel();
            }
            live.contains(hash)
        });
        for hash in live {
            if let Some(mark) = self.marks.begin(hash) {
                let end = entry.gone.child_token();
                self.ends.insert(hash, end.clone());
                start_watch(shop, entry, hash, (mark, end), tasks);
            }
        }
    }
}

fn start_watch(
    shop: &Shop,
    entry: &Entry,
    hash: PaymentHash,
    (mark, end): (Mark<PaymentHash>, CancellationToken),
    tasks: &Tasks,
) {
    let (shop, entry) = (shop.clone(), entry.clone());
    tasks.spawn(async move {
        let watched = end.run_until_cancelled(watch(&shop, &entry, hash)).await;
        tokio::time::sleep(RESUBSCRIBE_DELAY).await;
        drop(mark);
        if let Some(Err(error)) = watched {
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
    heard::apply(shop, entry, invoice, height).await
}
