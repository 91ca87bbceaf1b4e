//! Random dumps: whatever is in them, no port is two products', no paid time is lost, and every object is in the report.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use serde_json::{Value, json};

use super::dumps::{Dump, ONION};
use super::*;
use crate::store::alerts;

const LETTERS: [&str; 8] = ["I", "P", "A", "S", "H", "Z", "D", "F"];
const ORDERS: [&str; 13] = ["I", "K", "L", "M", "T", "P", "R", "C", "N", "D", "F", "S", "A"];
const ENDS: [&str; 4] =
    ["2024-03-02T00:00:00Z", "2024-03-10T00:00:00.001Z", "2025-01-01T00:00:00.999Z", "9999-12-31T23:59:59Z"];

fn random_dump(rng: &mut Rng, most_products: usize, most_orders: usize) -> Dump {
    let mut dump = Dump::new(rng.bool());
    let hosts: Vec<String> = (0..rng.usize(1..4))
        .map(|number| {
            let first = 20_000 + 100 * i64::try_from(number).unwrap();
            dump.host(&format!("203.0.113.{number}"), &[(first, first + rng.i64(0..6)), (first + 50, first + 52)])
        })
        .collect();
    let mut products = vec![dump.new_id()];
    for _ in 0..rng.usize(0..most_products) {
        let at = rng.usize(0..hosts.len());
        let letter = LETTERS[rng.usize(0..LETTERS.len())];
        if rng.u8(0..5) == 0 {
            products.push(dump.alias(&hosts[at], letter, ["alice", "Alice", "bob", "www"][rng.usize(0..4)]));
            continue;
        }
        let end = if rng.u8(0..8) == 0 { Value::Null } else { json!(ENDS[rng.usize(0..ENDS.len())]) };
        let port = if rng.u8(0..8) == 0 { Value::Null } else { json!(20_000 + 100 * at + rng.usize(0..5)) };
        let target = if rng.u8(0..8) == 0 { "x:1:2.onion:0".to_owned() } else { format!("{ONION}:80") };
        let more = json!({"suspend_after": end, "target": target});
        products.push(dump.bridge(&hosts[at], letter, port, more));
    }
    for _ in 0..rng.usize(0..most_orders) {
        let product = products[rng.usize(0..products.len())].clone();
        let letter = ORDERS[rng.usize(0..ORDERS.len())];
        if rng.u8(0..6) == 0 {
            let node = dump.new_id();
            dump.order_at(letter, &product, json!({"status": rng.i64(0..4), "object_id": node}));
        } else if rng.u8(0..10) == 0 {
            dump.order_at(letter, &product, json!({"status": rng.i64(0..4), "payment_hash": null}));
        } else {
            dump.order(letter, &product, rng.i64(0..4));
        }
    }
    dump
}

/// Objects of a model.
fn of<'a>(dump: &'a Dump, model: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let is_meant = move |object: &&Value| object["model"] == model;
    dump.objects.iter().filter(is_meant).map(|object| (object["pk"].as_str().unwrap(), &object["fields"]))
}

fn check_places(db: &Db, plan: &Plan) {
    let mut places = BTreeSet::new();
    for new in &plan.products {
        let stored = product(db, &new.id.to_string());
        assert_eq!(stored, Product { modified_at: stored.modified_at, ..new.clone() }, "stored as planned");
        let needs_it =
            matches!(new.status, ProductStatus::Active | ProductStatus::NeedsActivate | ProductStatus::NeedsSuspend);
        assert!(new.placed || !needs_it, "{} in {:?} has no place", new.id, new.status);
        if let (true, crate::domain::product::Subject::Target(_)) = (new.placed, &new.subject) {
            assert!(places.insert((new.host_id, new.port.unwrap())), "{:?} twice", new.port);
        }
    }
}

fn check_time(dump: &Dump, db: &Db) {
    for (id, fields) in of(dump, "shop.torbridge").chain(of(dump, "shop.nostralias")) {
        let letter = fields["status"].as_str().unwrap();
        if !matches!(letter, "P" | "A" | "S" | "H") {
            continue;
        }
        let kept = product(db, id);
        let never = fields["suspend_after"].as_str().is_none_or(|end| end.starts_with("9999"));
        assert!(never == kept.suspend_after.is_none(), "{id}");
        if let Some(end) = kept.suspend_after {
            assert!(end >= time(fields["suspend_after"].as_str().unwrap()), "{id} has lost time");
        }
        assert!(!matches!(kept.status, ProductStatus::Archived | ProductStatus::NeedsDelete), "{id} is gone");
    }
}

fn product_of(db: &Db, id: ProductId) -> ProductStatus {
    product(db, &id.to_string()).status
}

fn check_money(dump: &Dump, db: &Db, plan: &Plan) {
    let told: BTreeSet<String> =
        db.read(|db| alerts::list(db, false)).unwrap().into_iter().map(|alert| alert.subject).collect();
    let dropped: BTreeMap<String, String> = plan.report().dropped.into_iter().map(|(_, pk, why)| (pk, why)).collect();
    let orders: BTreeMap<&str, &str> =
        of(dump, "lninvoice.purchaseorderinvoice").map(|(pk, fields)| (pk, fields["po"].as_str().unwrap())).collect();
    for (invoice, fields) in of(dump, "lninvoice.invoice").filter(|(_, fields)| fields["status"] == 2) {
        let id = orders[invoice];
        if !is_there(db, id) {
            let is_history = dropped[id].starts_with("history");
            assert!(is_history || told.contains(id), "{id}: {}", dropped[id]);
            continue;
        }
        let kept = order(db, id);
        let amount = fields["msatoshi"].as_u64().unwrap();
        let is_fine = match kept.status {
            // What is awaited can still come.
            OrderStatus::Paid if kept.delivery == Delivery::Awaiting => {
                let product = db.read(|db| deals::purchase(db, OrderId::parse(id).unwrap())).unwrap().unwrap().1;
                product_of(db, product) == ProductStatus::NeedsActivate
            }
            OrderStatus::Paid => kept.delivery == Delivery::Delivered,
            OrderStatus::NeedsRefund => kept.owed.0 == amount && told.contains(id),
            OrderStatus::Refunded => kept.refunded.0 == amount,
            _ => false,
        };
        assert!(is_fine, "{id}: {kept:?}");
    }
}

#[test]
fn whatever_is_in_a_dump_no_port_is_given_twice_no_paid_time_lost_and_nothing_unsaid() {
    for seed in 0..152 {
        let mut rng = Rng::with_seed(seed);
        let (products, orders) = if seed < 150 { (12, 24) } else { (300, 1200) };
        let dump = random_dump(&mut rng, products, orders);
        let plan = dump.plan().unwrap_or_else(|refused| panic!("seed {seed}: {refused}"));
        let report = plan.report();
        assert_eq!(report.taken.len() + report.dropped.len(), dump.objects.len(), "seed {seed}");
        let (_dir, db) = stored(&plan);
        check_places(&db, &plan);
        check_time(&dump, &db);
        check_money(&dump, &db, &plan);
    }
}

#[test]
fn a_dump_that_is_cut_anywhere_or_changed_anywhere_never_becomes_half_a_shop() {
    let mut rng = Rng::with_seed(1);
    for _ in 0..300 {
        let mut bytes = SAMPLE.to_vec();
        match rng.bool() {
            true => bytes.truncate(rng.usize(0..SAMPLE.len() - 2)),
            false => {
                let at = rng.usize(0..bytes.len());
                bytes[at] = rng.u8(..);
            }
        }
        let Ok(planned) = plan(&bytes, &Env::default(), &CREDENTIALS, time(SAMPLE_TIME)) else { continue };
        let (_dir, db) = database();
        if keep(&db, &planned).is_err() {
            assert_eq!(administrator().read(&db, occupants).unwrap(), None);
        }
    }
}
