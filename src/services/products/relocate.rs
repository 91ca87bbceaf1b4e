//! Another port for a bridge: only once its host has taken it down, since hosts' scripts keep a forward that stands.

use crate::domain::id::ProductId;
use crate::domain::product::{Product, ProductStatus, Subject};
use crate::domain::texts::{Message, Reason};
use crate::services::deals::change_product;
use crate::services::shop::Shop;
use crate::services::{Error, Principal, authz};
use crate::store::{audit_log, hosts, products, reservations};

/// Gives a suspended bridge `port`, or any free one of its host; the one that it had is free again. With time left it comes
/// back there at once.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Refused`] for what is no bridge; [`Error::Conflict`] for one whose forward may stand, or
/// without a free port.
pub async fn relocate(
    shop: &Shop,
    by: &Principal,
    id: ProductId,
    port: Option<u16>,
    reason: Option<String>,
) -> Result<Product, Error> {
    let inner = shop.clone();
    shop.tx(by, move |tx| {
        let db = tx.db;
        authz::needs_product(tx, id)?;
        let product = products::get(db, id)?.ok_or(Error::NotFound)?;
        if !matches!(product.subject, Subject::Target(_)) {
            return Err(Error::Refused(Reason::OnlyBridgesMove.into()));
        }
        if product.status != ProductStatus::Suspended || product.deleted_at.is_some() {
            return Err(Error::Conflict(Message::MoveOnlySuspended));
        }
        let host = hosts::get(db, product.host_id)?.ok_or(Error::NotFound)?;
        if host.unswept_since.is_some() {
            return Err(Error::Conflict(Reason::SweepFirst.into()));
        }
        let new = match port {
            Some(port) => reservations::reserve_same_port(db, &host, port, id)?.then_some(port),
            None => {
                let ranges = reservations::bridge_ranges(db, host.id)?;
                reservations::reserve_port(db, &*inner.random, &host.ip, &ranges, id)?
            }
        };
        let new = new.ok_or(Error::Conflict(Message::NoFreePorts))?;
        if product.placed {
            reservations::release(db, &product)?;
        }
        change_product(&inner, tx, id, |deal, now| {
            deal.operator_moves(new, now).map_err(|refusal| Error::Conflict(refusal.0))
        })?;
        if let Some(reason) = reason {
            audit_log::record_product(db, tx.author(), id, &format!("reason: {reason}"))?;
        }
        products::get(db, id)?.ok_or(Error::NotFound)
    })
    .await
}
