//! A database that is older than the world. It came back from a copy (a backup, a replica, a copied file, a snapshot of the
//! machine), and what happened after that was made it does not know.
//!
//! `backup restore` says so itself. However else it came back, an invoice at a node tells it: each one that this shop's
//! secret has made ([`ownership`]) was written down before its node was asked, and what was deleted since has left its
//! line ([`unpaid`]). One that is neither was made after the copy. Was it there when this process first looked, then the
//! database is older than it. Has it come since, then somebody else has made it: a second copy of the shop is alive.

use super::deals::change_order;
use super::invoices::ownership;
use super::shop::Shop;
use super::{Error, Principal, Tx, authz, hosts, payments};
use crate::domain::alert::AlertTopic;
use crate::domain::id::{NodeId, OrderId};
use crate::domain::lightning::NodeInvoice;
use crate::domain::texts::{Ending, OrderMessage};
use crate::domain::time::Timestamp;
use crate::store::lost_invoices::{self, LostInvoice};
use crate::store::{Connection, alerts, deals, hosts as host_rows, node_state, outbox, unpaid};

/// The clocks of a node and of this machine may be so far apart, when nothing but them tells what came first. Seconds.
const CLOCKS_APART_SECS: i64 = 600;
/// A copy that is alive has given back, or taken, what it held, this long after the longest limit of its hosts. Seconds.
const MARGIN_SECS: i64 = 60;

/// When an invoice was seen at its node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It was there when this process first looked.
    AtFirst,
    /// It has come since.
    Later,
}

/// Whose an invoice of the shop's secret is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// This database knows its order, or has deleted it.
    Known,
    /// Its order is lost: nobody looks after it.
    Lost,
    /// A second copy of the shop may look after it.
    Copied,
}

/// From now on nothing is taken for granted that may have happened since the database was as it is: history is looked
/// through whatever the cursors say, ports are tried before they are sold, debts are not simply paid. Returns the orders
/// that owe.
pub(in crate::services) fn doubt(tx: &Tx<'_>) -> Result<Vec<OrderId>, Error> {
    let db = tx.db;
    let owing = payments::refunds::doubt(db, tx.now)?;
    node_state::mark_history_due(db)?;
    hosts::sweep::doubt_all(db, tx.now)?;
    Ok(owing)
}

/// An administrator says that the database came back from a copy, whatever nodes tell.
///
/// # Errors
/// [`Error::NotFound`] for anybody else, and those of the database.
pub fn say(tx: &mut Tx<'_>) -> Result<Vec<OrderId>, Error> {
    authz::needs_administrator(tx.actor)?;
    let owing = doubt(tx)?;
    tx.record("backup", "backup", "said to have come back from a copy")?;
    Ok(owing)
}

/// Whose an invoice of the shop's secret is.
///
/// # Errors
/// Those of the database.
pub fn standing(shop: &Shop, node: NodeId, invoice: &NodeInvoice) -> Result<Standing, Error> {
    shop.db.read(|db| {
        Ok(match lost(shop, db, node, invoice)? {
            None => Standing::Known,
            Some(_) if is_copied(db)? => Standing::Copied,
            Some(_) => Standing::Lost,
        })
    })
}

/// Looks for invoices that the shop's secret has made and the database does not know. With the first of them all is
/// doubted, and the operator is told; each is news once.
///
/// # Errors
/// Those of the database.
pub async fn note(shop: &Shop, node: NodeId, invoices: Vec<NodeInvoice>, seen: Seen) -> Result<(), Error> {
    let inner = shop.clone();
    let news = shop.db.read(|db| news(shop, db, node, &invoices))?;
    if news.is_empty() {
        return Ok(());
    }
    shop.tx(&Principal::Shop, move |tx| {
        for lost in &news {
            let LostInvoice { hash, order, made_at, .. } = lost;
            tracing::warn!(%node, %order, %hash, %made_at, "an invoice of ours whose order the database does not know");
            lost_invoices::note(tx.db, lost, tx.now)?;
        }
        let is_later = |lost: &&LostInvoice| seen == Seen::Later || is_younger(&inner, lost.made_at);
        match news.iter().find(is_later) {
            Some(lost) => tell_of_copy(&inner, tx, lost),
            // Until the operator says that one alone is left, all of it may be the other's.
            None if is_copied(tx.db)? => doubt(tx).map(drop),
            None => tell_of_age(&inner, tx, &news),
        }
    })
    .await
}

fn news(shop: &Shop, db: &Connection, node: NodeId, invoices: &[NodeInvoice]) -> Result<Vec<LostInvoice>, Error> {
    let mut news = Vec::new();
    for invoice in invoices {
        if let Some(lost) = lost(shop, db, node, invoice)?
            && !lost_invoices::is_noted(db, lost.hash)?
        {
            news.push(lost);
        }
    }
    Ok(news)
}

/// An invoice of the shop's secret, if the database has neither written it down nor deleted its order.
fn lost(shop: &Shop, db: &Connection, node_id: NodeId, invoice: &NodeInvoice) -> Result<Option<LostInvoice>, Error> {
    let Some(order) = ownership::maker(shop, invoice) else { return Ok(None) };
    if outbox::attempt(db, invoice.hash)?.is_some() || unpaid::ordered_on(db, order)?.is_some() {
        return Ok(None);
    }
    Ok(Some(LostInvoice { hash: invoice.hash, order, node_id, made_at: invoice.created_at }))
}

/// Whether it was certainly made after this process began.
fn is_younger(shop: &Shop, made_at: Timestamp) -> bool {
    shop.began_at().is_some_and(|began| began.plus_secs(CLOCKS_APART_SECS) < made_at)
}

/// Whether a second copy was seen, and the operator has not closed the alert: then nothing of it is touched.
///
/// # Errors
/// Those of the database.
pub fn is_copied(db: &Connection) -> Result<bool, Error> {
    Ok(alerts::any_open(db, AlertTopic::SecondCopy)?)
}

/// So long a copy of the shop that is alive may hold a payment: what is held longer nobody looks after. Seconds.
///
/// # Errors
/// Those of the database.
pub fn longest_hold_secs(shop: &Shop) -> Result<i64, Error> {
    let limits = shop.db.read(|db| host_rows::list(db, None))?.into_iter().map(|host| host.hold_limit_secs);
    Ok(limits.max().unwrap_or(0) + MARGIN_SECS)
}

/// What was ordered from this process before it knew got ports that were not tried, and somebody else's forward may stand
/// there: unless it is paid already, it ends, and its buyer orders anew.
fn end_untried(shop: &Shop, tx: &mut Tx<'_>) -> Result<(), Error> {
    let Some(began) = shop.began_at() else { return Ok(()) };
    for order in deals::unpaid_first_since(tx.db, began)? {
        change_order(shop, tx, order, |deal, i, now| {
            deal.refuse(i, OrderMessage::PortsUnchecked, now);
            deal.close_unpaid(i, Ending::SwitchedOff);
            Ok(())
        })?;
    }
    Ok(())
}

fn tell_of_age(shop: &Shop, tx: &mut Tx<'_>, news: &[LostInvoice]) -> Result<(), Error> {
    let Some(LostInvoice { order, node_id, made_at, .. }) = news.iter().min_by_key(|lost| lost.made_at) else {
        return Ok(());
    };
    let text = format!(
        "The database is older than what has happened: node {node_id} has an invoice of {made_at} for order {order} (and \
         perhaps others: see the log) that this shop has made and the database does not know. So it was put back from a \
         copy. All that `backup restore` does is done: what was paid is looked for, the ports of hosts are tried until you \
         have swept them, refunds wait for your word. See \"When the database came back older\" in the manual. If you have \
         put nothing back, a second copy of this shop is running: end one of the two."
    );
    doubt(tx)?;
    end_untried(shop, tx)?;
    alerts::raise(tx.db, AlertTopic::DatabaseOlder, "", &text, tx.now)?;
    tx.record("backup", "backup", "found to have come back from a copy")
}

fn tell_of_copy(shop: &Shop, tx: &mut Tx<'_>, lost: &LostInvoice) -> Result<(), Error> {
    let LostInvoice { order, node_id, made_at, .. } = lost;
    let text = format!(
        "Node {node_id} has an invoice for order {order} ({made_at}) that this shop's secret has made, but not this process, \
         and it is younger than this process. Either a second copy of the shop is alive (another machine, container or \
         folder with a copy of the database): end one of the two for good. Or the database was exchanged under the \
         running shop: start the shop again. Payments of the other are left alone until you close this alert; close it when \
         one alone is left."
    );
    if alerts::raise(tx.db, AlertTopic::SecondCopy, "", &text, tx.now)? {
        // What the other sells stands on the hosts as well.
        doubt(tx)?;
        end_untried(shop, tx)?;
    }
    Ok(())
}
