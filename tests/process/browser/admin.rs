//! The screens of those who run the shop: every one on a phone and on a desktop, light and dark, in both languages.

use super::looks::is_fine;
use super::purchase::buy;
use super::session::{Browser, DESKTOP, Visitor, is_installed};
use crate::purchase::Demo;

/// The narrowest window that the screens are made for.
pub const NARROW: Visitor = Visitor { size: (360, 740), ..DESKTOP };

/// The screens that are there in any shop.
const SCREENS: [&str; 16] = [
    "dashboard",
    "start",
    "alerts",
    "hosts",
    "hosts?new=1",
    "products",
    "orders",
    "deny",
    "reports",
    "nodes",
    "nodes?new=1",
    "tasks",
    "log",
    "settings",
    "people",
    "account",
];

#[test]
fn every_screen_is_fine_in_english() {
    look_at_all("en");
}

#[test]
fn every_screen_is_fine_in_german() {
    look_at_all("de");
}

fn look_at_all(language: &'static str) {
    if !is_installed("chromedriver") {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let demo = Demo::start(dir.path(), &[]);
    let mut browser = Browser::chromium(Visitor { language, ..DESKTOP });
    buy(&mut browser, &demo.url(), |_, _| {});
    let admin = sign_in(&mut browser, &demo);
    let mut places: Vec<String> = SCREENS.map(str::to_owned).into();
    places.extend(["hosts", "products", "orders", "nodes"].map(|list| one_of(&mut browser, &admin, list)));
    deny_something(&mut browser, &admin);
    for (who, visitor) in [
        ("narrow", NARROW),
        ("desktop", DESKTOP),
        ("narrow-dark", Visitor { likes_dark: true, ..NARROW }),
        ("desktop-dark", Visitor { likes_dark: true, ..DESKTOP }),
    ] {
        browser.becomes(visitor);
        for place in &places {
            let what = format!("{place}, {who}, {language}");
            visit(&mut browser, &admin, place);
            assert!(!browser.has("main > .error"), "{what}: {}", browser.text("main"));
            is_fine(&mut browser, &what);
            browser.screenshot(&format!("admin-{}-{who}-{language}", name_of(place)));
        }
    }
    browser.becomes(DESKTOP);
    sign_out(&mut browser);
    is_fine(&mut browser, "login");
}

/// Signs in at the demo's own face for it; its URL.
pub fn sign_in(browser: &mut Browser, demo: &Demo) -> String {
    let (admin, name, password) = demo.admin();
    browser.go(&format!("{admin}/admin/"));
    browser.wait_for("[name=password]");
    is_fine(browser, "login");
    browser.fill("[name=name]", &name);
    browser.fill("[name=password]", &password);
    browser.click("form button.main");
    browser.wait_for("main[data-shown] h1");
    admin
}

fn sign_out(browser: &mut Browser) {
    browser.click("header button");
    browser.wait_for("[name=password]");
}

/// Goes to a screen, and waits until it is shown.
pub fn visit(browser: &mut Browser, admin: &str, place: &str) {
    browser.go(&format!("{admin}/admin/#/{place}"));
    browser.wait_for(&format!("main[data-shown='#/{place}']:not([aria-busy]) h1"));
}

/// The screen of the first of a list.
pub fn one_of(browser: &mut Browser, admin: &str, list: &str) -> String {
    visit(browser, admin, list);
    let link = browser.run(&format!("return document.querySelector('main tbody a[href^=\"#/{list}/\"]').hash;"));
    link.as_str().expect("a link").trim_start_matches("#/").to_owned()
}

/// A dialog says what will happen, and what was done is said.
fn deny_something(browser: &mut Browser, admin: &str) {
    visit(browser, admin, "deny");
    browser.click("main button.main");
    browser.wait_for("dialog[open]");
    is_fine(browser, "dialog");
    browser.fill("dialog [name=value]", "192.0.2.77");
    browser.run("const kind = document.querySelector('dialog select[name=kind]'); kind.value = 'ip';");
    browser.click("dialog button.main");
    browser.wait_for("main tbody td");
    assert!(browser.text("#said").contains("192.0.2.77"), "{}", browser.text("#said"));
}

fn name_of(place: &str) -> String {
    let (screen, rest) = place.split_once(['/', '?']).unwrap_or((place, ""));
    match rest {
        "" => screen.to_owned(),
        "new=1" => format!("{screen}-new"),
        _ => format!("{screen}-one"),
    }
}
