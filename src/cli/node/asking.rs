//! Asking nodes: `node check`, and what `node add` and `node set` are given, before it is stored.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::data::{Data, DataArgs};
use super::super::failure::Failure;
use super::super::output::Output;
use super::super::runtime::block_on;
use crate::app;
use crate::background::nodes::asking;
use crate::domain::clocks;
use crate::domain::id::{NodeId, SystemRandom};
use crate::domain::node::Node;
use crate::domain::time::SystemClock;
use crate::lightning::check::NodeCheck;
use crate::lightning::dial::Dial;
use crate::lightning::{pasted, permissions};
use crate::services::instance::InstanceLock;
use crate::services::{Shop, nodes};

/// Asks the nodes. What they answer is stored, as the shop does each minute, unless one is running: that finds out by
/// itself, and what this command can't reach (with another user's rights, without its Tor) it may. Fails when one
/// can't be used.
pub fn check(data: &DataArgs, id: Option<NodeId>, output: &Output) -> Result<(), Failure> {
    let data = data.open()?;
    let nodes = match id {
        Some(id) => vec![data.read(|tx| nodes::manage::show(tx, id))?],
        None => data.read(nodes::manage::list)?,
    };
    crate::onion::tls::install_provider();
    let settings = data.config.shop_settings();
    let shop = Shop::new(data.db.clone(), Arc::new(SystemClock), Arc::new(SystemRandom), settings)?;
    let checks = block_on(async {
        let dial = app::command_dial(&data.config, nodes.iter().map(|node| node.host.as_str())).await?;
        let mut checks = Vec::new();
        for node in &nodes {
            checks.push((node, ask(&shop, &dial, node, &data.config.data_dir).await?));
        }
        Ok(checks)
    })?;
    report(&checks, output)
}

/// Tries a node as it is to be stored: whether it can be reached, lets us in, makes invoices and cancels them.
/// Returns what it says of itself. What may change without the operator's doing is no reason against storing it.
pub fn try_out(data: &Data, node: &Node) -> Result<String, Failure> {
    crate::onion::tls::install_provider();
    let tried = block_on(async {
        let dial = app::command_dial(&data.config, std::iter::once(node.host.as_str())).await?;
        Ok(asking::look(&dial, node, &SystemClock, &SystemRandom).await)
    })?;
    let mut check = tried.check;
    if check.problem.is_none() {
        check.problem = data.read(|tx| nodes::health::other_node(tx.db, node.id, &check.info))?;
    }
    if check.problem.as_ref().is_none_or(asking::may_pass) {
        let apart = tried.ahead_secs.filter(|seconds| clocks::are_apart(*seconds));
        let note = apart.map(|seconds| format!("; its clock is {seconds} s ahead of this machine's: see `node check`"));
        return Ok(check.line() + &note.unwrap_or_default());
    }
    Err(Failure::Failed(format!("{}\nNothing was stored; --untested stores it all the same.", check.line())))
}

/// Looks at a payment macaroon that is to be stored; only refunds use it.
pub fn look_at_payment_macaroon(file: &str) -> Result<(), Failure> {
    let problem = |error: String| {
        let text =
            format!("the payment macaroon {file}: {error}\nNothing was stored; --untested stores it all the same.");
        Failure::Failed(text)
    };
    let bytes = std::fs::read(file).map_err(|error| problem(error.to_string()))?;
    let bytes = pasted::macaroon(&bytes).unwrap_or(bytes);
    permissions::payment_check()(&bytes).map_err(|error| problem(error.detail))
}

/// What one node says.
async fn ask(shop: &Shop, dial: &Dial, node: &Node, data_dir: &Path) -> Result<NodeCheck, Failure> {
    // Alone with the database, this is the shop.
    let alone = InstanceLock::take(data_dir);
    Ok(asking::ask(shop, dial, node, alone.is_ok()).await?.check)
}

fn report(checks: &[(&Node, NodeCheck)], output: &Output) -> Result<(), Failure> {
    let document = |(node, check): &(&Node, NodeCheck)| {
        json!({
            "id": node.id.to_string(),
            "name": node.name,
            "ok": check.problem.is_none(),
            "text": check.line(),
            "network": check.info.network.map(|network| network.name()),
            "pubkey": check.info.pubkey,
            "alias": check.info.alias,
            "version": check.info.version,
        })
    };
    let documents: Vec<Value> = checks.iter().map(document).collect();
    let lines: Vec<String> = checks.iter().map(|(node, check)| format!("{}: {}", node.name, check.line())).collect();
    let text = if lines.is_empty() { "There are no nodes yet.".to_owned() } else { lines.join("\n") };
    output.result(&json!(documents), &text);
    if checks.iter().all(|(_, check)| check.problem.is_none()) {
        return Ok(());
    }
    // Each line, or the document, has said why.
    Err(Failure::Told)
}
