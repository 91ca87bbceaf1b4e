//! Faults on demand.

use std::time::{Duration, Instant};

use fedimint_tonic_lnd::lnrpc::{GetInfoRequest, Invoice, InvoiceSubscription, PaymentHash};
use tonic::Code;

use super::{PATIENCE, hash_of, start};
use crate::{Fault, Wallet};

fn invoice() -> Invoice {
    Invoice { r_preimage: vec![7; 32], value: 1, ..Default::default() }
}

fn its_hash() -> PaymentHash {
    PaymentHash { r_hash: hash_of(&[7; 32]), ..Default::default() }
}

#[tokio::test]
async fn an_unavailable_call_is_not_done() {
    let sim = start().await;
    let mut client = sim.lightning("invoice.macaroon").await;
    sim.running.faults().next("AddInvoice", Fault::Unavailable, 1);
    assert_eq!(client.add_invoice(invoice()).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(client.lookup_invoice(its_hash()).await.unwrap_err().code(), Code::NotFound);
    client.add_invoice(invoice()).await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_leaves_the_call_done() {
    let sim = start().await;
    let mut client = sim.lightning("invoice.macaroon").await;
    sim.running.faults().next("AddInvoice", Fault::LoseAnswer, 1);
    assert_eq!(client.add_invoice(invoice()).await.unwrap_err().code(), Code::Unavailable);
    client.lookup_invoice(its_hash()).await.unwrap();
}

#[tokio::test]
async fn a_reset_is_an_error_without_an_answer_before_or_after_the_call() {
    let sim = start().await;
    let mut client = sim.lightning("invoice.macaroon").await;
    sim.running.faults().next("AddInvoice", Fault::Reset, 1);
    client.add_invoice(invoice()).await.unwrap_err();
    assert_eq!(client.lookup_invoice(its_hash()).await.unwrap_err().code(), Code::NotFound);
    sim.running.faults().next("AddInvoice", Fault::ResetAfter, 1);
    client.add_invoice(invoice()).await.unwrap_err();
    client.lookup_invoice(its_hash()).await.unwrap();
}

#[tokio::test]
async fn a_slow_call_is_answered_late() {
    let sim = start().await;
    let mut client = sim.lightning("shop.macaroon").await;
    sim.running.faults().always("GetInfo", Fault::Slow(Duration::from_millis(80)));
    let begun = Instant::now();
    client.get_info(GetInfoRequest {}).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn dropped_streams_end_with_an_error_and_can_be_opened_again() {
    let sim = start().await;
    let mut client = sim.lightning("invoice.macaroon").await;
    let mut stream = sim.open(async move { client.subscribe_invoices(InvoiceSubscription::default()).await }).await;
    sim.running.faults().drop_streams();
    assert_eq!(stream.error().await.code(), Code::Unavailable);
    let mut client = sim.lightning("invoice.macaroon").await;
    let mut stream = sim.open(async move { client.subscribe_invoices(InvoiceSubscription::default()).await }).await;
    sim.invoice(1).await;
    assert_eq!(stream.next().await.add_index, 1);
}

#[tokio::test]
async fn dropped_connections_break_everything_that_is_open() {
    let sim = start().await;
    let mut client = sim.lightning("invoice.macaroon").await;
    let mut stream = sim.open(async move { client.subscribe_invoices(InvoiceSubscription::default()).await }).await;
    sim.running.faults().drop_connections();
    stream.error().await;
    sim.lightning("invoice.macaroon").await.add_invoice(invoice()).await.unwrap();
}

#[tokio::test]
async fn a_node_that_starts_refuses_every_call_as_lnd_does() {
    let sim = start().await;
    let mut client = sim.lightning("shop.macaroon").await;
    for wallet in Wallet::NOT_YET {
        sim.running.faults().set_wallet(wallet);
        let refused = client.get_info(GetInfoRequest {}).await.unwrap_err();
        assert_eq!((refused.code(), Some(refused.message())), (Code::Unknown, wallet.refusal()));
        client.lookup_invoice(its_hash()).await.unwrap_err();
    }
    sim.running.faults().set_wallet(Wallet::Unlocked);
    client.get_info(GetInfoRequest {}).await.unwrap();
}

#[tokio::test]
async fn while_the_chain_backend_hangs_get_info_waits_for_it_and_invoices_are_made() {
    let sim = start().await;
    let mut client = sim.lightning("shop.macaroon").await;
    sim.running.faults().set_chain_hangs(true);
    let mut asking = client.clone();
    let mut asked = tokio::spawn(async move { asking.get_info(GetInfoRequest {}).await.map(drop) });
    client.add_invoice(invoice()).await.unwrap();
    client.lookup_invoice(its_hash()).await.unwrap();
    assert!(!asked.is_finished());
    sim.running.faults().set_chain_hangs(false);
    tokio::time::timeout(PATIENCE, &mut asked).await.expect("it answers").unwrap().unwrap();
}

#[tokio::test]
async fn a_stopped_node_ends_its_streams() {
    let sim = start().await;
    let mut client = sim.lightning("invoice.macaroon").await;
    let mut stream = sim.open(async move { client.subscribe_invoices(InvoiceSubscription::default()).await }).await;
    let stop = tokio::time::timeout(PATIENCE, sim.running.shutdown());
    stop.await.expect("the node stops although streams are open");
    stream.error().await;
}
