//! Judging what nodes say of themselves, and storing it with whether they are alive.

use serde_json::json;

use crate::domain::alert::AlertTopic;
use crate::domain::id::NodeId;
use crate::domain::lightning::{Network, NodeError, NodeErrorKind, NodeInfo};
use crate::domain::node::Node;
use crate::domain::time::Timestamp;
use crate::services::shop::{Settings, Shop};
use crate::services::{Error, Principal};
use crate::store::node_state::Liveness;
use crate::store::{Connection, alerts, hosts, node_state, nodes, refunds};

/// A node that is away for less than this may just be restarted: nobody is told. Seconds.
pub const RESTART_SECS: i64 = 120;
/// A node that has not caught up with the chain for less than this is not dead: it is behind for seconds after each
/// block. Seconds.
const UNSYNCED_SECS: i64 = 300;

/// The operator is told so long before a certificate ends. Seconds.
const CERTIFICATE_ENDS_SECS: i64 = 14 * 86_400;

/// What a check came to.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Whether the node has come or gone.
    pub is_news: bool,
    /// What keeps the shop from using it; `None` when it can be used.
    pub problem: Option<NodeError>,
    /// Why it is of no use although it could be used: no host sells for its network.
    pub unfit: Option<NodeError>,
}

/// Judges and stores the answer to a check; raises or closes the alert.
///
/// # Errors
/// Those of the database.
pub async fn store(
    shop: &Shop,
    node: NodeId,
    name: &str,
    answer: Result<NodeInfo, NodeError>,
) -> Result<Verdict, Error> {
    let (now, name, settings) = (shop.now(), name.to_owned(), shop.settings.clone());
    shop.tx(&Principal::Shop, move |tx| {
        let db = tx.db;
        if let Ok(info) = &answer {
            node_state::set_synced(db, node, info.synced_to_chain != Some(false), now)?;
        }
        let Verdict { problem, unfit, .. } = verdict(db, &settings, node, &answer, now)?;
        let is_other = problem.as_ref().is_some_and(|problem| problem.kind == NodeErrorKind::OtherNode);
        if let (Ok(info), false) = (&answer, is_other) {
            node_state::set_info(db, node, info.network, info.pubkey.as_deref(), &describe(info))?;
        }
        let text = problem.as_ref().or(unfit.as_ref()).map(ToString::to_string);
        let alive = problem.is_none();
        let Liveness { was_alive, dead_since } = node_state::set_alive(db, node, alive, text.as_deref(), now)?;
        let used = is_used(db, node)?;
        let is_told = !may_be_restarting(answer.as_ref().err(), dead_since, now);
        match text.filter(|_| used) {
            Some(text) if is_told => {
                let text = format!("Lightning node {name} can't be used: {text}");
                alerts::raise(db, AlertTopic::NodeDead, &node.to_string(), &text, now)?;
            }
            // What was told before stays true.
            Some(_) => {}
            None => alerts::close(db, AlertTopic::NodeDead, &node.to_string(), now)?,
        }
        if let Ok(info) = &answer {
            tell_of_certificate(db, node, &name, info, now)?;
        }
        if was_alive != alive {
            // What comes next is another story.
            node_state::set_failing(db, node, false, now)?;
            let change = if alive { "alive" } else { "not alive" };
            tx.record("node", node, change)?;
        }
        Ok(Verdict { is_news: was_alive != alive, problem, unfit })
    })
    .await
}

/// A certificate that has ended keeps the shop from its node: the operator is told before.
fn tell_of_certificate(
    db: &Connection,
    node: NodeId,
    name: &str,
    info: &NodeInfo,
    now: Timestamp,
) -> Result<(), Error> {
    let until = info.certificate.as_ref().map(|certificate| certificate.validity.until);
    let soon = until.filter(|until| *until < now.plus_secs(CERTIFICATE_ENDS_SECS));
    match soon.filter(|_| is_used(db, node).unwrap_or(true)) {
        Some(until) => {
            let text = format!(
                "The certificate of Lightning node {name} ends on {}, and the shop can't use the node after that. Let the \
                 node make a new one (LND: delete tls.cert and tls.key, restart), and give it to the shop.",
                until.to_wire()
            );
            alerts::raise(db, AlertTopic::CertificateEnds, &node.to_string(), &text, now).map(drop)?;
        }
        None => alerts::close(db, AlertTopic::CertificateEnds, &node.to_string(), now)?,
    }
    Ok(())
}

/// Judges the answer to a check and stores nothing.
///
/// # Errors
/// Those of the database.
pub fn judge(shop: &Shop, node: NodeId, answer: &Result<NodeInfo, NodeError>) -> Result<Verdict, Error> {
    shop.db.read(|db| verdict(db, &shop.settings, node, answer, shop.now()))
}

fn verdict(
    db: &Connection,
    settings: &Settings,
    node: NodeId,
    answer: &Result<NodeInfo, NodeError>,
    now: Timestamp,
) -> Result<Verdict, Error> {
    let problem = match answer {
        Ok(info) => problem_of(db, node, info, now)?,
        Err(error) => Some(error.clone()),
    };
    let unfit = match (answer, &problem) {
        (Ok(info), None) => unfit(settings, db, node, info)?,
        _ => None,
    };
    Ok(Verdict { is_news: false, problem, unfit })
}

/// Whether anything depends on a node: it is enabled, or some of its invoices are not final.
pub(in crate::services) fn is_used(db: &Connection, node: NodeId) -> Result<bool, Error> {
    let Some(node) = nodes::get(db, node)? else { return Ok(false) };
    Ok(node.is_enabled || nodes::live_invoices(db, node.id)? > 0)
}

/// Closes the alert of a node that nothing depends on any more: it was disabled or removed.
pub(in crate::services) fn forget_unused(db: &Connection, node: NodeId, now: Timestamp) -> Result<(), Error> {
    if !is_used(db, node)? {
        alerts::close(db, AlertTopic::NodeDead, &node.to_string(), now)?;
        alerts::close(db, AlertTopic::NodeUnheard, &node.to_string(), now)?;
        alerts::close(db, AlertTopic::ClocksApart, &node.to_string(), now)?;
        alerts::close(db, AlertTopic::CertificateEnds, &node.to_string(), now)?;
    }
    Ok(())
}

fn unfit(settings: &Settings, db: &Connection, node: NodeId, info: &NodeInfo) -> Result<Option<NodeError>, Error> {
    match nodes::get(db, node)? {
        Some(node) => wrong_network(settings, db, &node, info),
        None => Ok(None),
    }
}

fn problem_of(db: &Connection, node: NodeId, info: &NodeInfo, now: Timestamp) -> Result<Option<NodeError>, Error> {
    if let Some(other) = other_node(db, node, info)? {
        return Ok(Some(other));
    }
    if let Some(lack) = &info.lacks {
        return Ok(Some(lack.clone()));
    }
    let since = node_state::unsynced_since(db, node)?.filter(|_| info.synced_to_chain == Some(false));
    let lags = since.is_some_and(|since| since.plus_secs(UNSYNCED_SECS) <= now);
    let detail = "not synced: the node has not caught up with the chain for minutes; wait for it";
    Ok(lags.then(|| NodeError::new(NodeErrorKind::NotSynced, detail)))
}

/// Whether a node that did not answer may only be restarted. What it says of itself is no reason to wait.
fn may_be_restarting(error: Option<&NodeError>, since: Option<Timestamp>, now: Timestamp) -> bool {
    let not_yet = error.is_some_and(|error| error.is_absence() || error.kind == NodeErrorKind::NotSynced);
    not_yet && since.is_none_or(|since| now < since.plus_secs(RESTART_SECS))
}

/// A node could not make an invoice. Whether the operator is to be told now: a node that does not answer may only be
/// restarted, unless that has lasted.
pub(in crate::services) fn is_failure_told(
    db: &Connection,
    node: NodeId,
    error: &NodeError,
    now: Timestamp,
) -> Result<bool, Error> {
    if !error.is_absence() {
        return Ok(true);
    }
    let since = node_state::set_failing(db, node, true, now)?;
    Ok(!may_be_restarting(Some(error), since, now))
}

/// The error when another node answers than the one that made the invoices which are not final: it
/// does not know them, and that must not be taken for their end. A node whose public key was never
/// told can't be judged.
pub fn other_node(db: &Connection, node: NodeId, info: &NodeInfo) -> Result<Option<NodeError>, Error> {
    let Some(known) = needed_pubkey(db, node)? else { return Ok(None) };
    let told = info.pubkey.as_ref().filter(|told| **told != known);
    Ok(told.map(|told| {
        let detail = format!(
            "another node: {told} answers, but invoices or refunds of {known} are not final; start that wallet again, or \
             point to where it is (`node set --moved --host … --port …`), and add the other node as a new one \
             (`node add`)"
        );
        NodeError::new(NodeErrorKind::OtherNode, detail)
    }))
}

/// The error when a node's invoices would be of a network that none of its operator's hosts sells for.
fn wrong_network(
    settings: &Settings,
    db: &Connection,
    node: &Node,
    info: &NodeInfo,
) -> Result<Option<NodeError>, Error> {
    let stored = || node_state::network(db, node.id);
    let Some(network) = info.network.map_or_else(stored, |told| Ok(Some(told)))? else { return Ok(None) };
    let hosts = hosts::list(db, Some(node.operator_id))?;
    let fits = |is_testnet| settings.network_fits(Some(network), is_testnet);
    let has_host = hosts.iter().any(|host| fits(host.is_testnet));
    if has_host || hosts.is_empty() && (fits(true) || fits(false)) {
        return Ok(None);
    }
    let needed = match network {
        Network::Regtest => "regtest is for development (`allow_regtest` in [lightning])",
        Network::Mainnet => "its operator's hosts sell for test networks (`host set --is-testnet=false`)",
        Network::Testnet | Network::Signet => "its operator's hosts sell for mainnet (`host set --is-testnet=true`)",
    };
    let detail = format!("wrong network: the node works on {}, but {needed}", network.name());
    Ok(Some(NodeError::new(NodeErrorKind::WrongNetwork, detail)))
}

/// The public key that the node must have, while some of its invoices are not final, or the outcome of a refund
/// through it is not known.
pub fn needed_pubkey(db: &Connection, node: NodeId) -> Result<Option<String>, Error> {
    let known = node_state::pubkey(db, node)?;
    let is_needed = || Ok::<_, Error>(nodes::live_invoices(db, node)? > 0 || !refunds::open_at(db, node)?.is_empty());
    Ok(if known.is_some() && is_needed()? { known } else { None })
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
        "outbound_msat": info.outbound.map(|outbound| outbound.0),
        "synced_to_chain": info.synced_to_chain,
        "version": info.version,
        "cannot_hold": info.cannot_hold,
        "certificate": info.certificate.as_ref().map(|certificate| json!({
            "names": certificate.names,
            "from": certificate.validity.from.to_wire(),
            "until": certificate.validity.until.to_wire(),
        })),
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::clocks::Validity;
    use crate::domain::id::SystemRandom;
    use crate::domain::lightning::Certificate;
    use crate::domain::time::ManualClock;
    use crate::services::test_support::{database, operator};
    use crate::store::{Db, StoreError};

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    #[test]
    fn a_node_that_is_away_or_says_that_it_is_syncing_may_only_be_restarted_and_one_that_refuses_us_may_not() {
        let waits = |kind: NodeErrorKind, secs: i64| {
            may_be_restarting(Some(&NodeError::new(kind, "")), Some(NOW), NOW.plus_secs(secs))
        };
        for kind in [NodeErrorKind::Refused, NodeErrorKind::Unavailable, NodeErrorKind::NotSynced] {
            assert!(waits(kind, RESTART_SECS - 1) && !waits(kind, RESTART_SECS), "{kind:?}");
        }
        assert!(!waits(NodeErrorKind::WrongMacaroon, 0) && !may_be_restarting(None, Some(NOW), NOW));
    }

    /// A shop with one node, whose kind, name, host and port are given as SQL has them.
    fn with_node(db: &Db, columns: &str) -> (Arc<ManualClock>, Shop, NodeId) {
        operator(db, "anna");
        let add = format!(
            "INSERT INTO node (id, operator_id, kind, name, host, port, created_at, modified_at) \
             SELECT zeroblob(16), id, {columns}, 0, 0 FROM operator"
        );
        db.write_blocking(move |db| db.execute(&add, []).map(drop).map_err(StoreError::from)).unwrap();
        let clock = Arc::new(ManualClock::new(NOW));
        let shop = Shop::new(db.clone(), clock.clone(), Arc::new(SystemRandom), Settings::default()).unwrap();
        (clock, shop, NodeId(uuid::Uuid::nil()))
    }

    #[tokio::test]
    async fn that_a_node_is_alive_still_is_stored_every_few_minutes_only() {
        let (_dir, db) = database();
        let (clock, shop, node) = with_node(&db, "'cln', 'cln', '/cln', 0");
        let check = async || drop(store(&shop, node, "cln", Ok(NodeInfo::default())).await.unwrap());
        check().await;
        let first = db.version().unwrap();
        clock.advance_secs(60);
        check().await;
        assert_eq!(db.version().unwrap(), first, "nothing is new");
        clock.advance_secs(3600);
        check().await;
        assert_ne!(db.version().unwrap(), first);
    }

    #[tokio::test]
    async fn the_operator_is_told_two_weeks_before_a_certificate_ends_and_no_more_once_there_is_a_new_one() {
        let (_dir, db) = database();
        let (clock, shop, node) = with_node(&db, "'lnd_grpc', 'lnd', 'node.example', 10009");
        let told = async |days: i64| {
            let validity = Validity { from: NOW, until: NOW.plus_secs(days * 86_400) };
            let certificate = Some(Certificate { names: vec!["node.example".to_owned()], validity });
            store(&shop, node, "lnd", Ok(NodeInfo { certificate, ..NodeInfo::default() })).await.unwrap();
            let open = db.read(|db| alerts::list(db, false)).unwrap();
            open.iter().any(|alert| alert.topic == AlertTopic::CertificateEnds)
        };
        assert!(!told(15).await);
        clock.advance_secs(2 * 86_400);
        assert!(told(15).await);
        assert!(!told(400).await, "there is a new one");
        let stored = db.read(|db| nodes::get(db, node)).unwrap().unwrap();
        assert!(stored.info.unwrap().contains("\"names\":[\"node.example\"]"));
    }
}
