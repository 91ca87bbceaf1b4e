//! Which node pays a refund, and what the operator is told when none may: which nodes could, and the command that
//! makes each of them able.

use super::Error;
use crate::domain::id::{NodeId, OrderId};
use crate::domain::lightning::Network;
use crate::domain::node::Node;
use crate::store::{Connection, nodes};

/// No more nodes than this are named in a refusal.
const MAX_NAMED: usize = 5;

/// A node of the operator who was `paid` for the order, that may pay on this network: one that answers before one
/// that doesn't, and the node that was paid before others.
///
/// # Errors
/// [`Error::Refused`] with the way to make a node able.
pub(super) fn choose(db: &Connection, paid: NodeId, order: OrderId, network: Option<Network>) -> Result<Node, Error> {
    let own = match nodes::owner(db, paid)? {
        Some(owner) => nodes::list(db, Some(owner))?,
        None => Vec::new(),
    };
    let (fit, other): (Vec<Node>, Vec<Node>) = own.into_iter().partition(|node| fits(node, network));
    let able = fit.iter().filter(|node| node.pays_refunds && node.is_enabled);
    // Whether it answers is as the shop last saw it: a reason to prefer, none to refuse.
    let best = able.min_by_key(|node| (!node.is_alive, node.id != paid)).cloned();
    best.ok_or_else(|| Error::Refused(advice(&fit, &other, order, network)))
}

/// A node that was never asked for its network may be on any.
fn fits(node: &Node, network: Option<Network>) -> bool {
    let told = node.network.as_deref().and_then(Network::parse);
    told.is_none() || network.is_none() || told == network
}

fn advice(fit: &[Node], other: &[Node], order: OrderId, network: Option<Network>) -> String {
    let by_hand = format!(
        "Or pay from any wallet, and note it with `order resolve {order} --note \"paid back\"`, which pays nothing itself."
    );
    if fit.is_empty() {
        let name = network.map_or("this network", Network::name);
        let lack = if other.is_empty() {
            "The operator whose node was paid has no node any more. Add one (`node add --help`).".to_owned()
        } else {
            format!(
                "No node of the operator works on {name}, where the payment request is to be paid. Add one (`node add --help`)."
            )
        };
        return format!("{lack} {by_hand}");
    }
    let named = fit.iter().take(MAX_NAMED);
    let ways: Vec<String> =
        named.map(|node| format!("{} ({}): {}", node.name, node.kind.name(), node.how_to_pay_refunds())).collect();
    format!("None of the operator's nodes may pay refunds yet. Let one of them: {}. {by_hand}", ways.join("; "))
}
