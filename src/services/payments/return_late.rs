//! Paying back what was delivered too late for its buyer; [`super::late`] notes which orders those are.

use crate::domain::id::OrderId;
use crate::domain::money::Msat;
use crate::domain::purchase::Delivery;
use crate::services::Error;
use crate::services::deals::change_order;
use crate::services::shop::{Aftermath, Shop};
use crate::store::{Connection, deals};

/// An operator pays an order back that was delivered late and owes nothing: from now on it owes its price, and
/// what it paid for is taken back.
pub(in crate::services) fn owe_instead(
    shop: &Shop,
    db: &Connection,
    after: &mut Aftermath,
    order: OrderId,
    actor: &str,
) -> Result<(), Error> {
    let (purchase, _) = deals::purchase(db, order)?.ok_or(Error::NotFound)?;
    let is_late = purchase.late_secs.is_some() && purchase.delivery == Delivery::Delivered;
    if purchase.owed > Msat(0) || purchase.refunded > Msat(0) || !is_late {
        return Ok(());
    }
    change_order(shop, db, after, order, actor, |deal, i, now| {
        deal.return_late(i, now).map_err(|refusal| Error::Conflict(refusal.0))
    })
}
