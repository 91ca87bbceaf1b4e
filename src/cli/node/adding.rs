//! Adding a node: tried first, then stored; and how nodes are told to scripts.

use serde_json::{Value, json};

use super::super::credential;
use super::super::data::DataArgs;
use super::super::failure::Failure;
use super::super::output::Output;
use super::asking;
use super::fields::NodeFields;
use crate::domain::id::SystemRandom;
use crate::domain::node::{Node, NodeKind};
use crate::domain::time::{Clock, SystemClock, Timestamp};
use crate::services::ReadTx;
use crate::services::nodes::manage;
use crate::services::nodes::manage::NodeChange;

/// Tries a node and adds it; returns it with what to say of it.
pub fn add(
    data: &DataArgs,
    kind: NodeKind,
    untested: bool,
    fields: NodeFields,
    output: &Output,
) -> Result<(Node, String), Failure> {
    let owner = fields.owner.clone();
    let change = fields.change(&data.load()?.database())?;
    warn(untested, &change, output);
    let data = data.open_or_create()?;
    if let (Some(file), false) = (&change.payment_macaroon_file, untested) {
        asking::look_at_payment_macaroon(file)?;
    }
    let new = |tx: &ReadTx<'_>| manage::new_node(tx, &SystemRandom, kind, change, owner.as_deref());
    let node = data.read(new)?;
    let found = if untested { None } else { Some(asking::try_out(&data, &node)?) };
    let stored = node.clone();
    data.write(move |tx| manage::insert(tx, &stored))?;
    let advice = || format!("Try it: `ip2tor-shop node check {}`", node.id);
    let text = format!("Added node {}.\nid  {}\n{}", node.name, node.id, found.unwrap_or_else(advice));
    Ok((node, text))
}

/// What a try would have found, as far as it can be seen from here, and what no try of a command finds.
pub fn warn(untested: bool, change: &NodeChange, output: &Output) {
    let expired = untested.then(|| credential::expired(change, SystemClock.now())).flatten();
    for warning in expired.into_iter().chain(credential::hidden(change)) {
        output.warn(&warning);
    }
}

/// A node as scripts read it.
pub fn document(node: &Node) -> Value {
    let info: Value = node.info.as_deref().and_then(|info| serde_json::from_str(info).ok()).unwrap_or_default();
    json!({
        "id": node.id.to_string(),
        "owner_id": node.operator_id.0,
        "kind": node.kind.name(),
        "name": node.name,
        "host": node.host,
        "port": node.port,
        "certificate_file": node.certificate_file,
        "macaroon_file": node.macaroon_file,
        "payment_macaroon_file": node.payment_macaroon_file,
        "pays_refunds": node.pays_refunds,
        "priority": node.priority,
        "is_enabled": node.is_enabled,
        "allow_spending": node.allow_spending,
        "use_holds": node.use_holds,
        "is_alive": node.is_alive,
        "checked_at": node.checked_at.map(Timestamp::to_wire),
        "last_error": node.last_error,
        "network": node.network,
        "pubkey": node.pubkey,
        "alias": info["alias"],
        "uris": info["uris"],
        "active_channels": info["active_channels"],
        "inbound_msat": info["inbound_msat"],
        "outbound_msat": info["outbound_msat"],
        "block_height": info["block_height"],
        "synced_to_chain": info["synced_to_chain"],
        "version": info["version"],
        "cannot_hold": info["cannot_hold"],
        "clock_note": node.clock_note,
        "created_at": node.created_at.to_wire(),
        "modified_at": node.modified_at.to_wire(),
    })
}
