//! What subscribers are told, and what they are not.

use fedimint_tonic_lnd::invoicesrpc::{AddHoldInvoiceRequest, CancelInvoiceMsg, SubscribeSingleInvoiceRequest};
use fedimint_tonic_lnd::lnrpc::invoice::InvoiceState;
use fedimint_tonic_lnd::lnrpc::{Invoice, InvoiceSubscription};

use super::{Sim, Told, hash_of, start};

async fn subscribe(sim: &Sim, add_index: u64, settle_index: u64) -> Told<Invoice> {
    let request = InvoiceSubscription { add_index, settle_index };
    let mut client = sim.lightning("invoice.macaroon").await;
    sim.open(async move { client.subscribe_invoices(request).await }).await
}

async fn watch(sim: &Sim, hash: &[u8]) -> Told<Invoice> {
    let request = SubscribeSingleInvoiceRequest { r_hash: hash.to_vec() };
    let mut client = sim.invoices().await;
    sim.open(async move { client.subscribe_single_invoice(request).await }).await
}

async fn paid(sim: &Sim, value: i64) -> u64 {
    let made = sim.invoice(value).await;
    assert_eq!(sim.pay(&made.payment_request).await, "");
    sim.look_up(&made.r_hash).await.settle_index
}

/// The next event, as (add index, settle index).
async fn event(stream: &mut Told<Invoice>) -> (u64, u64) {
    let invoice = stream.next().await;
    (invoice.add_index, invoice.settle_index)
}

#[tokio::test]
async fn new_and_settled_invoices_are_told_as_they_happen() {
    let sim = start().await;
    let mut stream = subscribe(&sim, 0, 0).await;
    assert_eq!(paid(&sim, 1).await, 1);
    assert_eq!(event(&mut stream).await, (1, 0));
    let settled = stream.next().await;
    assert_eq!((settled.state(), settled.settle_index, settled.amt_paid_msat), (InvoiceState::Settled, 1, 1000));
}

#[tokio::test]
async fn a_settle_index_replays_only_what_is_greater() {
    let sim = start().await;
    for value in 1..=3 {
        paid(&sim, value).await;
    }
    let mut stream = subscribe(&sim, 0, 1).await;
    assert_eq!(event(&mut stream).await, (2, 2));
    assert_eq!(event(&mut stream).await, (3, 3));
    paid(&sim, 4).await;
    assert_eq!(event(&mut stream).await, (4, 0));
}

#[tokio::test]
async fn a_settle_index_of_zero_replays_nothing_so_the_first_settlement_cannot_be_replayed() {
    let sim = start().await;
    paid(&sim, 1).await;
    let mut stream = subscribe(&sim, 0, 0).await;
    sim.invoice(2).await;
    assert_eq!(event(&mut stream).await, (2, 0));
}

#[tokio::test]
async fn an_add_index_replays_the_invoices_made_since() {
    let sim = start().await;
    sim.invoice(1).await;
    paid(&sim, 2).await;
    sim.invoice(3).await;
    let mut stream = subscribe(&sim, 1, 0).await;
    assert_eq!(event(&mut stream).await, (2, 1));
    assert_eq!(event(&mut stream).await, (3, 0));
}

#[tokio::test]
async fn settle_indexes_can_have_gaps() {
    let sim = start().await;
    paid(&sim, 1).await;
    sim.running.node().skip_settle_indexes(10).unwrap();
    assert_eq!(paid(&sim, 2).await, 12);
    let mut stream = subscribe(&sim, 0, 1).await;
    assert_eq!(event(&mut stream).await, (2, 12));
}

#[tokio::test]
async fn a_cursor_whose_own_settlement_is_missing_swallows_the_next_one() {
    let sim = start().await;
    paid(&sim, 1).await;
    sim.running.node().skip_settle_indexes(10).unwrap();
    assert_eq!((paid(&sim, 2).await, paid(&sim, 3).await), (12, 13));
    let mut stream = subscribe(&sim, 0, 5).await;
    assert_eq!(event(&mut stream).await, (3, 13));
}

#[tokio::test]
async fn settlements_that_count_anew_are_not_told_up_to_the_index_that_was_asked_for() {
    let sim = start().await;
    for value in 1..=3 {
        paid(&sim, value).await;
    }
    sim.running.node().restart_settle_indexes().unwrap();
    let mut stream = subscribe(&sim, 0, 2).await;
    assert_eq!(event(&mut stream).await, (3, 3), "old ones keep their numbers");
    for (value, index) in [(4, 1), (5, 2), (6, 3)] {
        assert_eq!(paid(&sim, value).await, index);
    }
    let sim = sim.restart().await;
    assert_eq!(paid(&sim, 7).await, 4);
    for told in [(4, 0), (5, 0), (6, 0), (6, 3)] {
        assert_eq!(event(&mut stream).await, told);
    }
}

#[tokio::test]
async fn the_native_sql_store_replays_by_invoice() {
    let sim = start().await;
    paid(&sim, 1).await;
    let first = sim.invoice(2).await;
    paid(&sim, 3).await;
    assert_eq!(sim.pay(&first.payment_request).await, "");
    sim.running.node().set_quirks(crate::Quirks { replays_by_id: true, ..Default::default() });
    let mut stream = subscribe(&sim, 0, 1).await;
    assert_eq!(event(&mut stream).await, (2, 3));
    assert_eq!(event(&mut stream).await, (3, 2));
}

#[tokio::test]
async fn accepted_and_canceled_invoices_are_not_told() {
    let sim = start().await;
    let mut stream = subscribe(&sim, 0, 0).await;
    let hash = hash_of(&[9; 32]);
    let request = AddHoldInvoiceRequest { hash: hash.clone(), value: 1, ..Default::default() };
    sim.invoices().await.add_hold_invoice(request).await.unwrap();
    assert_eq!(event(&mut stream).await, (1, 0));
    sim.running.node().arrive(super::payment_hash(&hash), &[1000], 1000).unwrap();
    sim.invoices().await.cancel_invoice(CancelInvoiceMsg { payment_hash: hash }).await.unwrap();
    sim.invoice(2).await;
    assert_eq!(event(&mut stream).await, (2, 0));
}

#[tokio::test]
async fn one_invoice_is_told_as_it_is_then_each_change_then_the_stream_ends() {
    let sim = start().await;
    let made = sim.invoice(1).await;
    let mut stream = watch(&sim, &made.r_hash).await;
    assert_eq!(stream.next().await.state(), InvoiceState::Open);
    assert_eq!(sim.pay(&made.payment_request).await, "");
    assert_eq!(stream.next().await.state(), InvoiceState::Settled);
    assert!(stream.ends().await);
    let mut again = watch(&sim, &made.r_hash).await;
    assert_eq!(again.next().await.state(), InvoiceState::Settled);
    assert!(again.ends().await);
}

#[tokio::test]
async fn an_expiry_is_told_to_who_watches_although_nobody_asks() {
    let sim = start().await;
    let made = sim.invoice(1).await;
    let mut stream = watch(&sim, &made.r_hash).await;
    assert_eq!(stream.next().await.state(), InvoiceState::Open);
    sim.clock.advance_secs(86_400);
    assert_eq!(stream.next().await.state(), InvoiceState::Canceled);
}

#[tokio::test]
async fn an_invoice_can_be_watched_before_it_exists() {
    let sim = start().await;
    let mut stream = watch(&sim, &hash_of(&[3; 32])).await;
    let request = Invoice { r_preimage: vec![3; 32], value: 1, ..Default::default() };
    sim.lightning("invoice.macaroon").await.add_invoice(request).await.unwrap();
    assert_eq!(stream.next().await.state(), InvoiceState::Open);
}

#[tokio::test]
async fn thousands_of_watchers_share_one_connection() {
    let sim = start().await;
    let client = sim.invoices().await;
    let mut streams = Vec::new();
    for number in 0..2000_u32 {
        let request = SubscribeSingleInvoiceRequest { r_hash: hash_of(&number.to_be_bytes()) };
        let mut client = client.clone();
        streams.push(sim.open(async move { client.subscribe_single_invoice(request).await }).await);
    }
    let request = Invoice { r_preimage: 1999_u32.to_be_bytes().repeat(8), value: 1, ..Default::default() };
    let made = sim.lightning("invoice.macaroon").await.add_invoice(request).await.unwrap().into_inner();
    let mut last = watch(&sim, &made.r_hash).await;
    assert_eq!(last.next().await.state(), InvoiceState::Open);
    assert_eq!(sim.running.node().subscriptions(), 2001);
}

#[tokio::test]
async fn nothing_is_answered_before_the_first_event_as_with_lnd() {
    let sim = start().await;
    let mut client = sim.lightning("invoice.macaroon").await;
    let call = client.subscribe_invoices(InvoiceSubscription::default());
    let mut call = std::pin::pin!(call);
    tokio::select! {
        biased;
        _ = &mut call => panic!("there is nothing to tell yet"),
        () = sim.running.node().subscriptions_reach(1) => {}
    }
    sim.invoice(1).await;
    assert_eq!(call.await.unwrap().into_inner().message().await.unwrap().unwrap().add_index, 1);
}
