//! Core Lightning's face, asked through the client of `cln-rpc`.

use cln_rpc::ClnRpc;
use cln_rpc::model::requests::{GetinfoRequest, ListinvoicesRequest, WaitanyinvoiceRequest, WaitinvoiceRequest};
use cln_rpc::model::responses::{ListinvoicesInvoices, ListinvoicesInvoicesStatus};
use serde_json::{Value, json};

use super::{PATIENCE, Sim, hash_of, start};
use crate::Fault;

async fn client(sim: &Sim) -> ClnRpc {
    ClnRpc::new(sim.running.lightning_rpc()).await.unwrap()
}

/// The result, or the error's code and words.
async fn call(sim: &Sim, method: &str, params: Value) -> Result<Value, (i32, String)> {
    let answer = client(sim).await.call_raw::<Value, Value>(method, &params).await;
    answer.map_err(|error| (error.code.unwrap_or_default(), error.message))
}

async fn invoice(sim: &Sim, label: &str, byte: u8) -> Result<Value, (i32, String)> {
    let preimage = hex::encode([byte; 32]);
    let params =
        json!({"label": label, "amount_msat": 5000, "description": "PO: 1", "preimage": preimage, "expiry": 60});
    call(sim, "invoice", params).await
}

async fn list(sim: &Sim, params: Value) -> Vec<ListinvoicesInvoices> {
    let listed = call(sim, "listinvoices", params).await.unwrap();
    serde_json::from_value(listed["invoices"].clone()).unwrap()
}

async fn pay(sim: &Sim, invoice: &Value) -> Result<Value, (i32, String)> {
    call(sim, "pay", json!({"bolt11": invoice["bolt11"]})).await
}

#[tokio::test]
async fn the_node_tells_about_itself() {
    let sim = start().await;
    let info = client(&sim).await.call_typed(&GetinfoRequest {}).await.unwrap();
    assert_eq!(info.id.to_string(), sim.running.node().identity.public_key.to_string());
    assert_eq!((info.network.as_str(), info.warning_bitcoind_sync), ("regtest", None));
    sim.running.faults().set_synced(false);
    let info = client(&sim).await.call_typed(&GetinfoRequest {}).await.unwrap();
    assert!(info.warning_bitcoind_sync.is_some());
    let channels = call(&sim, "listpeerchannels", json!({})).await.unwrap();
    assert_eq!(channels["channels"][0]["receivable_msat"], 100_000_000_000_u64);
}

#[tokio::test]
async fn an_invoice_is_found_by_label_hash_and_request_and_by_lnds_face() {
    let sim = start().await;
    let made = invoice(&sim, "one", 7).await.unwrap();
    let hash = hex::encode(hash_of(&[7; 32]));
    assert_eq!(made["payment_hash"], hash);
    for params in [json!({"label": "one"}), json!({"payment_hash": hash}), json!({"invstring": made["bolt11"]})] {
        let found = list(&sim, params).await;
        assert_eq!((found[0].label.as_str(), found[0].created_index), ("one", 1));
        assert_eq!(found[0].status, ListinvoicesInvoicesStatus::UNPAID);
    }
    assert!(list(&sim, json!({"label": "two"})).await.is_empty());
    assert_eq!(sim.look_up(&hash_of(&[7; 32])).await.value_msat, 5000);
}

#[tokio::test]
async fn labels_and_preimages_are_used_once() {
    let sim = start().await;
    invoice(&sim, "one", 7).await.unwrap();
    assert_eq!(invoice(&sim, "one", 8).await.unwrap_err(), (900, "Duplicate label 'one'".to_owned()));
    assert_eq!(invoice(&sim, "two", 7).await.unwrap_err(), (901, "preimage already used".to_owned()));
}

#[tokio::test]
async fn invoices_are_listed_in_pages_by_created_index() {
    let sim = start().await;
    for byte in 1..=3 {
        invoice(&sim, &format!("label-{byte}"), byte).await.unwrap();
    }
    let page = list(&sim, json!({"index": "created", "start": 2, "limit": 1})).await;
    assert_eq!(page.iter().map(|invoice| invoice.created_index).collect::<Vec<_>>(), [2]);
    assert_eq!(list(&sim, json!({})).await.len(), 3);
}

#[tokio::test]
async fn the_first_settlement_is_told_after_index_zero_and_each_once() {
    let sim = start().await;
    let (one, two) = (invoice(&sim, "one", 1).await.unwrap(), invoice(&sim, "two", 2).await.unwrap());
    pay(&sim, &two).await.unwrap();
    pay(&sim, &one).await.unwrap();
    let mut client = client(&sim).await;
    for (after, label) in [(0, "two"), (1, "one")] {
        let request = WaitanyinvoiceRequest { lastpay_index: Some(after), timeout: None };
        let paid = client.call_typed(&request).await.unwrap();
        assert_eq!((paid.label.as_str(), paid.pay_index), (label, Some(after + 1)));
        assert_eq!(paid.amount_received_msat.map(|amount| amount.msat()), Some(5000));
    }
    let request = WaitanyinvoiceRequest { lastpay_index: Some(2), timeout: Some(0) };
    assert_eq!(client.call_typed(&request).await.unwrap_err().code, Some(904));
}

#[tokio::test]
async fn who_waits_hears_of_the_payment() {
    let sim = start().await;
    let made = invoice(&sim, "one", 1).await.unwrap();
    let (mut any, mut one) = (client(&sim).await, client(&sim).await);
    let request = WaitanyinvoiceRequest { lastpay_index: Some(0), timeout: Some(60) };
    let any = tokio::spawn(async move { any.call_typed(&request).await.unwrap().label });
    let request = WaitinvoiceRequest { label: "one".to_owned() };
    let one = tokio::spawn(async move { one.call_typed(&request).await.unwrap().label });
    sim.running.node().subscriptions_reach(2).await;
    pay(&sim, &made).await.unwrap();
    assert_eq!((any.await.unwrap(), one.await.unwrap()), ("one".to_owned(), "one".to_owned()));
}

#[tokio::test]
async fn who_waits_for_one_invoice_hears_that_it_expires_or_is_deleted() {
    let sim = start().await;
    for (label, byte) in [("expires", 1), ("goes", 2)] {
        invoice(&sim, label, byte).await.unwrap();
    }
    let wait = |label| call(&sim, "waitinvoice", json!({"label": label}));
    let (goes, ()) = tokio::join!(wait("goes"), async {
        sim.running.node().subscriptions_reach(1).await;
        call(&sim, "delinvoice", json!({"label": "goes", "status": "unpaid"})).await.unwrap();
    });
    assert_eq!(goes.unwrap_err(), (-1, "invoice deleted during wait".to_owned()));
    sim.clock.advance_secs(60);
    assert_eq!(wait("expires").await.unwrap_err().0, 903);
    assert_eq!(wait("unknown").await.unwrap_err(), (-1, "Label not found".to_owned()));
}

#[tokio::test]
async fn only_invoices_in_the_named_state_are_deleted_and_stay_deleted() {
    let sim = start().await;
    let made = invoice(&sim, "one", 1).await.unwrap();
    let delete = json!({"label": "one", "status": "unpaid"});
    pay(&sim, &made).await.unwrap();
    let refused = call(&sim, "delinvoice", delete.clone()).await.unwrap_err();
    assert_eq!(refused, (906, "Invoice status is paid not unpaid".to_owned()));
    invoice(&sim, "two", 2).await.unwrap();
    call(&sim, "delinvoice", json!({"label": "two", "status": "unpaid"})).await.unwrap();
    let sim = sim.restart().await;
    assert!(list(&sim, json!({"label": "two"})).await.is_empty());
    let refused = call(&sim, "delinvoice", json!({"label": "two", "status": "unpaid"})).await.unwrap_err();
    assert_eq!(refused.0, 905);
    assert_eq!(invoice(&sim, "two", 2).await.unwrap()["created_index"], 3);
}

#[tokio::test]
async fn a_deleted_invoice_is_not_paid() {
    let sim = start().await;
    let made = invoice(&sim, "one", 1).await.unwrap();
    call(&sim, "delinvoice", json!({"label": "one", "status": "unpaid"})).await.unwrap();
    assert_eq!(pay(&sim, &made).await.unwrap_err().0, 203);
}

#[tokio::test]
async fn an_expired_invoice_is_expired() {
    let sim = start().await;
    invoice(&sim, "one", 1).await.unwrap();
    sim.clock.advance_secs(60);
    assert_eq!(list(&sim, json!({"label": "one"})).await[0].status, ListinvoicesInvoicesStatus::EXPIRED);
}

#[tokio::test]
async fn paying_twice_tells_the_first_payment_again() {
    let sim = start().await;
    let made = invoice(&sim, "one", 1).await.unwrap();
    let paid = pay(&sim, &made).await.unwrap();
    assert_eq!((&paid["status"], &paid["payment_preimage"]), (&json!("complete"), &json!(hex::encode([1; 32]))));
    assert_eq!(pay(&sim, &made).await.unwrap(), paid);
    let request = ListinvoicesRequest {
        label: Some("one".to_owned()),
        index: None,
        invstring: None,
        limit: None,
        offer_id: None,
        payment_hash: None,
        start: None,
    };
    let listed = client(&sim).await.call_typed(&request).await.unwrap();
    assert_eq!((listed.invoices[0].status, listed.invoices[0].pay_index), (ListinvoicesInvoicesStatus::PAID, Some(1)));
}

#[tokio::test]
async fn unknown_commands_and_missing_parameters_are_named() {
    let sim = start().await;
    let (code, words) = call(&sim, "explode", json!({})).await.unwrap_err();
    assert_eq!((code, words.as_str()), (-32601, "Unknown command 'explode'"));
    let (code, words) = call(&sim, "invoice", json!({"label": "one"})).await.unwrap_err();
    assert_eq!((code, words.as_str()), (-32602, "missing required parameter: amount_msat"));
}

#[tokio::test]
async fn faults_cut_the_connection_before_or_after_the_call() {
    let sim = start().await;
    sim.running.faults().next("invoice", Fault::Unavailable, 1);
    invoice(&sim, "one", 1).await.unwrap_err();
    assert!(list(&sim, json!({"label": "one"})).await.is_empty());
    sim.running.faults().next("invoice", Fault::LoseAnswer, 1);
    invoice(&sim, "one", 1).await.unwrap_err();
    assert_eq!(list(&sim, json!({"label": "one"})).await.len(), 1);
}

#[tokio::test]
async fn a_stopped_node_ends_the_calls_that_wait() {
    let sim = start().await;
    let mut client = client(&sim).await;
    let request = WaitanyinvoiceRequest { lastpay_index: Some(0), timeout: None };
    let waiting = tokio::spawn(async move { client.call_typed(&request).await.is_err() });
    sim.running.node().subscriptions_reach(1).await;
    tokio::time::timeout(PATIENCE, sim.running.shutdown()).await.expect("the node stops");
    assert!(waiting.await.unwrap());
}
