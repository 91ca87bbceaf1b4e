//! Deliveries that come after the buyer's software has given up: with plain invoices RaspiBlitz waits six minutes
//! for a bridge and forgets it then. The order says so, the operator is told once, and can pay it back
//! ([`super::return_late`]).

use crate::domain::alert::AlertTopic;
use crate::domain::deal::Deal;
use crate::domain::host::Host;
use crate::domain::purchase::{Delivery, Purchase};
use crate::domain::texts::OrderMessage;
use crate::domain::time::Timestamp;
use crate::services::Error;
use crate::store::{Connection, alerts, hosts};

/// Notes which purchases were delivered by this change, and too late for their buyers.
pub(in crate::services) fn note(db: &Connection, before: &Deal, deal: &mut Deal, now: Timestamp) -> Result<(), Error> {
    let host_id = deal.product.host_id;
    for (old, new) in before.purchases.iter().zip(&mut deal.purchases) {
        let Some(secs) = new.secs_to_delivery(now).filter(|_| old.delivery != Delivery::Delivered) else { continue };
        let Some(host) = hosts::get_any(db, host_id)?.filter(|host| secs > host.late_secs) else { continue };
        new.late_secs = Some(secs);
        new.message = Some(OrderMessage::DeliveredLate(secs));
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
