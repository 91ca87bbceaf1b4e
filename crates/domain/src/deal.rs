//! A deal: one product and the purchases that pay for it. Every event of the money's life is one
//! method here: it takes `now`, changes the deal and notes what must be done outside
//! ([`Effect`]). No I/O; the caller stores deal and effects in one transaction.
//!
//! Invariants: an event that has been applied changes nothing when it comes again; the first
//! stored intent (settle or cancel) wins; a payment always ends in delivery or in an amount owed.

mod deadlines;
mod invoices;
mod operator;
mod payments;
mod place;
mod reports;
mod steps;

use super::effect::Effect;
use super::product::Product;
use super::purchase::Purchase;
use super::texts::Message;
use super::transition::BrokenRule;

/// Fewer blocks than this left on a held payment's nearest part, and it is cancelled at once: the
/// channel would be closed by force if it were still held then.
pub const MIN_HOLD_BLOCKS: i64 = 24;

/// Why an event was refused, for whoever caused it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub Message);

/// One product and its purchases that matter: those that are open, have a claim or are owed money, and
/// the one that an event is about.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deal {
    pub product: Product,
    /// Purchases, oldest first.
    pub purchases: Vec<Purchase>,
    /// What must be done outside; taken by the caller when it stores the deal.
    pub effects: Vec<Effect>,
    /// The first move that no transition table has: a deal with one is not stored.
    pub broken: Option<BrokenRule>,
}

impl Deal {
    /// A deal without pending effects.
    pub const fn new(product: Product, purchases: Vec<Purchase>) -> Self {
        Self { product, purchases, effects: Vec::new(), broken: None }
    }
}

#[cfg(test)]
mod tests;
