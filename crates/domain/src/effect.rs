//! What a change to a deal asks of the world outside the domain.

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

/// What an alert is about. Each topic and subject has at most one open alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertTopic {
    /// An order was paid and not delivered.
    NeedsRefund,
    /// More was received than asked.
    Overpaid,
    /// More was paid back than was owed.
    RefundedTooMuch,
    /// An order out of a restored backup owes something that may have been paid back before the restore.
    RefundMayBeDone,
    /// A payment arrived for an invoice of ours whose order we don't know.
    UnknownPayment,
    /// A node no longer knows an invoice of ours, and nobody can tell whether it was paid.
    InvoiceVanished,
    /// A held payment was given back by its node, or by somebody else there.
    HoldLost,
    /// One order, product or payment can't be handled, and is left out of its work.
    LeftOut,
    /// A change would have broken a transition table, and was not made.
    RuleBroken,
    /// An intent keeps failing.
    FailedIntent,
    /// A host with paid products stopped checking in.
    HostDead,
    /// A Lightning node does not answer.
    NodeDead,
    /// A Lightning node answers, but its settlements can't be followed.
    NodeUnheard,
    /// No Lightning node could make an invoice for a host.
    NoInvoices,
    /// A Lightning node has another time than this machine.
    ClocksApart,
    /// A host has few free ports left.
    FewPorts,
    /// The machine's clock is before the newest time in the database.
    ClockBack,
    /// A backup failed.
    BackupFailed,
    /// The disk is full or read-only.
    Storage,
    /// The shop's onion service can't be reached.
    OnionUnreachable,
    /// The key of an onion service is not where it was: the service does not run.
    OnionKeyLost,
    /// A buyer's target could not be reached when it was probed.
    TargetUnreachable,
    /// A host does not say that it has taken a product down.
    StuckSuspension,
    /// Forwards may stand on a host that the shop does not know.
    HostNotSwept,
    /// A product was delivered after its buyer's software gave up.
    LateDelivery,
    /// A part of the shop has panicked, and was begun anew.
    Defect,
}

impl AlertTopic {
    /// All topics.
    pub const ALL: [Self; 26] = [
        Self::NeedsRefund,
        Self::Overpaid,
        Self::RefundedTooMuch,
        Self::RefundMayBeDone,
        Self::UnknownPayment,
        Self::InvoiceVanished,
        Self::HoldLost,
        Self::LeftOut,
        Self::RuleBroken,
        Self::FailedIntent,
        Self::HostDead,
        Self::NodeDead,
        Self::NodeUnheard,
        Self::NoInvoices,
        Self::ClocksApart,
        Self::FewPorts,
        Self::ClockBack,
        Self::BackupFailed,
        Self::Storage,
        Self::OnionUnreachable,
        Self::OnionKeyLost,
        Self::TargetUnreachable,
        Self::StuckSuspension,
        Self::HostNotSwept,
        Self::LateDelivery,
        Self::Defect,
    ];

    /// The name in the database and in the output of `alerts`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NeedsRefund => "order_needs_refund",
            Self::Overpaid => "order_overpaid",
            Self::RefundedTooMuch => "refunded_too_much",
            Self::RefundMayBeDone => "refund_may_be_done",
            Self::UnknownPayment => "unknown_payment",
            Self::InvoiceVanished => "invoice_vanished",
            Self::HoldLost => "hold_lost",
            Self::LeftOut => "left_out",
            Self::RuleBroken => "rule_broken",
            Self::FailedIntent => "failed_intent",
            Self::HostDead => "host_dead",
            Self::NodeDead => "node_dead",
            Self::NodeUnheard => "node_unheard",
            Self::NoInvoices => "no_invoices",
            Self::ClocksApart => "clocks_apart",
            Self::FewPorts => "few_ports",
            Self::ClockBack => "clock_back",
            Self::BackupFailed => "backup_failed",
            Self::Storage => "storage",
            Self::OnionUnreachable => "onion_unreachable",
            Self::OnionKeyLost => "onion_key_lost",
            Self::TargetUnreachable => "target_unreachable",
            Self::StuckSuspension => "stuck_suspension",
            Self::HostNotSwept => "host_not_swept",
            Self::LateDelivery => "late_delivery",
            Self::Defect => "defect",
        }
    }

    /// How many alerts of this topic may be open, each with its own subject; more are counted in one.
    /// For what a stranger can raise as often as they like, and for what one cause can raise for every order.
    pub const fn most_open(self) -> Option<u32> {
        match self {
            Self::TargetUnreachable | Self::StuckSuspension => Some(20),
            Self::InvoiceVanished | Self::HoldLost | Self::LeftOut | Self::RuleBroken => Some(20),
            _ => None,
        }
    }

    /// Whether it is raised by looking at something again and again, for as long as it is so. Everything else is
    /// raised by something that has happened, and each time counts.
    pub const fn is_looked_at(self) -> bool {
        matches!(
            self,
            Self::NodeDead
                | Self::HostDead
                | Self::FewPorts
                | Self::ClockBack
                | Self::Storage
                | Self::OnionUnreachable
                | Self::OnionKeyLost
                | Self::StuckSuspension
                | Self::HostNotSwept
        )
    }

    /// How urgent it is: `critical` where money or the whole shop is concerned.
    pub const fn severity(self) -> &'static str {
        match self {
            Self::NeedsRefund | Self::UnknownPayment | Self::NodeDead | Self::NoInvoices => "critical",
            Self::InvoiceVanished | Self::LeftOut | Self::RuleBroken | Self::NodeUnheard => "critical",
            Self::Storage | Self::ClockBack | Self::OnionKeyLost | Self::Defect => "critical",
            Self::RefundedTooMuch | Self::RefundMayBeDone | Self::HoldLost | Self::ClocksApart => "warning",
            Self::StuckSuspension | Self::HostNotSwept | Self::LateDelivery => "warning",
            Self::FailedIntent | Self::HostDead | Self::BackupFailed | Self::OnionUnreachable => "warning",
            Self::Overpaid | Self::FewPorts | Self::TargetUnreachable => "info",
        }
    }
}
