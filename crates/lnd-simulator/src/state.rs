//! What changes about a simulated node: each change is written down, then told to who listens.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::book::Book;
use super::invoice::{Hex32, Invoice, State};
use super::journal::{Entry, Journal};
use super::memory::Remembered;
use super::payment::{FailureReason, Payment, PaymentState};
use ip2tor_domain::lightning::PaymentHash;

/// The height that a new simulated chain starts with.
const FIRST_HEIGHT: u32 = 1000;
/// What a new node's channels hold on either side: 1 BTC, in msat.
const FIRST_BALANCE_MSAT: u64 = 100_000_000_000;

/// Who hears of all invoices, but of no settlement up to this index.
struct Listener {
    sender: UnboundedSender<Invoice>,
    settle_index: u64,
}

/// What changes; only reached through the lock of `super::node::Node`.
pub struct NodeState {
    pub book: Book,
    pub payments: HashMap<PaymentHash, Payment>,
    pub last_payment: u64,
    pub height: u32,
    pub local_msat: u64,
    pub remote_msat: u64,
    journal: Journal,
    listeners: Vec<Listener>,
    watchers: HashMap<PaymentHash, Vec<UnboundedSender<Invoice>>>,
    trackers: HashMap<PaymentHash, Vec<UnboundedSender<Payment>>>,
}

impl NodeState {
    /// The state as the journal in `dir` remembers it.
    pub fn open(dir: &Path) -> io::Result<Self> {
        let mut remembered = Remembered::default();
        for entry in Journal::read(dir)? {
            remembered.apply(entry);
        }
        let journal = Journal::compact(dir, remembered.entries())?;
        Ok(Self {
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
        })
    }

    /// Writes something down that concerns no invoice.
    pub fn write_down(&mut self, entries: &[Entry]) -> io::Result<()> {
        self.journal.append(entries)
    }

    /// Writes down that an invoice was removed; who watches it hears no more.
    pub fn write_down_removal(&mut self, hash: PaymentHash) -> io::Result<()> {
        self.watchers.remove(&hash);
        let (last_add, last_settle) = self.book.counters();
        let counters = Entry::Counters { last_add, last_settle };
        self.journal.append(&[counters, Entry::Forgotten { hash: Hex32(hash.0) }])
    }

    /// Tells `sender` of all invoices from now on, but of no settlement up to an index.
    pub fn listen(&mut self, sender: UnboundedSender<Invoice>, settle_index: u64) {
        self.listeners.push(Listener { sender, settle_index });
    }

    /// Tells everybody who listens to all invoices.
    pub fn tell_listeners(&mut self, invoice: &Invoice) {
        let index = (invoice.state() == State::Settled).then_some(invoice.progress.settle_index);
        self.listeners.retain(|listener| match index {
            Some(index) if index <= listener.settle_index => !listener.sender.is_closed(),
            _ => listener.sender.send(invoice.clone()).is_ok(),
        });
    }

    /// Tells `sender` of one invoice from now on.
    pub fn watch(&mut self, hash: PaymentHash, sender: UnboundedSender<Invoice>) {
        let watchers = self.watchers.entry(hash).or_default();
        watchers.retain(|watcher| !watcher.is_closed());
        watchers.push(sender);
    }

    /// Writes a changed invoice down, lets the payment of this node that pays it (if any) follow, and
    /// tells everybody who listens.
    pub fn publish(&mut self, invoice: &Invoice) -> io::Result<()> {
        let hash = Hex32(invoice.hash().0);
        let progress = invoice.progress.clone();
        let fresh = invoice.state() == State::Open && progress.htlcs.is_empty();
        let mut entries = vec![match fresh {
            true => Entry::Added { add_index: invoice.add_index, terms: Box::new((*invoice.terms).clone()), progress },
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
        if (fresh && invoice.is_announced()) || invoice.state() == State::Settled {
            self.tell_listeners(invoice);
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
