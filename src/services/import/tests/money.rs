//! Orders of which it takes a second look to know what became of their money.

use serde_json::json;

use super::oddities::{alerts_about, with_host};
use super::*;
use crate::domain::lightning::PaymentHash;

fn hash_of(invoice: &serde_json::Value) -> [u8; 32] {
    let text = invoice["fields"]["payment_hash"].as_str().unwrap();
    data_encoding::BASE64.decode(text.as_bytes()).unwrap().try_into().unwrap()
}

#[test]
fn money_that_no_payment_hash_leads_to_is_an_alert_whatever_became_of_the_order() {
    let (mut dump, host) = with_host();
    let hashless = |state: i64| json!({"status": state, "payment_hash": null});
    let running = dump.bridge(&host, "A", json!(20_000), json!({}));
    dump.order("P", &running, 2);
    let history = dump.order_at("P", &running, hashless(2));
    let unnoticed = dump.order_at("T", &running, hashless(2));
    let owed = dump.order_at("N", &running, hashless(2));
    let never_shown = dump.order_at("N", &running, hashless(0));
    let unpaid = dump.order("N", &running, 3);
    let never = dump.order_at("T", &running, hashless(0));
    let new = dump.bridge(&host, "I", json!(20_001), json!({}));
    let of_new = dump.order_at("T", &new, hashless(2));
    let called_paid = dump.bridge(&host, "I", json!(20_004), json!({}));
    let of_called_paid = dump.order_at("P", &called_paid, hashless(2));
    let failed = dump.bridge(&host, "F", json!(20_002), json!({}));
    let of_failed = dump.order_at("P", &failed, hashless(2));
    let waiting = dump.bridge(&host, "P", json!(20_003), json!({}));
    let of_waiting = dump.order_at("P", &waiting, hashless(2));
    let gone = dump.new_id();
    let of_gone = dump.order_at("N", &gone, hashless(0));
    let plan = dump.plan().unwrap();
    let (_dir, db) = stored(&plan);
    for told in [&unnoticed, &owed, &never_shown, &unpaid, &of_new, &of_called_paid, &of_failed, &of_waiting, &of_gone]
    {
        assert_eq!(alerts_about(&db, told), 1, "{told}");
        assert!(plan.report().todo.iter().any(|line| line.starts_with(&format!("order {told} ("))), "{told}");
    }
    assert_eq!((alerts_about(&db, &history), alerts_about(&db, &never)), (0, 0));
    assert!(is_there(&db, &unpaid) && order(&db, &unpaid).owed.0 == 0, "nobody can claim what was not paid");
    let why = |id: &str| plan.report().dropped.into_iter().find(|(_, pk, _)| pk == id).unwrap().2;
    assert!(why(&history).starts_with("history: paid") && why(&unnoticed).starts_with("paid; "));
}

#[test]
fn an_open_invoice_whose_product_is_gone_is_to_be_looked_for_at_its_node() {
    let (mut dump, _) = with_host();
    let gone = dump.new_id();
    let over = dump.order("T", &gone, 1);
    let payable = dump.order("T", &gone, 1);
    let at = dump.objects.iter().rposition(|object| object["model"] == "lninvoice.invoice").unwrap();
    dump.objects[at]["fields"]["expires_at"] = json!("2024-03-10T00:10:00Z");
    let todo = dump.plan().unwrap().report().todo;
    let line = |id: &str| todo.iter().find(|line| line.contains(id)).unwrap();
    assert!(line(&over).contains("may have been paid") && line(&payable).contains("cancel the invoice"));
    let hash = PaymentHash(hash_of(&dump.objects[at]));
    assert!(line(&payable).contains(&hash.to_string()), "{todo:?}");
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
fn a_paid_order_that_has_lost_its_item_is_history_if_it_was_given_and_an_alert_if_not() {
    let (mut dump, host) = with_host();
    let bridge = dump.bridge(&host, "A", json!(20_000), json!({}));
    let given = dump.order("P", &bridge, 2);
    let lost = dump.order("T", &bridge, 2);
    dump.objects.retain(|object| object["model"] != "lnpurchase.purchaseorderitemdetail");
    let plan = dump.plan().unwrap();
    let (_dir, db) = stored(&plan);
    assert_eq!((alerts_about(&db, &given), alerts_about(&db, &lost)), (0, 1));
    let why = |id: &str| plan.report().dropped.into_iter().find(|(_, pk, _)| pk == id).unwrap().2;
    assert!(why(&given).starts_with("history") && why(&lost).contains("owed"));
}

#[test]
fn every_letter_that_an_order_could_have_becomes_what_its_money_says() {
    let (mut dump, host) = with_host();
    let bridge = dump.bridge(&host, "A", json!(20_000), json!({}));
    let paid: Vec<_> =
        ["P", "A", "F", "N", "C", "D", "R", "S"].map(|letter| (letter, dump.order(letter, &bridge, 2))).into();
    let unpaid: Vec<_> = ["C", "D", "R", "S", "T", "K"].map(|letter| (letter, dump.order(letter, &bridge, 3))).into();
    let (_dir, db) = stored(&dump.plan().unwrap());
    for (letter, id) in &paid {
        let wanted = match *letter {
            "P" | "A" | "F" => (OrderStatus::Paid, 0, 0),
            "S" => (OrderStatus::Refunded, 0, 0),
            _ => (OrderStatus::NeedsRefund, 25_000, 1),
        };
        assert_eq!((order(&db, id).status, order(&db, id).owed.0, alerts_about(&db, id)), wanted, "{letter}");
    }
    for (letter, id) in &unpaid {
        assert_eq!((order(&db, id).status, order(&db, id).owed.0), (OrderStatus::Rejected, 0), "{letter}");
    }
}
