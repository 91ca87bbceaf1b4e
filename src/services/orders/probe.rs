//! Probing before a new order's invoice is made: its port, where the host was not swept since a restore, and its
//! target, as the policy has it.

use crate::domain::host::Host;
use crate::domain::product::Subject;
use crate::domain::purchase::Purchase;
use crate::domain::texts::OrderMessage;
use crate::services::deals::change_order;
use crate::services::shop::{ProbePolicy, Shop};
use crate::services::{Error, Principal, Tx};
use crate::store::outbox::{Intent, IntentKind};
use crate::store::{deals, outbox, products};

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

/// Sees to the probe of a new order: beside its invoice, or before it. A port that has to be tried is always tried
/// before.
pub(in crate::services) fn begin(shop: &Shop, tx: &mut Tx<'_>, purchase: &Purchase, host: &Host) -> Result<(), Error> {
    let db = tx.db;
    let tries_port = host.unswept_since.is_some();
    if shop.settings.probe == ProbePolicy::Off && !tries_port {
        return Ok(());
    }
    let invoice = &purchase.invoice;
    outbox::add(db, IntentKind::Probe, purchase.id, invoice.hash, invoice.node_id, tx.now)?;
    tx.after.outbox = true;
    if shop.settings.probe == ProbePolicy::Reject || tries_port {
        outbox::drop_kind(db, IntentKind::Make, invoice.hash)?;
        let message = if tries_port { OrderMessage::PortTrial } else { OrderMessage::Probing };
        change_order(shop, &mut tx.as_shop(), purchase.id, |deal, i, _| {
            deal.probe_started(i, message);
            Ok(())
        })?;
    }
    Ok(())
}

/// The port of an order was tried and is free. Its invoice is made now, unless its target has to be probed before.
pub async fn port_is_free(shop: &Shop, intent: &Intent) -> Result<(), Error> {
    if shop.settings.probe == ProbePolicy::Reject {
        return Ok(());
    }
    let (inner, intent) = (shop.clone(), intent.clone());
    shop.tx(&Principal::Shop, move |tx| {
        let goes_on = change_order(&inner, tx, intent.order, |deal, i, _| Ok(deal.probe_passed(i)))?;
        if goes_on { make(tx, &intent) } else { Ok(()) }
    })
    .await
}

fn make(tx: &mut Tx<'_>, intent: &Intent) -> Result<(), Error> {
    tx.after.outbox = true;
    Ok(outbox::add(tx.db, IntentKind::Make, intent.order, intent.hash, intent.node_id, tx.now)?)
}

/// The target to probe; `None` when nobody waits for it any more, or targets are not probed.
pub fn target(shop: &Shop, intent: &Intent) -> Result<Option<String>, Error> {
    if shop.settings.probe == ProbePolicy::Off {
        return Ok(None);
    }
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
    shop.tx(&Principal::Shop, move |tx| {
        let db = tx.db;
        outbox::done(db, intent.id)?;
        let Some((purchase, _)) = deals::purchase(db, intent.order)? else { return Ok(()) };
        let reject = inner.settings.probe == ProbePolicy::Reject;
        let goes_on = change_order(&inner, tx, purchase.id, |deal, i, now| {
            match &finding {
                Some(found) if reject && found.blames_target => {
                    deal.refuse(i, OrderMessage::TargetRefused(found.text.clone()), now);
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
        if goes_on { make(tx, &intent) } else { Ok(()) }
    })
    .await
}
