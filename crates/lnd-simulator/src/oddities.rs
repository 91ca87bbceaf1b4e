//! Invoices at a node that no shop has asked for, as the network and other programs leave them there.

use serde::{Deserialize, Serialize};

use super::invoice::{Hex32, Htlc, Invoice, State, Terms};
use super::journal::Entry;
use super::node::{AddFailure, Node, NodeFailure};
use ip2tor_domain::lightning::{PaymentHash, Preimage};

/// What is strange about an invoice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Oddity {
    /// Nothing.
    #[default]
    None,
    /// A spontaneous payment with AMP: no payment hash, no request, open for ever.
    Amp {
        /// LND's newest lists it with the state of what was paid last, and tells subscribers of it.
        newest: bool,
    },
    /// A spontaneous payment: no request.
    Keysend,
    /// Made with blinded paths: no payment secret, signed with a key of its own.
    Blinded,
    /// In a state by this number, which no program of today knows.
    State(i32),
    /// Its stored request can't be decoded: the node fails every answer that would contain it.
    Unreadable,
}

impl Oddity {
    /// Whether it is [`Oddity::None`].
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}

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

/// Whether everybody is told of this invoice when it is made.
pub fn is_announced(invoice: &Invoice) -> bool {
    !matches!(invoice.terms.oddity, Oddity::Amp { .. } | Oddity::Keysend)
}
