//! Ports and names: each is one product's at its address. The old shop has sold some twice.

use std::collections::{BTreeMap, BTreeSet};

use super::orders;
use super::parts::Plan;
use super::products::restate;
use crate::domain::host::PortKind;
use crate::domain::id::HostId;
use crate::domain::product::{Product, ProductStatus, Subject};
use crate::domain::time::Timestamp;

use ProductStatus as P;

/// Gives each product that needs one its port or name. Of two with the same, the one has it whose forward stands on the
/// host: its scripts keep an existing one.
pub fn give(plan: &mut Plan, now: Timestamp) {
    let addresses: BTreeMap<HostId, String> = plan.hosts.iter().map(|new| (new.host.id, new.host.ip.clone())).collect();
    let mut order: Vec<usize> =
        (0..plan.products.len()).filter(|at| rank(plan.products[*at].status).is_some()).collect();
    order.sort_by_key(|at| {
        let product = &plan.products[*at];
        (rank(product.status), product.created_at, product.id)
    });
    let (mut ports, mut names) = (BTreeSet::new(), BTreeSet::new());
    let mut displaced = Vec::new();
    for at in order {
        let product = &mut plan.products[at];
        let ip = addresses.get(&product.host_id).cloned().unwrap_or_default();
        product.placed = match (&product.subject, product.port) {
            (Subject::Target(_), Some(port)) => ports.insert((ip, port)),
            (Subject::Target(_), None) => false,
            (Subject::Alias { alias, .. }, _) => names.insert((ip, alias.to_ascii_lowercase())),
        };
        if !product.placed {
            displaced.push(at);
        }
    }
    for at in displaced {
        let free = free_port(plan, at, &addresses, &ports);
        if let Some(taken) = displace(plan, at, free, now) {
            let ip = addresses.get(&plan.products[at].host_id).cloned().unwrap_or_default();
            ports.insert((ip, taken));
        }
    }
}

/// Who comes first to a place; `None` needs none.
const fn rank(status: ProductStatus) -> Option<u8> {
    match status {
        P::Active => Some(0),
        P::NeedsSuspend => Some(1),
        P::NeedsActivate => Some(2),
        P::Suspended => Some(3),
        P::Initial => Some(4),
        P::Archived | P::NeedsDelete | P::Failed => None,
    }
}

/// A port that its host could give it instead.
fn free_port(
    plan: &Plan,
    at: usize,
    addresses: &BTreeMap<HostId, String>,
    ports: &BTreeSet<(String, u16)>,
) -> Option<u16> {
    let product = &plan.products[at];
    let ip = addresses.get(&product.host_id).filter(|_| matches!(product.subject, Subject::Target(_)))?;
    let host = plan.hosts.iter().find(|new| new.host.id == product.host_id)?;
    let spans = host.ranges.iter().filter(|(kind, ..)| *kind == PortKind::TorBridge);
    spans.flat_map(|(_, first, last)| *first..=*last).find(|port| !ports.contains(&(ip.clone(), *port)))
}

/// What a product becomes whose place another one has. It never asks its host to take anything down: that would be the
/// other's. Returns the port that it has now.
fn displace(plan: &mut Plan, at: usize, free: Option<u16>, now: Timestamp) -> Option<u16> {
    let mut product = plan.products[at].clone();
    let (id, why) = (product.id, why(&product));
    let has_time = product.suspend_after.is_none_or(|end| end > now);
    let needs_it = match product.status {
        P::Active => has_time,
        P::NeedsActivate | P::Initial => true,
        _ => false,
    };
    let given = free.filter(|_| needs_it);
    match (given, product.status) {
        (Some(port), status) => {
            product.port = Some(port);
            product.placed = true;
            if status == P::Active {
                orders::await_last(id, plan);
                restate(&mut product, P::NeedsActivate, now);
            }
            // Its host was never told of it at this port.
            product.shown_at = None;
            plan.ledger.ask(format!("{id}: {why}; it moves to port {port}. Tell its buyer"));
        }
        (None, P::Initial) => {
            restate(&mut product, P::Archived, now);
            plan.ledger.note(format!("{id}: {why}; once it is paid it gets another, or is owed"));
        }
        (None, _) => {
            restate(&mut product, P::Suspended, now);
            plan.ledger.note(format!("{id}: {why}; it is suspended and has none"));
            if needs_it {
                orders::owe_undelivered(id, plan);
            }
        }
    }
    plan.products[at] = product;
    given
}

/// Why it has no place.
fn why(product: &Product) -> String {
    match (&product.subject, product.port) {
        (Subject::Alias { alias, .. }, _) => format!("another product has the name {alias}"),
        (Subject::Target(_), Some(port)) => format!("another product has port {port}"),
        (Subject::Target(_), None) => "the old shop had no port for it".to_owned(),
    }
}
