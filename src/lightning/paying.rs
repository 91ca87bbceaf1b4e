//! Payments from a node, for refunds only. They have a macaroon and a connection of their own;
//! nothing that makes invoices can reach them.

use std::time::Duration;

use async_trait::async_trait;
use fedimint_tonic_lnd::lnrpc;
use fedimint_tonic_lnd::lnrpc::PaymentFailureReason;
use fedimint_tonic_lnd::lnrpc::payment::PaymentStatus;
use fedimint_tonic_lnd::routerrpc::router_client::RouterClient;
use fedimint_tonic_lnd::routerrpc::{SendPaymentRequest, TrackPaymentRequest};
use http::Uri;
use tonic::body::Body;
use tonic::{Code, Response, Status, Streaming};

use super::bolt11;
use super::connector::{Connector, NodeAddress};
use super::credentials::Source;
use super::dial::Dial;
use super::link::{HttpClient, Link, MacaroonHeader};
use super::lnd_errors::from_status;
use super::lnd_grpc::{HTTP2, origin, with_macaroon};
use super::permissions::payment_check;
use super::policy::Policy;
use crate::domain::lightning::{NodeError, NodeErrorKind, PaymentHash, PaymentState};
use crate::domain::money::Msat;

/// How long LND looks for routes. Parts in flight are waited for beyond that.
const ROUTING_SECS: i32 = 60;
/// How long the shop waits for the final state before it answers with a time-out.
const PAY_LIMIT: Duration = Duration::from_secs(75);

/// A Lightning node that can pay.
#[async_trait]
pub trait PayingNode: Send + Sync {
    /// Pays `request` once: repeated for the same payment hash it reports the first payment.
    /// `fee_limit` of 0 allows routes without fee only. `amount` is for requests without one.
    ///
    /// # Errors
    /// A [`NodeError`]; where it [may have happened](NodeError::may_have_happened), only
    /// [`PayingNode::track`] tells, later. Any other means that nothing was paid.
    async fn pay(&self, request: &str, fee_limit: Msat, amount: Option<Msat>) -> Result<PaymentState, NodeError>;

    /// What became of a payment; [`PaymentState::Unknown`] when the node never tried it.
    ///
    /// # Errors
    /// A [`NodeError`].
    async fn track(&self, hash: PaymentHash) -> Result<PaymentState, NodeError>;
}

/// What is needed to pay from an LND: a macaroon with `offchain:read offchain:write`.
#[derive(Clone, Debug)]
pub struct PaymentCredentials {
    /// The node's certificate (PEM), pinned; `None` trusts the system's roots.
    pub certificate: Option<Source>,
    /// The payment macaroon.
    pub macaroon: Source,
}

/// An LND that pays, by gRPC.
pub struct LndPayer {
    link: Link<Body>,
    origin: Uri,
    macaroon: MacaroonHeader,
}

impl LndPayer {
    /// The node at `address`.
    ///
    /// # Errors
    /// [`NodeErrorKind::BadCredentials`] when the address can't be a host and port.
    pub fn new(
        address: NodeAddress,
        credentials: PaymentCredentials,
        policy: Policy,
        dial: Dial,
    ) -> Result<Self, NodeError> {
        let origin = origin(&address)?;
        let connector = Connector::new(address, credentials.certificate, dial, HTTP2, policy.connect_limit);
        let macaroon = MacaroonHeader::new(credentials.macaroon, payment_check());
        Ok(Self { link: Link::new(connector, policy, true), origin, macaroon })
    }

    fn router(&self, client: HttpClient<Body>) -> RouterClient<HttpClient<Body>> {
        RouterClient::with_origin(client, self.origin.clone())
    }
}

#[async_trait]
impl PayingNode for LndPayer {
    async fn pay(&self, request: &str, fee_limit: Msat, amount: Option<Msat>) -> Result<PaymentState, NodeError> {
        let read = bolt11::read(request)?;
        if read.amount.is_some() == amount.is_some() {
            let detail = "the payment request must have an amount, or one must be given, and not both";
            return Err(NodeError::new(NodeErrorKind::Rejected, detail));
        }
        self.link.policy().check_payment_request(request)?;
        let message = SendPaymentRequest {
            payment_request: request.trim().to_owned(),
            amt_msat: amount.map_or(0, Msat::to_db),
            fee_limit_msat: fee_limit.to_db(),
            timeout_seconds: ROUTING_SECS,
            no_inflight_updates: true,
            ..Default::default()
        };
        let call = |client, header| {
            let mut client = self.router(client);
            let request = with_macaroon(message.clone(), header);
            async move { first_state(client.send_payment_v2(request).await, Code::AlreadyExists).await }
        };
        // Read now, so that a macaroon that can't pay is told from one that the node refuses.
        self.macaroon.header().await?;
        match self.link.call(PAY_LIMIT, &self.macaroon, call).await {
            Ok(Some(payment)) => state_of(&payment),
            Ok(None) => self.track(read.hash).await.map_err(|error| open(&error)),
            Err(error) if error.is_an_answer() => match self.track(read.hash).await {
                Ok(PaymentState::Unknown) => Err(error),
                Ok(state) => Ok(state),
                Err(_) => Err(open(&error)),
            },
            Err(error) => Err(error),
        }
    }

    async fn track(&self, hash: PaymentHash) -> Result<PaymentState, NodeError> {
        let call = |client, header| {
            let mut client = self.router(client);
            let message = TrackPaymentRequest { payment_hash: hash.0.to_vec(), no_inflight_updates: false };
            let request = with_macaroon(message, header);
            async move { first_state(client.track_payment_v2(request).await, Code::NotFound).await }
        };
        match self.link.call(self.link.policy().call_limit, &self.macaroon, call).await? {
            Some(payment) => state_of(&payment),
            None => Ok(PaymentState::Unknown),
        }
    }
}

/// The first payment in the stream; `None` when the node answers with the code `none`.
async fn first_state(
    answer: Result<Response<Streaming<lnrpc::Payment>>, Status>,
    none: Code,
) -> Result<Option<lnrpc::Payment>, NodeError> {
    let first = match answer {
        Ok(answer) => answer.into_inner().message().await,
        Err(status) => Err(status),
    };
    match first {
        Ok(Some(payment)) => Ok(Some(payment)),
        Ok(None) => Err(NodeError::new(NodeErrorKind::Unavailable, "the node said nothing about the payment")),
        Err(status) if status.code() == none => Ok(None),
        Err(status) => Err(from_status(&status)),
    }
}

/// The node was asked to pay, and what it says leaves open whether it did: LND ends a payment's stream
/// with an error of any code when it shuts down, while parts of the payment are on their way.
fn open(error: &NodeError) -> NodeError {
    NodeError::new(NodeErrorKind::Unavailable, error.detail.clone())
}

fn state_of(payment: &lnrpc::Payment) -> Result<PaymentState, NodeError> {
    match PaymentStatus::try_from(payment.status) {
        Ok(PaymentStatus::Succeeded) => {
            Ok(PaymentState::Succeeded { fee: Msat(u64::try_from(payment.fee_msat).unwrap_or(0)) })
        }
        Ok(PaymentStatus::Failed) => Ok(PaymentState::Failed { reason: reason(payment.failure_reason).to_owned() }),
        Ok(PaymentStatus::InFlight | PaymentStatus::Initiated) => Ok(PaymentState::InFlight),
        _ => Err(NodeError::new(NodeErrorKind::Unavailable, "the node answered with an unknown state of a payment")),
    }
}

fn reason(code: i32) -> &'static str {
    match PaymentFailureReason::try_from(code) {
        Ok(PaymentFailureReason::FailureReasonTimeout) => "no route was found in time",
        Ok(PaymentFailureReason::FailureReasonNoRoute) => "there is no route within the fee limit",
        Ok(PaymentFailureReason::FailureReasonIncorrectPaymentDetails) => "the payee refused it (paid or expired)",
        Ok(PaymentFailureReason::FailureReasonInsufficientBalance) => "the node's channels hold too little",
        Ok(PaymentFailureReason::FailureReasonCanceled) => "it was cancelled",
        _ => "it failed for good",
    }
}
