//! What those who run the shop see first: what came in, what runs, what ends next, what needs a hand.

use super::hosts::manage::HostView;
use super::hosts::visible;
use super::products::search;
use super::products::view::ProductView;
use super::{Error, ReadTx, authz, hosts, nodes, own_channels, reports};
use crate::domain::alert::AlertTopic;
use crate::domain::id::{HostId, NodeId, OrderId, ProductId};
use crate::domain::product::ProductStatus;
use crate::store::alerts::{self, Alert};
use crate::store::{Connection, order_lists, product_lists};

/// Income is shown of so many days.
const DAYS: i64 = 30;
/// So many products that end next are named.
const ENDING: u32 = 10;
/// So many alerts are shown.
const ALERTS: usize = 100;

/// The first look.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug)]
pub struct Dashboard {
    /// The last thirty days, oldest first.
    pub days: Vec<reports::Total>,
    /// Products that work.
    pub active: u64,
    /// Products that hosts are to activate.
    pub to_activate: u64,
    /// Products that hosts are to take down.
    pub to_suspend: u64,
    /// Products that are suspended and keep their port.
    pub suspended: u64,
    /// What ends next.
    pub ending: Vec<ProductView>,
    /// Orders that owe their buyers something.
    pub owing: u64,
    /// What they owe, in msat.
    pub owed: u64,
    /// What needs a hand, the newest first.
    pub todo: Vec<Todo>,
    /// Hosts that sell, and how many of them check in.
    pub hosts: (u64, u64),
    /// How many of them have something left to sell: a free port, or aliases.
    pub hosts_with_room: u64,
    /// Nodes in use, and how many of them are alive.
    pub nodes: (u64, u64),
}

/// Something that needs a hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Todo {
    /// What is told of it.
    pub alert: Alert,
    /// What it is about.
    pub about: About,
}

/// What an alert is about; its subject is the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// An order.
    Order,
    /// A product.
    Product,
    /// A host.
    Host,
    /// A Lightning node.
    Node,
    /// A payment, by its hash.
    Payment,
    /// The shop itself.
    Shop,
}

/// What alerts of a topic are about.
pub const fn about(topic: AlertTopic) -> About {
    use AlertTopic as T;
    match topic {
        T::NeedsRefund | T::Overpaid | T::RefundedTooMuch | T::RefundMayBeDone => About::Order,
        T::InvoiceVanished | T::RefundClaimed | T::HoldLost | T::TargetUnreachable | T::LateDelivery => About::Order,
        T::StuckSuspension => About::Product,
        T::HostDead | T::NoInvoices | T::FewPorts | T::HostNotSwept => About::Host,
        T::NodeDead | T::NodeUnheard | T::ClocksApart | T::CertificateEnds | T::NodeWaits => About::Node,
        T::UnknownPayment | T::FailedIntent => About::Payment,
        T::LeftOut | T::RuleBroken | T::ClockBack | T::BackupFailed | T::Storage => About::Shop,
        T::OnionUnreachable | T::OnionKeyLost | T::Defect | T::Undelivered => About::Shop,
        T::DatabaseOlder | T::SecondCopy => About::Shop,
    }
}

/// The version of the database's engine.
pub fn sqlite_version() -> &'static str {
    crate::store::db::sqlite_version()
}

/// The first look of the one who asks: an operator's is about their own hosts and nodes.
///
/// # Errors
/// [`Error::NotFound`] for those who run nothing.
pub fn look(tx: &ReadTx<'_>) -> Result<Dashboard, Error> {
    let db = tx.db;
    let own = visible::hosts_of(tx, None)?;
    let all = match &own {
        Some(own) => own.clone(),
        None => crate::store::hosts::ids(db)?,
    };
    let count = |status| count(db, &all, status);
    let (owing, owed) = order_lists::owed(db, own.as_deref())?;
    let hosts = hosts::manage::list(tx)?;
    let selling = hosts.iter().filter(|view| view.host.is_enabled);
    let alive = selling.clone().filter(|view| view.host.is_alive(tx.now));
    let with_room = selling.clone().filter(|view| has_room(view));
    let nodes = nodes::manage::list(tx)?;
    let used = nodes.iter().filter(|node| node.is_enabled);
    Ok(Dashboard {
        days: reports::by_day(tx, tx.now.plus_secs(-(DAYS - 1) * 86_400))?,
        active: count(ProductStatus::Active)?,
        to_activate: count(ProductStatus::NeedsActivate)?,
        to_suspend: count(ProductStatus::NeedsSuspend)?,
        suspended: count(ProductStatus::Suspended)?,
        ending: search::ending_next(tx, ENDING)?,
        owing,
        owed,
        todo: todo(tx)?,
        hosts: (selling.clone().count() as u64, alive.count() as u64),
        hosts_with_room: with_room.count() as u64,
        nodes: (used.clone().count() as u64, used.filter(|node| node.is_alive).count() as u64),
    })
}

fn has_room(view: &HostView) -> bool {
    view.host.offers_nostr_aliases || view.ranges.iter().any(|range| range.free() > 0)
}

fn count(db: &Connection, hosts: &[HostId], status: ProductStatus) -> Result<u64, Error> {
    let mut sum = 0;
    for host in hosts {
        sum += product_lists::count(db, *host, status)?;
    }
    Ok(sum)
}

/// What is open and concerns the one who asks.
fn todo(tx: &ReadTx<'_>) -> Result<Vec<Todo>, Error> {
    let mut found = Vec::new();
    for alert in alerts::list(tx.db, false)? {
        let about = about(alert.topic);
        if concerns(tx, alert.topic, &alert.subject)? {
            found.push(Todo { alert, about });
        }
        if found.len() == ALERTS {
            break;
        }
    }
    Ok(found)
}

/// How many alerts are open that concern the one who asks.
///
/// # Errors
/// Those of the database.
pub fn open_alerts(tx: &ReadTx<'_>) -> Result<usize, Error> {
    let open = alerts::list(tx.db, false)?.into_iter();
    let seen = open.map(|alert| concerns(tx, alert.topic, &alert.subject)).collect::<Result<Vec<_>, _>>()?;
    Ok(seen.into_iter().filter(|concerns| *concerns).count())
}

/// Whether an alert is about something that the one who asks may see.
///
/// # Errors
/// Those of the database.
pub fn concerns(tx: &ReadTx<'_>, topic: AlertTopic, subject: &str) -> Result<bool, Error> {
    if authz::needs_administrator(tx.actor).is_ok() {
        return Ok(true);
    }
    let seen = match about(topic) {
        _ if topic == AlertTopic::Undelivered => Some(own_channels::find(tx, subject).map(drop)),
        About::Order => OrderId::parse(subject).map(|id| authz::needs_order(tx, id)),
        About::Product => ProductId::parse(subject).map(|id| authz::needs_product(tx, id)),
        About::Host => HostId::parse(subject).map(|id| hosts::manage::show(tx, id).map(drop)),
        About::Node => NodeId::parse(subject).map(|id| nodes::manage::show(tx, id).map(drop)),
        About::Payment | About::Shop => None,
    };
    match seen {
        None | Some(Err(Error::NotFound)) => Ok(false),
        Some(seen) => seen.map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_about_money_of_an_order_lead_to_the_order() {
        for topic in [AlertTopic::NeedsRefund, AlertTopic::Overpaid, AlertTopic::LateDelivery] {
            assert_eq!(about(topic), About::Order);
        }
        assert_eq!(about(AlertTopic::FewPorts), About::Host);
    }
}
