//! A comparison that fails is told once, and is never the last.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::*;
use crate::background::nodes::test_entry::entry_of;
use crate::background::test_log::Log;
use crate::domain::id::{NodeId, Random, SystemRandom};
use crate::domain::time::{Clock, SystemClock, Timestamp};
use crate::services::Settings;
use crate::services::test_support::database;
use crate::store::StoreError;

/// Whoever asks for the time after the shop has begun meets a defect.
#[derive(Default)]
struct Broken {
    has_begun: AtomicBool,
}

impl Clock for Broken {
    fn now(&self) -> Timestamp {
        assert!(!self.has_begun.swap(true, Ordering::Relaxed), "a defect");
        SystemClock.now()
    }
}

#[tokio::test]
async fn a_comparison_that_panics_is_not_the_last() {
    let (_dir, db) = database();
    let shop = Shop::new(db, Arc::new(Broken::default()), Arc::new(SystemRandom), Settings::default()).unwrap();
    let entry = entry_of(NodeId(SystemRandom.uuid()));
    entry.compare.notify_one();
    let ended = tokio::time::timeout(Duration::from_millis(300), run(shop, entry)).await;
    assert!(ended.is_err(), "it waits for the next time");
}

#[tokio::test]
async fn a_node_that_can_not_be_compared_with_is_told_once() {
    let (log, _guard) = Log::start();
    let (_dir, db) = database();
    let shop = Shop::new(db, Arc::new(SystemClock), Arc::new(SystemRandom), Settings::default()).unwrap();
    let entry = entry_of(NodeId(SystemRandom.uuid()));
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

/// An order at node `zeroblob(16)` whose plain invoice can be paid.
const PAYABLE: &str = "INSERT INTO operator (id, name, role, password_hash, created_at, modified_at) \
     VALUES (7, 'seven', 'operator', '-', 0, 0); \
     INSERT INTO node (id, operator_id, kind, name, host, port, created_at, modified_at) \
     VALUES (zeroblob(16), 7, 'lnd_grpc', 'bare', '127.0.0.1', 1, 0, 0); \
     INSERT INTO host (id, owner_id, token_hash, ip, ip_sort, name, created_at, modified_at) \
     VALUES (zeroblob(16), 7, zeroblob(32), '192.0.2.1', zeroblob(16), 'host', 0, 0); \
     INSERT INTO product (seq, id, kind, host_id, status, placed, target, duration_secs, grace_secs, price_extension, \
     bandwidth_initial, bandwidth_remaining, created_at, modified_at) \
     VALUES (1, zeroblob(16), 'tor_bridge', zeroblob(16), 'I', 0, 'x', 0, 0, 0, 0, 0, 0, 0); \
     INSERT INTO purchase_order (seq, id, product_seq, host_id, kind, status, price, created_at, modified_at) \
     VALUES (1, zeroblob(16), 1, zeroblob(16), 'first', 'T', 1, 0, 0); \
     INSERT INTO invoice (seq, state, node_id, payment_hash, is_hold, amount, expiry_secs, created_at, modified_at) \
     VALUES (1, 'open', zeroblob(16), zeroblob(32), 0, 1, 1, 0, 0)";

#[test]
fn a_node_whose_stream_may_be_deaf_is_compared_by_itself_while_something_can_be_paid_there() {
    let (_dir, db) = database();
    let shop = Shop::new(db, Arc::new(SystemClock), Arc::new(SystemRandom), Settings::default()).unwrap();
    let mut entry = entry_of(NodeId(SystemRandom.uuid()));
    entry.spec.id = NodeId::parse("00000000-0000-0000-0000-000000000000").unwrap();
    assert!(!is_unheard(&shop, &entry), "nothing can be paid");
    shop.db.write_blocking(|db| db.execute_batch(PAYABLE).map_err(StoreError::from)).unwrap();
    assert!(is_unheard(&shop, &entry), "the first payment may be found by this alone");
    // As the stream does once it has told a settlement beyond its cursor, and undoes when it is opened anew.
    entry.is_counting_on.store(true, Ordering::Relaxed);
    assert!(!is_unheard(&shop, &entry), "it hears");
    entry.is_counting_on.store(false, Ordering::Relaxed);
    assert!(is_unheard(&shop, &entry));
}
