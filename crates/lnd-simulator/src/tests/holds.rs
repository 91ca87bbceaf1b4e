//! Hold invoices.

use fedimint_tonic_lnd::invoicesrpc::{
    AddHoldInvoiceRequest, CancelInvoiceMsg, SettleInvoiceMsg, SubscribeSingleInvoiceRequest,
};
use fedimint_tonic_lnd::lnrpc::InvoiceHtlcState;
use fedimint_tonic_lnd::lnrpc::invoice::InvoiceState;
use tonic::Code;

use super::{Sim, hash_of, payment_hash, start};

const PREIMAGE: [u8; 32] = [5; 32];

async fn add_hold(sim: &Sim, value: i64) -> String {
    let request = AddHoldInvoiceRequest { hash: hash_of(&PREIMAGE), value, expiry: 600, ..Default::default() };
    sim.invoices().await.add_hold_invoice(request).await.unwrap().into_inner().payment_request
}

/// A hold invoice of `value` sat with the payment held.
async fn held(sim: &Sim, value: i64) {
    add_hold(sim, value).await;
    let msat = value as u64 * 1000;
    sim.running.node().arrive(payment_hash(&hash_of(&PREIMAGE)), &[msat], msat).unwrap();
}

async fn settle(sim: &Sim) -> Result<(), tonic::Status> {
    sim.invoices().await.settle_invoice(SettleInvoiceMsg { preimage: PREIMAGE.to_vec() }).await.map(drop)
}

async fn cancel(sim: &Sim) -> Result<(), tonic::Status> {
    sim.invoices().await.cancel_invoice(CancelInvoiceMsg { payment_hash: hash_of(&PREIMAGE) }).await.map(drop)
}

async fn state(sim: &Sim) -> InvoiceState {
    sim.look_up(&hash_of(&PREIMAGE)).await.state()
}

#[tokio::test]
async fn a_payment_is_held_until_it_is_settled_with_the_preimage() {
    let sim = start().await;
    let payment_request = add_hold(&sim, 10).await;
    let request = SubscribeSingleInvoiceRequest { r_hash: hash_of(&PREIMAGE) };
    let mut client = sim.invoices().await;
    let mut stream = sim.open(async move { client.subscribe_single_invoice(request).await }).await;
    assert_eq!(stream.next().await.state(), InvoiceState::Open);
    let (paid, accepted) = tokio::join!(sim.pay(&payment_request), async {
        let accepted = stream.next().await;
        settle(&sim).await.unwrap();
        accepted
    });
    assert_eq!(paid, "");
    assert_eq!(accepted.state(), InvoiceState::Accepted);
    assert!(accepted.r_preimage.is_empty());
    let htlc = &accepted.htlcs[0];
    assert_eq!((htlc.amt_msat, htlc.state()), (10_000, InvoiceHtlcState::Accepted));
    assert_eq!(htlc.expiry_height - htlc.accept_height, 83);
    let settled = stream.next().await;
    assert_eq!((settled.state(), settled.r_preimage.as_slice()), (InvoiceState::Settled, PREIMAGE.as_slice()));
    assert_eq!((settled.settle_index, settled.amt_paid_msat), (1, 10_000));
}

#[tokio::test]
async fn a_canceled_hold_fails_the_payment() {
    let sim = start().await;
    let payment_request = add_hold(&sim, 10).await;
    let request = SubscribeSingleInvoiceRequest { r_hash: hash_of(&PREIMAGE) };
    let mut client = sim.invoices().await;
    let mut stream = sim.open(async move { client.subscribe_single_invoice(request).await }).await;
    stream.next().await;
    let (paid, ()) = tokio::join!(sim.pay(&payment_request), async {
        stream.next().await;
        cancel(&sim).await.unwrap();
    });
    assert_eq!(paid, "incorrect_payment_details");
    assert_eq!(state(&sim).await, InvoiceState::Canceled);
}

#[tokio::test]
async fn settling_and_canceling_again_is_fine() {
    let sim = start().await;
    held(&sim, 1).await;
    settle(&sim).await.unwrap();
    settle(&sim).await.unwrap();
    let late = cancel(&sim).await.unwrap_err();
    assert_eq!((late.code(), late.message()), (Code::Unknown, "invoice already settled"));
}

#[tokio::test]
async fn what_is_canceled_cannot_be_settled() {
    let sim = start().await;
    held(&sim, 1).await;
    cancel(&sim).await.unwrap();
    cancel(&sim).await.unwrap();
    assert_eq!(settle(&sim).await.unwrap_err().message(), "invoice already canceled");
}

#[tokio::test]
async fn an_unpaid_hold_invoice_cannot_be_settled_but_canceled() {
    let sim = start().await;
    add_hold(&sim, 1).await;
    assert_eq!(settle(&sim).await.unwrap_err().message(), "invoice still open");
    cancel(&sim).await.unwrap();
    assert_eq!(state(&sim).await, InvoiceState::Canceled);
}

#[tokio::test]
async fn unknown_invoices_can_be_neither_settled_nor_canceled() {
    let sim = start().await;
    assert_eq!(settle(&sim).await.unwrap_err().message(), "unable to locate invoice");
    assert_eq!(cancel(&sim).await.unwrap_err().message(), "unable to locate invoice");
}

#[tokio::test]
async fn time_does_not_end_a_hold() {
    let sim = start().await;
    held(&sim, 1).await;
    sim.clock.advance_secs(1_000_000);
    assert_eq!(state(&sim).await, InvoiceState::Accepted);
}

#[tokio::test]
async fn blocks_end_a_hold_twelve_before_its_time_out() {
    let sim = start().await;
    held(&sim, 1).await;
    let expiry = sim.look_up(&hash_of(&PREIMAGE)).await.htlcs[0].expiry_height as u32;
    sim.running.node().set_height(expiry - 13).unwrap();
    assert_eq!(state(&sim).await, InvoiceState::Accepted);
    sim.running.node().set_height(expiry - 12).unwrap();
    assert_eq!(state(&sim).await, InvoiceState::Canceled);
}

#[tokio::test]
async fn parts_are_held_until_the_whole_is_there() {
    let sim = start().await;
    add_hold(&sim, 10).await;
    let hash = payment_hash(&hash_of(&PREIMAGE));
    sim.running.node().arrive(hash, &[4000], 10_000).unwrap();
    assert_eq!(state(&sim).await, InvoiceState::Open);
    sim.running.node().arrive(hash, &[5000, 1000], 10_000).unwrap();
    let whole = sim.look_up(&hash.0).await;
    assert_eq!((whole.state(), whole.htlcs.len(), whole.amt_paid_msat), (InvoiceState::Accepted, 3, 10_000));
}

#[tokio::test]
async fn parts_that_never_become_whole_go_back() {
    let sim = start().await;
    add_hold(&sim, 10).await;
    let hash = payment_hash(&hash_of(&PREIMAGE));
    sim.running.node().arrive(hash, &[4000], 10_000).unwrap();
    sim.running.node().time_out_parts(hash).unwrap();
    let found = sim.look_up(&hash.0).await;
    assert_eq!((found.state(), found.amt_paid_msat), (InvoiceState::Open, 0));
    assert_eq!(found.htlcs[0].state(), InvoiceHtlcState::Canceled);
}

#[tokio::test]
async fn more_than_asked_is_taken_and_less_is_not() {
    let sim = start().await;
    add_hold(&sim, 10).await;
    let hash = payment_hash(&hash_of(&PREIMAGE));
    sim.running.node().arrive(hash, &[9999], 9999).unwrap_err();
    sim.running.node().arrive(hash, &[15_000], 15_000).unwrap();
    settle(&sim).await.unwrap();
    assert_eq!(sim.look_up(&hash.0).await.amt_paid_msat, 15_000);
}
