//! Asks a node what it is, and has it make an invoice, which is cancelled at once: for those who want to know now.

use crate::domain::clocks;
use crate::domain::id::Random;
use crate::domain::lightning::{MadeInvoice, NodeError, NodeErrorKind, NodeInfo, Preimage};
use crate::domain::node::Node;
use crate::domain::time::Clock;
use crate::lightning::check::NodeCheck;
use crate::lightning::dial::Dial;
use crate::lightning::{self, LightningNode};
use crate::services::{Error, Shop, nodes};

use super::connect::connect;

/// What a node says, and how far its clock is ahead of ours, if that was seen.
pub struct Look {
    /// What it is, or what is wrong.
    pub check: NodeCheck,
    /// Seconds.
    pub ahead_secs: Option<i64>,
}

/// Asks a node, and has it make an invoice, which is cancelled at once.
pub async fn look(dial: &Dial, node: &Node, clock: &dyn Clock, random: &dyn Random) -> Look {
    let connection = match connect(&nodes::manage::spec(node), dial) {
        Ok(connection) => connection,
        Err(error) => {
            let check = NodeCheck { info: NodeInfo::default(), problem: Some(error) };
            return Look { check, ahead_secs: None };
        }
    };
    let mut check = lightning::check::check(&*connection, None, None).await;
    let mut ahead_secs = None;
    if check.problem.is_none() {
        let asked_at = clock.now();
        match sample(&*connection, random).await {
            Ok(made) => {
                let told = lightning::check::told_by(&made);
                check.info.network = check.info.network.or(told.network);
                check.info.pubkey = check.info.pubkey.take().or(told.pubkey);
                ahead_secs = Some(clocks::ahead_secs(made.created_at, asked_at, clock.now()));
            }
            Err(error) => check.problem = Some(error),
        }
    }
    check.info.certificate = connection.certificate().await;
    Look { check, ahead_secs }
}

async fn sample(node: &dyn LightningNode, random: &dyn Random) -> Result<MadeInvoice, NodeError> {
    let mut preimage = [0; 32];
    random.fill(&mut preimage);
    lightning::check::sample(node, Preimage(preimage)).await
}

/// What one stored node says. It is stored if this process answers for the shop (`stores`), or else only judged: a shop
/// that runs finds out by itself, and what a command can't reach it may.
///
/// # Errors
/// Only those of the database.
pub async fn ask(shop: &Shop, dial: &Dial, node: &Node, stores: bool) -> Result<Look, Error> {
    let looked = look(dial, node, &*shop.clock, &*shop.random).await;
    let Look { check, ahead_secs } = looked;
    // A node that is behind the chain has answered; for how long it may be is decided below.
    let problem = check.problem.clone().filter(|_| check.info.synced_to_chain != Some(false));
    let result = problem.map_or_else(|| Ok(check.info.clone()), Err);
    let verdict = if stores {
        nodes::health::store(shop, node.id, &node.name, result).await?
    } else {
        nodes::health::judge(shop, node.id, &result)?
    };
    let problem = verdict.problem.or(verdict.unfit);
    let apart = match ahead_secs {
        Some(seconds) => {
            let validity = check.info.certificate.as_ref().map(|certificate| certificate.validity);
            nodes::clocks::note(shop, node.id, seconds, validity).await?
        }
        None => None,
    };
    let apart = apart.map(|text| NodeError::new(NodeErrorKind::ClocksApart, format!("clocks apart: {text}")));
    let check = NodeCheck { problem: problem.or(apart).or(check.problem), info: check.info };
    Ok(Look { check, ahead_secs })
}

/// Whether a problem is one that may pass without the operator's doing: no reason against storing the node.
pub const fn may_pass(error: &NodeError) -> bool {
    matches!(error.kind, NodeErrorKind::NotSynced | NodeErrorKind::WrongNetwork | NodeErrorKind::ClocksApart)
}
