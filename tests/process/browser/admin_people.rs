//! Accounts at the screens, each button pressed once in Chromium: a token made and revoked, a session that is ended from
//! another one, signing in with a code of the app, and other people let in, raised and locked out.

use serde_json::Value;

use super::admin::sign_in;
use super::admin_login::{answer_door, set_second_factor};
use super::operator::Operator;
use super::session::{Browser, DESKTOP};
use crate::live::http::Client;

#[test]
fn a_token_is_made_and_revoked_and_one_session_is_ended_from_another() {
    let Some(mut one) = Operator::at_work() else { return };
    one.visit("account");
    one.press("New token");
    one.agree(&[("name", "my script")]);
    one.browser.wait_for("main .once pre");
    let token = one.browser.text("main .once pre");
    let address = one.admin.trim_start_matches("http://").parse().expect("an address");
    let program = Client::new(address).as_program(&token);
    let asks = || program.get("/api/v1/admin/hosts/").expect("an answer").status;
    assert_eq!(asks(), 200);
    one.visit("account");
    one.press("Revoke");
    one.agree(&[]);
    one.said("Done: Revoke");
    assert_eq!(asks(), 401);
    assert_eq!(one.get("tokens/")["items"], Value::Array(Vec::new()));

    let mut there = Browser::chromium(DESKTOP);
    sign_in(&mut there, &one.demo);
    one.visit("account");
    assert_eq!(one.get("sessions/")["items"].as_array().map(Vec::len), Some(2));
    one.press("End");
    one.agree(&[]);
    one.said("Done: End");
    assert_eq!(one.get("sessions/")["items"].as_array().map(Vec::len), Some(1));
    there.go(&format!("{}/admin/#/hosts", one.admin));
    there.wait_for("[name=password]");
}

#[test]
fn whoever_has_a_second_factor_signs_in_with_a_code_of_the_app_and_may_take_it_away() {
    let Some(mut one) = Operator::at_work() else { return };
    let (admin, _, password) = one.demo.admin();
    let factor = set_second_factor(&mut one.browser, &one.demo, &admin);
    let mut there = Browser::chromium(DESKTOP);
    answer_door(&mut there, &one.demo);
    there.wait_for("[name=code]");
    let code = factor.code(&mut there);
    there.fill("[name=code]", &code);
    there.click("form button.main");
    there.wait_for("main[data-shown] h1");
    assert_eq!(one.get("me/")["has_second_factor"], true);

    one.visit("account");
    one.press("Remove it");
    one.agree(&[("old_password", &password)]);
    one.said("Done: Remove it");
    assert_eq!(one.get("me/")["has_second_factor"], false);
}

#[test]
fn another_operator_is_added_raised_and_locked_out_and_each_is_undone_with_one_press() {
    let Some(mut one) = Operator::at_work() else { return };
    one.visit("people");
    one.press("Add an operator");
    one.agree(&[("name", "bob")]);
    one.browser.wait_for("main .once pre");
    let password = one.browser.text("main .once pre");
    let address = one.admin.trim_start_matches("http://").parse().expect("an address");
    let asks = |password: &str| {
        Client::new(address).as_person("bob", password).get("/api/v1/admin/me/").expect("an answer").status
    };
    assert_eq!(asks(&password), 200);
    let bob = |one: &mut Operator| {
        let all = one.get("operators/");
        all["items"].as_array().expect("operators").iter().find(|one| one["name"] == "bob").cloned().expect("bob")
    };

    one.visit("people");
    one.press("Make administrator");
    one.agree(&[]);
    one.said("Changed");
    assert_eq!(bob(&mut one)["role"], "administrator");
    one.press("Undo");
    one.said("as it was before");
    assert_eq!(bob(&mut one)["role"], "operator");

    one.visit("people");
    one.press("Lock out");
    one.agree(&[]);
    one.said("Changed");
    assert_eq!(asks(&password), 401);
    one.press("Undo");
    one.said("as it was before");
    assert_eq!(asks(&password), 200);

    one.visit("people");
    one.press("New password");
    one.agree(&[]);
    one.browser.wait_for("main .once pre");
    let next = one.browser.text("main .once pre");
    assert_eq!((asks(&next), asks(&password)), (200, 401));
}
