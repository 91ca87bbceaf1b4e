//! Lightning nodes, with what this shop can reach them by.

use super::super::credentials::Credentials;
use super::super::old::{Old, OldNode};
use super::parts::{NewNode, Plan};
use super::people::People;
use crate::domain::address;
use crate::domain::id::{NodeId, OperatorId};
use crate::domain::node::{Node, NodeKind};
use crate::domain::text::is_plain_name;
use crate::domain::time::Timestamp;
use crate::services::nodes::manage::empty;
use crate::services::nodes::names;

/// How the macaroon that the shop needs is made.
const BAKE: &str = "lncli bakemacaroon invoices:read invoices:write info:read --save_to shop.macaroon";

/// Takes the nodes over. One that lacks something is there and switched off: its invoices are looked up once it has it.
pub fn take(old: &Old, people: &People<'_>, credentials: &Credentials, plan: &mut Plan) {
    for found in &old.nodes {
        let Some(owner) = people.operator(found.owner.as_ref()) else {
            plan.wrong.push(format!("{}: its owner is not in the dump", found.key));
            continue;
        };
        let node = node(found, owner, credentials, plan);
        plan.ledger.take(&found.key, format!("node {}", node.name));
        plan.nodes.push(NewNode { node, is_gone: false });
    }
}

fn node(found: &OldNode, owner: OperatorId, credentials: &Credentials, plan: &mut Plan) -> Node {
    let mut node = empty(NodeId(found.id), owner, found.kind, found.created_at);
    let mut lacks = Vec::new();
    match address::host(&found.host) {
        Ok(host) => node.host = host,
        Err(problem) => {
            node.host.clone_from(&found.host);
            lacks.push(format!("--host ({problem})"));
        }
    }
    match u16::try_from(found.port) {
        Ok(port) if port > 0 => node.port = port,
        _ => lacks.push(format!("--port ({} is none)", found.port)),
    }
    node.name = found.name.trim().to_owned();
    if node.name.is_empty() || !is_plain_name(&node.name) || node.name.chars().count() > 100 {
        node.name = names::default(&node.host, node.port);
    }
    node.priority = found.priority;
    take_certificate(found, &mut node, credentials, &mut lacks, plan);
    take_macaroon(found, &mut node, credentials, &mut lacks);
    if found.has_readonly_macaroon {
        let id = node.id;
        plan.ledger.note(format!(
            "node {}: its readonly macaroon is not taken; where the node is to tell its details, give the file: \
             `node set {id} --details-macaroon-file FILE`",
            node.name
        ));
    }
    node.is_enabled = found.is_enabled && lacks.is_empty();
    if !lacks.is_empty() {
        let (name, id) = (&node.name, node.id);
        plan.ledger.ask(format!(
            "node {name} is switched off until it has: {}. Then: `node set {id} … --is-enabled=true`",
            lacks.join("; ")
        ));
    }
    node
}

/// A node is known by its very certificate, or by one that the system's authorities vouch for; the old shop could also
/// have looked at none.
fn take_certificate(
    found: &OldNode,
    node: &mut Node,
    credentials: &Credentials,
    lacks: &mut Vec<String>,
    plan: &mut Plan,
) {
    let (name, id) = (&node.name, node.id);
    match found.certificate.as_ref().map(|pem| (credentials.certificate)(pem.as_bytes())) {
        Some(Ok(pem)) => {
            node.certificate = Some(pem);
            if !found.is_verified {
                plan.ledger.note(format!(
                    "node {name}: the old shop did not look at its certificate; here the node has to show the very one \
                     that the old shop had"
                ));
            }
        }
        Some(Err(problem)) => {
            lacks.push(format!("--certificate-file tls.cert (that of the old shop is not taken: {problem})"));
        }
        None if found.is_verified => plan.ledger.ask(format!(
            "node {name} has no certificate, so it has to show one that an authority vouches for. If it shows its own \
             (LND's usually is), give it: `node set {id} --certificate-file tls.cert`"
        )),
        None => lacks.push(
            "--certificate-file tls.cert (the old shop did not look at it; here a node has to show it)".to_owned(),
        ),
    }
}

/// Nothing that can spend is taken, whichever field it stood in.
fn take_macaroon(found: &OldNode, node: &mut Node, credentials: &Credentials, lacks: &mut Vec<String>) {
    let why = match found.invoice_macaroon.as_ref().map(|text| (credentials.macaroon)(text.as_bytes())) {
        Some(Ok(macaroon)) => {
            node.macaroon = Some(macaroon);
            return;
        }
        Some(Err(problem)) => format!("; that of the old shop is not taken: {problem}"),
        None if found.has_admin_macaroon => "; the admin macaroon can spend and is not taken".to_owned(),
        None => String::new(),
    };
    lacks.push(format!("--macaroon-file shop.macaroon (`{BAKE}` on the node makes it{why})"));
}

/// A node that old invoices name and that is not there any more.
pub fn gone_node(id: NodeId, plan: &mut Plan, now: Timestamp) {
    if plan.nodes.iter().any(|known| known.node.id == id) {
        return;
    }
    let Some(owner) = plan.operators.first().map(|operator| operator.id) else { return };
    let name = "a node of the old shop".to_owned();
    let node = Node { name, host: "unknown".to_owned(), ..empty(id, owner, NodeKind::LndGrpc, now) };
    plan.nodes.push(NewNode { node, is_gone: true });
}
