//! What a journal means: the state that its entries add up to.

use std::collections::HashMap;
use std::sync::Arc;

use super::book::Book;
use super::invoice::Invoice;
use super::journal::Entry;
use super::payment::Payment;
use ip2tor_domain::lightning::PaymentHash;

/// The meaning of a journal.
#[derive(Default)]
pub struct Remembered {
    pub book: Book,
    pub payments: HashMap<PaymentHash, Payment>,
    pub height: Option<u32>,
    pub balance: Option<(u64, u64)>,
}

impl Remembered {
    /// Adds what `entry` says.
    pub fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Added { add_index, terms, progress } => {
                self.book.insert(Invoice { terms: Arc::from(terms), add_index, progress });
            }
            Entry::Changed { hash, progress } => self.book.restore(PaymentHash(hash.0), progress),
            Entry::Forgotten { hash } => self.book.remove(PaymentHash(hash.0)),
            Entry::Paid(payment) => drop(self.payments.insert(payment.hash(), payment)),
            Entry::PaymentForgotten { hash } => drop(self.payments.remove(&PaymentHash(hash.0))),
            Entry::Counters { last_add, last_settle } => self.book.raise_counters(last_add, last_settle),
            Entry::Recounted { last_settle } => self.book.recount(last_settle),
            Entry::Height(height) => self.height = Some(height),
            Entry::Balance { local_msat, remote_msat } => self.balance = Some((local_msat, remote_msat)),
        }
    }

    /// The fewest entries that say the same.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let (last_add, last_settle) = self.book.counters();
        let invoices = self.book.range(0..u64::MAX, false).map(|invoice| Entry::Added {
            add_index: invoice.add_index,
            terms: Box::new((*invoice.terms).clone()),
            progress: invoice.progress.clone(),
        });
        let payments = self.payments.values().cloned().map(Entry::Paid);
        let balance = self.balance.map(|(local_msat, remote_msat)| Entry::Balance { local_msat, remote_msat });
        let chain = self.height.map(Entry::Height);
        let counters = [Entry::Counters { last_add, last_settle }, Entry::Recounted { last_settle }];
        invoices.chain(payments).chain(balance).chain(chain).chain(counters)
    }
}
