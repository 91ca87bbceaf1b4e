//! An LND that pays, by gRPC.

use async_trait::async_trait;
use fedimint_tonic_lnd::lnrpc;
use fedimint_tonic_lnd::routerrpc::router_client::RouterClient;
use fedimint_tonic_lnd::routerrpc::{SendPaymentRequest, TrackPaymentRequest};
use http::Uri;
use tonic::body::Body;
use tonic::{Code, Response, Status, Streaming};

use super::super::client::HttpClient;
use super::super::connector::{Connector, NodeAddress};
use super::super::dial::Dial;
use super::super::link::{Link, MacaroonHeader};
use super::super::lnd_errors::from_status;
use super::super::lnd_grpc::{HTTP2, origin, with_macaroon};
use super::super::permissions::payment_check;
use super::super::policy::Policy;
use super::lnd::{for_payments, state};
use super::payment::{Order, PAY_LIMIT, PayingNode, PaymentCredentials, ROUTING_SECS, unclear};
use ip2tor_domain::lightning::{NodeError, PaymentHash, PaymentState};
use ip2tor_domain::money::Msat;

/// An LND that pays, by gRPC.
pub struct LndGrpcPayer {
    link: Link<Body>,
    origin: Uri,
    macaroon: MacaroonHeader,
}

impl LndGrpcPayer {
    /// The node at `address`.
    ///
    /// # Errors
    /// [`NodeErrorKind::BadCredentials`](ip2tor_domain::lightning::NodeErrorKind::BadCredentials) when the address can't
    /// be a host and port.
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
impl PayingNode for LndGrpcPayer {
    fn policy(&self) -> &Policy {
        self.link.policy()
    }

    async fn send(&self, order: &Order) -> Result<Option<PaymentState>, NodeError> {
        let message = SendPaymentRequest {
            payment_request: order.request.clone(),
            amt_msat: order.amount.map_or(0, Msat::to_db),
            fee_limit_msat: order.fee_limit.to_db(),
            timeout_seconds: i32::from(ROUTING_SECS),
            no_inflight_updates: true,
            ..Default::default()
        };
        let call = |client, header| {
            let mut client = self.router(client);
            let request = with_macaroon(message.clone(), header);
            async move { first_state(client.send_payment_v2(request).await, Code::AlreadyExists).await }
        };
        self.link.call(PAY_LIMIT, &self.macaroon, call).await.map_err(for_payments)
    }

    async fn track(&self, hash: PaymentHash) -> Result<PaymentState, NodeError> {
        let call = |client, header| {
            let mut client = self.router(client);
            let message = TrackPaymentRequest { payment_hash: hash.0.to_vec(), no_inflight_updates: false };
            let request = with_macaroon(message, header);
            async move { first_state(client.track_payment_v2(request).await, Code::NotFound).await }
        };
        let found = self.link.ask(self.link.policy().call_limit, &self.macaroon, call).await.map_err(for_payments)?;
        Ok(found.unwrap_or(PaymentState::Unknown))
    }
}

/// The first state in the stream; `None` when the node answers with the code `none`.
async fn first_state(
    answer: Result<Response<Streaming<lnrpc::Payment>>, Status>,
    none: Code,
) -> Result<Option<PaymentState>, NodeError> {
    let first = match answer {
        Ok(answer) => answer.into_inner().message().await,
        Err(status) => Err(status),
    };
    match first {
        Ok(Some(payment)) => state_of(&payment).map(Some),
        Ok(None) => Err(unclear("the node said nothing about the payment")),
        Err(status) if status.code() == none => Ok(None),
        Err(status) => Err(from_status(&status)),
    }
}

fn state_of(payment: &lnrpc::Payment) -> Result<PaymentState, NodeError> {
    state(payment.status.try_into().ok(), payment.fee_msat, payment.failure_reason.try_into().ok())
}
