//! Core Lightning's answers, word for word as lightningd gives them, and the failures of its socket.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt;
use ip2tor_shop::domain::lightning::{CancelOutcome, Network, NodeErrorKind, NodeInvoiceState, PaymentHash};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::time::Timestamp;
use ip2tor_shop::lightning::LightningNode;
use ip2tor_shop::lightning::cln::CoreLightning;
use ip2tor_shop::lightning::policy::Policy;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

const HASH: PaymentHash = PaymentHash([0x7a; 32]);

/// A lightningd that answers each method by `script`; `Null` leaves the caller waiting.
struct Daemon {
    dir: tempfile::TempDir,
}

impl Daemon {
    fn start(script: impl Fn(&str, &Value) -> Value + Send + Sync + 'static) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("lightning-rpc")).unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                let asked = loop {
                    assert!(stream.read_buf(&mut request).await.unwrap() > 0, "the caller hung up");
                    if let Ok(asked) = serde_json::from_slice::<Value>(&request) {
                        break asked;
                    }
                };
                let mut answer = script(asked["method"].as_str().unwrap(), &asked["params"]);
                if answer.is_null() {
                    tokio::spawn(async move {
                        std::future::pending::<()>().await;
                        drop(stream);
                    });
                    continue;
                }
                answer["jsonrpc"] = "2.0".into();
                answer["id"] = asked["id"].clone();
                let text = format!("{}\n\n", serde_json::to_string_pretty(&answer).unwrap());
                stream.write_all(text.as_bytes()).await.ok();
            }
        });
        Self { dir }
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("lightning-rpc")
    }

    fn node(&self) -> CoreLightning {
        CoreLightning::new(self.socket(), Policy::default())
    }
}

fn result(value: Value) -> Value {
    json!({ "result": value })
}

fn invoice(status: &str, extra: Value) -> Value {
    let mut invoice = json!({
        "label": format!("ip2tor-{HASH}"),
        "bolt11": "lnbcrt250u1unreadable",
        "payment_hash": HASH.to_string(),
        "amount_msat": 25_000_000,
        "status": status,
        "description": "PO: 1",
        "expires_at": 1_706_757_730,
        "created_index": 5,
    });
    for (key, value) in extra.as_object().unwrap() {
        invoice[key] = value.clone();
    }
    invoice
}

fn paid(index: u64) -> Value {
    invoice(
        "paid",
        json!({
            "pay_index": index,
            "amount_received_msat": 25_000_001,
            "paid_at": 1_706_757_000,
            "payment_preimage": "5".repeat(64),
            "updated_index": 1,
        }),
    )
}

#[tokio::test]
async fn what_lightningd_says_of_itself_is_understood() {
    let id = "0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518";
    let daemon = Daemon::start(move |method, _| match method {
        "getinfo" => result(json!({
            "id": id, "alias": "JUNIORBEAM", "color": "0266e4", "num_peers": 1, "num_pending_channels": 0,
            "num_active_channels": 2, "num_inactive_channels": 0,
            "address": [
                {"type": "ipv4", "address": "203.0.113.5", "port": 9735},
                {"type": "ipv6", "address": "2001:db8::5", "port": 9735},
            ],
            "binding": [{"type": "ipv4", "address": "127.0.0.1", "port": 44253}],
            "version": "v24.02", "blockheight": 110, "network": "bitcoin", "fees_collected_msat": 0,
            "lightning-dir": "/tmp/l1/bitcoin",
            "our_features": {"init": "08a0", "node": "88a0", "channel": "", "invoice": "0200"},
            "warning_lightningd_sync": "Still loading latest blocks from bitcoind.",
        })),
        _ => result(json!({"channels": [
            {"state": "CHANNELD_NORMAL", "receivable_msat": 7000, "spendable_msat": 3000, "peer_id": id},
            {"state": "ONCHAIN", "receivable_msat": 9000, "peer_id": id, "peer_connected": true},
            {"state": "CHANNELD_NORMAL", "receivable_msat": 9000, "peer_id": id, "peer_connected": false},
        ]})),
    });
    let info = daemon.node().info().await.unwrap();
    assert_eq!(info.network, Some(Network::Mainnet));
    assert_eq!(info.uris, [format!("{id}@203.0.113.5:9735"), format!("{id}@[2001:db8::5]:9735")]);
    assert_eq!((info.active_channels, info.block_height), (Some(1), Some(110)));
    assert_eq!((info.inbound, info.outbound), (Some(Msat(7000)), Some(Msat(3000))));
    assert_eq!(info.synced_to_chain, Some(false));
}

#[tokio::test]
async fn the_states_of_an_invoice_are_understood() {
    for (answer, state) in [
        (invoice("unpaid", json!({})), NodeInvoiceState::Open),
        (invoice("expired", json!({})), NodeInvoiceState::Canceled),
        (paid(3), NodeInvoiceState::Settled),
    ] {
        let daemon = Daemon::start(move |method, params| {
            assert_eq!((method, params["payment_hash"].as_str()), ("listinvoices", Some(&*HASH.to_string())));
            result(json!({ "invoices": [answer] }))
        });
        let found = daemon.node().look_up(HASH).await.unwrap().unwrap();
        assert_eq!((found.hash, found.state, found.amount), (HASH, state, Msat(25_000_000)));
        assert_eq!(found.expires_at, Timestamp::from_secs(1_706_757_730));
    }
    let none = Daemon::start(|_, _| result(json!({"invoices": []})));
    assert_eq!(none.node().look_up(HASH).await.unwrap(), None);
}

#[tokio::test]
async fn settlements_go_on_after_a_poll_that_found_none() {
    let polls = std::sync::atomic::AtomicUsize::new(0);
    let daemon = Daemon::start(move |method, params| match method {
        "getinfo" => result(getinfo()),
        _ => match (polls.fetch_add(1, std::sync::atomic::Ordering::SeqCst), params["lastpay_index"].as_u64()) {
            (0, Some(6)) => json!({"error": {"code": 904, "message": "Timed out while waiting for invoice"}}),
            (1, Some(6)) => result(paid(7)),
            (2, Some(7)) => result(paid(9)),
            (2.., Some(9)) => Value::Null,
            other => panic!("unexpected poll {other:?}"),
        },
    });
    let stream = daemon.node().settlements(6).await.unwrap();
    let indexes: Vec<_> = stream.take(2).map(|invoice| invoice.unwrap().settle_index).collect().await;
    assert_eq!(indexes, [7, 9]);
}

#[tokio::test]
async fn a_settlement_that_is_repeated_against_the_rules_ends_the_stream() {
    let daemon = Daemon::start(|method, _| result(if method == "getinfo" { getinfo() } else { paid(6) }));
    let items: Vec<_> = daemon.node().settlements(6).await.unwrap().collect().await;
    assert!(matches!(&items[..], [Err(_)]), "{items:?}");
}

#[tokio::test]
async fn a_settlement_that_cannot_be_read_is_passed_over_and_a_lower_index_is_gone_on_with() {
    let daemon = Daemon::start(|method, params| match (method, params["lastpay_index"].as_u64()) {
        ("getinfo", _) => result(getinfo()),
        (_, Some(6)) => result(json!({"pay_index": 7, "status": "paid", "label": 5})),
        (_, Some(7)) => result(paid(2)),
        (_, Some(2)) => result(paid(3)),
        _ => Value::Null,
    });
    let stream = daemon.node().settlements(6).await.unwrap();
    let indexes: Vec<_> = stream.take(2).map(|invoice| invoice.unwrap().settle_index).collect().await;
    assert_eq!(indexes, [2, 3], "the node counts anew");
}

#[tokio::test]
async fn an_invoice_that_cannot_be_read_keeps_no_other_of_its_page_from_being_read() {
    let odd = [
        json!({"created_index": 4}),
        json!(null),
        invoice("frozen", json!({})),
        invoice("unpaid", json!({"payment_hash": ""})),
    ];
    let page: Vec<Value> = odd.into_iter().chain([invoice("unpaid", json!({}))]).collect();
    let daemon = Daemon::start(move |_, params| {
        assert_eq!((params["index"].as_str(), params["start"].as_u64()), (Some("created"), Some(4)));
        result(json!({ "invoices": page }))
    });
    let read = daemon.node().open_invoices(3, 5).await.unwrap();
    assert_eq!(read.invoices.iter().map(|invoice| invoice.hash).collect::<Vec<_>>(), [HASH]);
    assert_eq!(read.next, Some(5), "after the last of the page");
}

#[tokio::test]
async fn an_invoice_that_is_paid_while_it_is_being_cancelled_counts_as_paid() {
    let deleting = std::sync::atomic::AtomicBool::new(false);
    let daemon = Daemon::start(move |method, _| {
        if method == "delinvoice" {
            deleting.store(true, std::sync::atomic::Ordering::SeqCst);
            return json!({"error": {"code": 906, "message": "Invoice status is paid not unpaid"}});
        }
        let done = deleting.load(std::sync::atomic::Ordering::SeqCst);
        result(json!({ "invoices": [if done { paid(1) } else { invoice("unpaid", json!({})) }] }))
    });
    assert_eq!(daemon.node().cancel(HASH).await.unwrap(), CancelOutcome::AlreadySettled);
}

#[tokio::test]
async fn a_missing_socket_is_refused_and_a_silent_one_times_out() {
    let daemon = Daemon::start(|_, _| Value::Null);
    let hasty = Policy { call_limit: Duration::from_millis(200), ..Policy::default() };
    let silent = CoreLightning::new(daemon.socket(), hasty).info().await.unwrap_err();
    assert_eq!(silent.kind, NodeErrorKind::TimedOut, "{silent}");
    let nothing = CoreLightning::new(daemon.dir.path().join("nothing"), Policy::default());
    let missing = nothing.info().await.unwrap_err();
    assert_eq!(missing.kind, NodeErrorKind::Refused, "{missing}");
    assert!(!missing.may_have_happened() && silent.may_have_happened());
}

#[tokio::test]
async fn answers_that_are_not_lightningds_are_told_as_such() {
    let daemon = Daemon::start(|_, _| result(json!({"hello": "world"})));
    let error = daemon.node().look_up(HASH).await.unwrap_err();
    assert_eq!(error.kind, NodeErrorKind::Rejected);
    assert!(error.detail.contains("lightning-rpc"), "{error}");
}

fn getinfo() -> Value {
    json!({
        "id": "0266e4598d1d3c415f572a8488830b60f7e744ed9235eb0b1ba93283b315c03518", "alias": "A", "color": "0266e4",
        "num_peers": 0, "num_pending_channels": 0, "num_active_channels": 0, "num_inactive_channels": 0,
        "address": [], "version": "v25.02", "blockheight": 1, "network": "regtest", "fees_collected_msat": 0,
        "lightning-dir": "/l",
    })
}
