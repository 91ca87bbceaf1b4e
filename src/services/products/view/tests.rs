//! What is noted of what a host is told, before it is told.

use std::pin::pin;
use std::sync::{Arc, mpsc};

use futures_util::FutureExt;

use super::*;
use crate::domain::id::SystemRandom;
use crate::domain::money::Msat;
use crate::domain::product::{Subject, Terms};
use crate::domain::time::ManualClock;
use crate::services::Settings;
use crate::services::products::operate::{OperatorAction, operate};
use crate::services::test_support::{database, host, operator};
use crate::store::reservations;

const IP: &str = "203.0.113.7";
const KIND: ProductKind = ProductKind::TorBridge;
const START: Timestamp = Timestamp::from_secs(1_800_000_000);

struct World {
    _dir: tempfile::TempDir,
    shop: Shop,
    host: HostId,
}

fn world() -> World {
    let (dir, db) = database();
    operator(&db, "alice");
    let host = host(&db, "alice", IP, &[(20_000, 20_099)]).0;
    let clock = Arc::new(ManualClock::new(START));
    let shop = Shop::new(db, clock, Arc::new(SystemRandom), Settings::default()).unwrap();
    World { _dir: dir, shop, host }
}

/// A bridge that was ordered, with nothing reserved yet.
fn bridge(id: ProductId, host_id: HostId) -> Product {
    let terms = Terms { duration_secs: 86_400, grace_secs: 600, price_extension: Msat(20_000), bandwidth_initial: 100 };
    Product::ordered(id, host_id, Subject::Target("a.onion:80".to_owned()), terms, START)
}

impl World {
    fn by_host(&self) -> Principal {
        Principal::Host(self.host)
    }

    /// A bridge that waits for its host, which has not been told of it.
    fn waiting(&self) -> ProductId {
        let (id, host) = (ProductId(self.shop.new_id()), self.host);
        let store = move |db: &Connection| {
            let mut product = bridge(id, host);
            let ranges = reservations::bridge_ranges(db, host)?;
            product.port = reservations::reserve_port(db, &SystemRandom, IP, &ranges, id)?;
            products::insert(db, &product)?;
            product.transition_to(ProductStatus::NeedsActivate, START).unwrap();
            Ok::<_, Error>(products::update(db, ProductStatus::Initial, &product)?)
        };
        self.shop.db.write_blocking(store).unwrap();
        id
    }

    fn stored(&self, id: ProductId) -> Product {
        public(&self.shop, id, KIND).unwrap()
    }

    fn ports(&self) -> u32 {
        let ranges = self.shop.db.read(|db| reservations::bridge_ranges(db, self.host)).unwrap();
        ranges.iter().map(|range| range.used).sum()
    }

    /// What a question is answered with that has looked at a bridge just before it is taken down, and is to note what
    /// it has seen just after.
    async fn overtaken<T>(&self, id: ProductId, question: impl Future<Output = Result<T, Error>>) -> T {
        let (let_go, held) = mpsc::channel::<()>();
        let hold = move |_: &Connection| {
            let _ = held.recv();
            Ok::<_, Error>(())
        };
        let administrator = Principal::CommandLine(None);
        let mut holding = pin!(self.shop.db.write(hold));
        let mut taking_down = pin!(operate(&self.shop, &administrator, id, OperatorAction::Kill));
        let mut question = pin!(question);
        // They stand before the one writer in this order.
        assert!(holding.as_mut().now_or_never().is_none());
        assert!(taking_down.as_mut().now_or_never().is_none());
        assert!(question.as_mut().now_or_never().is_none(), "it notes nothing of what it has seen");
        drop(let_go);
        let (held, taken_down, answer) = tokio::join!(holding, taking_down, question);
        held.unwrap();
        taken_down.unwrap();
        answer.unwrap()
    }
}

#[tokio::test]
async fn what_is_taken_down_while_its_host_asks_is_not_told_to_it_as_waiting() {
    let world = world();
    let (shop, by, pending) = (&world.shop, world.by_host(), Some(ProductStatus::NeedsActivate));

    let id = world.waiting();
    let listed = world.overtaken(id, list(shop, &by, KIND, None, pending)).await;
    assert_eq!((listed.len(), world.ports()), (0, 0), "its port may be another's by now");
    assert_eq!((world.stored(id).status, world.stored(id).shown_at), (ProductStatus::Suspended, None));

    let id = world.waiting();
    let shown = world.overtaken(id, show(shop, &by, id, KIND)).await;
    assert_eq!((shown.product.status, world.ports()), (ProductStatus::Suspended, 0));
}

#[tokio::test]
async fn the_answer_to_a_report_is_noted_as_told_as_a_poll_is_but_only_its_hosts() {
    let world = world();
    for (by, told) in [(Principal::CommandLine(None), None), (world.by_host(), Some(START))] {
        let id = world.waiting();
        let report = ProductPatch { comment: Some(Some("hello".to_owned())), ..ProductPatch::default() };
        let answer = patch(&world.shop, &by, id, KIND, report).await.unwrap().product;
        assert_eq!((answer.status, answer.shown_at), (ProductStatus::NeedsActivate, told), "{by:?}");
        assert_eq!(world.stored(id).shown_at, told);

        let id = world.waiting();
        let answer = consume_bandwidth(&world.shop, &by, id, 1).await.unwrap().product;
        assert_eq!((answer.bandwidth_remaining, answer.shown_at), (99, told), "{by:?}");
        assert_eq!(world.stored(id).shown_at, told);
    }
}
