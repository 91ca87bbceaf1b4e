//! Carries out the outbox: asks nodes to make, cancel and settle invoices. Each intent may be
//! carried out twice (a crash between act and record); nodes answer the second time like the first.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::registry::{Entry, Registry};
use super::{Tasks, alive, probing};
use crate::domain::clocks;
use crate::domain::id::NodeId;
use crate::domain::lightning::{CancelOutcome, MadeInvoice, NodeError, NodeErrorKind, SettleOutcome};
use crate::domain::time::Timestamp;
use crate::onion::Dialer;
use crate::services::{Error, Shop, making, node_clocks, payments};
use crate::store::outbox::{self, Intent, IntentKind, Wanted};

/// Calls to one node at the same time.
const CALLS_PER_NODE: usize = 32;
/// Targets probed at the same time.
const PROBES: usize = 8;
/// Intents taken from the database at a time.
const BATCH: u32 = 256;
/// The longest sleep when nothing rings: other processes may have stored intents.
const LOOK: Duration = Duration::from_secs(1);
/// Between the first call whose answer was lost and the second.
const SECOND_TRY: Duration = Duration::from_millis(200);

/// What is being carried out, and how much at once per node.
struct Running {
    probes: Semaphore,
    intents: Mutex<HashSet<i64>>,
    slots: Mutex<HashMap<NodeId, Arc<Semaphore>>>,
}

impl Default for Running {
    fn default() -> Self {
        Self { probes: Semaphore::new(PROBES), intents: Mutex::default(), slots: Mutex::default() }
    }
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
pub async fn run(shop: Shop, registry: Arc<Registry>, dialer: Option<Dialer>, tasks: Tasks) {
    super::log_failure("taking the outbox over", making::take_over(&shop).await);
    let runner = Runner { shop: shop.clone(), registry, dialer, running: Arc::default(), tasks };
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
    dialer: Option<Dialer>,
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

    fn start(&self, mut intent: Intent) {
        let waits_for_node = matches!(intent.kind, IntentKind::Cancel | IntentKind::Settle);
        if (waits_for_node && self.is_down(intent.node_id)) || !self.running.begin(intent.id) {
            return;
        }
        if intent.kind == IntentKind::Probe {
            return self.start_probe(intent);
        }
        // Waiting for a slot in the caller would let a slow node hold up the others.
        let slots = self.running.slots(intent.node_id);
        let (shop, registry, running) = (self.shop.clone(), Arc::clone(&self.registry), Arc::clone(&self.running));
        self.tasks.spawn(async move {
            let slot: Option<OwnedSemaphorePermit> = slots.acquire_owned().await.ok();
            let result = carry_out(&shop, &registry, &mut intent).await;
            super::log_failure(intent.kind.name(), result);
            running.end(intent.id);
            drop(slot);
        });
    }
}

impl Runner {
    fn start_probe(&self, intent: Intent) {
        let (shop, running, dialer) = (self.shop.clone(), Arc::clone(&self.running), self.dialer.clone());
        self.tasks.spawn(async move {
            let slot = running.probes.acquire().await.ok();
            super::log_failure("probing a target", probing::perform(&shop, dialer.as_ref(), &intent).await);
            running.end(intent.id);
            drop(slot);
        });
    }
}

/// Performs the intent, and once more when that may tell whether the first time counted.
async fn carry_out(shop: &Shop, registry: &Registry, intent: &mut Intent) -> Result<(), Error> {
    loop {
        // It may have been carried out, or become moot, while this one waited. An invoice that is to
        // be made is looked at when its request is.
        if intent.kind != IntentKind::Make && !shop.db.read(|db| outbox::exists(db, intent.id))? {
            return Ok(());
        }
        match perform(shop, registry.get(intent.node_id), intent).await? {
            Performed::Recorded => return Ok(()),
            Performed::AskAgain => intent.attempts += 1,
        }
        tokio::time::sleep(SECOND_TRY).await;
    }
}

/// What one try at an intent came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Performed {
    /// Its result is stored: done, postponed, or another intent has taken its place.
    Recorded,
    /// The answer was lost; asking again with one more in `attempts` is safe and may tell more.
    AskAgain,
}

/// Tries an intent once at its node and stores the result. `entry` is the node, or why there is none.
///
/// # Errors
/// Only those of the database: then nothing was stored and the intent stands.
pub async fn perform(shop: &Shop, entry: Result<Entry, NodeError>, intent: &Intent) -> Result<Performed, Error> {
    let done = match (intent.kind, entry) {
        (IntentKind::Make, entry) => return make(shop, entry, intent).await,
        // Probes have a worker of their own.
        (IntentKind::Probe, _) => Ok(()),
        (IntentKind::Cancel, Ok(entry)) => cancel(shop, &entry, intent).await,
        (IntentKind::Settle, Ok(entry)) => settle(shop, &entry, intent).await,
        (IntentKind::Cancel | IntentKind::Settle, Err(error)) => making::postpone(shop, intent, &error).await,
    };
    done.map(|()| Performed::Recorded)
}

async fn make(shop: &Shop, entry: Result<Entry, NodeError>, intent: &Intent) -> Result<Performed, Error> {
    let Some(wanted) = making::wanted(shop, intent)? else {
        return making::finish(shop, intent).await.map(|()| Performed::Recorded);
    };
    if !intent.created_at.is_within(shop.settings.make_limit_secs, shop.now()) {
        let late = NodeError::new(NodeErrorKind::TimedOut, "the invoice was not made in time");
        return making::not_made(shop, intent, late).await.map(|()| Performed::Recorded);
    }
    let entry = match entry {
        Ok(entry) => entry,
        Err(error) => return making::not_made(shop, intent, error).await.map(|()| Performed::Recorded),
    };
    let lost = |error: &NodeError| error.may_have_happened() && intent.attempts == 0;
    let created = entry.node.create(&making::request(shop, intent, &wanted)).await;
    if let Ok(made) = &created {
        compare_clocks(shop, &entry, made.created_at, intent.created_at).await?;
    }
    let fits = |made| making::payable(shop, &wanted, making::on_right_network(shop, &wanted, made)?);
    match created.and_then(fits) {
        Ok(made) => made_invoice(shop, &entry, intent, &wanted, made).await?,
        // Another node would be faster.
        Err(error) if lost(&error) && !making::has_alternative(shop, intent)? => return Ok(Performed::AskAgain),
        Err(error) => {
            tracing::warn!(node = entry.spec.name, %error, "the node could not make an invoice");
            entry.check.notify_one();
            making::not_made(shop, intent, error).await?;
        }
    }
    Ok(Performed::Recorded)
}

/// Each invoice tells what time its node has.
async fn compare_clocks(shop: &Shop, entry: &Entry, made_at: Timestamp, asked_at: Timestamp) -> Result<(), Error> {
    let ahead_secs = clocks::ahead_secs(made_at, asked_at, shop.now());
    if !node_clocks::is_news(shop, entry.spec.id, ahead_secs)? {
        return Ok(());
    }
    let certificate = entry.node.certificate_validity().await;
    node_clocks::note(shop, entry.spec.id, ahead_secs, certificate).await.map(drop)
}

async fn made_invoice(
    shop: &Shop,
    entry: &Entry,
    intent: &Intent,
    wanted: &Wanted,
    made: MadeInvoice,
) -> Result<(), Error> {
    making::made(shop, intent, made).await?;
    if wanted.is_hold {
        entry.holds.notify_one();
    }
    Ok(())
}

async fn cancel(shop: &Shop, entry: &Entry, intent: &Intent) -> Result<(), Error> {
    match entry.node.cancel(intent.hash).await {
        Ok(CancelOutcome::Cancelled) => gone(shop, intent).await,
        Ok(CancelOutcome::Unknown) => unknown(shop, entry, intent).await,
        Ok(CancelOutcome::AlreadySettled) => learn(shop, entry, intent).await,
        Err(error) => making::postpone(shop, intent, &error).await,
    }
}

async fn settle(shop: &Shop, entry: &Entry, intent: &Intent) -> Result<(), Error> {
    let Some(attempt) = shop.db.read(|db| outbox::attempt(db, intent.hash))? else {
        return making::finish(shop, intent).await;
    };
    match entry.node.settle(shop.preimage(attempt.order, attempt.number)).await {
        Ok(SettleOutcome::Settled) => learn(shop, entry, intent).await,
        Ok(SettleOutcome::AlreadyCanceled) => gone(shop, intent).await,
        Ok(SettleOutcome::Unknown) => unknown(shop, entry, intent).await,
        Err(error) => making::postpone(shop, intent, &error).await,
    }
}

/// Looks the invoice up and applies what the node says; then the intent is through.
async fn learn(shop: &Shop, entry: &Entry, intent: &Intent) -> Result<(), Error> {
    match entry.node.look_up(intent.hash).await {
        Ok(Some(invoice)) => {
            payments::apply(shop, intent.node_id, invoice, None).await?;
            making::finish(shop, intent).await
        }
        Ok(None) => unknown(shop, entry, intent).await,
        Err(error) => making::postpone(shop, intent, &error).await,
    }
}

/// The node does not know the invoice: it is gone, unless another node says so.
async fn unknown(shop: &Shop, entry: &Entry, intent: &Intent) -> Result<(), Error> {
    match alive::confirm(shop, entry).await? {
        Ok(()) => gone(shop, intent).await,
        Err(error) => making::postpone(shop, intent, &error).await,
    }
}

/// The invoice can't be paid any more; then the intent is through.
async fn gone(shop: &Shop, intent: &Intent) -> Result<(), Error> {
    payments::apply_gone(shop, intent.node_id, intent.hash).await?;
    making::finish(shop, intent).await
}
