//! Each odd thing that old shops have.

use serde_json::json;

use super::dumps::Dump;
use super::*;
use crate::domain::product::ProductStatus as P;
use crate::store::alerts;

const END: Timestamp = Timestamp(1_710_115_200_250);

/// A dump with one host and its ports 20000 to 20009.
pub fn with_host() -> (Dump, String) {
    let mut dump = Dump::new(true);
    let host = dump.host("203.0.113.1", &[(20_000, 20_009)]);
    (dump, host)
}

pub fn refusal(dump: &Dump) -> String {
    dump.plan().unwrap_err().to_string()
}

pub fn alerts_about(db: &Db, subject: &str) -> usize {
    db.read(|db| alerts::list(db, false)).unwrap().iter().filter(|alert| alert.subject == subject).count()
}

#[test]
fn a_port_that_was_sold_twice_stays_with_the_one_that_stands_and_the_other_moves() {
    let (mut dump, host) = with_host();
    let first = dump.bridge(&host, "A", json!(20_000), json!({}));
    let second = dump.bridge(&host, "A", json!(20_000), json!({}));
    let paid = dump.order("P", &second, 2);
    let idle = dump.bridge(&host, "H", json!(20_000), json!({}));
    let over = dump.bridge(&host, "A", json!(20_000), json!({"suspend_after": "2024-03-02T00:00:00Z"}));
    let (_dir, db) = stored(&dump.plan().unwrap());
    let of = |id: &str| product(&db, id);
    assert_eq!((of(&first).status, of(&first).port, of(&first).placed), (P::Active, Some(20_000), true));
    assert_eq!((of(&second).status, of(&second).port, of(&second).placed), (P::NeedsActivate, Some(20_001), true));
    assert_eq!(of(&second).suspend_after, Some(END), "no second of it is lost");
    assert_eq!(order(&db, &paid).delivery, Delivery::Awaiting, "owed if its host does not activate it");
    for id in [&idle, &over] {
        assert_eq!((of(id).status, of(id).placed), (P::Suspended, false), "its host must not take the other's down");
    }
}

#[test]
fn what_has_no_port_left_is_owed() {
    let mut dump = Dump::new(true);
    let host = dump.host("203.0.113.1", &[(20_000, 20_000)]);
    dump.bridge(&host, "A", json!(20_000), json!({}));
    let second = dump.bridge(&host, "A", json!(20_000), json!({}));
    let paid = dump.order("P", &second, 2);
    let (_dir, db) = stored(&dump.plan().unwrap());
    assert_eq!((order(&db, &paid).status, order(&db, &paid).owed.0), (OrderStatus::NeedsRefund, 25_000));
    assert_eq!(alerts_about(&db, &paid), 1);
}

#[test]
fn payments_that_the_old_shop_had_not_noticed_are_given() {
    let (mut dump, host) = with_host();
    let new = dump.bridge(&host, "I", json!(20_000), json!({}));
    let first = dump.order("T", &new, 2);
    let running = dump.bridge(&host, "A", json!(20_001), json!({}));
    dump.order("P", &running, 2);
    dump.order("T", &running, 2);
    let stopped = dump.bridge(&host, "H", json!(20_002), json!({}));
    dump.order("P", &stopped, 2);
    let again = dump.order("K", &stopped, 2);
    let (_dir, db) = stored(&dump.plan().unwrap());
    assert_eq!(product(&db, &new).status, P::NeedsActivate);
    assert_eq!((order(&db, &first).status, order(&db, &first).delivery), (OrderStatus::Paid, Delivery::Awaiting));
    assert_eq!(product(&db, &running).suspend_after, Some(END.plus_secs(86_400 + 600)));
    let stopped = product(&db, &stopped);
    assert_eq!((stopped.status, stopped.suspend_after), (P::NeedsActivate, Some(END.plus_secs(86_400 + 600))));
    assert_eq!(order(&db, &again).delivery, Delivery::Awaiting);
}

#[test]
fn what_waits_for_its_host_waits_on_and_a_first_period_begins_with_the_activation() {
    let (mut dump, host) = with_host();
    let new = dump.bridge(&host, "P", json!(20_000), json!({}));
    let first = dump.order("P", &new, 2);
    let known = dump.bridge(&host, "P", json!(20_001), json!({}));
    dump.order("P", &known, 2);
    let second = dump.order("P", &known, 2);
    let (_dir, db) = stored(&dump.plan().unwrap());
    assert_eq!((product(&db, &new).activated_at, order(&db, &first).granted_secs), (None, 0));
    assert!(product(&db, &known).activated_at.is_some());
    assert_eq!((order(&db, &second).granted_secs, order(&db, &second).delivery), (87_000, Delivery::Awaiting));
}

#[test]
fn failed_and_deleted_products_with_paid_time_owe_it() {
    let (mut dump, host) = with_host();
    let failed = dump.bridge(&host, "F", json!(20_000), json!({}));
    let of_failed = dump.order("P", &failed, 2);
    let deleted = dump.bridge(&host, "D", json!(20_001), json!({}));
    let of_deleted = dump.order("P", &deleted, 2);
    let over = dump.bridge(&host, "D", json!(20_002), json!({"suspend_after": "2024-03-02T00:00:00Z"}));
    let of_over = dump.order("P", &over, 2);
    let (_dir, db) = stored(&dump.plan().unwrap());
    assert_eq!(product(&db, &failed).status, P::NeedsSuspend);
    assert_eq!(product(&db, &deleted).status, P::Archived);
    for owed in [&of_failed, &of_deleted] {
        assert_eq!((order(&db, owed).owed.0, alerts_about(&db, owed)), (25_000, 1));
    }
    assert_eq!((order(&db, &of_over).status, order(&db, &of_over).owed.0), (OrderStatus::Paid, 0));
}

#[test]
fn what_nobody_paid_is_left_out_and_what_can_still_be_paid_is_kept() {
    let (mut dump, host) = with_host();
    let unpaid = dump.bridge(&host, "I", json!(20_000), json!({}));
    let never = dump.order("T", &unpaid, 3);
    let open = dump.bridge(&host, "I", json!(20_001), json!({}));
    let payable = dump.order("T", &open, 1);
    let plan = dump.plan().unwrap();
    let (_dir, db) = stored(&plan);
    assert!(!is_there(&db, &never));
    assert_eq!((product(&db, &open).status, product(&db, &open).placed), (P::Initial, true));
    assert_eq!(order(&db, &payable).invoice.state.name(), "open");
    assert!(plan.report().dropped.iter().any(|(_, pk, why)| *pk == unpaid && why == "never paid"));
}

#[test]
fn what_never_ends_stays_so_and_more_time_that_was_paid_for_it_is_owed() {
    let (mut dump, host) = with_host();
    for end in [json!(null), json!("9999-12-31T23:59:59.999Z")] {
        let bridge = dump.bridge(&host, "A", json!(20_000), json!({"suspend_after": end}));
        dump.order("P", &bridge, 2);
        let extension = dump.order("T", &bridge, 2);
        let (_dir, db) = stored(&dump.plan().unwrap());
        assert_eq!((product(&db, &bridge).suspend_after, product(&db, &bridge).terms.duration_secs), (None, 0));
        assert_eq!(order(&db, &extension).owed.0, 25_000);
        dump.objects.retain(|object| object["pk"] != json!(bridge));
    }
}

#[test]
fn targets_that_no_script_should_see_again_end_with_their_time() {
    let (mut dump, host) = with_host();
    let bad = json!({"target": "x.onion:$(id):80"});
    let running = dump.bridge(&host, "A", json!(20_000), bad.clone());
    let waiting = dump.bridge(&host, "P", json!(20_001), bad);
    let paid = dump.order("P", &waiting, 2);
    let (_dir, db) = stored(&dump.plan().unwrap());
    assert!(product(&db, &running).is_killed && product(&db, &running).status == P::Active);
    assert_eq!(product(&db, &waiting).status, P::NeedsSuspend);
    assert_eq!(order(&db, &paid).owed.0, 25_000);
}

#[test]
fn names_are_one_aliass_whatever_their_case() {
    let (mut dump, host) = with_host();
    let (first, second) = (dump.alias(&host, "A", "alice"), dump.alias(&host, "A", "ALICE"));
    let paid = dump.order("P", &second, 2);
    let (_dir, db) = stored(&dump.plan().unwrap());
    assert!(product(&db, &first).placed && !product(&db, &second).placed);
    assert_eq!(order(&db, &paid).owed.0, 25_000);
}

#[test]
fn an_invoice_at_a_node_that_is_gone_is_told_of() {
    let (mut dump, host) = with_host();
    let bridge = dump.bridge(&host, "A", json!(20_000), json!({}));
    dump.order("P", &bridge, 2);
    let node = dump.new_id();
    let open = dump.order_at("T", &bridge, json!({"status": 1, "object_id": node}));
    let (_dir, db) = stored(&dump.plan().unwrap());
    assert_eq!((order(&db, &open).status, alerts_about(&db, &open)), (OrderStatus::Rejected, 1));
}

#[test]
fn a_dump_that_contradicts_itself_is_refused_by_name() {
    let (mut dump, host) = with_host();
    let more = dump.new_id();
    let fields = json!({"type": "T", "start": 20_005, "end": 20_050, "_used": "{20005}", "host": host});
    dump.add("shop.portrange", json!(more), fields);
    assert!(refusal(&dump).contains(&format!("shop.portrange {more}: 20005-20050 overlaps 20000-20009")));

    let (mut dump, _) = with_host();
    let nobody = dump.new_id();
    let orphan = dump.bridge(&nobody, "A", json!(20_000), json!({}));
    assert!(refusal(&dump).contains(&format!("{orphan}: its host is not in the dump")));

    for (field, value) in
        [("status", json!("Q")), ("suspend_after", json!(5)), ("host", json!("x")), ("target", json!("a\0b"))]
    {
        let (mut dump, host) = with_host();
        let wrong = dump.bridge(&host, "A", json!(20_000), json!({field: value}));
        assert!(refusal(&dump).starts_with(&format!("shop.torbridge {wrong}: ")), "{field}");
    }
}

#[test]
fn both_ways_of_naming_other_objects_lead_to_the_same_shop() {
    let plans = [true, false].map(|is_natural| {
        let mut dump = Dump::new(is_natural);
        let host = dump.host("2001:db8::1", &[(20_000, 20_009)]);
        let bridge = dump.bridge(&host, "A", json!(20_000), json!({}));
        dump.order("P", &bridge, 2);
        dump.plan().unwrap()
    });
    assert_eq!(plans[0], plans[1]);
}

#[test]
fn ports_that_are_held_for_nothing_and_suspended_time_are_told() {
    let (mut dump, host) = with_host();
    dump.bridge(&host, "H", json!(20_003), json!({}));
    for object in &mut dump.objects {
        if object["model"] == "shop.portrange" {
            object["fields"]["_used"] = json!("{20003, 20007}");
        }
    }
    let report = dump.plan().unwrap().report();
    assert!(report.todo.iter().any(|line| line.contains("the ports 20007 that")), "{:?}", report.todo);
    assert!(report.notes.iter().any(|line| line.contains("although time is left; an extension adds to it: 1")));
}

#[test]
fn a_bridge_without_a_port_gets_one_and_is_told_as_that() {
    let (mut dump, host) = with_host();
    let bridge = dump.bridge(&host, "A", json!(null), json!({}));
    let plan = dump.plan().unwrap();
    let says = format!("{bridge}: the old shop had no port for it; it moves to port 20000");
    assert!(plan.report().todo.iter().any(|line| line.starts_with(&says)), "{:?}", plan.report().todo);
    let (_dir, db) = stored(&plan);
    assert_eq!((product(&db, &bridge).port, product(&db, &bridge).placed), (Some(20_000), true));
}

#[test]
fn bridges_have_what_their_host_gives_of_bandwidth_whatever_the_dump_says_and_it_is_told() {
    let (mut dump, host) = with_host();
    dump.change(&host, "bridge_bandwidth_initial", json!(777));
    let bridge = dump.bridge(&host, "A", json!(20_000), json!({"bandwidth_remaining": 5}));
    let plan = dump.plan().unwrap();
    assert!(plan.report().notes.iter().any(|line| line.starts_with("bridges that have all their bandwidth")));
    let (_dir, db) = stored(&plan);
    let bridge = product(&db, &bridge);
    assert_eq!((bridge.bandwidth_remaining, bridge.terms.bandwidth_initial), (777, 777));
}

#[test]
fn aliases_that_outlived_their_time_are_counted() {
    let (mut dump, host) = with_host();
    for name in ["alice", "bob"] {
        let alias = dump.alias(&host, "A", name);
        dump.change(&alias, "suspend_after", json!("2024-03-02T00:00:00Z"));
    }
    dump.alias(&host, "A", "carol");
    let notes = dump.plan().unwrap().report().notes;
    let told = notes.iter().find(|line| line.starts_with("aliases that are active although")).unwrap();
    assert!(told.ends_with(": 2"), "{told}");
}
