//! What must stay secret: certificates and macaroons that are stored in the database, and preimages,
//! are in no log line at any level, in no `Debug` output, and in nothing that operators are shown; no more are the macaroons
//! that pay refunds, and the preimages that prove those.

#[expect(dead_code, reason = "other tests use the rest of it")]
#[path = "../it/money/rig.rs"]
mod rig;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ip2tor_lnd_simulator::Fault;
use ip2tor_shop::background::refunds::{RefundOrder, refund};
use ip2tor_shop::domain::id::OrderId;
use ip2tor_shop::domain::lightning::{InvoiceRequest, Preimage};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::node::NodeKind;
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::lightning::dial::Dial;
use ip2tor_shop::services::nodes;
use ip2tor_shop::services::nodes::manage::NodeChange;
use ip2tor_shop::services::{Principal, Session, products};
use ip2tor_shop::store::{StoreError, node_state};
use rig::{NODE, Rig, Setup};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn start() -> Self {
        let log = Self::default();
        let writer = log.clone();
        let lines = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
        lines.with_writer(move || writer.clone()).init();
        log
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

/// How bytes could be written: hexadecimal, Base64, a list of numbers. A third of them is enough to
/// tell.
fn spellings(bytes: &[u8]) -> Vec<String> {
    let part = &bytes[bytes.len() / 3..bytes.len() / 3 + 12];
    let aligned = &bytes[bytes.len() / 9 * 3..bytes.len() / 9 * 3 + 12];
    let list = part.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
    vec![hex::encode(part), hex::encode_upper(part), STANDARD.encode(aligned), list]
}

/// Moves the first node's credentials from their files into the database.
async fn store_credentials(rig: &Rig) -> [Vec<u8>; 2] {
    let read = |name| std::fs::read(rig.dir.path().join(NODE).join(name)).expect("a credential");
    let [certificate, macaroon] = [read("tls.cert"), read("shop.macaroon")];
    let node = rig.node;
    let change = NodeChange {
        certificate: Some(certificate.clone()),
        macaroon: Some(macaroon.clone()),
        ..NodeChange::default()
    };
    rig.shop
        .tx(&Principal::CommandLine(None), move |tx| nodes::manage::set(tx, node, change, None))
        .await
        .expect("stored");
    [certificate, macaroon]
}

/// All texts that operators, hosts and buyers can be shown.
fn shown(rig: &Rig) -> String {
    let columns = [
        "SELECT text FROM alert",
        "SELECT change FROM audit_log",
        "SELECT coalesce(info, '') || coalesce(last_error, '') FROM node",
        "SELECT coalesce(message, '') FROM purchase_order",
        "SELECT coalesce(last_error, '') FROM effect",
    ];
    let read = |db: &rusqlite::Connection| {
        let mut all = String::new();
        for sql in columns {
            let mut statement = db.prepare(sql)?;
            for text in statement.query_map([], |row| row.get::<_, String>(0))? {
                all.push_str(&text?);
                all.push('\n');
            }
        }
        Ok(all)
    };
    rig.shop.db.read(|db| read(db).map_err(|error: rusqlite::Error| StoreError::from(error))).expect("the texts")
}

/// The buyer's, of the invoice by which the money goes back.
const BUYERS_PREIMAGE: Preimage = Preimage([0xd7; 32]);

/// An order of a node of this kind is paid back, after a try that the node refuses and one whose answer is lost. Returns
/// the macaroon for it, and everything that was told.
async fn refunded(kind: NodeKind) -> (Vec<u8>, String) {
    let rig = Rig::new(Setup { kind, ..Setup::two_nodes() }).await;
    rig.sim().node().connect(rig.spare().sim.node());
    let file = rig.dir.path().join(NODE).join("admin.macaroon");
    let switched = match kind {
        NodeKind::Cln => NodeChange { pays_refunds: Some(true), ..NodeChange::default() },
        _ => NodeChange { payment_macaroon_file: Some(file.display().to_string()), ..NodeChange::default() },
    };
    let node = rig.node;
    rig.shop
        .tx(&Principal::CommandLine(None), move |tx| nodes::manage::set(tx, node, switched, None))
        .await
        .expect("switched on");
    let order = owing(&rig).await;
    let bolt11 = bill(&rig).await;
    let mut told = String::new();
    let pay = if kind == NodeKind::Cln { "xpay" } else { "SendPaymentV2" };
    for fault in [Some(Fault::Unavailable), Some(Fault::ResetAfter), None] {
        if let Some(fault) = fault {
            rig.sim().faults().next(pay, fault, 1);
        }
        let bolt11 = bolt11.clone();
        let wanted = RefundOrder { order, bolt11, amount: None, fee_limit: None, not_paid_since_backup: false };
        told.push_str(&format!(
            "{:?}\n",
            refund(&rig.shop, &Dial::direct(), wanted, &Principal::CommandLine(None)).await
        ));
        rig.clock.advance_secs(180);
    }
    assert_eq!(rig.order_status(order), "S", "{told}");
    told.push_str(&shown(&rig));
    told.push_str(&debugged(&rig));
    (std::fs::read(file).expect("a macaroon"), told)
}

/// An order that was paid and is not delivered in time.
async fn owing(rig: &Rig) -> OrderId {
    rig.check_in().await;
    let (order, _) = rig.ordered().await;
    rig.pay(order);
    rig.wait_order(order, "P").await;
    rig.clock.advance_secs(30 * 60);
    products::expire::give_up_unactivated(&rig.shop).await.expect("given up");
    order
}

/// The buyer's invoice over the price.
async fn bill(rig: &Rig) -> String {
    let request = InvoiceRequest {
        hash: BUYERS_PREIMAGE.hash(),
        preimage: Some(BUYERS_PREIMAGE),
        amount: Msat(25_000),
        memo: "refund".to_owned(),
        described_by: None,
        expiry_secs: 3600,
        cltv_expiry: None,
        private: false,
    };
    let buyer = rig.registry.get(rig.spare().node).expect("the buyer's node").node;
    buyer.create(&request).await.expect("made").payment_request
}

fn debugged(rig: &Rig) -> String {
    let session = Session::on_command_line(rig.now());
    let nodes = session.read(&rig.shop.db, nodes::manage::list).expect("the nodes");
    let specs = rig.shop.db.read(node_state::specs).expect("the nodes");
    format!("{nodes:?} {nodes:#?} {specs:?} {specs:#?}")
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_credentials_and_preimages_are_shown_nowhere() {
    let log = Log::start();
    let mut rig = Rig::new(Setup::holding()).await;
    let [certificate, macaroon] = store_credentials(&rig).await;
    // A purchase that is settled, one that fails at a node that is away, and a refused macaroon.
    let (order, product) = rig.ordered().await;
    rig.pay(order);
    rig.wait_product(product, ProductStatus::NeedsActivate).await;
    rig.report(product, ProductStatus::Active).await.expect("activated");
    rig.wait_order(order, "P").await;
    let (second, _) = rig.ordered().await;
    rig.stop_node().await;
    rig.clock.advance_secs(1000);
    products::expire::close_unpaid(&rig.shop).await.expect("closed");
    rig.start_node().await;
    rig.wait_order_as_time_passes(second, "R").await;

    let mut everything = format!("{}{}", shown(&rig), debugged(&rig));
    let mut payment_macaroons = Vec::new();
    for kind in NodeKind::ALL {
        let (macaroon, told) = refunded(kind).await;
        payment_macaroons.push(macaroon);
        everything.push_str(&told);
    }
    everything.push_str(&log.text());
    assert!(everything.contains("ip2tor_shop"), "there is something to look at");
    let preimages = [order, second].map(|order| rig.shop.preimage(order, 0).0.to_vec());
    let body = certificate.split(|byte| *byte == b'\n').nth(3).expect("a line of the certificate");
    let proof = BUYERS_PREIMAGE.0.to_vec();
    let secret = preimages.iter().chain(&payment_macaroons).chain([&macaroon, &proof]);
    let mut secrets: Vec<String> = secret.flat_map(|bytes| spellings(bytes)).collect();
    secrets.push(String::from_utf8_lossy(body).into_owned());
    for secret in secrets {
        assert!(!everything.contains(&secret), "{secret} is shown");
    }
}
