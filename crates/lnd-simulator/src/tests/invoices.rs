//! Making, finding and listing invoices.

use std::str::FromStr;

use fedimint_tonic_lnd::invoicesrpc::LookupInvoiceMsg;
use fedimint_tonic_lnd::invoicesrpc::lookup_invoice_msg::InvoiceRef;
use fedimint_tonic_lnd::lnrpc::invoice::InvoiceState;
use fedimint_tonic_lnd::lnrpc::{Invoice, ListInvoiceRequest, PayReqString, PaymentHash};
use lightning_invoice::{Bolt11Invoice, Currency};
use tonic::Code;

use super::{START, Sim, hash_of, start};

async fn refused(sim: &Sim, invoice: Invoice) -> String {
    let refused = sim.lightning("invoice.macaroon").await.add_invoice(invoice).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unknown);
    refused.message().to_owned()
}

#[tokio::test]
async fn an_invoice_is_a_signed_bolt11_with_what_was_asked() {
    let sim = start().await;
    let request = Invoice {
        memo: "PO: 1".to_owned(),
        r_preimage: vec![7; 32],
        value_msat: 2_500_001,
        expiry: 900,
        cltv_expiry: 40,
        private: true,
        ..Default::default()
    };
    let made = sim.lightning("invoice.macaroon").await.add_invoice(request).await.unwrap().into_inner();
    assert_eq!((made.r_hash, made.add_index), (hash_of(&[7; 32]), 1));
    assert!(made.payment_request.starts_with("lnbcrt"));
    let read = Bolt11Invoice::from_str(&made.payment_request).unwrap();
    assert_eq!(read.get_payee_pub_key(), sim.running.node().identity.public_key);
    assert_eq!(read.currency(), Currency::Regtest);
    assert_eq!(read.amount_milli_satoshis(), Some(2_500_001));
    assert_eq!(read.description().to_string(), "PO: 1");
    assert_eq!(read.duration_since_epoch().as_secs() as i64, START.secs());
    assert_eq!(read.expiry_time().as_secs(), 900);
    assert_eq!(read.min_final_cltv_expiry_delta(), 40);
    assert_eq!(read.payment_secret().0.to_vec(), made.payment_addr);
    assert_eq!(read.route_hints().len(), 1);
}

#[tokio::test]
async fn left_out_terms_get_lnds_defaults() {
    let sim = start().await;
    let made = sim.invoice(0).await;
    let found = sim.look_up(&made.r_hash).await;
    assert_eq!((found.expiry, found.cltv_expiry, found.private), (86_400, 80, false));
    assert_eq!(hash_of(&found.r_preimage), made.r_hash);
    let read = Bolt11Invoice::from_str(&made.payment_request).unwrap();
    assert_eq!(read.amount_milli_satoshis(), None);
    assert!(read.route_hints().is_empty());
}

#[tokio::test]
async fn a_second_invoice_with_the_same_preimage_is_refused() {
    let sim = start().await;
    let invoice = Invoice { r_preimage: vec![7; 32], value: 1, ..Default::default() };
    sim.lightning("invoice.macaroon").await.add_invoice(invoice.clone()).await.unwrap();
    assert_eq!(refused(&sim, invoice).await, "invoice with payment hash already exists");
}

#[tokio::test]
async fn bad_terms_are_refused_in_lnds_words() {
    let sim = start().await;
    let both = Invoice { value: 1, value_msat: 1000, ..Default::default() };
    assert_eq!(refused(&sim, both).await, "sat and msat arguments are mutually exclusive");
    let negative = Invoice { value: -1, ..Default::default() };
    assert_eq!(refused(&sim, negative).await, "amount cannot be negative");
    let short = Invoice { r_preimage: vec![7; 31], ..Default::default() };
    assert_eq!(refused(&sim, short).await, "invalid preimage length of 31, want 32");
    let long = Invoice { expiry: 31_536_001, ..Default::default() };
    assert!(refused(&sim, long).await.starts_with("expiry of 31536001 seconds greater than max"));
    let hasty = Invoice { cltv_expiry: 5, ..Default::default() };
    assert!(refused(&sim, hasty).await.contains("must be greater than minimum of 18"));
    let wordy = Invoice { memo: "x".repeat(1025), ..Default::default() };
    assert_eq!(refused(&sim, wordy).await, "memo too large: 1025 bytes (maxsize=1024)");
    let huge = Invoice { value: i64::MAX, ..Default::default() };
    assert!(refused(&sim, huge).await.contains("too large"));
}

#[tokio::test]
async fn an_unknown_hash_is_not_found() {
    let sim = start().await;
    let request = PaymentHash { r_hash: vec![1; 32], ..Default::default() };
    let missing = sim.lightning("invoice.macaroon").await.lookup_invoice(request).await.unwrap_err();
    assert_eq!((missing.code(), missing.message()), (Code::NotFound, "unable to locate invoice"));
    let invoice_ref = Some(InvoiceRef::PaymentHash(vec![1; 32]));
    let request = LookupInvoiceMsg { invoice_ref, ..Default::default() };
    let missing = sim.invoices().await.lookup_invoice_v2(request).await.unwrap_err();
    assert_eq!((missing.code(), missing.message()), (Code::NotFound, "unable to locate invoice"));
}

#[tokio::test]
async fn the_second_look_up_finds_by_hash_and_by_payment_address() {
    let sim = start().await;
    let made = sim.invoice(5).await;
    for invoice_ref in [InvoiceRef::PaymentHash(made.r_hash), InvoiceRef::PaymentAddr(made.payment_addr)] {
        let request = LookupInvoiceMsg { invoice_ref: Some(invoice_ref), ..Default::default() };
        let found = sim.invoices().await.lookup_invoice_v2(request).await.unwrap().into_inner();
        assert_eq!(found.payment_request, made.payment_request);
    }
    let empty = sim.invoices().await.lookup_invoice_v2(LookupInvoiceMsg::default()).await.unwrap_err();
    assert_eq!(empty.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn an_expired_open_invoice_becomes_canceled() {
    let sim = start().await;
    let request = Invoice { value: 1, expiry: 60, ..Default::default() };
    let made = sim.lightning("invoice.macaroon").await.add_invoice(request).await.unwrap().into_inner();
    sim.clock.advance_secs(59);
    assert_eq!(sim.look_up(&made.r_hash).await.state(), InvoiceState::Open);
    sim.clock.advance_secs(1);
    assert_eq!(sim.look_up(&made.r_hash).await.state(), InvoiceState::Canceled);
}

async fn list(sim: &Sim, request: ListInvoiceRequest) -> (Vec<u64>, u64, u64) {
    let page = sim.lightning("invoice.macaroon").await.list_invoices(request).await.unwrap().into_inner();
    let indexes = page.invoices.iter().map(|invoice| invoice.add_index).collect();
    (indexes, page.first_index_offset, page.last_index_offset)
}

#[tokio::test]
async fn invoices_are_listed_in_pages_by_add_index() {
    let sim = start().await;
    for value in 1..=5 {
        sim.invoice(value).await;
    }
    let page = |index_offset, reversed| ListInvoiceRequest {
        index_offset,
        num_max_invoices: 2,
        reversed,
        ..Default::default()
    };
    assert_eq!(list(&sim, page(0, false)).await, (vec![1, 2], 1, 2));
    assert_eq!(list(&sim, page(2, false)).await, (vec![3, 4], 3, 4));
    assert_eq!(list(&sim, page(4, false)).await, (vec![5], 5, 5));
    assert_eq!(list(&sim, page(5, false)).await, (vec![], 0, 0));
    assert_eq!(list(&sim, page(0, true)).await, (vec![4, 5], 4, 5));
    assert_eq!(list(&sim, page(4, true)).await, (vec![2, 3], 2, 3));
    assert_eq!(list(&sim, page(u64::MAX, false)).await, (vec![], 0, 0));
}

#[tokio::test]
async fn pending_only_leaves_out_settled_and_canceled_invoices() {
    let sim = start().await;
    let paid = sim.invoice(1).await;
    sim.invoice(2).await;
    assert_eq!(sim.pay(&paid.payment_request).await, "");
    let pending = ListInvoiceRequest { pending_only: true, ..Default::default() };
    assert_eq!(list(&sim, pending).await.0, [2]);
    sim.clock.advance_secs(86_400);
    assert_eq!(list(&sim, pending).await.0, [0; 0]);
    assert_eq!(list(&sim, ListInvoiceRequest::default()).await.0, [1, 2]);
}

#[tokio::test]
async fn invoices_are_listed_by_the_date_they_were_made() {
    let sim = start().await;
    sim.invoice(1).await;
    sim.clock.advance_secs(100);
    sim.invoice(2).await;
    let start = START.secs() as u64;
    let late = ListInvoiceRequest { creation_date_start: start + 1, ..Default::default() };
    assert_eq!(list(&sim, late).await.0, [2]);
    let early = ListInvoiceRequest { creation_date_end: start + 99, ..Default::default() };
    assert_eq!(list(&sim, early).await.0, [1]);
}

#[tokio::test]
async fn a_payment_request_is_decoded_when_it_is_for_this_network() {
    let sim = start().await;
    let made = sim.invoice(7).await;
    let mut client = sim.lightning("readonly.macaroon").await;
    let request = PayReqString { pay_req: made.payment_request };
    let decoded = client.decode_pay_req(request).await.unwrap().into_inner();
    assert_eq!((decoded.num_satoshis, decoded.num_msat), (7, 7000));
    assert_eq!(decoded.payment_hash, hex::encode(made.r_hash));
    assert_eq!(decoded.destination, sim.running.node().identity.public_key.to_string());
    client.decode_pay_req(PayReqString { pay_req: "lnbcrt1".to_owned() }).await.unwrap_err();
}
