//! What a restart, or a kill, leaves.

use std::io::Write;

use fedimint_tonic_lnd::lnrpc::invoice::InvoiceState;
use fedimint_tonic_lnd::lnrpc::{GetInfoRequest, ListInvoiceRequest};
use fedimint_tonic_lnd::routerrpc::TrackPaymentRequest;

use super::{Sim, payment_hash, start};
use crate::{Options, Simulator, StartError};
use ip2tor_domain::lightning::Preimage;

#[tokio::test]
async fn invoices_payments_and_the_chain_survive_a_restart() {
    let sim = start().await;
    let (paid, open) = (sim.invoice(1).await, sim.invoice(2).await);
    assert_eq!(sim.pay(&paid.payment_request).await, "");
    sim.running.node().set_height(2000).unwrap();
    let before = sim.look_up(&paid.r_hash).await;
    let sim = sim.restart().await.restart().await;
    assert_eq!(sim.look_up(&paid.r_hash).await, before);
    assert_eq!(sim.look_up(&open.r_hash).await.state(), InvoiceState::Open);
    assert_eq!(sim.pay(&paid.payment_request).await, "invoice is already paid");
    let info = sim.lightning("shop.macaroon").await.get_info(GetInfoRequest {}).await.unwrap().into_inner();
    assert_eq!(info.block_height, 2000);
    assert_eq!(sim.invoice(3).await.add_index, 3);
}

#[tokio::test]
async fn a_held_payment_is_held_after_a_restart_and_its_payer_learns_the_outcome() {
    let sim = start().await;
    let preimage = Preimage([5; 32]);
    let request = fedimint_tonic_lnd::invoicesrpc::AddHoldInvoiceRequest {
        hash: preimage.hash().0.to_vec(),
        value: 1,
        ..Default::default()
    };
    let made = sim.invoices().await.add_hold_invoice(request).await.unwrap().into_inner();
    let request = fedimint_tonic_lnd::routerrpc::SendPaymentRequest {
        payment_request: made.payment_request,
        ..Default::default()
    };
    sim.router().await.send_payment_v2(request).await.unwrap();
    let sim = sim.restart().await;
    assert_eq!(sim.look_up(&preimage.hash().0).await.state(), InvoiceState::Accepted);
    let request = TrackPaymentRequest { payment_hash: preimage.hash().0.to_vec(), no_inflight_updates: true };
    let mut client = sim.router().await;
    let mut tracked = sim.open(async move { client.track_payment_v2(request).await }).await;
    sim.running.node().settle(preimage).unwrap();
    assert_eq!(tracked.next().await.payment_preimage, hex::encode([5; 32]));
}

#[tokio::test]
async fn what_was_answered_is_in_the_folder_already_when_the_process_is_killed() {
    let sim = start().await;
    let (paid, open) = (sim.invoice(1).await, sim.invoice(2).await);
    assert_eq!(sim.pay(&paid.payment_request).await, "");
    let expected = [sim.look_up(&paid.r_hash).await, sim.look_up(&open.r_hash).await];
    // A kill leaves the folder as it is at this moment.
    let left = tempfile::tempdir().unwrap();
    for name in ["journal.jsonl", "node.key", "macaroons.key", "tls.cert", "tls.key", "invoice.macaroon"] {
        std::fs::copy(sim.dir.path().join(name), left.path().join(name)).unwrap();
    }
    let running = super::start_in(&left, &sim.clock).await;
    let after = Sim { dir: left, clock: sim.clock.clone(), running };
    assert_eq!([after.look_up(&paid.r_hash).await, after.look_up(&open.r_hash).await], expected);
    assert_eq!(after.invoice(3).await.add_index, 3);
}

#[tokio::test]
async fn a_line_cut_off_by_a_kill_is_left_out() {
    let sim = start().await;
    let made = sim.invoice(1).await;
    let journal = std::fs::OpenOptions::new().append(true).open(sim.dir.path().join("journal.jsonl"));
    journal.unwrap().write_all(b"{\"Changed\":{\"hash\":\"00").unwrap();
    let sim = sim.restart().await;
    assert_eq!(sim.look_up(&made.r_hash).await.state(), InvoiceState::Open);
    assert_eq!(sim.restart().await.invoice(2).await.add_index, 2);
}

#[tokio::test]
async fn a_forgotten_invoice_stays_forgotten_and_its_number_is_not_given_out_again() {
    let sim = start().await;
    let made = sim.invoice(1).await;
    let hash = payment_hash(&made.r_hash);
    sim.running.node().forget(hash).unwrap_err();
    sim.running.node().cancel(hash).unwrap();
    sim.running.node().forget(hash).unwrap();
    let sim = sim.restart().await;
    let list = sim.lightning("invoice.macaroon").await.list_invoices(ListInvoiceRequest::default()).await;
    assert!(list.unwrap().into_inner().invoices.is_empty());
    assert_eq!(sim.restart().await.invoice(2).await.add_index, 2);
}

#[tokio::test]
async fn a_folder_is_used_by_one_simulator_at_a_time() {
    let sim = start().await;
    let second = Simulator::start(Options::new("127.0.0.1:0".parse().unwrap(), sim.dir.path())).await;
    assert!(matches!(second, Err(StartError::AlreadyRunning(_))));
}
