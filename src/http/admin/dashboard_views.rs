//! The first look in bodies.

use poem_openapi::Object;
use serde::Serialize;

use super::product_views::AdminProduct;
use super::values::date;
use crate::domain::alert::AlertTopic;
use crate::domain::time::Timestamp;
use crate::services::alerts::Alert;
use crate::services::dashboard::{About, Dashboard, Todo};
use crate::services::reports::Total;

/// Sums of a day or a month, of what was paid in one currency's time.
#[derive(Debug, Serialize, Object)]
pub struct AdminTotal {
    /// The day (UTC), or the first of the month: `YYYY-MM-DD`.
    pub day: String,
    /// The currency of the rates that the invoices were made with; null where there was none.
    pub currency: Option<String>,
    /// First purchases that were paid.
    pub sold: i64,
    /// Extensions that were paid.
    pub extended: i64,
    /// What came, in msat.
    pub received_msat: i64,
    /// What that was worth, in hundredths of the currency.
    pub received_cents: i64,
    /// What was paid back, in msat.
    pub refunded_msat: i64,
    /// What that was worth when its invoice was made, in hundredths of the currency.
    pub refunded_cents: i64,
    /// What paying back cost on its way, in msat.
    pub fees_msat: i64,
    /// What that was worth when its invoice was made, in hundredths of the currency.
    pub fees_cents: i64,
}

impl From<Total> for AdminTotal {
    fn from(total: Total) -> Self {
        let wire = Timestamp::from_secs(total.day.saturating_mul(86_400)).to_wire();
        Self {
            day: wire.split('T').next().unwrap_or_default().to_owned(),
            currency: Some(total.currency).filter(|currency| !currency.is_empty()),
            sold: total.sold,
            extended: total.extended,
            received_msat: total.received,
            received_cents: total.fiat / 100,
            refunded_msat: total.refunded,
            refunded_cents: total.fiat_refunded / 100,
            fees_msat: total.fees,
            fees_cents: total.fiat_fees / 100,
        }
    }
}

/// Something that needs a hand.
#[derive(Debug, Serialize, Object)]
pub struct AdminTodo {
    /// The number of the alert.
    pub alert: i64,
    /// The topic, as in the manual.
    pub topic: String,
    /// `info`, `warning` or `critical`.
    pub severity: String,
    /// What it is, and what to do (English).
    pub text: String,
    /// `order`, `product`, `host`, `node`, `payment` or `shop`.
    pub about: String,
    /// The id of that; empty for the shop.
    pub id: String,
    /// The operation that helps, by its `operationId`.
    pub operation: String,
    /// How often it was raised.
    pub occurrences: u32,
    /// Since when.
    pub since: String,
    /// When it was last raised.
    pub last_at: String,
    /// When its reason was gone.
    pub closed_at: Option<String>,
}

impl From<Todo> for AdminTodo {
    fn from(todo: Todo) -> Self {
        let Todo { alert, about } = todo;
        Self::new(alert, about)
    }
}

impl AdminTodo {
    /// As it is shown.
    pub fn new(alert: Alert, about: About) -> Self {
        Self {
            alert: alert.id,
            operation: operation(alert.topic).to_owned(),
            topic: alert.topic.name().to_owned(),
            severity: alert.severity.name().to_owned(),
            text: alert.text,
            about: name(about).to_owned(),
            id: alert.subject,
            occurrences: alert.occurrences,
            since: alert.first_at.to_wire(),
            last_at: alert.last_at.to_wire(),
            closed_at: date(alert.closed_at),
        }
    }
}

const fn name(about: About) -> &'static str {
    match about {
        About::Order => "order",
        About::Product => "product",
        About::Host => "host",
        About::Node => "node",
        About::Payment => "payment",
        About::Shop => "shop",
    }
}

/// The operation that helps with an alert.
const fn operation(topic: AlertTopic) -> &'static str {
    use AlertTopic as T;
    match topic {
        T::NeedsRefund | T::Overpaid | T::RefundClaimed => "admin_order_refund",
        T::RefundMayBeDone | T::RefundedTooMuch | T::InvoiceVanished | T::HoldLost => "admin_order_read",
        T::LateDelivery | T::TargetUnreachable => "admin_order_read",
        T::StuckSuspension => "admin_product_release",
        T::HostDead => "admin_host_read",
        T::FewPorts => "admin_host_range_add",
        T::HostNotSwept => "admin_host_swept",
        T::NoInvoices => "admin_node_list",
        T::NodeDead | T::NodeUnheard | T::ClocksApart | T::CertificateEnds => "admin_node_check",
        T::NodeWaits => "admin_node_update",
        T::FailedIntent => "admin_outbox_list",
        T::BackupFailed => "admin_job_run",
        T::UnknownPayment | T::LeftOut | T::RuleBroken | T::ClockBack | T::Storage => "admin_alert_close",
        T::OnionUnreachable | T::OnionKeyLost | T::Defect => "admin_alert_close",
        T::DatabaseOlder | T::SecondCopy => "admin_alert_close",
        T::Undelivered => "admin_alert_channel_list",
    }
}

/// The first look. Amounts are msat.
#[derive(Debug, Serialize, Object)]
pub struct AdminDashboard {
    /// Now, for reckoning with the times in here.
    pub now: String,
    /// The last thirty days with any income, oldest first; one entry for each currency.
    pub days: Vec<AdminTotal>,
    /// Products that work.
    pub active: u64,
    /// Products that hosts are to activate.
    pub to_activate: u64,
    /// Products that hosts are to take down.
    pub to_suspend: u64,
    /// Products that are suspended.
    pub suspended: u64,
    /// What ends next.
    pub ending: Vec<AdminProduct>,
    /// Orders that owe their buyers something.
    pub owing: u64,
    /// What they owe.
    pub owed_msat: u64,
    /// What needs a hand, the newest first.
    pub todo: Vec<AdminTodo>,
    /// Hosts that are enabled.
    pub hosts: u64,
    /// How many of them check in.
    pub hosts_alive: u64,
    /// How many of them have something left to sell: a free port, or aliases.
    pub hosts_with_room: u64,
    /// Nodes that are enabled.
    pub nodes: u64,
    /// How many of them are alive.
    pub nodes_alive: u64,
    /// The disk that the database is on; for administrators.
    pub disk: Option<AdminDisk>,
    /// The version of the shop.
    pub version: String,
    /// The version of SQLite.
    pub sqlite_version: String,
}

/// Room on a disk, in bytes.
#[derive(Debug, Serialize, Object)]
pub struct AdminDisk {
    /// Free for the shop.
    pub free: u64,
    /// In all.
    pub total: u64,
    /// What the database takes.
    pub database: u64,
}

impl AdminDashboard {
    /// As it is shown.
    pub fn new(look: Dashboard, now: Timestamp, disk: Option<AdminDisk>, sqlite_version: String) -> Self {
        Self {
            now: now.to_wire(),
            days: look.days.into_iter().map(Into::into).collect(),
            active: look.active,
            to_activate: look.to_activate,
            to_suspend: look.to_suspend,
            suspended: look.suspended,
            ending: look.ending.iter().map(AdminProduct::from).collect(),
            owing: look.owing,
            owed_msat: look.owed,
            todo: look.todo.into_iter().map(Into::into).collect(),
            hosts: look.hosts.0,
            hosts_alive: look.hosts.1,
            hosts_with_room: look.hosts_with_room,
            nodes: look.nodes.0,
            nodes_alive: look.nodes.1,
            disk,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            sqlite_version,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_that_is_said_to_help_is_in_the_document() {
        let document = include_str!("../../../openapi.yaml");
        for topic in AlertTopic::ALL {
            let line = format!("operationId: {}\n", operation(topic));
            assert!(document.contains(&line), "{topic:?}: {line}");
        }
    }

    #[test]
    fn a_total_names_its_day_and_drops_what_is_less_than_a_cent() {
        let total = Total { day: 20_788, fiat: 12_399, ..Total::default() };
        let shown = AdminTotal::from(total);
        assert_eq!((shown.day.as_str(), shown.received_cents, shown.currency), ("2026-12-01", 123, None));
    }
}
