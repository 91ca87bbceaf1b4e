//! Asking nodes: `node check`, and what `node add` and `node set` are given, before it is stored.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::data::{Data, DataArgs};
use super::super::failure::Failure;
use super::super::output::Output;
use super::super::runtime::block_on;
use crate::app;
use crate::background::nodes::connect::connect;
use crate::domain::clocks;
use crate::domain::id::{NodeId, Random, SystemRandom};
use crate::domain::lightning::{MadeInvoice, NodeError, NodeErrorKind, NodeInfo, Preimage};
use crate::domain::node::Node;
use crate::domain::time::{Clock, SystemClock};
use crate::lightning::check::NodeCheck;
use crate::lightning::dial::Dial;
use crate::lightning::{self, LightningNode, pasted, permissions};
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
    use NodeErrorKind as K;
    crate::onion::tls::install_provider();
    let tried = block_on(async {
        let dial = app::command_dial(&data.config, std::iter::once(node.host.as_str())).await?;
        Ok(look(&dial, node).await)
    })?;
    let mut check = tried.check;
    if check.problem.is_none() {
        check.problem = data.read(|tx| nodes::health::other_node(tx.db, node.id, &check.info))?;
    }
    let passes = |error: &NodeError| matches!(error.kind, K::NotSynced | K::WrongNetwork | K::ClocksApart);
    if check.problem.as_ref().is_none_or(passes) {
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

/// What a node says, and how far its clock is ahead of ours, if that was seen.
struct Look {
    check: NodeCheck,
    ahead_secs: Option<i64>,
    certificate: Option<clocks::Validity>,
}

/// Asks a node, and has it make an invoice, which is cancelled at once.
async fn look(dial: &Dial, node: &Node) -> Look {
    let connection = match connect(&nodes::manage::spec(node), dial) {
        Ok(connection) => connection,
        Err(error) => {
            let check = NodeCheck { info: NodeInfo::default(), problem: Some(error) };
            return Look { check, ahead_secs: None, certificate: None };
        }
    };
    let mut check = lightning::check::check(&*connection, None, None).await;
    let mut ahead_secs = None;
    if check.problem.is_none() {
        let asked_at = SystemClock.now();
        match sample(&*connection).await {
            Ok(made) => {
                let told = lightning::check::told_by(&made);
                check.info.network = check.info.network.or(told.network);
                check.info.pubkey = check.info.pubkey.take().or(told.pubkey);
                ahead_secs = Some(clocks::ahead_secs(made.created_at, asked_at, SystemClock.now()));
            }
            Err(error) => check.problem = Some(error),
        }
    }
    Look { check, ahead_secs, certificate: connection.certificate_validity().await }
}

async fn sample(node: &dyn LightningNode) -> Result<MadeInvoice, NodeError> {
    let mut preimage = [0; 32];
    SystemRandom.fill(&mut preimage);
    lightning::check::sample(node, Preimage(preimage)).await
}

/// What one node says.
async fn ask(shop: &Shop, dial: &Dial, node: &Node, data_dir: &Path) -> Result<NodeCheck, Failure> {
    let Look { check, ahead_secs, certificate } = look(dial, node).await;
    // A node that is behind the chain has answered; for how long it may be is decided below.
    let problem = check.problem.clone().filter(|_| check.info.synced_to_chain != Some(false));
    let result = problem.map_or_else(|| Ok(check.info.clone()), Err);
    let verdict = match InstanceLock::take(data_dir) {
        Ok(_alone) => nodes::health::store(shop, node.id, &node.name, result).await?,
        Err(_) => nodes::health::judge(shop, node.id, &result)?,
    };
    let problem = verdict.problem.or(verdict.unfit);
    let apart = match ahead_secs {
        Some(seconds) => nodes::clocks::note(shop, node.id, seconds, certificate).await?,
        None => None,
    };
    let apart = apart.map(|text| NodeError::new(NodeErrorKind::ClocksApart, format!("clocks apart: {text}")));
    Ok(NodeCheck { problem: problem.or(apart).or(check.problem), info: check.info })
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
