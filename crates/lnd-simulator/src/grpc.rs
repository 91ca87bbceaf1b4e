//! Routes gRPC calls by their path, after faults and macaroons had their say.

use std::sync::Arc;

use http::header::GetAll;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use prost::Message;
use tonic::Status;
use tonic::body::Body;
use tonic::codec::ProstCodec;
use tonic::server::Grpc;

use super::auth;
use super::faults::Fault;
use super::node::Node;
use super::streams::{Answers, begun};
use super::{calls, streams};

/// What a call needs: the node, and the key its macaroons are signed with.
pub struct Access {
    pub node: Arc<Node>,
    pub root_key: [u8; 32],
}

/// The call is to be cut off without an answer.
#[derive(Debug, thiserror::Error)]
#[error("reset on demand")]
pub struct Reset;

/// Answers one call.
pub async fn serve(access: Arc<Access>, request: Request<Incoming>) -> Result<Response<Body>, Reset> {
    let path = request.uri().path().to_owned();
    let faults = strike(&access.node, path.rsplit('/').next().unwrap_or_default()).await?;
    if faults.unavailable {
        return Ok(unavailable());
    }
    let answer = match access.admit(&path, request.headers().get_all("macaroon")) {
        Ok(()) => dispatch(Arc::clone(&access.node), &path, request).await,
        Err(status) => status.into_http(),
    };
    if faults.reset_after || faults.cut {
        return Err(Reset);
    }
    Ok(if faults.lose_answer { unavailable() } else { answer })
}

/// What goes wrong with a call that has been let through so far.
#[derive(Default)]
pub struct Strike {
    pub unavailable: bool,
    pub lose_answer: bool,
    pub reset_after: bool,
    pub cut: bool,
}

/// Lets the faults for `method` work as far as they do before the call.
pub async fn strike(node: &Node, method: &str) -> Result<Strike, Reset> {
    let mut strike = Strike::default();
    for fault in node.faults.strike(method) {
        match fault {
            Fault::Slow(delay) => tokio::time::sleep(delay).await,
            Fault::Reset => return Err(Reset),
            Fault::Unavailable => strike.unavailable = true,
            Fault::LoseAnswer => strike.lose_answer = true,
            Fault::ResetAfter => strike.reset_after = true,
            Fault::Cut => strike.cut = true,
        }
    }
    Ok(strike)
}

fn unavailable() -> Response<Body> {
    Status::unavailable("transport is closing").into_http()
}

impl Access {
    /// Checks that the node serves calls and that one of the macaroons (hex) permits this one.
    pub fn admit(&self, path: &str, macaroons: GetAll<'_, HeaderValue>) -> Result<(), Status> {
        if auth::required(path).is_none() || self.node.faults.lacks(path) {
            return Err(auth::unimplemented(path));
        }
        ready(&self.node)?;
        let macaroons = macaroons.iter().map(HeaderValue::as_bytes);
        let admitted = auth::check(macaroons, &self.root_key, path, self.node.clock.now());
        if admitted.as_ref().is_err_and(auth::is_denial) {
            self.node.note_denied(path);
        }
        admitted
    }
}

/// LND's refusals while its wallet is not open.
fn ready(node: &Node) -> Result<(), Status> {
    match node.faults.wallet().refusal() {
        Some(refusal) => Err(auth::unknown(refusal.to_owned())),
        None => Ok(()),
    }
}

async fn dispatch(node: Arc<Node>, path: &str, request: Request<Incoming>) -> Response<Body> {
    match path {
        "/lnrpc.Lightning/GetInfo" => unary(node, request, calls::get_info).await,
        "/lnrpc.Lightning/ChannelBalance" => unary(node, request, calls::channel_balance).await,
        "/lnrpc.Lightning/AddInvoice" => unary(node, request, calls::add_invoice).await,
        "/lnrpc.Lightning/LookupInvoice" => unary(node, request, calls::lookup_invoice).await,
        "/lnrpc.Lightning/ListInvoices" => unary(node, request, calls::list_invoices).await,
        "/lnrpc.Lightning/DecodePayReq" => unary(node, request, calls::decode_pay_req).await,
        "/lnrpc.Lightning/SendPaymentSync" => unary(node, request, calls::send_payment_sync).await,
        "/lnrpc.Lightning/SubscribeInvoices" => streaming(node, request, streams::subscribe_invoices).await,
        "/routerrpc.Router/SendPaymentV2" => streaming(node, request, streams::send_payment_v2).await,
        "/routerrpc.Router/TrackPaymentV2" => streaming(node, request, streams::track_payment_v2).await,
        "/invoicesrpc.Invoices/AddHoldInvoice" => unary(node, request, streams::add_hold_invoice).await,
        "/invoicesrpc.Invoices/SettleInvoice" => unary(node, request, streams::settle_invoice).await,
        "/invoicesrpc.Invoices/CancelInvoice" => unary(node, request, streams::cancel_invoice).await,
        "/invoicesrpc.Invoices/LookupInvoiceV2" => unary(node, request, streams::lookup_invoice_v2).await,
        "/invoicesrpc.Invoices/SubscribeSingleInvoice" => {
            streaming(node, request, streams::subscribe_single_invoice).await
        }
        _ => auth::unimplemented(path).into_http(),
    }
}

async fn unary<Q, A, F>(node: Arc<Node>, request: Request<Incoming>, call: fn(Arc<Node>, Q) -> F) -> Response<Body>
where
    Q: Message + Default + 'static,
    A: Message + 'static,
    F: Future<Output = Result<A, Status>>,
{
    let service = tower::service_fn(|request: tonic::Request<Q>| {
        let answer = call(Arc::clone(&node), request.into_inner());
        async { answer.await.map(tonic::Response::new) }
    });
    Grpc::new(ProstCodec::<A, Q>::default()).unary(service, request).await
}

/// LND's gRPC library sends nothing, not even headers, before the first message; nor does this.
async fn streaming<Q, A, F>(node: Arc<Node>, request: Request<Incoming>, call: fn(Arc<Node>, Q) -> F) -> Response<Body>
where
    Q: Message + Default + 'static,
    A: Message + 'static,
    F: Future<Output = Result<Answers<A>, Status>>,
{
    let service = tower::service_fn(|request: tonic::Request<Q>| {
        let answers = call(Arc::clone(&node), request.into_inner());
        async { begun(answers.await?).await.map(tonic::Response::new) }
    });
    Grpc::new(ProstCodec::<A, Q>::default()).server_streaming(service, request).await
}
