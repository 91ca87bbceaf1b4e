//! What a change to a deal asks of the world outside the domain.

use super::alert::AlertTopic;
use super::id::OrderId;

/// Something to be done because of a change. Those that reach a Lightning node go through the
/// outbox; the others happen in the same transaction or right after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Tell the node to cancel the order's invoice (outbox).
    CancelInvoice(OrderId),
    /// Tell the node to take the held payment of the order's invoice (outbox).
    SettleInvoice(OrderId),
    /// Reserve the product's port or name again, the same one if it is free (same transaction).
    ReservePlace,
    /// Give the product's port or name back (same transaction).
    ReleasePlace,
    /// Tell the product's host, if it is connected, that there is work (after the commit).
    NotifyHost,
    /// Raise an alert for the operator (same transaction).
    Alert {
        /// What it is about.
        topic: AlertTopic,
        /// The id of what it is about.
        subject: String,
        /// What the operator should know.
        text: String,
    },
    /// The reason for an alert is gone (same transaction).
    CloseAlert(AlertTopic, String),
}
