//! Connects to a node and says in one line what it is, or what is wrong and what to do about it.

use super::LightningNode;
use super::outcome::info_from_request;
use ip2tor_domain::lightning::{InvoiceRequest, MadeInvoice, Network, NodeError, NodeErrorKind, NodeInfo, Preimage};
use ip2tor_domain::money::Msat;

/// How long a sample may be paid, should it not be possible to cancel it. Seconds.
const SAMPLE_EXPIRY_SECS: u32 = 60;

/// The result of checking a node.
#[derive(Clone, Debug)]
pub struct NodeCheck {
    /// What the node says of itself, as far as it was reached and its credentials allow.
    pub info: NodeInfo,
    /// What keeps the shop from using it; `None` when it can be used.
    pub problem: Option<NodeError>,
}

impl NodeCheck {
    /// One line for the operator: `ok: …`, or the problem with what to do.
    pub fn line(&self) -> String {
        match &self.problem {
            Some(error) => error.detail.clone(),
            None => describe(&self.info),
        }
    }
}

/// Checks a node. `expected` is the network that its invoices must be of, `known_invoice` a payment
/// request that it made before: it tells the network of a node whose macaroon can't.
pub async fn check(node: &dyn LightningNode, expected: Option<Network>, known_invoice: Option<&str>) -> NodeCheck {
    match node.info().await {
        Err(error) => NodeCheck { info: NodeInfo::default(), problem: Some(error) },
        Ok(mut info) => {
            info.network = info.network.or_else(|| known_invoice.and_then(Network::of_payment_request));
            NodeCheck { problem: problem_of(&info, expected), info }
        }
    }
}

/// Makes an invoice and cancels it at once: whether both can be done is seen by doing it, and the invoice tells the
/// node's time, network and key.
///
/// # Errors
/// What the node says to either.
pub async fn sample(node: &dyn LightningNode, preimage: Preimage) -> Result<MadeInvoice, NodeError> {
    let request = InvoiceRequest {
        hash: preimage.hash(),
        preimage: Some(preimage),
        amount: Msat(1000),
        memo: "network check".to_owned(),
        described_by: None,
        expiry_secs: SAMPLE_EXPIRY_SECS,
        cltv_expiry: None,
        private: false,
    };
    let made = node.create(&request).await?;
    node.cancel(request.hash).await?;
    Ok(made)
}

/// What an invoice tells of the node that made it.
pub fn told_by(made: &MadeInvoice) -> NodeInfo {
    info_from_request(&made.payment_request)
}

fn problem_of(info: &NodeInfo, expected: Option<Network>) -> Option<NodeError> {
    if let (Some(network), Some(expected)) = (info.network, expected)
        && network != expected
    {
        let (is, needed) = (network.name(), expected.name());
        let detail = format!("wrong network: the node works on {is}, the shop needs {needed} here");
        return Some(NodeError::new(NodeErrorKind::WrongNetwork, detail));
    }
    if let Some(lack) = &info.lacks {
        return Some(lack.clone());
    }
    if info.synced_to_chain == Some(false) {
        let height = info.block_height.map(|height| format!(" (it is at block {height})")).unwrap_or_default();
        let detail = format!("not synced: the node has not caught up with the chain yet{height}; wait for it");
        return Some(NodeError::new(NodeErrorKind::NotSynced, detail));
    }
    None
}

fn describe(info: &NodeInfo) -> String {
    let mut parts = Vec::new();
    if let Some(alias) = info.alias.as_deref().filter(|alias| !alias.is_empty()) {
        parts.push(printable(alias));
    }
    if let Some(pubkey) = &info.pubkey {
        parts.push(printable(pubkey));
    }
    parts.push(match info.network {
        Some(network) => format!("on {}", network.name()),
        None => "network not known before its first invoice".to_owned(),
    });
    if let Some(height) = info.block_height {
        parts.push(format!("block {height}"));
    }
    if let Some(channels) = info.active_channels {
        parts.push(format!("{channels} active channels"));
    }
    if let Some(inbound) = info.inbound {
        parts.push(format!("can receive {} sat", inbound.0 / 1000));
    }
    if let Some(outbound) = info.outbound {
        parts.push(format!("can send {} sat", outbound.0 / 1000));
    }
    match &info.version {
        Some(version) => parts.push(format!("version {}", printable(version))),
        None => parts.push("its macaroon does not permit more (info:read)".to_owned()),
    }
    if let Some(reason) = &info.cannot_hold {
        parts.push(format!("makes plain invoices only, since it can't hold payments ({})", printable(reason)));
    }
    format!("ok: {}", parts.join(", "))
}

/// A node chooses its own name: control characters stay off the terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> NodeInfo {
        NodeInfo {
            alias: Some("alice\u{1b}[31m".to_owned()),
            network: Some(Network::Regtest),
            block_height: Some(800),
            synced_to_chain: Some(true),
            version: Some("0.18.5".to_owned()),
            ..NodeInfo::default()
        }
    }

    #[test]
    fn another_network_or_a_node_that_lags_behind_is_a_problem() {
        let kind = |info: NodeInfo, expected| problem_of(&info, expected).map(|error| error.kind);
        assert_eq!(kind(known(), Some(Network::Regtest)), None);
        assert_eq!(kind(known(), Some(Network::Mainnet)), Some(NodeErrorKind::WrongNetwork));
        let behind = NodeInfo { synced_to_chain: Some(false), ..known() };
        assert_eq!(kind(behind, None), Some(NodeErrorKind::NotSynced));
    }

    #[test]
    fn a_node_that_cannot_hold_is_good_and_says_so_one_that_cannot_cancel_is_not() {
        let plain = NodeInfo { cannot_hold: Some("not served".to_owned()), ..known() };
        let check = NodeCheck { problem: problem_of(&plain, None), info: plain };
        assert!(check.line().starts_with("ok: ") && check.line().contains("plain invoices only"), "{}", check.line());
        let lack = NodeError::new(NodeErrorKind::WrongMacaroon, "wrong macaroon: it lacks something");
        let useless = NodeInfo { lacks: Some(lack.clone()), ..known() };
        assert_eq!(problem_of(&useless, None), Some(lack));
    }

    #[test]
    fn a_good_node_is_described_in_one_clean_line() {
        let line = NodeCheck { info: known(), problem: None }.line();
        assert_eq!(line, "ok: alice[31m, on regtest, block 800, version 0.18.5");
        let bare = NodeCheck { info: NodeInfo::default(), problem: None }.line();
        assert!(bare.contains("info:read"), "{bare}");
    }
}
