//! A person buys in Chromium: opens the one URL that the demo prints, and touches nothing after the payment.

use super::looks::{is_calm, is_fine, is_light};
use super::session::{Browser, DESKTOP, PHONE, Visitor, is_installed};
use crate::live::shop::TARGET;
use crate::purchase::Demo;

/// From the front page to a bridge that works; the pages on the way are looked at as well.
pub fn buy(browser: &mut Browser, shop: &str, look: impl Fn(&mut Browser, &str)) {
    browser.go(shop);
    look(browser, "front page");
    browser.click("a.button[href^='/shop/hosts/']");
    look(browser, "host");
    browser.fill("#target", TARGET);
    browser.click("#bridge-tos");
    browser.click("main form:has(#target) button.main");
    browser.wait_for("[data-state=to_pay] img.qr");
    look(browser, "order to pay");
    browser.click("form[action*='/pay/'] button");
    browser.wait_for("[data-state=active] #address");
    look(browser, "active order");
}

#[test]
fn on_a_desktop_with_scripts_a_bridge_is_bought_and_its_page_says_active_by_itself() {
    buy_in_chromium("desktop", DESKTOP);
}

#[test]
fn on_a_phone_without_scripts_and_in_german_as_well() {
    buy_in_chromium("phone-without-script", Visitor { language: "de", has_script: false, ..PHONE });
}

fn buy_in_chromium(name: &str, visitor: Visitor) {
    if !is_installed("chromedriver") {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let demo = Demo::start(dir.path(), &[]);
    let mut browser = Browser::chromium(visitor);
    // The checker is a script.
    let is_fine = if visitor.has_script { is_fine } else { is_calm };
    buy(&mut browser, &demo.url(), |browser, page| {
        browser.screenshot(&format!("purchase-{name}-{}", page.replace(' ', "-")));
        is_fine(browser, &format!("{page}, {name}"));
    });
    let heading = browser.text("h1");
    let (first, language) = if visitor.language == "de" { ("Aktiv", "de") } else { ("Active", "en") };
    assert!(heading.starts_with(first), "{heading}");
    assert!(browser.has(&format!("html[lang={language}]")));

    browser.click("a.button[href^='/bridge/']");
    is_fine(&mut browser, "bridge");
    is_light(&mut browser, "bridge");
    browser.click("form[action$='/extend/'] button");
    browser.wait_for("[data-state=to_pay] img.qr");
    browser.click("form[action*='/pay/'] button");
    browser.wait_for("[data-state=extended]");
    is_fine(&mut browser, "extended");
}
