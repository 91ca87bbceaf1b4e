//! A deal: one product and the purchases that pay for it. Every event of the money's life is one
//! method here: it takes `now`, changes the deal and notes what must be done outside
//! ([`Effect`]). No I/O; the caller stores deal and effects in one transaction.
//!
//! Invariants: an event that has been applied changes nothing when it comes again; the first
//! stored intent (settle or cancel) wins; a payment always ends in delivery or in an amount owed.

mod deadlines;
mod endings;
mod invoices;
mod operator;
mod payments;
mod reports;
mod steps;

use super::effect::Effect;
use super::product::Product;
use super::purchase::Purchase;

/// What the order says while its target is probed.
pub const PROBING_MESSAGE: &str = "Checking whether the target can be reached; the invoice follows.";
/// What the order says while the host's port is tried.
pub const PORT_TRIAL_MESSAGE: &str = "Checking whether the host's port is free; the invoice follows.";
/// What the order says while its payment is held.
pub const HELD_MESSAGE: &str = "Paid, waiting for the host. The payment is only taken once the host has delivered.";
/// What the order says when it was not paid in time.
pub const EXPIRED_MESSAGE: &str = "The invoice was not paid in time and has been cancelled. Nothing was charged.";
/// What the order says when a newer order has taken its place.
pub const REPLACED_MESSAGE: &str = "A newer order has taken the place of this one. Nothing was charged.";
/// What the order says when the operator switched the product off before it was paid.
pub const SWITCHED_OFF_MESSAGE: &str = "The operator has switched this product off. Nothing was charged.";
/// What the order says when the operator switched the product off while its payment was held.
pub const SWITCHED_OFF_HELD_MESSAGE: &str =
    "The operator has switched this product off. The payment was cancelled, the money is back in your wallet.";
/// What the order says when the host did not deliver while the payment was held.
pub const RETURNED_MESSAGE: &str =
    "The host did not deliver in time. The payment was cancelled, the money is back in your wallet.";
/// What the order says when its invoice was cancelled before its time, and not by the shop.
pub const CANCELLED_ELSEWHERE_MESSAGE: &str =
    "The invoice was cancelled at the shop's Lightning node before it was paid. Nothing was charged.";
/// What the order says when its payment was held and given back, and not by the shop.
pub const HOLD_LOST_MESSAGE: &str = "The payment was cancelled at the shop's Lightning node before it could be taken. That was not the host's doing. The money is back in your wallet.";
/// What the order says when its invoice is gone, and nobody knows whether it was paid.
pub const VANISHED_MESSAGE: &str = "The shop's Lightning node no longer knows this invoice, so it is not known whether it was paid. The operator has been told. If you have paid, ask for a refund.";
/// What the order says when the host reported a failure while the payment was held.
pub const HOLD_FAILED_MESSAGE: &str =
    "The host has reported that it can't deliver. The payment was cancelled, the money is back in your wallet.";
/// What the order says when a held payment could not be accepted.
pub const HOLD_REFUSED_MESSAGE: &str = "The payment could not be accepted (too little, or too close to its deadline). It was cancelled, the money is back in your wallet.";
/// What the order says when a held payment came for what can't be delivered any more.
pub const HOLD_HOPELESS_MESSAGE: &str =
    "The product can't be delivered any more. The payment was cancelled, the money is back in your wallet.";
/// What the order says when a held payment came and no port or name is free for the product.
pub const HOLD_UNPLACED_MESSAGE: &str =
    "The host has nothing free for it any more. The payment was cancelled, the money is back in your wallet.";
/// What the order says when it was paid but not delivered.
pub const UNDELIVERED_MESSAGE: &str = "Paid, but the host has not delivered. The operator has been told and owes you a refund; a late delivery is still possible.";
/// What the order says when less was received than asked.
pub const UNDERPAID_MESSAGE: &str = "Less was received than asked. The operator has been told and owes you a refund.";
/// What the order says when it was paid but can't be delivered any more.
pub const UNDELIVERABLE_MESSAGE: &str =
    "Paid, but the product can't be delivered any more. The operator has been told and owes you a refund.";
/// What the order says when it was paid twice and can't be delivered, or was refunded before.
pub const PAID_AGAIN_MESSAGE: &str =
    "It was paid more than once. The operator has been told and owes you a refund of what was not paid back yet.";
/// What the order says when it was delivered too late and its buyer gets the money back instead.
pub const LATE_RETURNED_MESSAGE: &str = "Delivered too late. The operator takes it back and owes you a refund.";
/// What the order says when the debt was paid back.
pub const REFUNDED_MESSAGE: &str = "The payment was refunded.";

/// Fewer blocks than this left on a held payment's nearest part, and it is cancelled at once: the
/// channel would be closed by force if it were still held then.
pub const MIN_HOLD_BLOCKS: i64 = 24;
/// A plain paid product that is not activated within this time owes a refund. Seconds.
pub const ACTIVATION_LIMIT_SECS: i64 = 30 * 60;

/// Why an event was refused; a sentence for whoever caused it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// One product and its purchases that matter: those that are open, have a claim or are owed money, and
/// the one that an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deal {
    /// The product.
    pub product: Product,
    /// Purchases, oldest first.
    pub purchases: Vec<Purchase>,
    /// What must be done outside; taken by the caller when it stores the deal.
    pub effects: Vec<Effect>,
}

impl Deal {
    /// A deal without pending effects.
    pub const fn new(product: Product, purchases: Vec<Purchase>) -> Self {
        Self { product, purchases, effects: Vec::new() }
    }
}

#[cfg(test)]
mod tests;
