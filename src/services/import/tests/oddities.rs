//! Each odd thing that old shops have.

use serde_json::json;

use super::dumps::Dump;
use super::*;
use crate::domain::product::ProductStatus as P;
use crate::store::alerts;

const END: Timestamp = Timestamp(1_710_115_200_250);

/// A dump with one host and its ports 20000 to 20009.
fn with_host() -> (Dump, String) {
    let mut dump = Dump::new(true);
    let host = dump.host("203.0.113.1", &[(20_000, 20_009)]);
    (dump, host)
}

fn refusal(dump: &Dump) -> String {
    dump.plan().unwrap_err().to_string()
}

fn alerts_about(db: &Db, subject: &str) -> usize {
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
fn orders_whose_product_is_gone_are_history_if_they_were_given_and_an_alert_if_not() {
    let (mut dump, _) = with_host();
    let gone = dump.new_id();
    let given = dump.order("P", &gone, 2);
    let lost = dump.order("T", &gone, 2);
    let plan = dump.plan().unwrap();
    let (_dir, db) = stored(&plan);
    assert!(!is_there(&db, &given) && !is_there(&db, &lost));
    assert_eq!((alerts_about(&db, &given), alerts_about(&db, &lost)), (0, 1));
    let why = |id: &str| plan.report().dropped.into_iter().find(|(_, pk, _)| pk == id).unwrap().2;
    assert!(why(&given).starts_with("history") && why(&lost).contains("owed"));
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
fn nodes_that_lack_something_are_there_and_switched_off() {
    let mut dump = Dump::new(true);
    let admin = dump.node("lnnode.lndrestnode", json!({"macaroon_invoice": "", "macaroon_admin": "0202"}));
    let unverified = dump.node("lnnode.lndgrpcnode", json!({"tls_cert_verification": false, "tls_cert": ""}));
    let plan = dump.plan().unwrap();
    let todo = plan.report().todo.join("\n");
    assert!(todo.contains("bakemacaroon") && todo.contains("--certificate-file"), "{todo}");
    let (_dir, db) = stored(&plan);
    for node in db.read(|db| nodes::list(db, None)).unwrap() {
        let id = node.id.to_string();
        assert_eq!(node.is_enabled, id != admin && id != unverified, "{id}");
        assert_ne!(node.macaroon.as_deref(), Some([2, 2].as_slice()), "nothing that can spend is stored");
    }
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
fn an_order_that_was_paid_by_two_invoices_owes_one() {
    let (mut dump, host) = with_host();
    let bridge = dump.bridge(&host, "A", json!(20_000), json!({}));
    let paid = dump.order("P", &bridge, 2);
    let other = dump.order("P", &bridge, 2);
    for object in &mut dump.objects {
        if object["fields"]["po"] == json!(other) && object["model"] == "lninvoice.purchaseorderinvoice" {
            object["fields"]["po"] = json!(paid);
        }
    }
    let (_dir, db) = stored(&dump.plan().unwrap());
    let (order, without) = (order(&db, &paid), is_there(&db, &other));
    assert_eq!((order.status, order.owed.0, without), (OrderStatus::Paid, 25_000, false));
    assert_eq!(order.invoice.received.map(|received| received.0), Some(50_000));
    assert_eq!(alerts_about(&db, &paid), 1);
}

#[test]
fn people_keep_what_can_be_kept() {
    let mut dump = Dump::new(false);
    dump.user(3, "shop", json!({"is_staff": true, "password": "argon2$x"}));
    dump.user(4, "ADMIN", json!({"is_superuser": true}));
    dump.user(5, "customer", json!({}));
    dump.user(6, "former", json!({"is_superuser": true, "is_active": false}));
    let plan = dump.plan().unwrap();
    let (_dir, db) = stored(&plan);
    let people = db.read(operators::list).unwrap();
    let names: Vec<_> = people.iter().map(|person| person.name.as_str()).collect();
    assert_eq!(names, ["admin", "operator", "operator-3", "operator-4"]);
    assert!(plan.report().todo.iter().any(|line| line.contains("operator set-password operator-3")));
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
