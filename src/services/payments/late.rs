//! Deliveries that come after the buyer's software has given up: with plain invoices RaspiBlitz waits six minutes
//! for a bridge and forgets it then. The order says so, the operator is told once, and can pay it back.

use crate::domain::deal::Deal;
use crate::domain::effect::AlertTopic;
use crate::domain::host::Host;
use crate::domain::id::OrderId;
use crate::domain::money::Msat;
use crate::domain::purchase::{Delivery, Purchase};
use crate::domain::time::Timestamp;
use crate::services::deals::change_order;
use crate::services::shop::Shop;
use crate::services::{Error, Tx};
use crate::store::{Connection, alerts, deals, hosts};

/// Notes which purchases were delivered by this change, and too late for their buyers.
pub(in crate::services) fn note(db: &Connection, before: &Deal, deal: &mut Deal, now: Timestamp) -> Result<(), Error> {
    let host_id = deal.product.host_id;
    for (old, new) in before.purchases.iter().zip(&mut deal.purchases) {
        let Some(secs) = new.secs_to_delivery(now).filter(|_| old.delivery != Delivery::Delivered) else { continue };
        let Some(host) = hosts::get_any(db, host_id)?.filter(|host| secs > host.late_secs) else { continue };
        new.late_secs = Some(secs);
        new.message = Some(format!("Delivered {secs} seconds after it was paid."));
        alerts::raise(db, AlertTopic::LateDelivery, &new.id.to_string(), &told(new, &host, secs), now)?;
    }
    Ok(())
}

fn told(purchase: &Purchase, host: &Host, secs: i64) -> String {
    format!(
        "Order {id} on host {name} was delivered {secs} s after it was paid. Buyers' software waits for {limit} s (RaspiBlitz \
         then forgets the bridge), so its buyer may not know of it. If they want their money instead: `order refund {id} \
         BOLT11` pays it back and takes the product back. If not, close this alert.",
        id = purchase.id,
        name = host.name,
        limit = host.late_secs,
    )
}

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
