//! A comparison that fails is told once, and is never the last.

use std::sync::Arc;

use super::*;
use crate::background::nodes::connect::connect;
use crate::background::test_log::Log;
use crate::domain::id::{NodeId, Random, SystemRandom};
use crate::domain::time::{Clock, SystemClock};
use crate::lightning::dial::Dial;
use crate::services::Settings;
use crate::services::test_support::database;
use crate::store::node_state::Spec;

/// Whoever asks for the time meets a defect.
struct Broken;

impl Clock for Broken {
    fn now(&self) -> Timestamp {
        panic!("a defect")
    }
}

/// A node that is not there.
fn entry() -> Entry {
    let spec = Spec {
        id: NodeId(SystemRandom.uuid()),
        kind: "cln".to_owned(),
        name: "cln".to_owned(),
        host: "/no/lightning-rpc".to_owned(),
        port: 0,
        certificate_file: None,
        certificate: None,
        macaroon_file: None,
        macaroon: None,
        allow_spending: false,
        details_macaroon_file: None,
    };
    let node = connect(&spec, &Dial::direct()).unwrap();
    Entry::new(spec, node)
}

#[tokio::test]
async fn a_comparison_that_panics_is_not_the_last() {
    let (_dir, db) = database();
    let shop = Shop::new(db, Arc::new(Broken), Arc::new(SystemRandom), Settings::default()).unwrap();
    let entry = entry();
    entry.compare.notify_one();
    let ended = tokio::time::timeout(Duration::from_millis(300), run(shop, entry)).await;
    assert!(ended.is_err(), "it waits for the next time");
}

#[tokio::test]
async fn a_node_that_can_not_be_compared_with_is_told_once() {
    let (log, _guard) = Log::start();
    let (_dir, db) = database();
    let shop = Shop::new(db, Arc::new(SystemClock), Arc::new(SystemRandom), Settings::default()).unwrap();
    let entry = entry();
    let mut running = Box::pin(run(shop, entry.clone()));
    for tries in 1..=3 {
        entry.compare.notify_one();
        let failed = async {
            while log.count("", "comparing invoices failed") < tries {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = &mut running => panic!("it has ended"),
            () = failed => {}
        }
    }
    assert_eq!((log.count("WARN", "failed"), log.count("DEBUG", "failed again")), (1, 2));
}
