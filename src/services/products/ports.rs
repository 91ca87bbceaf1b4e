//! The port of a new bridge. Whoever asks gets one while there is one: an order holds its port for the life of its
//! invoice. What keeps one client from holding many for nothing is how many orders it may place (`http::middleware::order_limit`),
//! since only there it is known who asks.
//!
//! On a host that was not swept since a restore ([`crate::services::hosts::sweep`]) the port of an order is tried before its invoice is
//! made: the order waits in state L meanwhile. What answers is set aside, and the order gets another port.

use crate::domain::host::Host;
use crate::domain::id::{OrderId, ProductId};
use crate::domain::product::{Product, Subject};
use crate::domain::purchase::OrderStatus;
use crate::domain::texts::{Message, OrderMessage};
use crate::services::deals::{change_order, change_product};
use crate::services::hosts::sweep;
use crate::services::shop::Shop;
use crate::services::{Error, Principal, Tx};
use crate::store::outbox::Intent;
use crate::store::{Connection, deals, hosts, products, reservations};

/// A port that an order waits for.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    pub order: OrderId,
    /// The host's public address.
    pub ip: String,
    pub port: u16,
}

/// Reserves a free port of the host for a new bridge.
pub(in crate::services) fn draw(shop: &Shop, db: &Connection, host: &Host, product: ProductId) -> Result<u16, Error> {
    let ranges = reservations::bridge_ranges(db, host.id)?;
    reservations::reserve_port(db, &*shop.random, &host.ip, &ranges, product)?
        .ok_or_else(|| Error::non_field(Message::NoFreePorts))
}

/// The port that is to be tried before an order goes on; `None` when it waits for none.
///
/// # Errors
/// Only those of the database.
pub fn to_try(shop: &Shop, intent: &Intent) -> Result<Option<Trial>, Error> {
    shop.db.read(|db| Ok(waiting(db, intent.order)?.map(|(trial, ..)| trial)))
}

fn waiting(db: &Connection, order: OrderId) -> Result<Option<(Trial, Product, Host)>, Error> {
    let Some((purchase, product)) = deals::purchase(db, order)? else { return Ok(None) };
    if purchase.status != OrderStatus::RemoteChecks {
        return Ok(None);
    }
    let Some(product) = products::get(db, product)? else { return Ok(None) };
    let host = hosts::get_any(db, product.host_id)?.filter(|host| host.unswept_since.is_some());
    let is_bridge = matches!(product.subject, Subject::Target(_));
    let (Some(host), Some(port), true) = (host, product.port, is_bridge) else { return Ok(None) };
    Ok(Some((Trial { order, ip: host.ip.clone(), port }, product, host)))
}

/// Something answers at a port that was tried: it is set aside, the operator is told, and the order gets another
/// one to be tried. `None` when it waits for none any more; without another port it is rejected.
///
/// # Errors
/// Only those of the database.
pub async fn answers(shop: &Shop, trial: &Trial) -> Result<Option<Trial>, Error> {
    let (inner, trial) = (shop.clone(), trial.clone());
    shop.tx(&Principal::Shop, move |tx| {
        let db = tx.db;
        let Some((now, product, host)) = waiting(db, trial.order)? else { return Ok(None) };
        if now != trial {
            return Ok(Some(now));
        }
        reservations::put_aside(db, &host, product.id, trial.port)?;
        sweep::tell(db, &host, "", tx.now)?;
        let ranges = reservations::bridge_ranges(db, host.id)?;
        let Some(port) = reservations::reserve_port(db, &*inner.random, &host.ip, &ranges, product.id)? else {
            // What it had is the host's now, so there is nothing to give back.
            change_product(&inner, tx, product.id, |deal, _| {
                deal.product.placed = false;
                Ok(())
            })?;
            refuse(&inner, tx, trial.order, OrderMessage::NoPorts)?;
            return Ok(None);
        };
        change_product(&inner, tx, product.id, |deal, _| {
            deal.product.port = Some(port);
            Ok(())
        })?;
        Ok(Some(Trial { port, ..trial }))
    })
    .await
}

/// A port could not be tried: nobody knows whether it is free, so it is not sold.
///
/// # Errors
/// Only those of the database.
pub async fn not_tried(shop: &Shop, trial: &Trial, reason: &str) -> Result<(), Error> {
    let trouble = format!(" Port {} could not be tried: {reason}. Its order was rejected.", trial.port);
    let (inner, order) = (shop.clone(), trial.order);
    shop.tx(&Principal::Shop, move |tx| {
        let db = tx.db;
        let Some((.., host)) = waiting(db, order)? else { return Ok(()) };
        sweep::tell(db, &host, &trouble, tx.now)?;
        refuse(&inner, tx, order, OrderMessage::PortsUnchecked)
    })
    .await
}

fn refuse(shop: &Shop, tx: &mut Tx<'_>, order: OrderId, message: OrderMessage) -> Result<(), Error> {
    change_order(shop, tx, order, |deal, i, now| {
        deal.refuse(i, message, now);
        Ok(())
    })
}
