//! Carries out the outbox: asks nodes to make, cancel and settle invoices. Each intent may be
//! carried out twice (a crash between act and record); nodes answer the second time like the first.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::failure::log_failure;
use super::marks::{Mark, Marks};
use super::nodes::entry::Entry;
use super::nodes::registry::Registry;
use super::nodes::{health, heard};
use super::{Tasks, probes};
use crate::domain::clocks;
use crate::domain::id::NodeId;
use crate::domain::lightning::{CancelOutcome, MadeInvoice, NodeError, NodeErrorKind, SettleOutcome};
use crate::domain::time::Timestamp;
use crate::onion::Dialer;
use crate::services::invoices::absence::{Absence, Asked};
use crate::services::{Error, Shop, invoices, nodes};
use crate::store::outbox;
use crate::store::outbox::{Intent, IntentKind, Wanted};

/// Calls to one node at the same time.
const CALLS_PER_NODE: usize = 32;
/// Targets probed at the same time.
const PROBES: usize = 8;
/// Intents taken from the database at a time.
const BATCH: u32 = 256;
/// The longest sleep when nothing rings: other processes may have stored intents.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The pauses of a [`Runner`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pauses {
    /// Between the first call whose answer was lost and the second.
    pub second_try: Duration,
    /// After a failure at a node that counts as down, before the next is tried there: each is written down.
    pub down: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { second_try: Duration::from_millis(200), down: Duration::from_secs(2) }
    }
}

/// What is being carried out, and how much at once per node.
struct Running {
    probes: Semaphore,
    intents: Marks<i64>,
    /// Nodes that count as down and are being asked one thing after the other.
    one_by_one: Marks<NodeId>,
    slots: Mutex<HashMap<NodeId, Arc<Semaphore>>>,
}

impl Default for Running {
    fn default() -> Self {
        let (intents, one_by_one) = (Marks::default(), Marks::default());
        Self { probes: Semaphore::new(PROBES), intents, one_by_one, slots: Mutex::default() }
    }
}

impl Running {
    fn slots(&self, node: NodeId) -> Arc<Semaphore> {
        let mut slots = self.slots.lock();
        Arc::clone(slots.entry(node).or_insert_with(|| Arc::new(Semaphore::new(CALLS_PER_NODE))))
    }
}

/// Carries out the outbox.
#[derive(Clone)]
pub struct Runner {
    shop: Shop,
    registry: Arc<Registry>,
    dialer: Option<Dialer>,
    running: Arc<Running>,
    tasks: Tasks,
    pauses: Pauses,
}

impl Runner {
    /// One that asks the nodes of `registry`; without `dialer` no target is probed.
    pub fn new(registry: Arc<Registry>, dialer: Option<Dialer>, tasks: Tasks) -> Self {
        let (shop, running) = (registry.shop.clone(), Arc::default());
        Self { shop, registry, dialer, running, tasks, pauses: Pauses::default() }
    }

    /// The same with other pauses.
    #[must_use]
    pub fn with_pauses(self, pauses: Pauses) -> Self {
        Self { pauses, ..self }
    }

    /// Runs until dropped.
    pub async fn run(self) {
        log_failure("taking the outbox over", invoices::create::take_over(&self.shop).await);
        let mut newest = 0;
        let mut all_looked_at = None;
        loop {
            let rung = self.shop.outbox_bell.notified();
            // A bell means new rows; those that wait for another try are looked at each second.
            if all_looked_at.is_none_or(|at: Instant| at.elapsed() >= POLL_INTERVAL) {
                all_looked_at = Some(Instant::now());
                log_failure("reading the outbox", self.start_due());
            }
            log_failure("reading the outbox", self.start_new(&mut newest));
            let _ = tokio::time::timeout(POLL_INTERVAL, rung).await;
        }
    }

    /// Starts what was stored after row `newest`, which becomes the last.
    ///
    /// # Errors
    /// Those of the database.
    pub fn start_new(&self, newest: &mut i64) -> Result<(), Error> {
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
    /// it, but for invoices to be made, since another node can make them, and for held payments.
    ///
    /// # Errors
    /// Those of the database.
    pub fn start_due(&self) -> Result<(), Error> {
        let (limit, now) = (self.beyond_running(BATCH), self.shop.now());
        for node in self.shop.db.read(outbox::nodes)? {
            let down = self.is_down(node);
            for intent in self.shop.db.read(|db| outbox::due(db, node, now, down, limit))? {
                self.start(intent);
            }
            if down {
                self.ask_one_by_one(node);
            }
        }
        Ok(())
    }

    /// Those being carried out are still in the table: how much to read to see `count` past them.
    fn beyond_running(&self, count: u32) -> u32 {
        count.saturating_add(u32::try_from(self.running.intents.len()).unwrap_or(u32::MAX))
    }

    fn is_down(&self, node: NodeId) -> bool {
        self.registry.get(node).is_ok_and(|entry| entry.is_down())
    }

    fn start(&self, intent: Intent) {
        if waits_for_node(&intent) && self.is_down(intent.node_id) {
            return self.ask_one_by_one(intent.node_id);
        }
        let Some(mark) = self.running.intents.begin(intent.id) else { return };
        if intent.kind == IntentKind::Probe {
            return self.start_probe(intent, mark);
        }
        // Waiting for a slot in the caller would let a slow node hold up the others.
        let (runner, slots) = (self.clone(), self.running.slots(intent.node_id));
        self.tasks.spawn(async move {
            let _mark = mark;
            let _slot = slots.acquire_owned().await.ok();
            // The node may have gone down while this waited.
            if !(waits_for_node(&intent) && runner.is_down(intent.node_id)) {
                runner.carry_out(intent).await;
            }
        });
    }

    fn start_probe(&self, intent: Intent, mark: Mark<i64>) {
        let (shop, running, dialer) = (self.shop.clone(), Arc::clone(&self.running), self.dialer.clone());
        self.tasks.spawn(async move {
            let _mark = mark;
            let _slot = running.probes.acquire().await.ok();
            log_failure("probing a target", probes::perform(&shop, dialer.as_ref(), &intent).await);
        });
    }

    /// Gives held payments back, and takes them, at a node that counts as down: what it says of itself may only be slow
    /// because of its chain backend, and money can't wait. One at a time, the longest due first, until nothing is due
    /// or one fails: a node that is really away is not besieged.
    fn ask_one_by_one(&self, node: NodeId) {
        let Some(turn) = self.running.one_by_one.begin(node) else { return };
        let runner = self.clone();
        self.tasks.spawn(async move {
            let _turn = turn;
            while runner.is_down(node) {
                match runner.longest_due(node) {
                    Ok(Some((intent, mark))) => {
                        let id = intent.id;
                        runner.carry_out(intent).await;
                        drop(mark);
                        if runner.shop.db.read(|db| outbox::exists(db, id)).unwrap_or(true) {
                            return tokio::time::sleep(runner.pauses.down).await;
                        }
                    }
                    Ok(None) => return,
                    Err(error) => return log_failure("reading the outbox", Err(error)),
                }
            }
        });
    }

    fn longest_due(&self, node: NodeId) -> Result<Option<(Intent, Mark<i64>)>, Error> {
        let (limit, now) = (self.beyond_running(1), self.shop.now());
        let due = self.shop.db.read(|db| outbox::due_at_down_node(db, node, now, limit))?;
        let begun = due.into_iter().find_map(|intent| Some((self.running.intents.begin(intent.id)?, intent)));
        Ok(begun.map(|(mark, intent)| (intent, mark)))
    }

    async fn carry_out(&self, mut intent: Intent) {
        let result = carry_out(&self.shop, &self.registry, &mut intent, self.pauses.second_try).await;
        log_failure(intent.kind.name(), result);
    }
}

/// Whether nobody but its node can do it.
const fn waits_for_node(intent: &Intent) -> bool {
    matches!(intent.kind, IntentKind::Cancel | IntentKind::Settle)
}

/// Performs the intent, and once more when that may tell whether the first time counted.
async fn carry_out(shop: &Shop, registry: &Registry, intent: &mut Intent, second_try: Duration) -> Result<(), Error> {
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
        tokio::time::sleep(second_try).await;
    }
}

/// What one try at an intent came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Performed {
    /// Its result is stored: done, postponed, or another intent has taken its place.
    Recorded,
    /// The answer was lost; asking again with one more in `attempts` is safe and may tell more.
    AskAgain,
}

/// Tries an intent once at its node and stores the result. `entry` is the node, or why there is none.
///
/// # Errors
/// Only those of the database: then nothing was stored and the intent stands.
async fn perform(shop: &Shop, entry: Result<Entry, NodeError>, intent: &Intent) -> Result<Performed, Error> {
    let done = match (intent.kind, entry) {
        (IntentKind::Make, entry) => return make(shop, entry, intent).await,
        // Probes have a worker of their own.
        (IntentKind::Probe, _) => Ok(()),
        (IntentKind::Cancel, Ok(entry)) => cancel(shop, &entry, intent).await,
        (IntentKind::Settle, Ok(entry)) => settle(shop, &entry, intent).await,
        (IntentKind::Cancel | IntentKind::Settle, Err(error)) => invoices::intent::postpone(shop, intent, &error).await,
    };
    done.map(|()| Performed::Recorded)
}

async fn make(shop: &Shop, entry: Result<Entry, NodeError>, intent: &Intent) -> Result<Performed, Error> {
    let Some(wanted) = invoices::create::wanted(shop, intent)? else {
        return invoices::intent::finish(shop, intent).await.map(|()| Performed::Recorded);
    };
    if !intent.created_at.is_within(shop.settings.make_limit_secs, shop.now()) {
        let late = NodeError::new(NodeErrorKind::TimedOut, "the invoice was not made in time");
        return invoices::create::not_made(shop, intent, late).await.map(|()| Performed::Recorded);
    }
    let entry = match entry {
        Ok(entry) => entry,
        Err(error) => return invoices::create::not_made(shop, intent, error).await.map(|()| Performed::Recorded),
    };
    let lost = |error: &NodeError| error.may_have_happened() && intent.attempts == 0;
    let created = entry.node.create(&invoices::create::request(shop, intent, &wanted)).await;
    if let Ok(made) = &created {
        compare_clocks(shop, &entry, made.created_at, intent.created_at).await?;
    }
    let fits =
        |made| invoices::create::payable(shop, &wanted, invoices::create::on_right_network(shop, &wanted, made)?);
    match created.and_then(fits) {
        Ok(made) => made_invoice(shop, &entry, intent, &wanted, made).await?,
        // Another node would be faster.
        Err(error) if lost(&error) && !invoices::create::has_alternative(shop, intent)? => {
            return Ok(Performed::AskAgain);
        }
        Err(error) => {
            tracing::warn!(node = entry.spec.name, %error, "the node could not make an invoice");
            entry.check.notify_one();
            invoices::create::not_made(shop, intent, error).await?;
        }
    }
    Ok(Performed::Recorded)
}

/// Each invoice tells what time its node has.
async fn compare_clocks(shop: &Shop, entry: &Entry, made_at: Timestamp, asked_at: Timestamp) -> Result<(), Error> {
    let ahead_secs = clocks::ahead_secs(made_at, asked_at, shop.now());
    if !nodes::clocks::is_news(shop, entry.spec.id, ahead_secs)? {
        return Ok(());
    }
    let validity = entry.node.certificate().await.map(|certificate| certificate.validity);
    nodes::clocks::note(shop, entry.spec.id, ahead_secs, validity).await.map(drop)
}

async fn made_invoice(
    shop: &Shop,
    entry: &Entry,
    intent: &Intent,
    wanted: &Wanted,
    made: MadeInvoice,
) -> Result<(), Error> {
    invoices::create::made(shop, intent, made).await?;
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
        Err(error) => invoices::intent::postpone(shop, intent, &error).await,
    }
}

async fn settle(shop: &Shop, entry: &Entry, intent: &Intent) -> Result<(), Error> {
    let Some(attempt) = shop.db.read(|db| outbox::attempt(db, intent.hash))? else {
        return invoices::intent::finish(shop, intent).await;
    };
    match entry.node.settle(shop.preimage(attempt.order, attempt.number)).await {
        Ok(SettleOutcome::Settled) => learn(shop, entry, intent).await,
        Ok(SettleOutcome::AlreadyCanceled) => gone(shop, intent).await,
        Ok(SettleOutcome::Unknown) => unknown(shop, entry, intent).await,
        Err(error) => invoices::intent::postpone(shop, intent, &error).await,
    }
}

/// Looks the invoice up and applies what the node says; then the intent is through.
async fn learn(shop: &Shop, entry: &Entry, intent: &Intent) -> Result<(), Error> {
    match entry.node.look_up(intent.hash).await {
        Ok(Some(invoice)) => {
            heard::apply(shop, entry, invoice, None).await?;
            invoices::intent::finish(shop, intent).await
        }
        Ok(None) => unknown(shop, entry, intent).await,
        Err(error) => invoices::intent::postpone(shop, intent, &error).await,
    }
}

/// The node does not know the invoice: it is gone, unless another node says so. How it ended is known only if our
/// own call may have removed it, or its time was over.
async fn unknown(shop: &Shop, entry: &Entry, intent: &Intent) -> Result<(), Error> {
    if let Err(error) = health::confirm(shop, entry).await? {
        return invoices::intent::postpone(shop, intent, &error).await;
    }
    let asked = match intent.kind {
        IntentKind::Cancel => Asked::Cancelled { is_again: intent.is_uncertain },
        _ => Asked::Settled,
    };
    let absence = Absence { forgets_paid: entry.node.forgets_paid(), asked };
    invoices::absence::apply_unknown(shop, intent.node_id, intent.hash, absence).await?;
    invoices::intent::finish(shop, intent).await
}

/// The invoice can't be paid any more; then the intent is through.
async fn gone(shop: &Shop, intent: &Intent) -> Result<(), Error> {
    invoices::absence::apply_gone(shop, intent.node_id, intent.hash).await?;
    invoices::intent::finish(shop, intent).await
}
