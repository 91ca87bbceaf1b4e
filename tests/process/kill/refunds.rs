//! `order refund` killed at random moments, and its node too, while the operator tries again with
//! one payment request and another: the buyer gets the money back once.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use bitcoin::hashes::{Hash, sha256};
use bitcoin::secp256k1::{Secp256k1, SecretKey};
use lightning_invoice::{Currency, InvoiceBuilder, PaymentSecret};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::live::http::Body;
use crate::live::payer::{Paid, pay};
use crate::live::process::{BIN, run_json, wait_until};
use crate::live::shop::{QUIET_JOBS, Setup, Shop};

/// Longer than the command waits for a payment (75 s).
const PATIENCE: Duration = Duration::from_secs(90);
const OWED: u64 = 25_000;
/// A host that takes payments at once.
pub const HOSTS: [&[&str]; 1] = [&["--port-range", "20000-20999", "--use-holds=false"]];

/// A payment request of the buyer's wallet, which is some node in the network.
pub fn bolt11() -> String {
    let random = || -> [u8; 32] { std::array::from_fn(|_| fastrand::u8(..)) };
    let key = SecretKey::from_slice(&random()).expect("a key");
    let builder = InvoiceBuilder::new(Currency::Regtest)
        .description("money back".to_owned())
        .payment_hash(sha256::Hash::from_byte_array(random()))
        .payment_secret(PaymentSecret(random()))
        .basic_mpp()
        .duration_since_epoch(Duration::from_secs(crate::live::now()))
        .min_final_cltv_expiry_delta(40)
        .amount_milli_satoshis(OWED);
    let signed = builder.build_signed(|digest| Secp256k1::new().sign_ecdsa_recoverable(digest, &key));
    signed.expect("a payment request").to_string()
}

/// An order that was paid and that the host can't deliver.
pub fn owed_order(shop: &Shop) -> String {
    let placed = shop.order(&shop.hosts[0], "refund").expect("an answer").json();
    let id = placed["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/v1/public/pos/{id}/");
    let look = || shop.client().get(&path).expect("an answer").json();
    let request = || look()["ln_invoices"][0]["payment_request"].as_str().map(str::to_owned);
    let request = wait_until(PATIENCE, request).expect("an invoice");
    assert_eq!(pay(&shop.nodes[0].dir, &request, PATIENCE), Paid::Settled);
    report_failure(shop, &id);
    wait_until(PATIENCE, || (look()["status"] == "N").then_some(())).expect("the money is owed");
    id
}

/// The host says that it can't deliver what was ordered, once it may.
pub fn report_failure(shop: &Shop, order: &str) {
    let answer = shop.client().get(&format!("/api/v1/public/pos/{order}/")).expect("an answer").json();
    let product = answer["item_details"][0]["product"]["id"].as_str().expect("a product");
    let host = shop.client().as_host(&shop.hosts[0].token);
    let report = || {
        let path = format!("/api/v1/tor_bridges/{product}/");
        let answer = host.send("PATCH", &path, &Body::Json(json!({"status": "F"}))).expect("an answer");
        (answer.status == 200).then_some(())
    };
    wait_until(PATIENCE, report).expect("the host's failure is noted");
}

/// Runs the command; kills it after `patience`. Whether it said that the buyer has the money.
fn refund(shop: &Shop, order: &str, bolt11: &str, patience: Duration) -> bool {
    let mut command = Command::new(BIN);
    command.args(["order", "refund", order, bolt11, "--config"]).arg(shop.config());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let ended = wait_until(patience, || child.try_wait().ok().flatten());
    let _ = child.kill();
    let _ = child.wait();
    ended.is_some_and(|status| status.success())
}

/// How often the node has paid one of these payment requests.
pub fn times_paid(node: &Path, requests: &[String]) -> usize {
    let journal = std::fs::read_to_string(node.join("journal.jsonl")).expect("the node's journal");
    let entries = journal.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let paid = entries.filter_map(|entry| {
        let payment = entry.get("Paid").filter(|payment| payment["state"].get("Succeeded").is_some())?;
        payment["request"].as_str().map(str::to_owned)
    });
    let paid: std::collections::BTreeSet<String> = paid.filter(|request| requests.contains(request)).collect();
    paid.len()
}

fn status(shop: &Shop, order: &str) -> String {
    let db = Connection::open(shop.database()).expect("the database opens");
    let sql = "SELECT status FROM purchase_order WHERE lower(hex(id)) = ?";
    db.query_row(sql, [order.replace('-', "")], |row| row.get(0)).expect("the order")
}

#[test]
fn a_refund_that_is_killed_and_tried_again_is_paid_once() {
    let mut shop = Shop::start(&Setup { nodes: 1, hosts: &HOSTS, config: "", jobs: &QUIET_JOBS });
    let (config, node) = (shop.config().display().to_string(), shop.nodes[0].id.clone());
    let macaroon = shop.nodes[0].dir.join("admin.macaroon").display().to_string();
    run_json(&["node", "set", &node, "--payment-macaroon-file", &macaroon, "--config", &config]);
    let orders: Vec<String> = (0..12).map(|_| owed_order(&shop)).collect();
    let mut refunded = 0;
    for order in &orders {
        let requests = [bolt11(), bolt11()];
        for attempt in 0..4 {
            let moment = Duration::from_millis(fastrand::u64(10..80));
            let said = refund(&shop, order, &requests[attempt % 2], moment);
            let times = times_paid(&shop.nodes[0].dir, &requests);
            assert!(times <= 1, "order {order} was paid back {times} times");
            assert!(!said || times == 1 && status(&shop, order) == "S", "order {order}: said to be refunded");
            if fastrand::u8(..4) == 0 {
                shop.nodes[0].restart();
            }
        }
        let said = refund(&shop, order, &requests[0], PATIENCE);
        let times = times_paid(&shop.nodes[0].dir, &requests);
        assert!(times <= 1, "order {order} was paid back {times} times");
        assert_eq!(
            status(&shop, order) == "S",
            times == 1,
            "order {order}: paid {times} times, the command said {said}"
        );
        refunded += times;
    }
    println!("{refunded} of {} orders refunded", orders.len());
    assert!(refunded > 0, "some commands live long enough");
}
