//! What the operator is told of: topics, each with how urgent it is.

use strum::EnumCount;

/// How urgent an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumCount)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Somebody should look after it.
    Warning,
    /// Money or the whole shop is concerned.
    Critical,
}

impl Severity {
    /// Every severity.
    pub const ALL: [Self; Self::COUNT] = [Self::Info, Self::Warning, Self::Critical];

    /// The name in the database and in the output of `alerts`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }

    /// Its rank in the database: the higher, the more urgent.
    pub const fn rank(self) -> i64 {
        match self {
            Self::Info => 0,
            Self::Warning => 1,
            Self::Critical => 2,
        }
    }

    /// Reads [`Severity::rank`].
    pub fn of_rank(rank: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.rank() == rank)
    }

    /// Reads [`Severity::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|severity| severity.name() == name)
    }
}

/// What an alert is about. Each topic and subject has at most one open alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumCount)]
pub enum AlertTopic {
    /// An order was paid and not delivered.
    NeedsRefund,
    /// More was received than asked.
    Overpaid,
    /// More was paid back than was owed.
    RefundedTooMuch,
    /// An order out of a restored backup owes something that may have been paid back before the restore.
    RefundMayBeDone,
    /// A buyer asks for what is owed, and no node may pay it by itself, or none could.
    RefundClaimed,
    /// A payment arrived for an invoice of ours whose order we don't know.
    UnknownPayment,
    /// The database came back from a copy, as invoices of ours tell that it does not know.
    DatabaseOlder,
    /// Somebody else makes invoices with our secret: a second copy of the shop is alive.
    SecondCopy,
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
    /// The certificate of a Lightning node ends soon.
    CertificateEnds,
    /// The Lightning node of an operator waits for an administrator.
    NodeWaits,
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
    /// A channel does not take what is to be told of alerts.
    Undelivered,
}

impl AlertTopic {
    /// All topics.
    pub const ALL: [Self; Self::COUNT] = [
        Self::NeedsRefund,
        Self::Overpaid,
        Self::RefundedTooMuch,
        Self::RefundMayBeDone,
        Self::RefundClaimed,
        Self::UnknownPayment,
        Self::DatabaseOlder,
        Self::SecondCopy,
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
        Self::CertificateEnds,
        Self::NodeWaits,
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
        Self::Undelivered,
    ];

    /// The name in the database and in the output of `alerts`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NeedsRefund => "order_needs_refund",
            Self::Overpaid => "order_overpaid",
            Self::RefundedTooMuch => "refunded_too_much",
            Self::RefundMayBeDone => "refund_may_be_done",
            Self::RefundClaimed => "refund_claimed",
            Self::UnknownPayment => "unknown_payment",
            Self::DatabaseOlder => "database_older",
            Self::SecondCopy => "second_copy",
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
            Self::CertificateEnds => "certificate_ends",
            Self::NodeWaits => "node_waits",
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
            Self::Undelivered => "alerts_undelivered",
        }
    }

    /// Reads [`AlertTopic::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.name() == name)
    }

    /// How many alerts of this topic may be open, each with its own subject; more are counted in one.
    /// For what a stranger can raise as often as they like, and for what one cause can raise for every order.
    pub const fn most_open(self) -> Option<u32> {
        match self {
            Self::TargetUnreachable | Self::StuckSuspension | Self::NodeWaits => Some(20),
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
                | Self::CertificateEnds
        )
    }

    /// How urgent it is.
    pub const fn severity(self) -> Severity {
        match self {
            Self::NeedsRefund | Self::UnknownPayment | Self::NodeDead | Self::NoInvoices => Severity::Critical,
            Self::InvoiceVanished | Self::LeftOut | Self::RuleBroken | Self::NodeUnheard => Severity::Critical,
            Self::Storage | Self::ClockBack | Self::OnionKeyLost | Self::Defect => Severity::Critical,
            Self::DatabaseOlder | Self::SecondCopy => Severity::Critical,
            Self::RefundedTooMuch | Self::RefundMayBeDone | Self::HoldLost | Self::ClocksApart => Severity::Warning,
            Self::RefundClaimed | Self::CertificateEnds | Self::NodeWaits => Severity::Warning,
            Self::StuckSuspension | Self::HostNotSwept | Self::LateDelivery => Severity::Warning,
            Self::FailedIntent | Self::HostDead | Self::BackupFailed | Self::OnionUnreachable => Severity::Warning,
            Self::Undelivered => Severity::Warning,
            Self::Overpaid | Self::FewPorts | Self::TargetUnreachable => Severity::Info,
        }
    }
}
