//! The functions behind the command line.

use fedimint_tonic_lnd::lnrpc::GetInfoRequest;
use fedimint_tonic_lnd::lnrpc::invoice::InvoiceState;

use super::{payment_hash, start};
use crate::{CommandError, cli_fault, cli_pay};
use ip2tor_domain::lightning::Preimage;

#[tokio::test]
async fn pay_settles_an_invoice_and_fails_the_second_time() {
    let sim = start().await;
    let made = sim.invoice(1).await;
    cli_pay(sim.dir.path(), &made.payment_request, || {}).await.unwrap();
    assert_eq!(sim.look_up(&made.r_hash).await.state(), InvoiceState::Settled);
    let again = cli_pay(sim.dir.path(), &made.payment_request, || {}).await.unwrap_err();
    assert_eq!(again.to_string(), "failed: invoice is already paid");
}

#[tokio::test]
async fn pay_waits_while_the_payment_is_held() {
    let sim = start().await;
    let preimage = Preimage([5; 32]);
    let request = fedimint_tonic_lnd::invoicesrpc::AddHoldInvoiceRequest {
        hash: preimage.hash().0.to_vec(),
        value: 1,
        ..Default::default()
    };
    let made = sim.invoices().await.add_hold_invoice(request).await.unwrap().into_inner();
    let (_, mut changes) = sim.running.node().watch(payment_hash(&preimage.hash().0));
    let (paid, ()) = tokio::join!(cli_pay(sim.dir.path(), &made.payment_request, || {}), async {
        changes.recv().await.unwrap();
        sim.running.node().settle(preimage).unwrap();
    });
    paid.unwrap();
}

#[tokio::test]
async fn faults_are_set_and_cleared_from_another_process() {
    let sim = start().await;
    let mut client = sim.lightning("shop.macaroon").await;
    cli_fault(sim.dir.path(), "GetInfo:unavailable").await.unwrap();
    client.get_info(GetInfoRequest {}).await.unwrap_err();
    cli_fault(sim.dir.path(), "clear").await.unwrap();
    client.get_info(GetInfoRequest {}).await.unwrap();
    cli_fault(sim.dir.path(), "chain:height=4711").await.unwrap();
    assert_eq!(client.get_info(GetInfoRequest {}).await.unwrap().into_inner().block_height, 4711);
    let before = sim.macaroon("tls.cert");
    cli_fault(sim.dir.path(), "certificate:renew").await.unwrap();
    assert_ne!(sim.macaroon("tls.cert"), before);
    let unknown = cli_fault(sim.dir.path(), "explode").await.unwrap_err();
    assert!(unknown.to_string().contains("METHOD:FAULT[:TIMES]"), "{unknown}");
}

#[tokio::test]
async fn without_a_running_simulator_the_error_says_how_to_start_one() {
    let dir = tempfile::tempdir().unwrap();
    let error = cli_pay(dir.path(), "lnbcrt1", || {}).await.unwrap_err();
    assert!(matches!(error, CommandError::NotRunning { .. }));
    assert!(error.to_string().contains("lnd-simulator serve"));
}
