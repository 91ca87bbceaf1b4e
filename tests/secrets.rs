//! What must stay secret: certificates and macaroons that are stored in the database, and preimages,
//! are in no log line at any level, in no `Debug` output, and in nothing that operators are shown.

#[expect(dead_code, reason = "other tests use the rest of it")]
#[path = "money/rig.rs"]
mod rig;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::services::nodes_admin::{self, NodeChange};
use ip2tor_shop::services::{Act, deadlines};
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
    let (act, node) = (Act::on_command_line(rig.now()), rig.node);
    let change = NodeChange {
        certificate: Some(certificate.clone()),
        macaroon: Some(macaroon.clone()),
        ..NodeChange::default()
    };
    rig.shop.db.write(move |db| nodes_admin::set(db, &act, node, change, None)).await.expect("stored");
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

fn debugged(rig: &Rig) -> String {
    let act = Act::on_command_line(rig.now());
    let nodes = rig.shop.db.read(|db| nodes_admin::list(db, &act)).expect("the nodes");
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
    deadlines::close_unpaid(&rig.shop).await.expect("closed");
    rig.start_node().await;
    rig.wait_order_as_time_passes(second, "R").await;

    let everything = format!("{}{}{}", log.text(), shown(&rig), debugged(&rig));
    assert!(everything.contains("ip2tor_shop"), "there is something to look at");
    let preimages = [order, second].map(|order| rig.shop.preimage(order, 0).0.to_vec());
    let body = certificate.split(|byte| *byte == b'\n').nth(3).expect("a line of the certificate");
    let mut secrets: Vec<String> = preimages.iter().chain([&macaroon]).flat_map(|bytes| spellings(bytes)).collect();
    secrets.push(String::from_utf8_lossy(body).into_owned());
    for secret in secrets {
        assert!(!everything.contains(&secret), "{secret} is shown");
    }
}
