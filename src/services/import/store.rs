//! Writes a plan down: everything or nothing, on a shop that has nothing yet.

use super::plan::Plan;
use crate::domain::host::PortRange;
use crate::domain::id::{NodeId, Random};
use crate::domain::lightning::PaymentHash;
use crate::domain::product::{Product, Subject};
use crate::domain::purchase::Purchase;
use crate::services::hosts::manage::hash_token;
use crate::services::{Error, ReadTx, Tx, authz, site};
use crate::store::outbox::Attempt;
use crate::store::{
    alerts, audit_log, deny_list, hosts, meta, nodes, operators, outbox, products, reservations, takeover,
};

/// What is in the shop already, in words; `None` when it is empty.
///
/// # Errors
/// Those of the database.
pub fn occupants(tx: &ReadTx<'_>) -> Result<Option<String>, Error> {
    let found: Vec<String> =
        takeover::occupants(tx.db)?.into_iter().map(|(what, count)| format!("{count} {what}")).collect();
    Ok((!found.is_empty()).then(|| found.join(", ")))
}

/// Stores a plan.
///
/// # Errors
/// [`Error::Conflict`] when the shop is not empty; those of the database.
pub fn store(tx: &mut Tx<'_>, random: &dyn Random, plan: &Plan) -> Result<(), Error> {
    authz::needs_administrator(tx.actor)?;
    if let Some(found) = occupants(tx)? {
        let text = format!(
            "this shop is not empty ({found}), and an old shop is taken over as a whole or not at all: name another data \
             folder, or move this one aside"
        );
        return Err(Error::Conflict(text.into()));
    }
    // Orders without it would look as if it was lost.
    let mut secret = [0; 32];
    random.fill(&mut secret);
    meta::preimage_secret(tx.db, &secret)?;
    if let Some((domain, name)) = &plan.site {
        site::set(tx, Some(domain), Some(name))?;
    }
    people_and_machines(tx, random, plan)?;
    for entry in &plan.denied {
        deny_list::put(tx.db, entry.kind, &entry.value, entry.status, &entry.comment, tx.author())?;
    }
    plan.products.iter().try_for_each(|product| put_product(tx, plan, product))?;
    for new in &plan.hosts {
        for &(kind, first, last) in &new.ranges {
            let range = PortRange { id: 0, host_id: new.host.id, kind, first, last, used: 0 };
            hosts::add_range(tx.db, &range)?;
            hosts::adopt_ports(tx.db, &new.host.ip, new.host.id, first)?;
        }
    }
    orders(tx, plan)?;
    for alert in &plan.alerts {
        alerts::raise(tx.db, alert.topic, &alert.subject, &alert.text, tx.now)?;
    }
    tx.record("shop", "old shop", &format!("taken over: {} objects", plan.ledger.fates.len()))
}

fn people_and_machines(tx: &Tx<'_>, random: &dyn Random, plan: &Plan) -> Result<(), Error> {
    for new in &plan.operators {
        operators::insert_as(tx.db, (new.id, &new.name), new.role, &new.password_hash, new.created_at, tx.author())?;
        tx.record("operator", &new.name, &format!("taken over as {}", new.role.name()))?;
    }
    for new in &plan.nodes {
        nodes::insert(tx.db, &new.node, tx.author())?;
        if new.is_gone {
            nodes::remove(tx.db, new.node.id, tx.author())?;
        }
        tx.record("node", new.node.id, "taken over from the old shop")?;
    }
    for new in &plan.hosts {
        let token_hash = new.token_hash.unwrap_or_else(|| hash_token(&random.uuid().to_string()));
        hosts::insert(tx.db, &new.host, &token_hash, tx.author())?;
        takeover::set_check_in(tx.db, &new.host)?;
        tx.record("host", new.host.id, &format!("taken over: {} at {}", new.host.name, new.host.ip))?;
    }
    Ok(())
}

fn put_product(tx: &Tx<'_>, plan: &Plan, product: &Product) -> Result<(), Error> {
    products::insert(tx.db, product)?;
    products::update(tx.db, product.status, product)?;
    takeover::set_monitored(tx.db, product)?;
    let ip = plan.hosts.iter().find(|new| new.host.id == product.host_id).map(|new| new.host.ip.as_str());
    if let (true, Some(ip)) = (product.placed, ip) {
        let is_free = match (&product.subject, product.port) {
            (Subject::Target(_), Some(port)) => takeover::keep_port(tx.db, ip, port, product.id)?,
            (Subject::Target(_), None) => false,
            (Subject::Alias { alias, .. }, _) => reservations::reserve_alias(tx.db, ip, alias, product.id)?,
        };
        if !is_free {
            return Err(Error::Internal(format!("the place of {} was given twice", product.id)));
        }
    }
    Ok(audit_log::record_product(tx.db, tx.author(), product.id, "taken over from the old shop")?)
}

fn orders(tx: &mut Tx<'_>, plan: &Plan) -> Result<(), Error> {
    for new in &plan.orders {
        let purchase = &new.purchase;
        takeover::insert_purchase(tx.db, purchase, new.product, new.host, tx.author())?;
        let mut number = 0;
        attempt(tx, purchase, purchase.invoice.hash, purchase.invoice.node_id, number)?;
        for other in &new.others {
            number += 1;
            attempt(tx, purchase, other.hash, other.node, number)?;
            if let Some(received) = other.received {
                outbox::note_received(tx.db, other.hash, received)?;
            }
        }
    }
    tx.after.hosts.extend(plan.hosts.iter().map(|new| new.host.id));
    Ok(())
}

fn attempt(tx: &Tx<'_>, purchase: &Purchase, hash: PaymentHash, node_id: NodeId, number: u32) -> Result<(), Error> {
    let attempt = Attempt { hash, order: purchase.id, node_id, number, is_hold: false };
    outbox::add_attempt(tx.db, &attempt, purchase.created_at)?;
    Ok(outbox::set_made(tx.db, hash, None)?)
}
