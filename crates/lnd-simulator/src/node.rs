//! The simulated node itself, whatever protocol asks: invoices, payments, subscriptions and the
//! journal behind one lock. Nothing in here waits.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use bitcoin::secp256k1::PublicKey;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::sync::watch;

use super::bolt11::Identity;
use super::book::{Arrival, Refusal};
use super::faults::Faults;
use super::invoice::{Hex32, Invoice, State, Terms};
use super::journal::Entry;
use super::oddity::Oddity;
use super::payment::Payment;
use super::quirks::Quirks;
use super::state::NodeState;
use ip2tor_domain::id::Random;
use ip2tor_domain::lightning::{PaymentHash, Preimage};
use ip2tor_domain::time::{Clock, Timestamp};

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
    clock_skew: Arc<SkewedClock>,
    denied: Mutex<Vec<String>>,
    peers: Mutex<HashMap<PublicKey, Reach>>,
    subscriptions: watch::Sender<u64>,
    pub(super) quirks: Mutex<Quirks>,
    invoices_read: AtomicU64,
    state: Mutex<NodeState>,
}

/// A clock that can be wrong.
struct SkewedClock {
    right: Arc<dyn Clock>,
    ahead_secs: AtomicI64,
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        self.right.now().plus_secs(self.ahead_secs.load(Ordering::SeqCst))
    }
}

/// A node that payments reach.
struct Reach {
    node: Weak<Node>,
    /// Whether a channel leads there; else routing costs something.
    is_direct: bool,
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
        let state = NodeState::open(dir)?;
        let Setup { identity, alias, clock, random } = setup;
        let clock_skew = Arc::new(SkewedClock { right: clock, ahead_secs: AtomicI64::new(0) });
        Ok(Self {
            identity,
            alias,
            clock: clock_skew.clone(),
            random,
            faults: Faults::default(),
            clock_skew,
            denied: Mutex::default(),
            peers: Mutex::default(),
            subscriptions: watch::Sender::new(0),
            quirks: Mutex::default(),
            invoices_read: AtomicU64::default(),
            state: Mutex::new(state),
        })
    }

    /// Puts the node's clock so far ahead of the right one, or behind it.
    pub fn set_clock_ahead(&self, seconds: i64) {
        self.clock_skew.ahead_secs.store(seconds, Ordering::SeqCst);
    }

    /// The calls (paths of gRPC) that were denied for want of a permission; LND logs each as an error.
    pub fn denied_calls(&self) -> Vec<String> {
        self.denied.lock().clone()
    }

    pub(super) fn note_denied(&self, path: &str) {
        self.denied.lock().push(path.to_owned());
    }

    /// Lets this node's payments reach the invoices of `other`, a direct peer.
    pub fn connect(&self, other: &Arc<Node>) {
        self.reach(other, true);
    }

    /// Lets this node's payments reach the invoices of `other` by way of a third node, which takes a fee.
    pub fn connect_by_way(&self, other: &Arc<Node>) {
        self.reach(other, false);
    }

    fn reach(&self, other: &Arc<Node>, is_direct: bool) {
        let mut peers = self.peers.lock();
        peers.insert(other.identity.public_key, Reach { node: Arc::downgrade(other), is_direct });
    }

    /// The reachable node with this key.
    pub fn peer(&self, key: &PublicKey) -> Option<Arc<Node>> {
        self.peers.lock().get(key)?.node.upgrade()
    }

    /// Whether a channel leads to the node with this key.
    pub fn is_direct_peer(&self, key: &PublicKey) -> bool {
        let peers = self.peers.lock();
        peers.get(key).is_some_and(|reach| reach.is_direct)
    }

    /// How many invoices were read for lists since the start, those included that were left out.
    pub fn invoices_read(&self) -> u64 {
        self.invoices_read.load(Ordering::Relaxed)
    }

    pub(super) fn count_read(&self, count: u64) {
        self.invoices_read.fetch_add(count, Ordering::Relaxed);
    }

    /// Reads so many invoices for a list; takes as long as that takes.
    pub(super) async fn read_through(&self, count: u64) {
        self.count_read(count);
        let cost = self.quirks().read_cost.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
        if !cost.is_zero() {
            tokio::time::sleep(cost).await;
        }
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
        let mut state = self.state.lock();
        let now = self.clock.now();
        for invoice in state.book.expire(now) {
            // An expiry that could not be written down happens again after a restart.
            let _ = self.tell_of(&mut state, &invoice);
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
        terms.payment_request = match terms.oddity {
            Oddity::Amp { .. } | Oddity::Keysend => String::new(),
            Oddity::Blinded => self.identity.sign_blinded(&terms).map_err(AddFailure::Unencodable)?,
            _ if self.faults.blinds() => Identity::new(self.random32(), self.identity.network())
                .map_or_else(|| self.identity.sign(&terms), |ephemeral| ephemeral.sign(&terms))
                .map_err(AddFailure::Unencodable)?,
            _ => self.identity.sign(&terms).map_err(AddFailure::Unencodable)?,
        };
        let mut state = self.lock();
        let invoice = state.book.add(Arc::new(terms)).map_err(NodeFailure::from)?;
        state.publish(&invoice).map_err(NodeFailure::from)?;
        Ok(invoice)
    }

    /// Cancels an invoice; fine when it was cancelled before.
    pub fn cancel(&self, hash: PaymentHash) -> Result<(), NodeFailure> {
        let mut state = self.lock();
        let changed = state.book.cancel(hash, self.clock.now())?;
        Ok(changed.map_or(Ok(()), |invoice| self.tell_of(&mut state, &invoice))?)
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
        Ok(state.write_down_removal(hash)?)
    }

    /// Removes a payment from the node's list, as LND's `deletepayments` and Core Lightning's `autoclean` do.
    pub fn forget_payment(&self, hash: PaymentHash) -> Result<(), NodeFailure> {
        let mut state = self.lock();
        state.payments.remove(&hash);
        Ok(state.write_down(&[Entry::PaymentForgotten { hash: Hex32(hash.0) }])?)
    }

    /// Removes the invoice that Core Lightning's face names `label`, if it is in `state`; else says
    /// in which it is.
    pub fn delete(&self, label: &str, wanted: State) -> Result<Result<Invoice, State>, NodeFailure> {
        let mut state = self.lock();
        let invoice = state.book.by_label(label).cloned().ok_or(Refusal::NotFound)?;
        if invoice.state() != wanted {
            return Ok(Err(invoice.state()));
        }
        state.book.remove(invoice.hash());
        state.write_down_removal(invoice.hash())?;
        Ok(Ok(invoice))
    }

    /// Leaves a gap of `count` settle indexes.
    pub fn skip_settle_indexes(&self, count: u64) -> Result<(), NodeFailure> {
        let mut state = self.lock();
        let (last_add, last_settle) = state.book.counters();
        state.book.raise_counters(last_add, last_settle + count);
        Ok(state.write_down(&[Entry::Counters { last_add, last_settle: last_settle + count }])?)
    }

    /// Moves the chain to `height`; holds that come too near to their time-out are given up.
    pub fn set_height(&self, height: u32) -> Result<(), NodeFailure> {
        let mut state = self.lock();
        state.height = height;
        state.write_down(&[Entry::Height(height)])?;
        for invoice in state.book.give_up_held(height, self.clock.now()) {
            self.tell_of(&mut state, &invoice)?;
        }
        Ok(())
    }

    /// Sets what the channels hold here (outbound) and at the peers (inbound), in msat.
    pub fn set_balance(&self, local_msat: u64, remote_msat: u64) -> Result<(), NodeFailure> {
        let mut state = self.lock();
        (state.local_msat, state.remote_msat) = (local_msat, remote_msat);
        Ok(state.write_down(&[Entry::Balance { local_msat, remote_msat }])?)
    }

    /// The events of all invoices: first those that the indexes ask for again, then new ones.
    /// An index of 0 asks for nothing. Accepted and cancelled invoices are not told, and no settlement with an
    /// index up to the one that is asked for.
    pub fn listen(&self, add_index: u64, settle_index: u64) -> (Vec<Invoice>, UnboundedReceiver<Invoice>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut state = self.lock();
        let mut backlog = Vec::new();
        if add_index > 0 {
            let told = |invoice: &&Invoice| matches!(invoice.state(), State::Open | State::Settled);
            backlog.extend(state.book.range(add_index.saturating_add(1)..u64::MAX, false).filter(told).cloned());
        }
        if settle_index > 0 {
            backlog.extend(state.book.replayed(settle_index, self.quirks().replays_by_id));
        }
        state.listen(sender, settle_index);
        self.subscriptions.send_modify(|begun| *begun += 1);
        (backlog, receiver)
    }

    /// One invoice: as it is now (if it exists), then each change.
    pub fn watch(&self, hash: PaymentHash) -> (Option<Invoice>, UnboundedReceiver<Invoice>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut state = self.lock();
        let present = state.book.get(hash).cloned();
        if !present.as_ref().is_some_and(|invoice| invoice.state().is_final()) {
            state.watch(hash, sender);
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
