//! The invoice book: every invoice of the simulated node with the indexes that keep each operation
//! cheap however many invoices there are, and the rules by which an invoice changes state.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::invoice::{Hex32, Htlc, Invoice, Progress, State, Terms};
use ip2tor_domain::lightning::{PaymentHash, Preimage};
use ip2tor_domain::time::Timestamp;

/// LND cancels a held payment this many blocks before it would time out on the chain.
const HOLD_EXPIRY_DELTA: u32 = 12;

/// Why the book refuses a change. The texts are LND's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("invoice with payment hash already exists")]
    Duplicate,
    #[error("unable to locate invoice")]
    NotFound,
    #[error("invoice already settled")]
    AlreadySettled,
    #[error("invoice already canceled")]
    AlreadyCanceled,
    #[error("invoice still open")]
    StillOpen,
    #[error("incorrect_payment_details")]
    BadPayment,
}

/// A payment that arrives: the parts that come now, of a whole that the payer announced.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    pub parts_msat: &'a [u64],
    pub total_msat: u64,
    pub now: Timestamp,
    pub height: u32,
}

/// All invoices.
#[derive(Default)]
pub struct Book {
    invoices: HashMap<PaymentHash, Invoice>,
    by_add: BTreeMap<u64, PaymentHash>,
    /// By settle index and, where indexes began anew, add index.
    by_settle: BTreeMap<(u64, u64), PaymentHash>,
    by_payment_addr: HashMap<Hex32, PaymentHash>,
    by_label: HashMap<String, PaymentHash>,
    /// Add indexes of open and accepted invoices.
    pending: BTreeSet<u64>,
    /// Open invoices by the time they expire.
    expiring: BTreeSet<(Timestamp, PaymentHash)>,
    /// Accepted invoices by the height at which they are given up.
    held: BTreeSet<(u32, PaymentHash)>,
    last_add: u64,
    last_settle: u64,
    last_htlc: u64,
}

impl Book {
    /// Adds an open invoice.
    pub fn add(&mut self, terms: Arc<Terms>) -> Result<Invoice, Refusal> {
        if self.invoices.contains_key(&terms.hash()) {
            return Err(Refusal::Duplicate);
        }
        let invoice = Invoice { terms, add_index: self.last_add + 1, progress: Progress::default() };
        self.insert(invoice.clone());
        Ok(invoice)
    }

    /// Puts an invoice in as it was written down.
    pub fn insert(&mut self, invoice: Invoice) {
        let hash = invoice.hash();
        self.last_add = self.last_add.max(invoice.add_index);
        self.by_add.insert(invoice.add_index, hash);
        self.by_payment_addr.insert(invoice.terms.payment_addr, hash);
        self.by_label.insert(invoice.terms.label(), hash);
        self.index(&invoice);
        self.invoices.insert(hash, invoice);
    }

    /// Applies progress that was written down; unknown hashes are ignored.
    pub fn restore(&mut self, hash: PaymentHash, progress: Progress) {
        self.replace(hash, progress);
    }

    /// The invoice with this hash.
    pub fn get(&self, hash: PaymentHash) -> Option<&Invoice> {
        self.invoices.get(&hash)
    }

    /// The invoice with this payment address (payment secret).
    pub fn by_payment_addr(&self, addr: [u8; 32]) -> Option<&Invoice> {
        self.by_payment_addr.get(&Hex32(addr)).and_then(|hash| self.invoices.get(hash))
    }

    /// The invoice that Core Lightning's face shows under this name.
    pub fn by_label(&self, label: &str) -> Option<&Invoice> {
        self.by_label.get(label).and_then(|hash| self.invoices.get(hash))
    }

    /// All invoices, or only pending ones, with an add index in `range`, oldest first.
    pub fn range(
        &self,
        range: std::ops::Range<u64>,
        pending_only: bool,
    ) -> Box<dyn DoubleEndedIterator<Item = &Invoice> + '_> {
        if pending_only {
            Box::new(self.pending.range(range).filter_map(|index| self.by_add.get(index)).filter_map(|h| self.get(*h)))
        } else {
            Box::new(self.by_add.range(range).filter_map(|(_, hash)| self.get(*hash)))
        }
    }

    /// Settled invoices with a settle index greater than `after`, oldest first.
    pub fn settled_after(&self, after: u64) -> impl Iterator<Item = &Invoice> {
        self.by_settle.range((after + 1, 0)..).filter_map(|(_, hash)| self.get(*hash))
    }

    /// What LND tells again to who asks for what was settled after an index: the key-value store looks for that
    /// very settlement and begins behind what it finds; SQL goes by the numbers of the invoices.
    pub fn replayed(&self, after: u64, by_id: bool) -> Vec<Invoice> {
        if !by_id {
            let found = self.by_settle.range((after, 0)..).skip(1);
            return found.filter_map(|(_, hash)| self.get(*hash)).cloned().collect();
        }
        let mut replayed: Vec<_> = self.settled_after(after).cloned().collect();
        replayed.sort_by_key(|invoice| invoice.add_index);
        replayed
    }

    /// How many invoices have an add index in `range`.
    pub fn count(&self, range: std::ops::Range<u64>) -> u64 {
        if range.is_empty() { 0 } else { self.by_add.range(range).count() as u64 }
    }

    /// Notes a part that was paid to an invoice which stays as it is.
    pub fn note_part(&mut self, hash: PaymentHash, part: Htlc) -> Option<Invoice> {
        let mut progress = self.get(hash)?.progress.clone();
        progress.htlcs.push(part);
        self.replace(hash, progress)
    }

    /// Settlements count on from `last_settle`, whatever there is.
    pub fn recount(&mut self, last_settle: u64) {
        self.last_settle = last_settle;
    }

    /// The highest add index and settle index given out.
    pub fn counters(&self) -> (u64, u64) {
        (self.last_add, self.last_settle)
    }

    /// Makes sure that indexes up to these are not given out again. Raising them leaves gaps, as
    /// deleted invoices do.
    pub fn raise_counters(&mut self, last_add: u64, last_settle: u64) {
        self.last_add = self.last_add.max(last_add);
        self.last_settle = self.last_settle.max(last_settle);
    }

    /// Cancels an open or held invoice; `None` when it was cancelled before.
    pub fn cancel(&mut self, hash: PaymentHash, now: Timestamp) -> Result<Option<Invoice>, Refusal> {
        match self.get(hash).map(Invoice::state) {
            None => Err(Refusal::NotFound),
            Some(State::Settled) => Err(Refusal::AlreadySettled),
            Some(State::Canceled) => Ok(None),
            Some(State::Open | State::Accepted) => Ok(self.close(hash, State::Canceled, now)),
        }
    }

    /// Settles a held invoice; `None` when it was settled before.
    pub fn settle(&mut self, preimage: Preimage, now: Timestamp) -> Result<Option<Invoice>, Refusal> {
        let hash = preimage.hash();
        match self.get(hash).map(Invoice::state) {
            None => Err(Refusal::NotFound),
            Some(State::Open) => Err(Refusal::StillOpen),
            Some(State::Canceled) => Err(Refusal::AlreadyCanceled),
            Some(State::Settled) => Ok(None),
            Some(State::Accepted) => {
                if let Some(invoice) = self.invoices.get_mut(&hash) {
                    invoice.progress.revealed = Some(Hex32(preimage.0));
                }
                Ok(self.close(hash, State::Settled, now))
            }
        }
    }

    /// Takes in parts of a payment. When the announced total is there, a plain invoice is settled and
    /// a hold invoice accepted; until then it stays open. More than asked is taken, less is not.
    pub fn arrive(&mut self, hash: PaymentHash, arrival: Arrival<'_>) -> Result<Invoice, Refusal> {
        let invoice = self.get(hash).ok_or(Refusal::NotFound)?;
        if invoice.state() != State::Open || arrival.total_msat < invoice.terms.value_msat.max(1) {
            return Err(Refusal::BadPayment);
        }
        let hold = invoice.is_hold();
        let mut progress = invoice.progress.clone();
        // Payers add a few blocks to the invoice's own demand, against blocks found meanwhile.
        let expiry_height = arrival.height + 3 + u32::try_from(invoice.terms.cltv_expiry).unwrap_or(u32::MAX / 2);
        for part in arrival.parts_msat {
            self.last_htlc += 1;
            progress.htlcs.push(Htlc {
                index: self.last_htlc,
                amount_msat: *part,
                total_msat: arrival.total_msat,
                accept_height: arrival.height,
                expiry_height,
                accepted_ms: arrival.now.0,
                resolved_ms: None,
                state: State::Accepted,
            });
        }
        let arrived: u64 =
            progress.htlcs.iter().filter(|htlc| htlc.state == State::Accepted).map(|htlc| htlc.amount_msat).sum();
        let complete = arrived >= arrival.total_msat;
        if complete && hold {
            progress.state = State::Accepted;
        }
        let mut changed = self.replace(hash, progress);
        if complete && !hold {
            changed = self.close(hash, State::Settled, arrival.now);
        }
        changed.ok_or(Refusal::NotFound)
    }

    /// Gives back the parts of a payment that never became whole (LND does so after two minutes).
    pub fn time_out_parts(&mut self, hash: PaymentHash, now: Timestamp) -> Result<Invoice, Refusal> {
        let invoice = self.get(hash).ok_or(Refusal::NotFound)?;
        if invoice.state() != State::Open {
            return Err(Refusal::BadPayment);
        }
        let mut progress = invoice.progress.clone();
        resolve(&mut progress.htlcs, State::Canceled, now);
        self.replace(hash, progress).ok_or(Refusal::NotFound)
    }

    /// Cancels the open invoices whose time is over; held ones stay.
    pub fn expire(&mut self, now: Timestamp) -> Vec<Invoice> {
        let mut expired = Vec::new();
        while let Some((at, hash)) = self.expiring.first().copied() {
            if at > now {
                break;
            }
            expired.extend(self.close(hash, State::Canceled, now));
        }
        expired
    }

    /// Cancels the held invoices whose payments come too near to their time-out on the chain.
    pub fn give_up_held(&mut self, height: u32, now: Timestamp) -> Vec<Invoice> {
        let mut given_up = Vec::new();
        while let Some((limit, hash)) = self.held.first().copied() {
            if limit > height {
                break;
            }
            given_up.extend(self.close(hash, State::Canceled, now));
        }
        given_up
    }

    /// Removes a cancelled invoice, as nodes do that collect garbage.
    pub fn forget(&mut self, hash: PaymentHash) -> Result<(), Refusal> {
        match self.get(hash).map(Invoice::state) {
            Some(State::Canceled) => {}
            Some(_) => return Err(Refusal::StillOpen),
            None => return Err(Refusal::NotFound),
        }
        self.remove(hash);
        Ok(())
    }

    /// Removes an invoice in any state.
    pub fn remove(&mut self, hash: PaymentHash) {
        if let Some(invoice) = self.invoices.remove(&hash) {
            self.unindex(&invoice);
            self.by_settle.remove(&(invoice.progress.settle_index, invoice.add_index));
            self.by_add.remove(&invoice.add_index);
            self.by_payment_addr.remove(&invoice.terms.payment_addr);
            self.by_label.remove(&invoice.terms.label());
        }
    }

    fn close(&mut self, hash: PaymentHash, state: State, now: Timestamp) -> Option<Invoice> {
        let mut progress = self.get(hash)?.progress.clone();
        progress.state = state;
        resolve(&mut progress.htlcs, state, now);
        if state == State::Settled {
            progress.settle_index = self.last_settle + 1;
            progress.settled_ms = Some(now.0);
        }
        self.replace(hash, progress)
    }

    fn replace(&mut self, hash: PaymentHash, progress: Progress) -> Option<Invoice> {
        let mut invoice = self.invoices.remove(&hash)?;
        self.unindex(&invoice);
        invoice.progress = progress;
        self.index(&invoice);
        self.invoices.insert(hash, invoice.clone());
        Some(invoice)
    }

    fn index(&mut self, invoice: &Invoice) {
        let hash = invoice.hash();
        match invoice.state() {
            State::Open => {
                self.pending.insert(invoice.add_index);
                self.expiring.insert((invoice.terms.expires_at(), hash));
            }
            State::Accepted => {
                self.pending.insert(invoice.add_index);
                self.held.insert((give_up_height(invoice), hash));
            }
            State::Settled => {
                self.last_settle = self.last_settle.max(invoice.progress.settle_index);
                self.by_settle.insert((invoice.progress.settle_index, invoice.add_index), hash);
            }
            State::Canceled => {}
        }
        let last_htlc = invoice.progress.htlcs.last().map_or(0, |htlc| htlc.index);
        self.last_htlc = self.last_htlc.max(last_htlc);
    }

    fn unindex(&mut self, invoice: &Invoice) {
        self.pending.remove(&invoice.add_index);
        self.expiring.remove(&(invoice.terms.expires_at(), invoice.hash()));
        self.held.remove(&(give_up_height(invoice), invoice.hash()));
    }
}

fn give_up_height(invoice: &Invoice) -> u32 {
    invoice.nearest_htlc_expiry().unwrap_or(u32::MAX).saturating_sub(HOLD_EXPIRY_DELTA)
}

fn resolve(htlcs: &mut [Htlc], state: State, now: Timestamp) {
    for htlc in htlcs.iter_mut().filter(|htlc| htlc.state == State::Accepted) {
        htlc.state = state;
        htlc.resolved_ms = Some(now.0);
    }
}
