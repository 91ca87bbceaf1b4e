//! How refusals are understood: by asking for the state that the invoice is in, never by the wording
//! of the refusal. Shared by all kinds of nodes.

use super::LightningNode;
use super::bolt11::Added;
use super::policy::Policy;
use ip2tor_domain::lightning::{
    CancelOutcome, Network, NodeError, NodeErrorKind, NodeInfo, NodeInvoice, NodeInvoiceState, PaymentHash,
    SettleOutcome,
};

/// A new invoice; when the node refuses to make it, the one with this hash, if the node has it already.
///
/// # Errors
/// The refusal, when there is no such invoice; failures of the look-up.
pub async fn existing_if_rejected(
    node: &dyn LightningNode,
    hash: PaymentHash,
    added: Result<Added, NodeError>,
) -> Result<Added, NodeError> {
    match added {
        Err(error) if says_no(&error) => match node.look_up(hash).await? {
            Some(NodeInvoice { payment_request, add_index, .. }) => {
                Ok(Added { payment_request, add_index: Some(add_index).filter(|index| *index > 0) })
            }
            None => Err(error),
        },
        result => result,
    }
}

/// Refuses a new invoice of another network than expected, and cancels it: nobody may pay what the
/// shop will not show.
///
/// # Errors
/// `WrongNetwork`; failures of the cancelling.
pub async fn on_expected_network(
    node: &dyn LightningNode,
    policy: &Policy,
    hash: PaymentHash,
    payment_request: &str,
) -> Result<(), NodeError> {
    let checked = policy.check_payment_request(payment_request);
    if checked.is_err() {
        node.cancel(hash).await?;
    }
    checked
}

/// What a cancel call did; `answer` is whether the node knew the invoice.
///
/// # Errors
/// The refusal, when the state does not explain it; failures of the look-up.
pub async fn of_cancel(
    node: &dyn LightningNode,
    hash: PaymentHash,
    answer: Result<bool, NodeError>,
) -> Result<CancelOutcome, NodeError> {
    match answer {
        Ok(true) => Ok(CancelOutcome::Cancelled),
        Ok(false) => Ok(CancelOutcome::Unknown),
        Err(error) if says_no(&error) => match state(node, hash).await? {
            Some(NodeInvoiceState::Settled) => Ok(CancelOutcome::AlreadySettled),
            Some(NodeInvoiceState::Canceled) => Ok(CancelOutcome::Cancelled),
            None => Ok(CancelOutcome::Unknown),
            Some(_) => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// What a settle call did; `answer` is whether the node knew the invoice.
///
/// # Errors
/// The refusal, when the state does not explain it (nothing is held yet); failures of the look-up.
pub async fn of_settle(
    node: &dyn LightningNode,
    hash: PaymentHash,
    answer: Result<bool, NodeError>,
) -> Result<SettleOutcome, NodeError> {
    match answer {
        Ok(true) => Ok(SettleOutcome::Settled),
        Ok(false) => Ok(SettleOutcome::Unknown),
        Err(error) if says_no(&error) => match state(node, hash).await? {
            Some(NodeInvoiceState::Settled) => Ok(SettleOutcome::Settled),
            Some(NodeInvoiceState::Canceled) => Ok(SettleOutcome::AlreadyCanceled),
            None => Ok(SettleOutcome::Unknown),
            Some(_) => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// Whether the node answered that it won't, or can't: its word on the invoice's state decides then.
const fn says_no(error: &NodeError) -> bool {
    matches!(error.kind, NodeErrorKind::Rejected | NodeErrorKind::NotServed)
}

async fn state(node: &dyn LightningNode, hash: PaymentHash) -> Result<Option<NodeInvoiceState>, NodeError> {
    Ok(node.look_up(hash).await?.map(|invoice| invoice.state))
}

/// What any of its invoices tells of a node: the network. Not its key: one with blinded paths is signed with a key of
/// its own, so that the key comes only from an invoice that the shop itself had made.
pub fn info_from_request(payment_request: &str) -> NodeInfo {
    NodeInfo { network: Network::of_payment_request(payment_request), ..NodeInfo::default() }
}
