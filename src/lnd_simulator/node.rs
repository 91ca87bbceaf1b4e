//! The simulated node itself, whatever protocol asks: invoices, payments, subscriptions and the
//! journal behind one lock. Nothing in here waits.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bitcoin::secp256k1::PublicKey;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::watch;

use super::bolt11::Identity;
use super::book::{Arrival, Book, Refusal};
use super::faults::Faults;
use super::invoice::{Hex32, Invoice, State, Terms};
use super::journal::{Entry, Journal};
use super::payment::{FailureReason, Payment, PaymentState};
use crate::domain::id::Random;
use crate::domain::lightning::{PaymentHash, Preimage};
use crate::domain::time::Clock;

/// The height that a new simulated chain starts with.
const FIRST_HEIGHT: u32 = 1000;
/// What a new node's channels hold on either side: 1 BTC, in msat.
const FIRST_BALANCE_MSAT: u64 = 100_000_000_000;

/// How a change was refused: by a rule, or because it could not be written down.
#[derive(Debug, thiserror::Error)]
pub enum NodeFailure {
    /// A rule of LND.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The journal could not be written.
    #[error("the simulator cannot write its journal: {0}")]
    Journal(#[from] io::Error),
}

/// The simulated node.
pub struct Node {
    /// The key that signs invoices.
    pub identity: Identity,
    /// The name that the node gives itself.
    pub alias: String,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// Where payment addresses and preimages come from.
    pub random: Arc<dyn Random>,
    /// What the node was told to do wrong.
    pub faults: Faults,
    peers: Mutex<HashMap<PublicKey, Weak<Node>>>,
    subscriptions: watch::Sender<u64>,
    state: Mutex<NodeState>,
}

/// What changes; only reached through [`Node::lock`].
pub(super) struct NodeState {
    pub book: Book,
    pub payments: HashMap<PaymentHash, Payment>,
    pub last_payment: u64,
    pub height: u32,
    pub local_msat: u64,
    pub remote_msat: u64,
    journal: Journal,
    listeners: Vec<UnboundedSender<Invoice>>,
    watchers: HashMap<PaymentHash, Vec<UnboundedSender<Invoice>>>,
    trackers: HashMap<PaymentHash, Vec<UnboundedSender<Payment>>>,
}

/// The parts of a node that do not change.
pub struct Setup {
    pub identity: Identity,
    pub alias: String,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
}

impl Node {
    /// The node as its journal in `dir` remembers it.
    pub fn open(dir: &Path, setup: Setup) -> io::Result<Self> {
        let mut remembered = Remembered::default();
        for entry in Journal::read(dir)? {
            remembered.apply(entry);
        }
        let journal = Journal::compact(dir, remembered.entries())?;
        let state = NodeState {
            last_payment: remembered.payments.values().map(|payment| payment.index).max().unwrap_or(0),
            book: remembered.book,
            payments: remembered.payments,
            height: remembered.height.unwrap_or(FIRST_HEIGHT),
            local_msat: remembered.balance.map_or(FIRST_BALANCE_MSAT, |(local, _)| local),
            remote_msat: remembered.balance.map_or(FIRST_BALANCE_MSAT, |(_, remote)| remote),
            journal,
            listeners: Vec::new(),
            watchers: HashMap::new(),
            trackers: HashMap::new(),
        };
        let Setup { identity, alias, clock, random } = setup;
        let (faults, peers, subscriptions) = (Faults::default(), Mutex::default(), watch::Sender::new(0));
        Ok(Self { identity, alias, clock, random, faults, peers, subscriptions, state: Mutex::new(state) })
    }

    /// Lets this node's payments reach the invoices of `other`.
    pub fn connect(&self, other: &Arc<Node>) {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        peers.insert(other.identity.public_key, Arc::downgrade(other));
    }

    /// The connected node with this key.
    pub fn peer(&self, key: &PublicKey) -> Option<Arc<Node>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner).get(key)?.upgrade()
    }

    /// How many subscriptions, to invoices or payments, have begun since the start.
    pub fn subscriptions(&self) -> u64 {
        *self.subscriptions.borrow()
    }

    /// Waits until so many subscriptions have begun. A client cannot tell: it gets no answer before
    /// the first event.
    pub async fn subscriptions_reach(&self, count: u64) {
        // The sender lives as long as the node.
        let _ = self.subscriptions.subscribe().wait_for(|begun| *begun >= count).await;
    }

    /// The state, with everything expired that is due by now.
    pub(super) fn lock(&self) -> MutexGuard<'_, NodeState> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        for invoice in state.book.expire(now) {
            // An expiry that could not be written down happens again after a restart.
            let _ = state.publish(&invoice);
        }
        state
    }

    /// Lets time do its work on invoices that nobody asks about.
    pub fn tick(&self) {
        drop(self.lock());
    }

    /// 32 random bytes.
    pub fn random32(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes);
        bytes
    }

    /// Whether there is an invoice with this hash.
    pub fn knows(&self, hash: PaymentHash) -> bool {
        self.lock().book.get(hash).is_some()
    }

    /// The invoice with this hash.
    pub fn invoice(&self, hash: PaymentHash) -> Option<Invoice> {
        self.lock().book.get(hash).cloned()
    }

    /// Signs and adds an invoice.
    pub fn add(&self, mut terms: Terms) -> Result<Invoice, AddFailure> {
        if self.knows(terms.hash()) {
            return Err(NodeFailure::from(Refusal::Duplicate).into());
        }
        terms.payment_request = self.identity.sign(&terms).map_err(AddFailure::Unencodable)?;
        let mut state = self.lock();
        let invoice = state.book.add(Arc::new(terms)).map_err(NodeFailure::from)?;
        state.publish(&invoice).map_err(NodeFailure::from)?;
        Ok(invoice)
    }

    /// Cancels an invoice; fine when it was cancelled before.
    pub fn cancel(&self, hash: PaymentHash) -> Result<(), NodeFailure> {
        let mut state = self.lock();
        let changed = state.book.cancel(hash, self.clock.now())?;
        Ok(changed.map_or(Ok(()), |invoice| state.publish(&invoice))?)
    }

    /// Settles a held invoice; fine when it was settled before.
    pub fn settle(&self, preimage: Preimage) -> Result<(), NodeFailure> {
        let mut state = self.lock();
        let changed = state.book.settle(preimage, self.clock.now())?;
        Ok(changed.map_or(Ok(()), |invoice| state.publish(&invoice))?)
    }

    /// Lets parts of a payment of `total_msat` arrive from somewhere in the network.
    pub fn arrive(&self, hash: PaymentHash, parts_msat: &[u64], total_msat: u64) -> Result<Invoice, NodeFailure> {
        let mut state = self.lock();
        let arrival = Arrival { parts_msat, total_msat, now: self.clock.now(), height: state.height };
        let invoice = state.book.arrive(hash, arrival)?;
        state.publish(&invoice)?;
        Ok(invoice)
    }

    /// Gives back the parts of a payment that never became whole.
    pub fn time_out_parts(&self, hash: PaymentHash) -> Result<(), NodeFailure> {
        let mut state = self.lock();
        let invoice = state.book.time_out_parts(hash, self.clock.now())?;
        Ok(state.publish(&invoice)?)
    }

    /// Removes a cancelled invoice, as nodes do that collect garbage.
    pub fn forget(&self, hash: PaymentHash) -> Result<(), NodeFailure> {
        let mut state = self.lock();
        state.book.forget(hash)?;
        let (last_add, last_settle) = state.book.counters();
        let counters = Entry::Counters { last_add, last_settle };
        Ok(state.journal.append(&[counters, Entry::Forgotten { hash: Hex32(hash.0) }])?)
    }

    /// Leaves a gap of `count` settle indexes.
    pub fn skip_settle_indexes(&self, count: u64) -> Result<(), NodeFailure> {
        let mut state = self.lock();
        let (last_add, last_settle) = state.book.counters();
        state.book.raise_counters(last_add, last_settle + count);
        Ok(state.journal.append(&[Entry::Counters { last_add, last_settle: last_settle + count }])?)
    }

    /// Moves the chain to `height`; holds that come too near to their time-out are given up.
    pub fn set_height(&self, height: u32) -> Result<(), NodeFailure> {
        let mut state = self.lock();
        state.height = height;
        state.journal.append(&[Entry::Height(height)])?;
        for invoice in state.book.give_up_held(height, self.clock.now()) {
            state.publish(&invoice)?;
        }
        Ok(())
    }

    /// Sets what the channels hold here (outbound) and at the peers (inbound), in msat.
    pub fn set_balance(&self, local_msat: u64, remote_msat: u64) -> Result<(), NodeFailure> {
        let mut state = self.lock();
        (state.local_msat, state.remote_msat) = (local_msat, remote_msat);
        Ok(state.journal.append(&[Entry::Balance { local_msat, remote_msat }])?)
    }

    /// The events of all invoices: first those that the indexes ask for again, then new ones.
    /// An index of 0 asks for nothing. Accepted and cancelled invoices are not told.
    pub fn listen(&self, add_index: u64, settle_index: u64) -> (Vec<Invoice>, UnboundedReceiver<Invoice>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut state = self.lock();
        let mut backlog = Vec::new();
        if add_index > 0 {
            let told = |invoice: &&Invoice| matches!(invoice.state(), State::Open | State::Settled);
            backlog.extend(state.book.range(add_index.saturating_add(1)..u64::MAX, false).filter(told).cloned());
        }
        if settle_index > 0 {
            backlog.extend(state.book.settled_after(settle_index).cloned());
        }
        state.listeners.push(sender);
        self.subscriptions.send_modify(|begun| *begun += 1);
        (backlog, receiver)
    }

    /// One invoice: as it is now (if it exists), then each change.
    pub fn watch(&self, hash: PaymentHash) -> (Option<Invoice>, UnboundedReceiver<Invoice>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut state = self.lock();
        let present = state.book.get(hash).cloned();
        if !present.as_ref().is_some_and(|invoice| invoice.state().is_final()) {
            let watchers = state.watchers.entry(hash).or_default();
            watchers.retain(|watcher| !watcher.is_closed());
            watchers.push(sender);
        }
        self.subscriptions.send_modify(|begun| *begun += 1);
        (present, receiver)
    }

    /// One payment: as it is now, then each change; `None` when there is none.
    pub fn track(&self, hash: PaymentHash) -> Option<(Payment, UnboundedReceiver<Payment>)> {
        let mut state = self.lock();
        let payment = state.payments.get(&hash)?.clone();
        self.subscriptions.send_modify(|begun| *begun += 1);
        Some((payment, state.track(hash)))
    }
}

/// Why an invoice could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AddFailure {
    /// The terms do not fit into a payment request.
    #[error("{0}")]
    Unencodable(String),
    /// The node refused.
    #[error(transparent)]
    Node(#[from] NodeFailure),
}

impl NodeState {
    /// Writes a changed invoice down, lets the payment of this node that pays it (if any) follow, and
    /// tells everybody who listens.
    pub fn publish(&mut self, invoice: &Invoice) -> io::Result<()> {
        let hash = Hex32(invoice.hash().0);
        let progress = invoice.progress.clone();
        let fresh = invoice.state() == State::Open && progress.htlcs.is_empty();
        let mut entries = vec![match fresh {
            true => Entry::Added { add_index: invoice.add_index, terms: (*invoice.terms).clone(), progress },
            false => Entry::Changed { hash, progress },
        }];
        let resolved = self.resolve_payment(invoice);
        entries.extend(resolved.clone().map(Entry::Paid));
        let written = self.journal.append(&entries);
        self.tell(invoice, fresh);
        if let Some(payment) = resolved {
            self.tell_trackers(&payment);
        }
        written
    }

    /// Writes a payment down and tells who follows it.
    pub fn publish_payment(&mut self, payment: Payment) -> io::Result<()> {
        let written = self.journal.append(&[Entry::Paid(payment.clone())]);
        self.payments.insert(payment.hash(), payment.clone());
        self.tell_trackers(&payment);
        written
    }

    /// Changes of the payment with this hash from now on.
    pub fn track(&mut self, hash: PaymentHash) -> UnboundedReceiver<Payment> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let done = self.payments.get(&hash).is_some_and(|payment| payment.state != PaymentState::InFlight);
        if !done {
            self.trackers.entry(hash).or_default().push(sender);
        }
        receiver
    }

    fn resolve_payment(&mut self, invoice: &Invoice) -> Option<Payment> {
        let payment = self.payments.get_mut(&invoice.hash())?;
        if payment.state != PaymentState::InFlight {
            return None;
        }
        payment.state = match (invoice.state(), invoice.preimage()) {
            (State::Settled, Some(preimage)) => PaymentState::Succeeded(Hex32(preimage.0)),
            (State::Canceled, _) => PaymentState::Failed(FailureReason::IncorrectPaymentDetails),
            _ => return None,
        };
        Some(payment.clone())
    }

    /// Parts of a payment that is not whole yet are no news, as with LND.
    fn tell(&mut self, invoice: &Invoice, fresh: bool) {
        if invoice.state() == State::Open && !fresh {
            return;
        }
        if fresh || invoice.state() == State::Settled {
            self.listeners.retain(|listener| listener.send(invoice.clone()).is_ok());
        }
        let hash = invoice.hash();
        if let Some(watchers) = self.watchers.get_mut(&hash) {
            watchers.retain(|watcher| watcher.send(invoice.clone()).is_ok());
            if watchers.is_empty() || invoice.state().is_final() {
                self.watchers.remove(&hash);
            }
        }
    }

    fn tell_trackers(&mut self, payment: &Payment) {
        if payment.state == PaymentState::InFlight {
            return;
        }
        for tracker in self.trackers.remove(&payment.hash()).into_iter().flatten() {
            // A tracker that is gone needs no answer.
            let _ = tracker.send(payment.clone());
        }
    }
}

/// The meaning of a journal.
#[derive(Default)]
struct Remembered {
    book: Book,
    payments: HashMap<PaymentHash, Payment>,
    height: Option<u32>,
    balance: Option<(u64, u64)>,
}

impl Remembered {
    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Added { add_index, terms, progress } => {
                self.book.insert(Invoice { terms: Arc::new(terms), add_index, progress });
            }
            Entry::Changed { hash, progress } => self.book.restore(PaymentHash(hash.0), progress),
            // What is not there any more needs no removal.
            Entry::Forgotten { hash } => drop(self.book.forget(PaymentHash(hash.0))),
            Entry::Paid(payment) => drop(self.payments.insert(payment.hash(), payment)),
            Entry::Counters { last_add, last_settle } => self.book.raise_counters(last_add, last_settle),
            Entry::Height(height) => self.height = Some(height),
            Entry::Balance { local_msat, remote_msat } => self.balance = Some((local_msat, remote_msat)),
        }
    }

    fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let (last_add, last_settle) = self.book.counters();
        let invoices = self.book.range(0..u64::MAX, false).map(|invoice| Entry::Added {
            add_index: invoice.add_index,
            terms: (*invoice.terms).clone(),
            progress: invoice.progress.clone(),
        });
        let payments = self.payments.values().cloned().map(Entry::Paid);
        let balance = self.balance.map(|(local_msat, remote_msat)| Entry::Balance { local_msat, remote_msat });
        let chain = self.height.map(Entry::Height);
        let counters = [Entry::Counters { last_add, last_settle }];
        invoices.chain(payments).chain(balance).chain(chain).chain(counters)
    }
}
