//! What operators do with their nodes: set them up in another way, move to another store, remove invoices.

use std::io;

use super::invoice::{Invoice, State};
use super::journal::Entry;
use super::node::{Node, NodeFailure};
use super::quirks::Quirks;
use super::state::NodeState;
use ip2tor_domain::lightning::PaymentHash;

impl Node {
    /// Sets the node up in another way.
    pub fn set_quirks(&self, quirks: Quirks) {
        *self.quirks.lock() = quirks;
    }

    /// How it is set up.
    pub fn quirks(&self) -> Quirks {
        *self.quirks.lock()
    }

    /// The move to native SQL, or a restore from the seed: old settlements keep their numbers, new ones
    /// count from 1.
    pub fn restart_settle_indexes(&self) -> Result<(), NodeFailure> {
        let mut state = self.lock();
        state.book.recount(0);
        Ok(state.write_down(&[Entry::Recounted { last_settle: 0 }])?)
    }

    /// Somebody removes an invoice in whatever state, as Core Lightning lets its user.
    pub fn lose(&self, hash: PaymentHash) -> Result<(), NodeFailure> {
        let mut state = self.lock();
        state.book.remove(hash);
        Ok(state.write_down_removal(hash)?)
    }

    /// Core Lightning's `autoclean` of paid invoices.
    pub fn clean_paid(&self) -> Result<(), NodeFailure> {
        let mut state = self.lock();
        let all = state.book.range(0..u64::MAX, false);
        let paid: Vec<_> =
            all.filter(|invoice| invoice.state() == State::Settled).map(|invoice| invoice.hash()).collect();
        for hash in paid {
            state.book.remove(hash);
            state.write_down_removal(hash)?;
        }
        Ok(())
    }

    /// Tells of a changed invoice; a cancelled one may be gone then.
    pub(super) fn tell_of(&self, state: &mut NodeState, invoice: &Invoice) -> io::Result<()> {
        state.publish(invoice)?;
        if invoice.state() == State::Canceled && self.quirks().collects_garbage {
            state.book.remove(invoice.hash());
            state.write_down_removal(invoice.hash())?;
        }
        Ok(())
    }
}
