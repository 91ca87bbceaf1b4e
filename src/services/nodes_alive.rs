//! Storing whether a node is alive and what it says of itself.

use serde_json::json;

use super::Error;
use super::shop::Shop;
use crate::domain::effect::AlertTopic;
use crate::domain::id::NodeId;
use crate::domain::lightning::{NodeError, NodeInfo};
use crate::store::{alerts, audit_log, node_state};

/// Stores the answer to a check; raises or closes the alert. Returns whether the node has come or
/// gone.
pub async fn store(shop: &Shop, node: NodeId, name: &str, answer: Result<NodeInfo, NodeError>) -> Result<bool, Error> {
    let (now, name) = (shop.now(), name.to_owned());
    shop.change(move |db, _| {
        let error = answer.as_ref().err().map(ToString::to_string);
        let alive = answer.is_ok();
        let was = node_state::set_alive(db, node, alive, error.as_deref(), now)?;
        if let Ok(info) = &answer {
            node_state::set_info(db, node, info.network, info.pubkey.as_deref(), &describe(info))?;
        }
        match &error {
            Some(error) => {
                let text = format!("Lightning node {name} can't be used: {error}");
                alerts::raise(db, AlertTopic::NodeDead, &node.to_string(), &text, now)?;
            }
            None => alerts::close(db, AlertTopic::NodeDead, &node.to_string(), now)?,
        }
        if was != alive {
            let change = if alive { "alive" } else { "not alive" };
            audit_log::record(db, now, "shop", "node", node, change)?;
        }
        Ok(was != alive)
    })
    .await
}

fn describe(info: &NodeInfo) -> String {
    json!({
        "alias": info.alias,
        "pubkey": info.pubkey,
        "uris": info.uris,
        "network": info.network.map(|network| network.name()),
        "active_channels": info.active_channels,
        "block_height": info.block_height,
        "inbound_msat": info.inbound.map(|inbound| inbound.0),
        "synced_to_chain": info.synced_to_chain,
        "version": info.version,
    })
    .to_string()
}
