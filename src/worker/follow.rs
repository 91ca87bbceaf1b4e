//! Follows one node: its settlements, its held payments, and whether it is alive; and compares all
//! open invoices with it, since streams alone can miss some.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::Tasks;
use super::registry::{Entry, Registry};
use super::{alive, history, holds};
use crate::domain::id::OrderId;
use crate::domain::lightning::{NodeError, NodeErrorKind, NodeInvoice, NodeInvoiceState, PaymentHash};
use crate::domain::time::Timestamp;
use crate::lightning::supervise::{SettlementSink, supervise};
use crate::services::{Error, Shop, payments};
use crate::store::{deals, node_state, nodes};

/// Open invoices asked for at a time.
const PAGE: u32 = 500;
/// Settlements applied in one transaction.
const BATCH: usize = 256;
/// A held payment with our memo that no order knows is given back when it is still there after this
/// time: its order was lost with a restored backup, and the buyer waits for the money.
const STRANGER_SECS: i64 = 240;

/// Starts everything that follows a node; all of it ends when the node is changed or removed.
pub fn start(registry: &Arc<Registry>, entry: Entry, tasks: &Tasks) {
    let shop = registry.shop.clone();
    let (news, inbox) = mpsc::channel(BATCH);
    let sink = Sink {
        shop: shop.clone(),
        entry: entry.clone(),
        tasks: tasks.clone(),
        news,
        compared: AtomicBool::new(false),
        is_other: AtomicBool::new(false),
    };
    spawn(tasks, &entry, apply_settlements(shop.clone(), entry.clone(), inbox));
    let followed = entry.clone();
    spawn(tasks, &entry, async move {
        supervise(&*followed.node, &sink).await;
    });
    spawn(tasks, &entry, holds::run(shop.clone(), entry.clone(), tasks.clone()));
    spawn(tasks, &entry, alive::run(shop, entry.clone()));
}

fn spawn(tasks: &Tasks, entry: &Entry, task: impl Future<Output = ()> + Send + 'static) {
    let gone = entry.gone.clone();
    tasks.spawn(async move {
        tokio::select! {
            () = gone.cancelled() => {}
            () = task => {}
        }
    });
}

struct Sink {
    shop: Shop,
    entry: Entry,
    tasks: Tasks,
    news: mpsc::Sender<NodeInvoice>,
    /// Whether the first comparison since the start has begun.
    compared: AtomicBool,
    /// Whether another node than ours answered when the stream was opened.
    is_other: AtomicBool,
}

#[async_trait]
impl SettlementSink for Sink {
    async fn cursor(&self) -> u64 {
        let node = self.entry.spec.id;
        self.shop.db.read(|db| node_state::cursor(db, node)).unwrap_or(0)
    }

    async fn connected(&self) {
        self.entry.check.notify_one();
        let confirmed = alive::confirm(&self.shop, &self.entry).await;
        let is_other = matches!(confirmed, Ok(Err(error)) if error.kind == NodeErrorKind::OtherNode);
        self.is_other.store(is_other, Ordering::Relaxed);
        let (shop, entry) = (self.shop.clone(), self.entry.clone());
        let again = self.compared.swap(true, Ordering::Relaxed);
        let mut strangers = if again { Strangers::default() } else { Strangers::at_start() };
        // Beside the stream: new settlements must not wait for a long comparison.
        spawn(&self.tasks, &self.entry, async move {
            let compared = compare(&shop, &entry, &mut strangers).await;
            super::log_failure("comparing invoices", compared.map(drop));
        });
        self.entry.holds.notify_one();
    }

    async fn settled(&self, invoice: NodeInvoice) -> Result<(), NodeError> {
        if self.is_other.load(Ordering::Relaxed) {
            // Its settlements must not move the cursor of ours.
            return Err(NodeError::new(NodeErrorKind::OtherNode, "another node than ours has answered"));
        }
        let closed = || NodeError::new(NodeErrorKind::Unavailable, "the shop is shutting down");
        self.news.send(invoice).await.map_err(|_| closed())
    }

    async fn lost(&self, error: &NodeError, wait: Duration) {
        tracing::warn!(node = self.entry.spec.name, %error, wait_secs = wait.as_secs(), "the node's stream ended");
        self.entry.check.notify_one();
    }
}

/// Applies settlements in the order in which they came, many at once when many wait.
async fn apply_settlements(shop: Shop, entry: Entry, mut inbox: mpsc::Receiver<NodeInvoice>) {
    let mut batch = Vec::with_capacity(BATCH);
    while inbox.recv_many(&mut batch, BATCH).await > 0 {
        let news = std::mem::take(&mut batch);
        // Until it is stored nothing newer may be: the cursor would pass it.
        while let Err(error) = payments::apply_all(&shop, entry.spec.id, news.clone()).await {
            tracing::error!(%error, "settlements can't be stored; trying again");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

/// Held payments of unknown orders.
#[derive(Debug, Default)]
pub struct Strangers {
    /// Since when they have been seen.
    since: HashMap<PaymentHash, Timestamp>,
    /// Whether they are given back without waiting: at the start nothing of ours can be on its way.
    at_once: bool,
}

impl Strangers {
    /// Those of the first comparison after the start.
    pub fn at_start() -> Self {
        Self { at_once: true, ..Self::default() }
    }
}

/// Compares our open invoices with the node's, page by page, and looks only the differences up.
/// Returns how many differed; none with a node that is not ours any more, or does not answer.
pub async fn compare(shop: &Shop, entry: &Entry, strangers: &mut Strangers) -> Result<usize, Error> {
    let node = entry.spec.id;
    if let Err(error) = alive::confirm(shop, entry).await? {
        tracing::warn!(node = entry.spec.name, %error, "invoices are not compared");
        return Ok(0);
    }
    // Ours first: one that is made while we compare must not look as if the node had lost it.
    let ours = shop.db.scan(move |db| node_state::live_hashes(db, node)).await?;
    let Some(pending) = pending_at_node(entry).await else { return Ok(0) };
    let mut differences = offered_at_node(shop, entry, &pending, &ours).await?;
    differences += held_at_node(shop, entry, &pending, strangers).await?;
    let known: HashSet<PaymentHash> = pending.iter().map(|invoice| invoice.hash).collect();
    let missing: Vec<_> = ours.into_iter().filter(|hash| !known.contains(hash)).collect();
    differences += missing.len();
    if let Err(error) = look_up_missing(shop, entry, missing).await? {
        tracing::warn!(node = entry.spec.name, %error, "comparing invoices was cut short");
    }
    history::look_through(shop, entry).await?;
    Ok(differences)
}

/// Asks for each invoice that the node does not list as open. What it does not know at all is gone,
/// provided that it is still the same node after it said so.
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
                payments::apply(shop, entry.spec.id, invoice, None).await?;
                if is_left {
                    // It ended by itself, while the shop was down, say: nobody else will delete it.
                    payments::apply_leftover(shop, entry.spec.id, hash).await?;
                }
            }
            Ok(None) => unknown.push(hash),
            Err(error) => {
                answered = Err(error);
                break;
            }
        }
    }
    if unknown.is_empty() {
        return Ok(answered);
    }
    if let Err(error) = alive::confirm(shop, entry).await? {
        return Ok(Err(error));
    }
    for hash in unknown {
        payments::apply_gone(shop, entry.spec.id, hash).await?;
    }
    Ok(answered)
}

async fn pending_at_node(entry: &Entry) -> Option<Vec<NodeInvoice>> {
    let mut pending = Vec::new();
    let mut after = 0;
    loop {
        match entry.node.open_invoices(after, PAGE).await {
            Ok(page) => {
                pending.extend(page.invoices);
                match page.next {
                    Some(next) => after = next,
                    None => return Some(pending),
                }
            }
            Err(error) => {
                tracing::warn!(node = entry.spec.name, %error, "comparing invoices failed");
                return None;
            }
        }
    }
}

/// Open invoices with our memo that are none of our live ones: left over from lost answers.
async fn offered_at_node(
    shop: &Shop,
    entry: &Entry,
    pending: &[NodeInvoice],
    ours: &BTreeSet<PaymentHash>,
) -> Result<usize, Error> {
    let is_open = |invoice: &&NodeInvoice| invoice.state == NodeInvoiceState::Open;
    let is_stray = |invoice: &&NodeInvoice| invoice.memo.starts_with("PO: ") && !ours.contains(&invoice.hash);
    let mut differences = 0;
    for invoice in pending.iter().filter(is_open).filter(is_stray) {
        differences += 1;
        payments::apply_leftover(shop, entry.spec.id, invoice.hash).await?;
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
        if shop.db.read(|db| deals::order_by_hash(db, invoice.hash, node))?.is_some() {
            payments::apply(shop, node, (*invoice).clone(), height).await?;
        } else {
            held_for_stranger(shop, entry, invoice, strangers).await?;
        }
    }
    Ok(held.len())
}

async fn held_for_stranger(
    shop: &Shop,
    entry: &Entry,
    invoice: &NodeInvoice,
    strangers: &mut Strangers,
) -> Result<(), Error> {
    let is_ours = invoice.memo.strip_prefix("PO: ").and_then(OrderId::parse).is_some();
    if !is_ours || is_followed_elsewhere(shop, entry, invoice.hash)? {
        return Ok(());
    }
    let now = shop.now();
    let since = strangers.since.entry(invoice.hash).or_insert(now);
    // A clock that is put back must not hold the payment for ever.
    *since = now.min(*since);
    if strangers.at_once || since.plus_secs(STRANGER_SECS) <= now {
        tracing::warn!(hash = %invoice.hash, memo = invoice.memo, "giving back a held payment of an unknown order");
        if let Err(error) = entry.node.cancel(invoice.hash).await {
            tracing::warn!(%error, "it could not be given back now");
        }
    }
    Ok(())
}

/// Whether the same node is there under another record, which made this invoice and looks after its payment.
fn is_followed_elsewhere(shop: &Shop, entry: &Entry, hash: PaymentHash) -> Result<bool, Error> {
    shop.db.read(|db| {
        let other = payments::other_record(db, entry.spec.id, hash)?;
        // Nobody follows a removed one: a live order can't depend on it.
        Ok(match other {
            Some(other) => nodes::get(db, other)?.is_some(),
            None => false,
        })
    })
}
