//! What becomes of dumps: of the sample, of one for each odd thing, of random ones.

mod dumps;
mod machines;
mod money;
mod oddities;
mod random;

use ip2tor_lightning::{pasted, permissions};

use super::*;
use crate::domain::deny_list::DenyStatus;
use crate::domain::id::{HostId, OrderId, ProductId, SystemRandom};
use crate::domain::operator::Role;
use crate::domain::product::{Product, ProductStatus};
use crate::domain::purchase::{Delivery, OrderStatus, Purchase};
use crate::services::test_support::{administrator, database};
use crate::services::{Error, hosts};
use crate::store::{Db, deals, deny_list, host_tokens, nodes, operators, products};

/// A dump as the old shop's framework writes it.
const SAMPLE: &[u8] = include_bytes!("../../../tests/fixtures/old_shop.json");
/// When it was written.
const SAMPLE_TIME: &str = "2024-03-01T12:05:00Z";

const BRIDGE: &str = "4c6bbbd4-f032-44b8-b08d-4b6c8fc94658";
const SUSPENDED: &str = "385c2280-dc75-4842-afb9-67e1ec6f11e7";
const ALIAS: &str = "0bce39dc-0867-48b7-b147-2ecebecd7d70";
const HOST: &str = "9c1fdadb-dc90-43de-9d43-ff909b8840dd";

fn time(text: &str) -> Timestamp {
    Timestamp::parse_lenient(text).unwrap()
}

const CREDENTIALS: Credentials =
    Credentials { certificate: pasted::check_certificate, macaroon: permissions::invoice_macaroon };

fn sample() -> Result<Plan, Refused> {
    plan(SAMPLE, &Env::default(), &CREDENTIALS, time(SAMPLE_TIME))
}

/// Stores a plan in a shop of its own.
fn stored(plan: &Plan) -> (tempfile::TempDir, Db) {
    let (dir, db) = database();
    keep(&db, plan).unwrap();
    (dir, db)
}

fn keep(db: &Db, plan: &Plan) -> Result<(), Error> {
    let plan = plan.clone();
    administrator().write(db, move |tx| store(tx, &SystemRandom, &plan))
}

fn product(db: &Db, id: &str) -> Product {
    db.read(|db| products::get(db, ProductId::parse(id).unwrap())).unwrap().unwrap()
}

fn order(db: &Db, id: &str) -> Purchase {
    db.read(|db| deals::purchase(db, OrderId::parse(id).unwrap())).unwrap().unwrap().0
}

fn is_there(db: &Db, id: &str) -> bool {
    db.read(|db| deals::purchase(db, OrderId::parse(id).unwrap())).unwrap().is_some()
}

#[test]
fn the_sample_becomes_a_shop() {
    let plan = sample().unwrap();
    let (_dir, db) = stored(&plan);
    let people = db.read(operators::list).unwrap();
    let people: Vec<_> = people.iter().map(|person| (person.id.0, person.name.as_str(), person.role)).collect();
    assert_eq!(people, [(1, "admin", Role::Administrator), (2, "operator", Role::Operator)]);
    let site = db.read(hosts::catalog::site).unwrap();
    assert_eq!((site.domain.as_str(), site.name.as_str()), ("shop.example", "Example shop"));

    let host = HostId::parse(HOST).unwrap();
    let view = administrator().read(&db, |tx| hosts::manage::show(tx, host)).unwrap();
    assert_eq!(
        (view.host.ip.as_str(), view.host.name.as_str(), view.owner.as_str()),
        ("203.0.113.7", "bridge1", "operator")
    );
    let ranges: Vec<_> = view.ranges.iter().map(|range| (range.first, range.last, range.used)).collect();
    assert_eq!(ranges, [(20_000, 20_099, 2), (21_000, 21_009, 0), (22_000, 22_009, 0)]);
    let hash = hosts::manage::hash_token("139bd2254bc6d500516a601ba5217765a13cde4a");
    let owner = db.read(|db| host_tokens::owner(db, &hash, administrator().now)).unwrap();
    assert_eq!(owner.map(|owner| owner.host), Some(host), "the token that the host has");

    let bridge = product(&db, BRIDGE);
    assert_eq!((bridge.status, bridge.port, bridge.placed), (ProductStatus::Active, Some(20_001), true));
    assert_eq!(bridge.suspend_after, Some(Timestamp(time("2024-03-02T12:00:00Z").0 + 123)));
    assert_eq!((bridge.terms.price_extension.0, bridge.bandwidth_remaining), (20_000, 1 << 30));
    let suspended = product(&db, SUSPENDED);
    assert_eq!((suspended.status, suspended.port, suspended.placed), (ProductStatus::Suspended, Some(20_042), true));
    assert_eq!(product(&db, ALIAS).status, ProductStatus::Active);

    let first = order(&db, "dc8ad0c2-8f69-47c8-b386-58d9446a709f");
    assert_eq!((first.status, first.delivery), (OrderStatus::Paid, Delivery::Delivered));
    let open = order(&db, "62ed9f08-a958-4a2b-bc1d-5b061260bb25");
    assert_eq!((open.status, open.invoice.state.name()), (OrderStatus::ToBePaid, "open"));
    let owed = order(&db, "b8d75adb-b4b5-4c29-b169-25aee1940041");
    assert_eq!((owed.status, owed.owed.0), (OrderStatus::NeedsRefund, 20_000));

    let denied = db.read(deny_list::list).unwrap();
    assert!(denied.iter().any(|entry| entry.value == "bad.onion:80" && entry.status == DenyStatus::Denied));
    let nodes = db.read(|db| nodes::list(db, None)).unwrap();
    assert_eq!(nodes.len(), 1);
    assert!(
        !nodes[0].is_enabled && nodes[0].macaroon.is_none() && nodes[0].certificate.is_none(),
        "both are shortened"
    );
    let todo = plan.report().todo.join("\n");
    assert!(todo.contains("MyNode@home is switched off until it has: --certificate-file"), "{todo}");
}

#[test]
fn the_shop_that_was_taken_over_opens_and_keeps_its_secret() {
    let plan = sample().unwrap();
    let (dir, db) = stored(&plan);
    drop(db);
    let preimage = || {
        let shop = crate::services::test_support::shop_in(&dir.path().join("shop.sqlite3"));
        shop.preimage(OrderId(uuid::Uuid::nil()), 0)
    };
    assert!(preimage() == preimage());
}

#[test]
fn every_object_of_the_sample_is_in_the_report_once_and_no_secret_is() {
    let plan = sample().unwrap();
    let report = plan.report();
    assert_eq!(report.taken.len() + report.dropped.len(), 44);
    let texts = [report.text(), report.document().to_string(), report.summary()];
    for text in texts {
        for secret in ["139bd2254bc6d500516a601ba5217765a13cde4a", "0201036c6e64", "pbkdf2_sha256", "BeOjkHq7q5"] {
            assert!(!text.contains(secret), "{secret}");
        }
    }
}

#[test]
fn a_shop_that_is_not_empty_takes_nothing_over_and_stays_as_it_is() {
    let plan = sample().unwrap();
    let (_dir, db) = stored(&plan);
    let refused = keep(&db, &plan).unwrap_err();
    assert!(refused.to_string().contains("not empty (2 operators, 1 nodes, 1 hosts"), "{refused}");
    assert_eq!(db.read(operators::list).unwrap().len(), 2);
}

#[test]
fn what_fails_on_the_way_leaves_nothing_behind() {
    let mut plan = sample().unwrap();
    let last = plan.orders.last_mut().unwrap();
    last.product = ProductId(uuid::Uuid::nil());
    let (_dir, db) = database();
    keep(&db, &plan).unwrap_err();
    assert_eq!(administrator().read(&db, occupants).unwrap(), None);
}
