//! Paying back what was delivered too late for its buyer; [`super::late`] notes which orders those are.

use crate::domain::id::OrderId;
use crate::domain::money::Msat;
use crate::domain::purchase::Delivery;
use crate::services::deals::change_order;
use crate::services::shop::Shop;
use crate::services::{Error, Tx};
use crate::store::deals;

/// An operator pays an order back that was delivered late and owes nothing: from now on it owes its price, and
/// what it paid for is taken back.
pub(in crate::services) fn owe_instead(shop: &Shop, tx: &mut Tx<'_>, order: OrderId) -> Result<(), Error> {
    let (purchase, _) = deals::purchase(tx.db, order)?.ok_or(Error::NotFound)?;
    let is_late = purchase.late_secs.is_some() && purchase.delivery == Delivery::Delivered;
    if purchase.owed > Msat(0) || purchase.refunded > Msat(0) || !is_late {
        return Ok(());
    }
    change_order(shop, tx, order, |deal, i, now| deal.return_late(i, now).map_err(|refusal| Error::Conflict(refusal.0)))
}
