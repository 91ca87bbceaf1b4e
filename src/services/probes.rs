//! Probing a new order's target: what the policy makes of it.

use super::Error;
use super::deals::change_order;
use super::shop::{Aftermath, ProbePolicy, Shop};
use crate::domain::product::Subject;
use crate::domain::purchase::Purchase;
use crate::store::outbox::{self, Intent, IntentKind};
use crate::store::{Connection, deals, products};

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// In words that a buyer understands; the failing stage is named.
    pub text: String,
    /// Whether the target answered.
    pub is_good: bool,
    /// Whether the target is surely at fault: only then may an order be rejected.
    pub blames_target: bool,
}

/// Sees to the probe of a new order: beside its invoice, or before it.
pub(super) fn begin(shop: &Shop, db: &Connection, after: &mut Aftermath, purchase: &Purchase) -> Result<(), Error> {
    if shop.settings.probe == ProbePolicy::Off {
        return Ok(());
    }
    let invoice = &purchase.invoice;
    outbox::add(db, IntentKind::Probe, purchase.id, invoice.hash, invoice.node_id, shop.now())?;
    after.outbox = true;
    if shop.settings.probe == ProbePolicy::Reject {
        outbox::drop_kind(db, IntentKind::Make, invoice.hash)?;
        change_order(shop, db, after, purchase.id, "shop", |deal, i, _| {
            deal.probe_started(i);
            Ok(())
        })?;
    }
    Ok(())
}

/// The target to probe; `None` when nobody waits for it any more.
pub fn target(shop: &Shop, intent: &Intent) -> Result<Option<String>, Error> {
    shop.db.read(|db| {
        let Some((purchase, product)) = deals::purchase(db, intent.order)? else { return Ok(None) };
        let product = products::get(db, product)?.filter(|_| purchase.status.is_open());
        Ok(product.and_then(|product| match product.subject {
            Subject::Target(target) => Some(target),
            Subject::Alias { .. } => None,
        }))
    })
}

/// Applies what the probe found; without a finding the order goes on unprobed.
pub async fn finish(shop: &Shop, intent: &Intent, finding: Option<Finding>) -> Result<(), Error> {
    let (inner, intent) = (shop.clone(), intent.clone());
    shop.change(move |db, after| {
        outbox::done(db, intent.id)?;
        let Some((purchase, _)) = deals::purchase(db, intent.order)? else { return Ok(()) };
        let reject = inner.settings.probe == ProbePolicy::Reject;
        let goes_on = change_order(&inner, db, after, purchase.id, "shop", |deal, i, now| {
            match &finding {
                Some(found) if reject && found.blames_target => {
                    deal.refuse(i, &format!("{}. Nothing was charged.", found.text), now);
                    return Ok(false);
                }
                Some(found) if !found.is_good => {
                    let waited = deal.probe_passed(i);
                    deal.probe_warned(i, &found.text);
                    return Ok(waited);
                }
                _ => {}
            }
            Ok(deal.probe_passed(i))
        })?;
        if goes_on {
            outbox::add(db, IntentKind::Make, intent.order, intent.hash, intent.node_id, inner.now())?;
            after.outbox = true;
        }
        Ok(())
    })
    .await
}
