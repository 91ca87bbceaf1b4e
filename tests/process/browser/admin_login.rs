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
    let recovery_code = set_second_factor(&mut here, &demo, &admin).recovery_code;

    let mut there = Browser::chromium(DESKTOP);
    answer_door(&mut there, &demo);
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

/// Gives name and password at the door, which may want more.
pub fn answer_door(browser: &mut Browser, demo: &Demo) {
    let (admin, name, password) = demo.admin();
    browser.go(&format!("{admin}/admin/"));
    browser.wait_for("[name=password]");
    browser.fill("[name=name]", &name);
    browser.fill("[name=password]", &password);
    browser.click("form button.main");
}

/// A second factor, as the app and its owner have it.
pub struct Factor {
    secret: Vec<u8>,
    /// The step of the code that it was set with.
    used: i64,
    /// One of the codes for whoever has lost the app.
    pub recovery_code: String,
}

impl Factor {
    /// The code at this moment, or the next one while that of this moment is used up.
    pub fn code(&self, browser: &mut Browser) -> String {
        totp::code(&self.secret, step(browser).max(self.used + 1), totp::DIGITS)
    }
}

/// Sets a second factor of the one who has signed in.
pub fn set_second_factor(browser: &mut Browser, demo: &Demo, admin: &str) -> Factor {
    visit(browser, admin, "account");
    browser.click("main .card > button");
    browser.wait_for("dialog[open]");
    browser.fill("dialog [name=old_password]", &demo.admin().2);
    browser.click("dialog button.main");
    browser.wait_for("main .card .copyable pre");
    is_fine(browser, "a second factor to scan");
    let secret = browser.text("main .card .copyable pre");
    let secret = BASE32_NOPAD.decode(secret.as_bytes()).expect("base32");
    let used = step(browser);
    browser.fill("[name=code]", &totp::code(&secret, used, totp::DIGITS));
    browser.click("main .card form button.main");
    browser.wait_for("main .once pre");
    is_fine(browser, "recovery codes");
    let recovery_code = browser.text("main .once pre").lines().next().expect("a code").to_owned();
    Factor { secret, used, recovery_code }
}

/// The step of codes that is now.
fn step(browser: &mut Browser) -> i64 {
    browser.run("return Math.floor(Date.now() / 30000);").as_i64().expect("a number")
}
