//! Carries out the outbox: asks nodes to make, cancel and settle invoices. Each intent may be
//! carried out twice (a crash between act and record); nodes answer the second time like the first.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::Tasks;
use super::registry::{Entry, Registry};
use crate::domain::id::NodeId;
use crate::domain::lightning::{CancelOutcome, MadeInvoice, NodeError, NodeErrorKind, SettleOutcome};
use crate::services::{Error, Shop, making, payments};
use crate::store::outbox::{self, Intent, IntentKind};

/// Calls to one node at the same time.
const CALLS_PER_NODE: usize = 32;
/// Intents taken from the database at a time.
const BATCH: u32 = 256;
/// The longest sleep when nothing rings: other processes may have stored intents.
const LOOK: Duration = Duration::from_secs(1);
/// Between the first call whose answer was lost and the second.
const SECOND_TRY: Duration = Duration::from_millis(200);

/// What is being carried out, and how much at once per node.
#[derive(Default)]
struct Running {
    intents: Mutex<HashSet<i64>>,
    slots: Mutex<HashMap<NodeId, Arc<Semaphore>>>,
}

impl Running {
    /// Marks an intent as being carried out; `false` when it already is.
    fn begin(&self, id: i64) -> bool {
        self.intents.lock().unwrap_or_else(PoisonError::into_inner).insert(id)
    }

    fn end(&self, id: i64) {
        self.intents.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    fn slots(&self, node: NodeId) -> Arc<Semaphore> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(node).or_insert_with(|| Arc::new(Semaphore::new(CALLS_PER_NODE))))
    }
}

/// Runs until dropped.
pub async fn run(shop: Shop, registry: Arc<Registry>, tasks: Tasks) {
    let runner = Runner { shop: shop.clone(), registry, running: Arc::default(), tasks };
    let mut newest = 0;
    let mut all_looked_at = None;
    loop {
        let rung = shop.outbox_bell.notified();
        // A bell means new rows; those that wait for another try are looked at each second.
        if all_looked_at.is_none_or(|at: Instant| at.elapsed() >= LOOK) {
            all_looked_at = Some(Instant::now());
            super::log_failure("reading the outbox", runner.start_due());
        }
        super::log_failure("reading the outbox", runner.start_new(&mut newest));
        let _ = tokio::time::timeout(LOOK, rung).await;
    }
}

struct Runner {
    shop: Shop,
    registry: Arc<Registry>,
    running: Arc<Running>,
    tasks: Tasks,
}

impl Runner {
    fn start_new(&self, newest: &mut i64) -> Result<(), Error> {
        loop {
            let intents = self.shop.db.read(|db| outbox::newer_than(db, *newest, BATCH))?;
            let last = intents.len() < BATCH as usize;
            for intent in intents {
                *newest = intent.id;
                self.start(intent);
            }
            if last {
                return Ok(());
            }
        }
    }

    /// What waits for another try. A node that does not answer is left alone, however much waits for
    /// it; only invoices to be made go on, since another node can make them.
    fn start_due(&self) -> Result<(), Error> {
        // Those being carried out are still in the table: look past them.
        let busy = self.running.intents.lock().unwrap_or_else(PoisonError::into_inner).len();
        let limit = BATCH.saturating_add(u32::try_from(busy).unwrap_or(u32::MAX));
        let now = self.shop.now();
        for node in self.shop.db.read(outbox::nodes)? {
            let down = self.is_down(node);
            for intent in self.shop.db.read(|db| outbox::due(db, node, now, down, limit))? {
                self.start(intent);
            }
        }
        Ok(())
    }

    fn is_down(&self, node: NodeId) -> bool {
        self.registry.get(node).is_ok_and(|entry| !entry.answers.load(Ordering::Relaxed))
    }

    fn start(&self, intent: Intent) {
        if (intent.kind != IntentKind::Make && self.is_down(intent.node_id)) || !self.running.begin(intent.id) {
            return;
        }
        // Waiting for a slot in the caller would let a slow node hold up the others.
        let slots = self.running.slots(intent.node_id);
        let (shop, registry, running) = (self.shop.clone(), Arc::clone(&self.registry), Arc::clone(&self.running));
        self.tasks.spawn(async move {
            let slot: Option<OwnedSemaphorePermit> = slots.acquire_owned().await.ok();
            // It may have been carried out, or become moot, while this one waited.
            let result = match shop.db.read(|db| outbox::exists(db, intent.id)) {
                Ok(true) => perform(&shop, &registry, &intent).await,
                Ok(false) => Ok(()),
                Err(error) => Err(error.into()),
            };
            super::log_failure(intent.kind.name(), result);
            running.end(intent.id);
            drop(slot);
        });
    }
}

async fn perform(shop: &Shop, registry: &Registry, intent: &Intent) -> Result<(), Error> {
    match intent.kind {
        IntentKind::Make => make(shop, registry, intent).await,
        IntentKind::Cancel => cancel(shop, registry, intent).await,
        IntentKind::Settle => settle(shop, registry, intent).await,
        // Probes have a worker of their own.
        IntentKind::Probe => Ok(()),
    }
}

async fn make(shop: &Shop, registry: &Registry, intent: &Intent) -> Result<(), Error> {
    let Some(request) = making::request(shop, intent)? else { return making::finish(shop, intent).await };
    if intent.created_at.plus_secs(shop.settings.make_limit_secs) < shop.now() {
        let late = NodeError::new(NodeErrorKind::TimedOut, "the invoice was not made in time");
        return making::not_made(shop, intent, late).await;
    }
    let entry = match registry.get(intent.node_id) {
        Ok(entry) => entry,
        Err(error) => return making::not_made(shop, intent, error).await,
    };
    let mut answer = entry.node.create(&request).await;
    if answer.as_ref().is_err_and(NodeError::may_have_happened) {
        // Asking again is safe, and tells whether it happened.
        tokio::time::sleep(SECOND_TRY).await;
        answer = entry.node.create(&request).await;
    }
    match answer {
        Ok(made) => made_invoice(shop, &entry, intent, made).await,
        Err(error) => {
            tracing::warn!(node = entry.spec.name, %error, "the node could not make an invoice");
            entry.check.notify_one();
            making::not_made(shop, intent, error).await
        }
    }
}

async fn made_invoice(shop: &Shop, entry: &Entry, intent: &Intent, made: MadeInvoice) -> Result<(), Error> {
    making::made(shop, intent, made).await?;
    entry.holds.notify_one();
    Ok(())
}

async fn cancel(shop: &Shop, registry: &Registry, intent: &Intent) -> Result<(), Error> {
    let outcome = match registry.get(intent.node_id) {
        Ok(entry) => entry.node.cancel(intent.hash).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(CancelOutcome::Cancelled | CancelOutcome::Unknown) => {
            payments::apply_gone(shop, intent.node_id, intent.hash).await?;
            making::finish(shop, intent).await
        }
        Ok(CancelOutcome::AlreadySettled) => learn(shop, registry, intent).await,
        Err(error) => making::postpone(shop, intent, &error).await,
    }
}

async fn settle(shop: &Shop, registry: &Registry, intent: &Intent) -> Result<(), Error> {
    let Some(attempt) = shop.db.read(|db| outbox::attempt(db, intent.hash))? else {
        return making::finish(shop, intent).await;
    };
    let preimage = shop.preimage(attempt.invoice_id, attempt.number);
    let outcome = match registry.get(intent.node_id) {
        Ok(entry) => entry.node.settle(preimage).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(SettleOutcome::Settled) => learn(shop, registry, intent).await,
        Ok(SettleOutcome::AlreadyCanceled | SettleOutcome::Unknown) => {
            payments::apply_gone(shop, intent.node_id, intent.hash).await?;
            making::finish(shop, intent).await
        }
        Err(error) => making::postpone(shop, intent, &error).await,
    }
}

/// Looks the invoice up and applies what the node says; then the intent is through.
async fn learn(shop: &Shop, registry: &Registry, intent: &Intent) -> Result<(), Error> {
    let found = match registry.get(intent.node_id) {
        Ok(entry) => entry.node.look_up(intent.hash).await,
        Err(error) => Err(error),
    };
    match found {
        Ok(Some(invoice)) => {
            payments::apply(shop, intent.node_id, invoice, None).await?;
            making::finish(shop, intent).await
        }
        Ok(None) => {
            payments::apply_gone(shop, intent.node_id, intent.hash).await?;
            making::finish(shop, intent).await
        }
        Err(error) => making::postpone(shop, intent, &error).await,
    }
}
