//! The deny list's effect: a new order is rejected with a message, and its place is free again; an extension
//! is not ordered at all, since clients wait for the invoice of one whatever its order says.

use crate::domain::id::OrderId;
use crate::domain::product::{Product, Subject};
use crate::domain::texts::{Message, OrderMessage};
use crate::services::deals::change_order;
use crate::services::shop::Shop;
use crate::services::{Error, Tx};
use crate::store::{Connection, deny_list};

/// Rejects the order when its target or the buyer's address is denied; whether it is.
pub(in crate::services) fn refuse_if_denied(
    shop: &Shop,
    tx: &mut Tx<'_>,
    order: OrderId,
    product: &Product,
    client_ip: Option<&str>,
) -> Result<bool, Error> {
    let target = match &product.subject {
        Subject::Target(target) => Some(target.as_str()),
        Subject::Alias { .. } => None,
    };
    if !is_denied(tx.db, target, client_ip)? {
        return Ok(false);
    }
    change_order(shop, &mut tx.as_shop(), order, |deal, i, now| {
        deal.refuse(i, OrderMessage::Denied, now);
        Ok(true)
    })
}

/// Whether a target or a buyer's address is denied.
fn is_denied(db: &Connection, target: Option<&str>, client_ip: Option<&str>) -> Result<bool, Error> {
    let target = match target {
        Some(target) => deny_list::is_target_denied(db, target)?,
        None => false,
    };
    let client = match client_ip {
        Some(ip) => deny_list::is_ip_denied(db, ip)?,
        None => false,
    };
    Ok(target || client)
}

/// Refuses more time on a product whose target is denied.
///
/// # Errors
/// [`Error::Refused`] then.
pub(in crate::services) fn refuse_target(db: &Connection, product: &Product) -> Result<(), Error> {
    match &product.subject {
        Subject::Target(target) if is_denied(db, Some(target), None)? => Err(Error::Refused(Message::Denied)),
        _ => Ok(()),
    }
}

/// Refuses a buyer's address that is denied; `None` is one that is not known (a circuit of the onion service).
///
/// # Errors
/// [`Error::Refused`] then.
pub fn refuse_client(shop: &Shop, client_ip: Option<&str>) -> Result<(), Error> {
    if shop.db.read(|db| is_denied(db, None, client_ip))? {
        return Err(Error::Refused(Message::Denied));
    }
    Ok(())
}
