//! Where real nodes differ from each other: how one is set up, and which store it keeps its invoices in.

use std::io;
use std::sync::PoisonError;
use std::time::Duration;

use super::invoice::{Invoice, State};
use super::journal::Entry;
use super::node::{Node, NodeFailure};
use super::state::NodeState;
use ip2tor_domain::lightning::PaymentHash;

/// How a node is set up. The default is LND with its key-value store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quirks {
    /// The native SQL store: settlements are told again by the number of their invoice, not of their settlement.
    pub replays_by_id: bool,
    /// `gc-canceled-invoices-on-the-fly`: a cancelled invoice is gone in the same call.
    pub collects_garbage: bool,
    /// What reading one invoice costs a node that lists them: the key-value store reads every one from the
    /// offset on, also those that it leaves out.
    pub read_cost: Duration,
}

impl Node {
    /// Sets the node up in another way.
    pub fn set_quirks(&self, quirks: Quirks) {
        *self.quirks.lock().unwrap_or_else(PoisonError::into_inner) = quirks;
    }

    /// How it is set up.
    pub fn quirks(&self) -> Quirks {
        *self.quirks.lock().unwrap_or_else(PoisonError::into_inner)
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
