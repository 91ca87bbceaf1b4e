//! Invoices that this shop's secret has made, and that none of its live orders is about: an order may be lost since the
//! database is older than the world, the same node may be there under another record, or a second copy of the shop alive.
//! What nobody looks after, nobody may pay; what a living copy may look after is not touched.

use std::collections::HashMap;

use super::arrivals::Reading;
use super::entry::Entry;
use crate::domain::lightning::{NodeInvoice, NodeInvoiceState, PaymentHash};
use crate::domain::time::Timestamp;
use crate::services::restored::{self, Seen, Standing};
use crate::services::{Error, Shop, invoices};
use crate::store::nodes;

/// One that the database knows, but not there, is cancelled when it is still there after this time.
const STRANGER_SECS: i64 = 240;
/// How often everything that a node has pending is looked at: for what only an older database can have lost.
const FULL_LOOK_SECS: i64 = 6 * 3600;

/// What is remembered between comparisons: when everything was last looked at, and invoices of unknown orders.
#[derive(Debug, Default)]
pub struct Strangers {
    /// Since when they have been seen; those that are held from when they were seen held.
    since: HashMap<(PaymentHash, NodeInvoiceState), Timestamp>,
    /// When everything that the node has pending was last looked at.
    full_look: Option<Timestamp>,
    /// Whether they are cancelled without waiting: at the start nothing of ours can be on its way.
    at_once: bool,
    /// Whether some were left to a second copy: everything is looked at until the operator says that there is none.
    has_left_some: bool,
    /// How far all that the node has was read.
    pub(super) reading: Option<Reading>,
}

impl Strangers {
    /// What is remembered at the start of the shop.
    pub fn at_start() -> Self {
        Self { at_once: true, ..Self::default() }
    }

    /// Whether everything is to be looked at.
    pub(super) fn is_full_look_due(&self, now: Timestamp) -> bool {
        !self.since.is_empty()
            || self.has_left_some
            || self.full_look.is_none_or(|at| !at.is_within(FULL_LOOK_SECS, now))
    }

    /// Whether a payment is held that is to go back soon.
    pub(super) fn has_held(&self) -> bool {
        self.since.keys().any(|(_, state)| *state == NodeInvoiceState::Accepted)
    }

    /// While a second copy is known everything is looked at, and once more when the operator says that it is gone.
    pub(super) fn mind_copy(&mut self, is_copied: bool) {
        self.has_left_some |= is_copied;
    }

    /// One that is gone needs no watching.
    pub(super) fn keep(&mut self, pending: &[NodeInvoice]) {
        self.has_left_some = false;
        self.since.retain(|key, _| pending.iter().any(|invoice| (invoice.hash, invoice.state) == *key));
    }

    /// Everything was looked at.
    pub(super) fn looked_at_all(&mut self, now: Timestamp) {
        self.full_look = Some(now);
        self.at_once = false;
    }

    /// When what is seen now has come.
    pub(super) const fn seen(&self) -> Seen {
        if self.full_look.is_none() { Seen::AtFirst } else { Seen::Later }
    }

    /// Whether it has been there for so long now.
    fn is_over(&mut self, invoice: &NodeInvoice, secs: i64, now: Timestamp) -> bool {
        let since = self.since.entry((invoice.hash, invoice.state)).or_insert(now);
        // A clock that is put back must not hold the payment for ever.
        *since = now.min(*since);
        since.plus_secs(secs) <= now
    }
}

/// An invoice which this shop has made, but whose order it does not know: nobody may pay it any more, and what is held
/// for it goes back, unless somebody else may look after it.
pub(super) async fn attend(
    shop: &Shop,
    entry: &Entry,
    invoice: &NodeInvoice,
    strangers: &mut Strangers,
) -> Result<(), Error> {
    if is_followed_elsewhere(shop, entry, invoice.hash)? {
        return Ok(());
    }
    let is_held = invoice.state == NodeInvoiceState::Accepted;
    let wait = match restored::standing(shop, entry.spec.id, invoice)? {
        Standing::Copied => {
            strangers.has_left_some = true;
            return Ok(());
        }
        // A copy that is alive delivers it, or gives it back itself.
        Standing::Lost if is_held => restored::longest_hold_secs(shop)?,
        // What nobody has paid costs nobody anything when it ends, and its buyer orders anew.
        Standing::Lost => 0,
        Standing::Known if strangers.at_once => 0,
        Standing::Known => STRANGER_SECS,
    };
    if strangers.is_over(invoice, wait, shop.now()) {
        tracing::warn!(hash = %invoice.hash, memo = invoice.memo, "cancelling the invoice of an unknown order");
        match entry.node.cancel(invoice.hash).await {
            Ok(_) => drop(strangers.since.remove(&(invoice.hash, invoice.state))),
            Err(error) => tracing::warn!(%error, "it could not be cancelled now"),
        }
    }
    Ok(())
}

/// Whether the same node is there under another record, which made this invoice and looks after its payment.
fn is_followed_elsewhere(shop: &Shop, entry: &Entry, hash: PaymentHash) -> Result<bool, Error> {
    shop.db.read(|db| {
        let other = invoices::ownership::other_record(db, entry.spec.id, hash)?;
        // Nobody follows a removed one: a live order can't depend on it.
        Ok(match other {
            Some(other) => nodes::get(db, other)?.is_some(),
            None => false,
        })
    })
}
