//! One payment of a refund, whichever node pays it.

use std::time::Duration;

use async_trait::async_trait;

use crate::bolt11;
use crate::credentials::Source;
use crate::policy::Policy;
use ip2tor_domain::lightning::{NodeError, NodeErrorKind, PaymentHash, PaymentState};
use ip2tor_domain::money::Msat;

/// How long the node looks for routes. Parts in flight are waited for beyond that.
pub(super) const ROUTING_SECS: u16 = 60;
/// How long the shop waits for the final state before it answers with a time-out.
pub(super) const PAY_LIMIT: Duration = Duration::from_secs(75);

/// What is needed to pay from an LND: a macaroon with `offchain:read offchain:write`.
#[derive(Clone, Debug)]
pub struct PaymentCredentials {
    /// The node's certificate (PEM), pinned; `None` trusts the system's roots.
    pub certificate: Option<Source>,
    /// The payment macaroon.
    pub macaroon: Source,
}

/// A payment that is to be sent: checked, and not under way.
#[derive(Clone, Debug)]
pub struct Order {
    /// BOLT11.
    pub(super) request: String,
    /// The hash in it.
    pub(super) hash: PaymentHash,
    /// The most that the route may cost; 0 allows routes without fee only.
    pub(super) fee_limit: Msat,
    /// The amount, for a request without one.
    pub(super) amount: Option<Msat>,
}

/// A Lightning node that can pay.
#[async_trait]
pub trait PayingNode: Send + Sync {
    /// Demands on what is paid.
    fn policy(&self) -> &Policy;

    /// Tells the node to pay, and waits for the outcome; `None` when it says that it was told before.
    /// To be called by [`PayingNode::pay`] alone.
    ///
    /// # Errors
    /// As [`PayingNode::pay`]; after an answer that says no, the payment is looked for.
    async fn send(&self, order: &Order) -> Result<Option<PaymentState>, NodeError>;

    /// What became of a payment; [`PaymentState::Unknown`] when the node has no record of it.
    ///
    /// # Errors
    /// A [`NodeError`].
    async fn track(&self, hash: PaymentHash) -> Result<PaymentState, NodeError>;

    /// Pays `request` once: repeated for the same payment hash it reports the first payment.
    /// `fee_limit` of 0 allows routes without fee only. `amount` is for requests without one.
    ///
    /// # Errors
    /// A [`NodeError`]; where it [may have happened](NodeError::may_have_happened), only
    /// [`PayingNode::track`] tells, later. Any other means that nothing was paid.
    async fn pay(&self, request: &str, fee_limit: Msat, amount: Option<Msat>) -> Result<PaymentState, NodeError> {
        let order = order(request, fee_limit, amount)?;
        self.policy().check_payment_request(request)?;
        // Asked first: what is under way or done is not sent again, and whatever will be needed to learn the outcome (a
        // right, a service, the node itself) is missed before anything is sent.
        match self.track(order.hash).await.map_err(not_sent)? {
            PaymentState::Unknown | PaymentState::Failed { .. } => {}
            state => return Ok(state),
        }
        match self.send(&order).await {
            Ok(Some(state)) => Ok(state),
            Ok(None) => self.track(order.hash).await.map_err(|error| open(&error)),
            Err(error) if error.is_an_answer() => match self.track(order.hash).await {
                Ok(PaymentState::Unknown) => Err(error),
                Ok(state) => Ok(state),
                Err(_) => Err(open(&error)),
            },
            Err(error) => Err(error),
        }
    }
}

fn order(request: &str, fee_limit: Msat, amount: Option<Msat>) -> Result<Order, NodeError> {
    let read = bolt11::read(request)?;
    if read.amount.is_some() == amount.is_some() {
        let detail = "the payment request must have an amount, or one must be given, and not both";
        return Err(NodeError::new(NodeErrorKind::Rejected, detail));
    }
    Ok(Order { request: request.trim().to_owned(), hash: read.hash, fee_limit, amount })
}

/// The node could not be asked whether it knows the payment, so it was not asked to pay either.
fn not_sent(error: NodeError) -> NodeError {
    if error.may_have_happened() { NodeError::new(NodeErrorKind::Refused, error.detail) } else { error }
}

/// The node was asked to pay, and what it says leaves open whether it did: LND ends a payment's stream
/// with an error of any code when it shuts down, while parts of the payment are on their way.
pub(super) fn open(error: &NodeError) -> NodeError {
    NodeError::new(NodeErrorKind::Unavailable, error.detail.clone())
}

/// As [`open`], in words of our own.
pub(super) fn unclear(detail: impl Into<String>) -> NodeError {
    NodeError::new(NodeErrorKind::Unavailable, detail)
}
