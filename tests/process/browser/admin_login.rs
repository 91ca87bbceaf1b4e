//! Signing in at the screens: the second factor, sessions that end elsewhere, those who guess, and pages of others.

use data_encoding::BASE32_NOPAD;
use ip2tor_shop::services::operators::totp;

use super::admin::{sign_in, visit};
use super::looks::is_fine;
use super::session::{Browser, DESKTOP, is_installed};
use crate::purchase::Demo;

#[test]
fn a_second_factor_is_set_and_asked_for_and_a_session_that_was_ended_elsewhere_leads_to_the_login() {
    if !is_installed("chromedriver") {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let demo = Demo::start(dir.path(), &[]);
    let mut here = Browser::chromium(DESKTOP);
    let admin = sign_in(&mut here, &demo);
    let recovery_code = set_second_factor(&mut here, &demo, &admin);

    let mut there = Browser::chromium(DESKTOP);
    let (_, name, password) = demo.admin();
    there.go(&format!("{admin}/admin/"));
    there.wait_for("[name=password]");
    there.fill("[name=name]", &name);
    there.fill("[name=password]", &password);
    there.click("form button.main");
    there.wait_for("[name=code]");
    is_fine(&mut there, "asked for a code");
    there.fill("[name=code]", &recovery_code);
    there.click("form button.main");
    there.wait_for("main[data-shown] h1");

    visit(&mut here, &admin, "account");
    here.click("main > .row > button");
    here.wait_for("dialog[open]");
    // What was said before is still there.
    here.run("document.getElementById('said').textContent = '';");
    here.click("dialog button.main");
    here.wait_for("#said:not(:empty)");
    there.go(&format!("{admin}/admin/#/hosts"));
    there.wait_for("[name=password]");
}

#[test]
fn whoever_guesses_has_to_wait_and_a_page_without_the_token_changes_nothing() {
    if !is_installed("chromedriver") {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let demo = Demo::start(dir.path(), &[]);
    let mut browser = Browser::chromium(DESKTOP);
    sign_in(&mut browser, &demo);
    let status =
        browser.run("return fetch('/api/v1/admin/logout/', { method: 'POST' }).then((answer) => answer.status);");
    assert_eq!(status, 403, "a change without the token");
    let status = browser.run("return fetch('/api/v1/admin/me/').then((answer) => answer.status);");
    assert_eq!(status, 200, "the session goes on");

    browser.click("header button");
    browser.wait_for("[name=password]");
    browser.fill("[name=name]", "admin");
    // The delay doubles: sooner or later it is longer than a slow machine takes for a try.
    let mut said: Vec<String> = Vec::new();
    while said.len() < 12 && said.first() == said.last() {
        browser.fill("[name=password]", "not the password");
        browser.click("form button.main");
        browser.wait_for("form [role=alert]:not([hidden])");
        browser.wait_for("form button.main:not([aria-busy])");
        said.push(browser.text("form [role=alert]"));
    }
    assert_ne!(said.first(), said.last(), "{said:?}");
}

/// Sets a second factor of the one who has signed in; one of its recovery codes.
fn set_second_factor(browser: &mut Browser, demo: &Demo, admin: &str) -> String {
    visit(browser, admin, "account");
    browser.click("main .card > button");
    browser.wait_for("dialog[open]");
    browser.fill("dialog [name=old_password]", &demo.admin().2);
    browser.click("dialog button.main");
    browser.wait_for("main .card .copyable pre");
    is_fine(browser, "a second factor to scan");
    let secret = browser.text("main .card .copyable pre");
    let secret = BASE32_NOPAD.decode(secret.as_bytes()).expect("base32");
    let step = browser.run("return Math.floor(Date.now() / 30000);").as_i64().expect("a number");
    browser.fill("[name=code]", &totp::code(&secret, step, totp::DIGITS));
    browser.click("main .card form button.main");
    browser.wait_for("main .once pre");
    is_fine(browser, "recovery codes");
    browser.text("main .once pre").lines().next().expect("a code").to_owned()
}
