//! The calls that answer with a stream, and the calls of `invoicesrpc.Invoices`.

use std::sync::Arc;

use fedimint_tonic_lnd::{invoicesrpc, lnrpc, routerrpc};
use futures_util::stream::{self, BoxStream, StreamExt};
use invoicesrpc::lookup_invoice_msg::InvoiceRef;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::Status;

use super::auth::unknown;
use super::calls::{self, NewInvoice};
use super::invoice::{Invoice, State};
use super::node::Node;
use super::payment::{PayError, PayOrder, Payment};
use super::wire;
use ip2tor_domain::lightning::Preimage;

/// A stream of answers.
pub type Answers<T> = BoxStream<'static, Result<T, Status>>;

/// `SubscribeInvoices`
pub async fn subscribe_invoices(
    node: Arc<Node>,
    request: lnrpc::InvoiceSubscription,
) -> Result<Answers<lnrpc::Invoice>, Status> {
    let (backlog, live) = node.listen(request.add_index, request.settle_index);
    let invoices = stream::iter(backlog).chain(UnboundedReceiverStream::new(live));
    Ok(until_unreadable(droppable(&node, invoices.map(|invoice| wire::told(&invoice)))))
}

/// `SubscribeSingleInvoice`: ends after the final state.
pub async fn subscribe_single_invoice(
    node: Arc<Node>,
    request: invoicesrpc::SubscribeSingleInvoiceRequest,
) -> Result<Answers<lnrpc::Invoice>, Status> {
    let (present, changes) = node.watch(calls::payment_hash(&request.r_hash)?);
    let is_twice = |invoice: &&Invoice| node.quirks().tells_open_twice && invoice.state() == State::Open;
    let again = present.as_ref().filter(is_twice).cloned();
    let invoices = stream::iter(present).chain(stream::iter(again)).chain(UnboundedReceiverStream::new(changes));
    Ok(until_unreadable(droppable(&node, invoices.map(|invoice| wire::told(&invoice)))))
}

/// `SendPaymentV2`: in flight, then the outcome. A fee limit of 0 allows free routes only.
pub async fn send_payment_v2(
    node: Arc<Node>,
    request: routerrpc::SendPaymentRequest,
) -> Result<Answers<lnrpc::Payment>, Status> {
    calls::server_active(&node)?;
    // Heard from before the payment can be seen, so that nothing is dropped too early for its stream.
    let dropped = node.faults.payments_dropped();
    let fee_limit_msat = calls::optional_msat((request.fee_limit_sat, request.fee_limit_msat))?;
    let order = PayOrder {
        request: request.payment_request,
        amount_msat: calls::optional_msat((request.amt, request.amt_msat))?,
        fee_limit_msat: Some(fee_limit_msat.unwrap_or(0)),
    };
    let started = node.pay(&order).map_err(|error| match error {
        PayError::Invalid(text) => unknown(text),
        PayError::AlreadyPaid | PayError::InFlight => Status::already_exists(error.to_string()),
    })?;
    let first = (!request.no_inflight_updates).then_some(started.payment);
    let payments = stream::iter(first).chain(UnboundedReceiverStream::new(started.updates));
    Ok(payments_of(&node, payments, dropped))
}

/// `TrackPaymentV2`
pub async fn track_payment_v2(
    node: Arc<Node>,
    request: routerrpc::TrackPaymentRequest,
) -> Result<Answers<lnrpc::Payment>, Status> {
    let hash = calls::payment_hash(&request.payment_hash)?;
    let dropped = node.faults.payments_dropped();
    let (present, changes) = node.track(hash).ok_or_else(|| Status::not_found("payment isn't initiated"))?;
    let in_flight = present.state == super::payment::PaymentState::InFlight;
    let first = (!in_flight || !request.no_inflight_updates).then_some(present);
    let payments = stream::iter(first).chain(UnboundedReceiverStream::new(changes));
    Ok(payments_of(&node, payments, dropped))
}

/// `AddHoldInvoice`
pub async fn add_hold_invoice(
    node: Arc<Node>,
    request: invoicesrpc::AddHoldInvoiceRequest,
) -> Result<invoicesrpc::AddHoldInvoiceResp, Status> {
    let order = NewInvoice {
        hash: calls::thirty_two(&request.hash, "hash")?,
        preimage: None,
        memo: request.memo,
        label: None,
        value: (request.value, request.value_msat),
        description_hash: request.description_hash,
        expiry: request.expiry,
        cltv_expiry: request.cltv_expiry,
        private: request.private,
    };
    let invoice = calls::add(&node, order)?;
    Ok(invoicesrpc::AddHoldInvoiceResp {
        payment_request: invoice.terms.payment_request.clone(),
        add_index: invoice.add_index,
        payment_addr: invoice.terms.payment_addr.0.to_vec(),
    })
}

/// `SettleInvoice`
pub async fn settle_invoice(
    node: Arc<Node>,
    request: invoicesrpc::SettleInvoiceMsg,
) -> Result<invoicesrpc::SettleInvoiceResp, Status> {
    let preimage = Preimage(calls::thirty_two(&request.preimage, "preimage")?);
    node.settle(preimage).map_err(calls::failed)?;
    Ok(invoicesrpc::SettleInvoiceResp {})
}

/// `CancelInvoice`
pub async fn cancel_invoice(
    node: Arc<Node>,
    request: invoicesrpc::CancelInvoiceMsg,
) -> Result<invoicesrpc::CancelInvoiceResp, Status> {
    node.cancel(calls::payment_hash(&request.payment_hash)?).map_err(calls::failed)?;
    Ok(invoicesrpc::CancelInvoiceResp {})
}

/// `LookupInvoiceV2`: by payment hash or payment address.
pub async fn lookup_invoice_v2(
    node: Arc<Node>,
    request: invoicesrpc::LookupInvoiceMsg,
) -> Result<lnrpc::Invoice, Status> {
    let invoice = match request.invoice_ref {
        Some(InvoiceRef::PaymentHash(bytes)) => {
            let wrong =
                |error: Status| Status::invalid_argument(format!("unable to parse pay hash: {}", error.message()));
            node.invoice(calls::payment_hash(&bytes).map_err(wrong)?)
        }
        Some(InvoiceRef::PaymentAddr(bytes)) => {
            let addr = calls::thirty_two(&bytes, "payment address")?;
            node.lock().book.by_payment_addr(addr).cloned()
        }
        Some(InvoiceRef::SetId(_)) => None,
        None => return Err(Status::invalid_argument("invoice ref must be set")),
    };
    invoice.as_ref().map(wire::told).ok_or_else(calls::not_found)?
}

/// The stream, cut short with an error when the node is told to drop its streams.
fn droppable<T: Send + 'static>(node: &Node, answers: impl stream::Stream<Item = T> + Send + 'static) -> Answers<T> {
    let dropped = node.faults.streams_dropped();
    let ended = async {
        dropped.await;
        Status::unavailable("transport is closing")
    };
    until(answers.map(Ok).boxed(), ended)
}

/// The stream until an invoice that the node can't read: that ends it with an error.
fn until_unreadable(answers: Answers<Result<lnrpc::Invoice, Status>>) -> Answers<lnrpc::Invoice> {
    let flat = answers.map(|answer| answer.and_then(|told| told));
    flat.scan(false, |failed, answer| {
        let before = std::mem::replace(failed, answer.is_err());
        std::future::ready((!before).then_some(answer))
    })
    .boxed()
}

/// As [`droppable`], for payments, which may also be `dropped` alone.
fn payments_of(
    node: &Node,
    payments: impl stream::Stream<Item = Payment> + Send + 'static,
    dropped: impl Future<Output = ()> + Send + 'static,
) -> Answers<lnrpc::Payment> {
    let ended = async {
        dropped.await;
        unknown("routerrpc server shutting down".to_owned())
    };
    until(droppable(node, payments.map(|payment| wire::payment(&payment))), ended)
}

/// The stream until `cut` gives the error that ends it.
fn until<T: Send + 'static>(answers: Answers<T>, cut: impl Future<Output = Status> + Send + 'static) -> Answers<T> {
    stream::unfold(Some((answers, Box::pin(cut))), |state| async {
        let (mut answers, mut cut) = state?;
        tokio::select! {
            biased;
            error = &mut cut => Some((Err(error), None)),
            answer = answers.next() => answer.map(|answer| (answer, Some((answers, cut)))),
        }
    })
    .boxed()
}

/// The stream once it has a first message; its error when it begins with one.
pub async fn begun<A: Send + 'static>(answers: Answers<A>) -> Result<Answers<A>, Status> {
    let (first, rest) = answers.into_future().await;
    let first = first.transpose()?;
    Ok(stream::iter(first.map(Ok)).chain(rest).boxed())
}
