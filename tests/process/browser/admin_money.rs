//! What operators do by hand where money is, each pressed once in Chromium: invoices that no node made are tried again and
//! given up, and what is owed is paid back, noted as paid by hand, or its outcome said.

use serde_json::Value;

use super::operator::Operator;
use crate::kill::refunds::bolt11;
use crate::live::shop::TARGET;

/// As if the node had not answered when it was asked for the invoice of the newest order, which was placed just now: its
/// buyer does not wait long. Its number is one that the shop has passed, and its next try is the latest that there is, so
/// that only a press brings it before that.
const NOT_MADE: &str = "UPDATE purchase_order SET status = 'I', delivery = 'none', message = NULL, \
     created_at = 1000 * unixepoch() WHERE seq = (SELECT max(seq) FROM purchase_order); \
     UPDATE invoice SET state = 'initial', payment_request = NULL, made_at = NULL, expires_at = NULL \
     WHERE seq = (SELECT max(seq) FROM purchase_order); \
     INSERT INTO effect (id, kind, seq, payment_hash, node_id, attempts, next_try_at, last_error, created_at) \
     SELECT 1, 'make_invoice', seq, payment_hash, node_id, 4, 1000 * unixepoch() + 58000, 'no answer', 1000 * unixepoch() \
     FROM invoice WHERE seq = (SELECT max(seq) FROM purchase_order)";

/// An order that was paid for and not delivered.
const OWES: &str = "UPDATE purchase_order SET status = 'N', owed = price, message = 'undelivered' \
     WHERE seq = (SELECT min(seq) FROM purchase_order)";

#[test]
fn an_invoice_that_no_node_made_is_tried_again_or_given_up_with_a_note() {
    let Some(mut one) = Operator::at_work() else { return };
    one.browser.go(&format!("{}/", one.demo.url()));
    one.browser.click("a.button[href^='/shop/hosts/']");
    one.browser.fill("#target", TARGET);
    one.browser.click("#bridge-tos");
    one.browser.click("main form:has(#target) button.main");
    one.browser.wait_for("[data-state=to_pay] img.qr");
    one.visit("orders");
    let order = one.get("orders/")["items"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("orders/{order}/");

    one.sql(NOT_MADE);
    one.visit("tasks");
    one.press("Try now");
    one.said("tried now");
    let made = one.until(&path, |detail| {
        detail["order"]["status"] == "T" && detail["order"]["invoice"]["payment_request"].is_string()
    });
    assert!(made["history"].to_string().contains("tried again at the operator's word"), "{made}");

    one.sql(NOT_MADE);
    one.visit("tasks");
    one.press("Give up");
    one.agree(&[("note", "the node is gone for good")]);
    one.said("Done: Give up");
    let ended = one.until(&path, |detail| detail["order"]["status"] == "R");
    assert!(ended["history"].to_string().contains("the node is gone for good"), "{ended}");
}

#[test]
fn what_is_owed_is_noted_as_paid_by_hand() {
    let Some(mut one) = Operator::at_work() else { return };
    let (order, path) = owing(&mut one);
    one.visit(&format!("orders/{order}"));
    one.press("Paid back by hand");
    one.agree(&[("note", "in cash, at the counter")]);
    one.said("Done: Paid back by hand");
    let paid = one.get(&path);
    assert_eq!((&paid["order"]["owed"], &paid["order"]["status"]), (&Value::from(0), &Value::from("S")));
    assert!(paid["history"].to_string().contains("at the counter"), "{paid}");
}

#[test]
fn the_outcome_of_a_refund_that_nobody_knows_is_said_and_what_is_owed_is_then_paid_by_a_node_that_may() {
    let Some(mut one) = Operator::at_work() else { return };
    let (order, path) = owing(&mut one);
    // Its wallet was asked ten minutes ago, and the answer lost.
    let hash = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    one.sql(&format!(
        "INSERT INTO refund (payment_hash, order_id, node_id, bolt11, amount, fee_limit, state, created_at, modified_at) \
         SELECT x'{hash}', o.id, i.node_id, '{}', o.owed, 10000, 'intended', t.at, t.at FROM purchase_order o \
         JOIN invoice i USING (seq), (SELECT 1000 * unixepoch() - 600000 AS at) t WHERE o.owed > 0",
        bolt11()
    ));
    one.visit(&format!("orders/{order}"));
    one.press("Say what became of it");
    one.browser.wait_for("dialog[open]");
    one.browser.run("document.querySelector('dialog [name=outcome]').value = 'failed';");
    one.agree(&[("note", "the buyer has seen nothing")]);
    one.said("Done: Say what became of it");
    let said = one.get(&path);
    assert_eq!((&said["refunds"][0]["state"], &said["order"]["status"]), (&Value::from("failed"), &Value::from("N")));
    assert!(said["history"].to_string().contains("the buyer has seen nothing"), "{said}");

    let node = one.visit_one("nodes");
    one.browser.run("document.querySelectorAll('main details').forEach((group) => { group.open = true; });");
    let macaroon = one.demo.lnd_dir().join("admin.macaroon").display().to_string();
    one.browser.fill("main [name=payment_macaroon_file]", &macaroon);
    one.press("Save");
    one.until(&format!("nodes/{node}/"), |node| node["pays_refunds"] == true);
    one.visit(&format!("orders/{order}"));
    one.press("Pay back");
    one.agree(&[("bolt11", &bolt11())]);
    one.said("are paid back");
    let paid = one.get(&path);
    assert_eq!((&paid["order"]["owed"], &paid["order"]["status"]), (&Value::from(0), &Value::from("S")));
    assert_eq!(paid["refunds"][1]["state"], "succeeded", "{paid}");
}

/// An order that owes what it cost: its id, and where the API has it.
fn owing(one: &mut Operator) -> (String, String) {
    one.sql(OWES);
    let order = one.get("orders/?owed=true")["items"][0]["id"].as_str().expect("an id").to_owned();
    let path = format!("orders/{order}/");
    (order, path)
}
