//! Invoices at a node that no shop has asked for, as the network and other programs leave them there.

use super::invoice::{Hex32, Htlc, State, Terms};
use super::journal::Entry;
use super::node::{AddFailure, Node, NodeFailure};
use super::oddity::Oddity;
use ip2tor_domain::lightning::{PaymentHash, Preimage};

/// 100 years.
const FOR_EVER_SECS: u64 = 100 * 365 * 86_400;

impl Node {
    /// Somebody makes an invoice that is strange in this way, with `bulk` bytes of records in each part
    /// that is paid to it.
    pub fn add_odd(&self, preimage: Preimage, oddity: Oddity, bulk: usize) -> Result<PaymentHash, AddFailure> {
        let terms = Terms {
            hash: Hex32(preimage.hash().0),
            preimage: Some(Hex32(preimage.0)),
            payment_addr: Hex32(self.random32()),
            memo: String::new(),
            label: None,
            description_hash: Vec::new(),
            value_msat: 0,
            expiry_secs: FOR_EVER_SECS,
            cltv_expiry: 80,
            private: false,
            payment_request: String::new(),
            created_ms: self.clock.now().0,
            oddity,
            bulk,
        };
        Ok(self.add(terms)?.hash())
    }

    /// A spontaneous payment arrives: an invoice of its own, settled at once.
    pub fn receive_keysend(&self, preimage: Preimage, msat: u64, bulk: usize) -> Result<PaymentHash, AddFailure> {
        let hash = self.add_odd(preimage, Oddity::Keysend, bulk)?;
        self.arrive(hash, &[msat], msat)?;
        Ok(hash)
    }

    /// A spontaneous payment with AMP arrives. Its invoice stays open for ever, and takes a settle index
    /// that no invoice shows.
    pub fn receive_amp(&self, msat: u64, newest: bool, bulk: usize) -> Result<(), AddFailure> {
        let hash = self.add_odd(Preimage(self.random32()), Oddity::Amp { newest }, bulk)?;
        let mut state = self.lock();
        let (height, now) = (state.height, self.clock.now());
        let part = Htlc {
            index: 1,
            amount_msat: msat,
            total_msat: msat,
            accept_height: height,
            expiry_height: height + 80,
            accepted_ms: now.0,
            resolved_ms: Some(now.0),
            state: State::Settled,
        };
        if let Some(invoice) = state.book.note_part(hash, part) {
            state
                .write_down(&[Entry::Changed { hash: Hex32(hash.0), progress: invoice.progress.clone() }])
                .map_err(NodeFailure::from)?;
            if newest {
                state.tell_listeners(&invoice);
            }
        }
        drop(state);
        Ok(self.skip_settle_indexes(1)?)
    }
}
