//! The node as a payer.

use fedimint_tonic_lnd::invoicesrpc::AddHoldInvoiceRequest;
use fedimint_tonic_lnd::lnrpc::payment::PaymentStatus;
use fedimint_tonic_lnd::lnrpc::{
    ChannelBalanceRequest, GetInfoRequest, Invoice, Payment, PaymentFailureReason, SendRequest,
};
use fedimint_tonic_lnd::routerrpc::{SendPaymentRequest, TrackPaymentRequest};
use tonic::{Code, Status, Streaming};

use super::{Sim, hash_of, next, payment_hash, start};
use ip2tor_domain::lightning::Preimage;

async fn send(sim: &Sim, request: SendPaymentRequest) -> Result<Streaming<Payment>, Status> {
    sim.router().await.send_payment_v2(request).await.map(tonic::Response::into_inner)
}

fn bill(payment_request: &str) -> SendPaymentRequest {
    SendPaymentRequest { payment_request: payment_request.to_owned(), timeout_seconds: 60, ..Default::default() }
}

/// The last update of a payment.
async fn outcome(mut stream: Streaming<Payment>) -> Payment {
    let mut last = next(&mut stream).await;
    while let Some(update) = stream.message().await.unwrap() {
        last = update;
    }
    last
}

#[tokio::test]
async fn a_payment_is_in_flight_then_succeeds_with_the_preimage() {
    let sim = start().await;
    let made = sim.invoice(3).await;
    let mut stream = send(&sim, bill(&made.payment_request)).await.unwrap();
    assert_eq!(next(&mut stream).await.status(), PaymentStatus::InFlight);
    let done = next(&mut stream).await;
    assert_eq!((done.status(), done.value_msat, done.fee_msat), (PaymentStatus::Succeeded, 3000, 0));
    assert_eq!(hash_of(&hex::decode(done.payment_preimage).unwrap()), made.r_hash);
    assert!(stream.message().await.unwrap().is_none());
}

#[tokio::test]
async fn updates_in_flight_are_left_out_on_request() {
    let sim = start().await;
    let made = sim.invoice(3).await;
    let request = SendPaymentRequest { no_inflight_updates: true, ..bill(&made.payment_request) };
    let mut stream = send(&sim, request).await.unwrap();
    assert_eq!(next(&mut stream).await.status(), PaymentStatus::Succeeded);
}

#[tokio::test]
async fn the_same_invoice_is_not_paid_twice() {
    let sim = start().await;
    let made = sim.invoice(3).await;
    assert_eq!(sim.pay(&made.payment_request).await, "");
    assert_eq!(sim.pay(&made.payment_request).await, "invoice is already paid");
    let refused = send(&sim, bill(&made.payment_request)).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::AlreadyExists, "invoice is already paid"));
}

#[tokio::test]
async fn a_payment_in_flight_is_not_sent_again_but_can_be_tracked() {
    let sim = start().await;
    let request = AddHoldInvoiceRequest { hash: hash_of(&[5; 32]), value: 1, ..Default::default() };
    let made = sim.invoices().await.add_hold_invoice(request).await.unwrap().into_inner();
    let _first = send(&sim, bill(&made.payment_request)).await.unwrap();
    let refused = send(&sim, bill(&made.payment_request)).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::AlreadyExists, "payment is in transition"));
    let request = TrackPaymentRequest { payment_hash: hash_of(&[5; 32]), no_inflight_updates: false };
    let mut tracked = sim.router().await.track_payment_v2(request).await.unwrap().into_inner();
    assert_eq!(next(&mut tracked).await.status(), PaymentStatus::InFlight);
    sim.running.node().settle(Preimage([5; 32])).unwrap();
    assert_eq!(next(&mut tracked).await.status(), PaymentStatus::Succeeded);
    assert!(tracked.message().await.unwrap().is_none());
}

#[tokio::test]
async fn a_payment_that_was_never_sent_cannot_be_tracked() {
    let sim = start().await;
    let request = TrackPaymentRequest { payment_hash: vec![1; 32], no_inflight_updates: false };
    let refused = sim.router().await.track_payment_v2(request).await.unwrap_err();
    assert_eq!((refused.code(), refused.message()), (Code::NotFound, "payment isn't initiated"));
}

#[tokio::test]
async fn a_canceled_invoice_is_not_paid() {
    let sim = start().await;
    let made = sim.invoice(3).await;
    sim.running.node().cancel(payment_hash(&made.r_hash)).unwrap();
    assert_eq!(sim.pay(&made.payment_request).await, "incorrect_payment_details");
}

#[tokio::test]
async fn an_expired_invoice_is_not_paid() {
    let sim = start().await;
    let made = sim.invoice(3).await;
    sim.clock.advance_secs(86_400);
    let refused = send(&sim, bill(&made.payment_request)).await.unwrap_err();
    assert!(refused.message().starts_with("invoice expired. Valid until"), "{refused}");
}

#[tokio::test]
async fn an_invoice_without_an_amount_needs_one_and_others_refuse_it() {
    let sim = start().await;
    let (free, fixed) = (sim.invoice(0).await, sim.invoice(3).await);
    let refused = send(&sim, bill(&free.payment_request)).await.unwrap_err();
    assert_eq!(refused.message(), "amount must be specified when paying a zero amount invoice");
    let refused = send(&sim, SendPaymentRequest { amt: 3, ..bill(&fixed.payment_request) }).await.unwrap_err();
    assert!(refused.message().starts_with("amount must not be specified"));
    let request = SendRequest { payment_request: free.payment_request, amt: 42, ..Default::default() };
    assert_eq!(sim.send(request).await, "");
    assert_eq!(sim.look_up(&free.r_hash).await.amt_paid_sat, 42);
}

#[tokio::test]
async fn a_foreign_invoice_costs_a_fee_and_a_limit_of_zero_finds_no_route() {
    let (payer, payee) = (start().await, start().await);
    let made = payee.invoice(100_000).await;
    let failed = outcome(send(&payer, bill(&made.payment_request)).await.unwrap()).await;
    assert_eq!(failed.status(), PaymentStatus::Failed);
    assert_eq!(failed.failure_reason(), PaymentFailureReason::FailureReasonNoRoute);
    let request = SendPaymentRequest { fee_limit_sat: 1000, ..bill(&made.payment_request) };
    let paid = outcome(send(&payer, request).await.unwrap()).await;
    assert_eq!((paid.status(), paid.fee_msat), (PaymentStatus::Succeeded, 101_000));
}

#[tokio::test]
async fn payments_reach_a_connected_simulator() {
    let (payer, payee) = (start().await, start().await);
    payer.running.node().connect(payee.running.node());
    let made = payee.invoice(10).await;
    let paid = outcome(send(&payer, bill(&made.payment_request)).await.unwrap()).await;
    assert_eq!(paid.status(), PaymentStatus::Succeeded);
    assert_eq!(hash_of(&hex::decode(paid.payment_preimage).unwrap()), made.r_hash);
    assert_eq!(payee.look_up(&made.r_hash).await.settle_index, 1);
}

#[tokio::test]
async fn no_route_and_too_little_money_are_told_apart() {
    let (payer, payee) = (start().await, start().await);
    let (small, big) = (payee.invoice(10).await, payee.invoice(50_000_000).await);
    payer.running.faults().set_no_route(true);
    assert_eq!(payer.pay(&small.payment_request).await, "no_route");
    payer.running.faults().set_no_route(false);
    payer.running.node().set_balance(1_000_000, 0).unwrap();
    assert_eq!(payer.pay(&big.payment_request).await, "insufficient_balance");
    assert_eq!(payer.pay(&small.payment_request).await, "");
}

#[tokio::test]
async fn nothing_arrives_above_the_inbound_capacity() {
    let sim = start().await;
    sim.running.node().set_balance(0, 5_000_000).unwrap();
    let mut client = sim.lightning("readonly.macaroon").await;
    let balance = client.channel_balance(ChannelBalanceRequest {}).await.unwrap().into_inner();
    assert_eq!(balance.remote_balance.unwrap().sat, 5000);
    let made = sim.invoice(5001).await;
    assert_eq!(sim.pay(&made.payment_request).await, "no_route");
    let made = sim.invoice(5000).await;
    assert_eq!(sim.pay(&made.payment_request).await, "");
}

#[tokio::test]
async fn invoices_of_other_networks_are_not_paid() {
    let sim = start().await;
    let mainnet = "lnbc25m1pvjluezpp5qqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqqqsyqcyq5rqwzqfqypqdq5vdhkven9v5sxyetpdees";
    let refused = send(&sim, bill(mainnet)).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unknown);
}

#[tokio::test]
async fn a_node_that_is_not_synced_pays_nothing_and_says_so() {
    let sim = start().await;
    let made = sim.invoice(1).await;
    sim.running.faults().set_synced(false);
    let refused = send(&sim, bill(&made.payment_request)).await.unwrap_err();
    assert_eq!(refused.message(), "chain backend is still syncing, server not active yet");
    let info = sim.lightning("shop.macaroon").await.get_info(GetInfoRequest {}).await.unwrap().into_inner();
    assert!(!info.synced_to_chain);
    let invoice = Invoice { value: 1, ..Default::default() };
    sim.lightning("shop.macaroon").await.add_invoice(invoice).await.unwrap();
}
