//! Which node pays a refund, and what the operator is told when none may: which nodes could, and the command that
//! makes each of them able.

use crate::domain::id::{NodeId, OrderId};
use crate::domain::lightning::Network;
use crate::domain::node::Node;
use crate::services::Error;
use crate::store::{Connection, nodes};

/// No more nodes than this are named in a refusal.
const MAX_NAMED: usize = 5;

/// A node of the operator who was `paid` for the order, that may pay on this network: one that answers before one
/// that doesn't, and the node that was paid before others.
///
/// # Errors
/// [`Error::Refused`] with the way to make a node able.
pub(in crate::services) fn choose(
    db: &Connection,
    paid: NodeId,
    order: OrderId,
    network: Option<Network>,
) -> Result<Node, Error> {
    let own = match nodes::owner(db, paid)? {
        Some(owner) => nodes::list(db, Some(owner))?,
        None => Vec::new(),
    };
    let (fit, other): (Vec<Node>, Vec<Node>) = own.into_iter().partition(|node| fits(node, network));
    let able = fit.iter().filter(|node| node.pays_refunds && node.is_enabled);
    // Whether it answers is as the shop last saw it: a reason to prefer, none to refuse.
    let best = able.min_by_key(|node| (!node.is_alive, node.id != paid)).cloned();
    best.ok_or_else(|| Error::Refused(advice(&fit, &other, order, network).into()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{Random, SystemRandom};
    use crate::domain::node::NodeKind;
    use crate::services::nodes::manage;
    use crate::services::nodes::manage::NodeChange;
    use crate::services::test_support::{administrator, database, operator};
    use crate::store::{Db, node_state};

    fn add(db: &Db, kind: NodeKind, name: &str, pays: bool) -> NodeId {
        let text = |text: &str| Some(text.to_owned());
        let lnd = !kind.is_socket();
        let change = NodeChange {
            name: text(name),
            host: text(if lnd { "127.0.0.1" } else { "/cln/lightning-rpc" }),
            macaroon_file: if lnd { text("/lnd/invoice.macaroon") } else { None },
            payment_macaroon_file: if lnd && pays { text("/lnd/pay.macaroon") } else { None },
            pays_refunds: Some(pays),
            ..NodeChange::default()
        };
        let session = administrator();
        let added = session.write(db, move |tx| manage::add(tx, &SystemRandom, kind, change, Some("anna")));
        added.unwrap().id
    }

    fn is_on(db: &Db, node: NodeId, network: Network) {
        let store = move |db: &Connection| node_state::set_info(db, node, Some(network), None, "{}");
        db.write_blocking(move |db| Ok::<_, Error>(store(db)?)).unwrap();
    }

    fn answers(db: &Db, node: NodeId) {
        let now = administrator().now;
        let store = move |db: &Connection| node_state::set_alive(db, node, true, None, now);
        db.write_blocking(move |db| Ok::<_, Error>(store(db)?)).unwrap();
    }

    fn chosen(db: &Db, paid: NodeId) -> Result<NodeId, String> {
        let order = OrderId(SystemRandom.uuid());
        match db.read(|db| choose(db, paid, order, Some(Network::Mainnet))) {
            Ok(node) => Ok(node.id),
            Err(Error::Refused(text)) => Err(text.to_string()),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_node_that_was_paid_pays_back_unless_only_another_one_can_or_answers() {
        let (_dir, db) = database();
        operator(&db, "anna");
        let paid = add(&db, NodeKind::LndRest, "paid", true);
        let other = add(&db, NodeKind::Cln, "other", true);
        let unable = add(&db, NodeKind::LndGrpc, "unable", false);
        assert_eq!((chosen(&db, paid), chosen(&db, other)), (Ok(paid), Ok(other)));
        assert!(chosen(&db, unable).is_ok());
        answers(&db, other);
        assert_eq!(chosen(&db, paid), Ok(other));
        answers(&db, paid);
        assert_eq!(chosen(&db, paid), Ok(paid));
    }

    #[test]
    fn a_node_on_another_network_pays_nothing() {
        let (_dir, db) = database();
        operator(&db, "anna");
        let (main, test) = (add(&db, NodeKind::Cln, "main", true), add(&db, NodeKind::Cln, "test", true));
        is_on(&db, test, Network::Signet);
        assert_eq!(chosen(&db, test), Ok(main));
        is_on(&db, main, Network::Testnet);
        let refused = chosen(&db, main).unwrap_err();
        assert!(refused.contains("mainnet") && refused.contains("node add") && refused.contains("order resolve"));
    }

    #[test]
    fn each_node_is_named_with_what_it_lacks() {
        let (_dir, db) = database();
        operator(&db, "anna");
        let nodes = NodeKind::ALL.map(|kind| (kind, add(&db, kind, &format!("my {}", kind.name()), false)));
        let refused = chosen(&db, nodes[0].1).unwrap_err();
        for (kind, id) in nodes {
            let option = if kind.is_socket() { "pays-refunds=true" } else { "payment-macaroon-file" };
            let named = format!("my {} ({})", kind.name(), kind.name());
            assert!(refused.contains(&format!("node set {id} --{option}")) && refused.contains(&named), "{refused}");
        }
        let (session, off) = (administrator(), nodes[2].1);
        let change = NodeChange { is_enabled: Some(false), pays_refunds: Some(true), ..NodeChange::default() };
        session.write(&db, move |tx| manage::set(tx, off, change, None)).unwrap();
        let way = format!("node set {off} --pays-refunds=true --is-enabled=true");
        assert!(chosen(&db, off).unwrap_err().contains(&way));
    }
}
