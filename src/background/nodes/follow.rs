//! Follows one node: its settlements, its held payments, and whether it is alive; and has all open invoices compared
//! with it whenever the stream is opened, since streams alone can miss some.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::mpsc;

pub use super::compare::{Strangers, compare};
use super::entry::Entry;
use super::settlements;
use super::settlements::Told;
use super::troubles;
use super::troubles::Way;
use super::{compare as comparing, health, holds};
use crate::background::Tasks;
use crate::domain::lightning::{NodeError, NodeErrorKind, NodeInvoice};
use crate::lightning::supervise::{SettlementSink, supervise};
use crate::services::{Error, Shop};
use crate::store::node_state;
use crate::store::node_state::Cursor;

/// Starts everything that follows a node; all of it ends when the node is changed or removed.
pub fn start(shop: &Shop, entry: Entry, tasks: &Tasks) {
    let (news, inbox) = mpsc::channel(settlements::BATCH);
    let sink = Arc::new(Sink {
        shop: shop.clone(),
        entry: entry.clone(),
        news,
        opened: Mutex::default(),
        is_other: AtomicBool::new(false),
    });
    // Held for as long as one life of its reader lasts.
    let (inbox, mut is_first) = (Arc::new(tokio::sync::Mutex::new(inbox)), true);
    keep(tasks, shop, &entry, "settlements", move |shop, entry| {
        if !std::mem::take(&mut is_first) {
            // What the one before had taken out, and not stored, is told again.
            entry.reopen.notify_one();
        }
        let inbox = Arc::clone(&inbox);
        async move { settlements::run(shop, entry, &mut *inbox.lock().await).await }
    });
    keep(tasks, shop, &entry, "stream", move |_, entry| {
        let sink = Arc::clone(&sink);
        async move {
            supervise(&*entry.node, &*sink).await;
        }
    });
    keep(tasks, shop, &entry, "comparison", comparing::run);
    let all = tasks.clone();
    keep(tasks, shop, &entry, "held payments", move |shop, entry| holds::run(shop, entry, all.clone()));
    keep(tasks, shop, &entry, "state", health::run);
}

/// Keeps what follows a node running until the node is gone.
fn keep<F>(
    tasks: &Tasks,
    shop: &Shop,
    entry: &Entry,
    what: &str,
    mut begin: impl FnMut(Shop, Entry) -> F + Send + 'static,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let name = format!("the {what} of node {}", entry.spec.name);
    let (shop, entry) = (shop.clone(), entry.clone());
    tasks.keep(&shop.clone(), &name, move || {
        let gone = entry.gone.clone();
        let task = begin(shop.clone(), entry.clone());
        async move {
            tokio::select! {
                () = gone.cancelled() => {}
                () = task => {}
            }
        }
    });
}

struct Sink {
    shop: Shop,
    entry: Entry,
    news: mpsc::Sender<Told>,
    /// Where the present stream was opened.
    opened: Mutex<Cursor>,
    /// Whether another node than ours answered when the stream was opened.
    is_other: AtomicBool,
}

#[async_trait]
impl SettlementSink for Sink {
    async fn cursor(&self) -> Result<u64, NodeError> {
        let node = self.entry.spec.id;
        let unreadable = |error: Error| {
            let detail = format!("how far the node's settlements were applied can't be read: {error}");
            NodeError::new(NodeErrorKind::Unavailable, detail)
        };
        let cursor = self.shop.db.read(|db| Ok(node_state::cursor(db, node)?)).map_err(unreadable)?;
        *self.opened.lock() = cursor;
        // Without a cursor everything new is told.
        self.entry.is_counting_on.store(cursor.index == 0, Ordering::Relaxed);
        Ok(cursor.index)
    }

    async fn connected(&self) {
        self.entry.check.notify_one();
        let confirmed = health::confirm(&self.shop, &self.entry).await;
        let is_other = matches!(confirmed, Ok(Err(error)) if error.kind == NodeErrorKind::OtherNode);
        self.is_other.store(is_other, Ordering::Relaxed);
        // Beside the stream: new settlements must not wait for a long comparison.
        self.entry.compare.notify_one();
        self.entry.holds.notify_one();
    }

    async fn steady(&self) {
        troubles::went_well(&self.shop, &self.entry, Way::Stream).await;
    }

    async fn reopen(&self) {
        self.entry.reopen.notified().await;
    }

    async fn settled(&self, invoice: NodeInvoice) -> Result<(), NodeError> {
        if self.is_other.load(Ordering::Relaxed) {
            // Its settlements must not move the cursor of ours.
            return Err(NodeError::new(NodeErrorKind::OtherNode, "another node than ours has answered"));
        }
        let opened = *self.opened.lock();
        if invoice.settle_index > opened.index {
            self.entry.is_counting_on.store(true, Ordering::Relaxed);
        }
        let closed = || NodeError::new(NodeErrorKind::Unavailable, "the shop is shutting down");
        self.news.send(Told::Settled(opened, Box::new(invoice))).await.map_err(|_| closed())
    }

    async fn lost(&self, error: &NodeError, wait: Duration, is_news: bool) {
        let (node, wait_secs) = (&self.entry.spec.name, wait.as_secs());
        if is_news {
            tracing::warn!(node, %error, "the node's stream ended; it is opened again until it stands");
        } else {
            tracing::debug!(node, %error, wait_secs, "the node's stream can't be opened");
        }
        // While the shop shuts down nobody reads it.
        let _ = self.news.send(Told::Ended).await;
        troubles::went_wrong(&self.shop, &self.entry, Way::Stream, error).await;
        self.entry.check.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::background::nodes::test_entry::entry_of;
    use crate::domain::id::{NodeId, SystemRandom};
    use crate::domain::lightning::{NodeInvoiceState, PaymentHash};
    use crate::domain::money::Msat;
    use crate::domain::time::{SystemClock, Timestamp};
    use crate::services::Settings;
    use crate::services::test_support::database;
    use crate::store::StoreError;

    /// The sink of a node that is not there, whose cursor is at `index`; and what it passes on.
    fn sink(shop: &Shop, index: u64) -> (Sink, mpsc::Receiver<Told>) {
        let sql = format!(
            "INSERT OR IGNORE INTO operator (id, name, role, password_hash, created_at, modified_at) \
             VALUES (7, 'seven', 'operator', '-', 0, 0); \
             INSERT INTO node (id, operator_id, kind, name, host, port, settle_index, created_at, modified_at) \
             VALUES (zeroblob(16), 7, 'cln', 'cln', '/no/lightning-rpc', 0, {index}, 0, 0)"
        );
        shop.db.write_blocking(move |db| db.execute_batch(&sql).map_err(StoreError::from)).unwrap();
        let (news, inbox) = mpsc::channel(8);
        let entry = entry_of(NodeId::parse("00000000-0000-0000-0000-000000000000").unwrap());
        let (opened, is_other) = (Mutex::default(), AtomicBool::new(false));
        (Sink { shop: shop.clone(), entry, news, opened, is_other }, inbox)
    }

    fn settlement(settle_index: u64) -> NodeInvoice {
        NodeInvoice {
            hash: PaymentHash([1; 32]),
            state: NodeInvoiceState::Settled,
            memo: String::new(),
            amount: Msat(1),
            received: Msat(1),
            payment_request: String::new(),
            created_at: Timestamp::from_secs(0),
            expires_at: Timestamp::from_secs(1),
            settled_at: None,
            add_index: 0,
            settle_index,
            nearest_htlc_expiry: None,
            accept_height: None,
        }
    }

    #[tokio::test]
    async fn a_stream_is_known_to_hear_once_it_has_told_a_settlement_beyond_the_cursor_that_it_was_opened_with() {
        let (_dir, db) = database();
        let shop = Shop::new(db, Arc::new(SystemClock), Arc::new(SystemRandom), Settings::default()).unwrap();
        let (sink, _inbox) = sink(&shop, 5);
        let hears = || sink.entry.is_counting_on.load(Ordering::Relaxed);
        assert_eq!(sink.cursor().await.unwrap(), 5);
        sink.settled(settlement(5)).await.unwrap();
        assert!(!hears(), "a node that counts anew tells low numbers as well");
        sink.settled(settlement(6)).await.unwrap();
        assert!(hears());
        sink.cursor().await.unwrap();
        assert!(!hears(), "opened anew, it may be another node's");
    }

    #[tokio::test]
    async fn a_stream_without_a_cursor_hears_everything() {
        let (_dir, db) = database();
        let shop = Shop::new(db, Arc::new(SystemClock), Arc::new(SystemRandom), Settings::default()).unwrap();
        let (sink, _inbox) = sink(&shop, 0);
        sink.cursor().await.unwrap();
        assert!(sink.entry.is_counting_on.load(Ordering::Relaxed));
    }
}
