//! A wallet renews a bridge by the permanent code on its page, as Chromium shows it.

use super::looks::is_fine;
use super::purchase::buy;
use super::safest::codes_in;
use super::session::{Browser, DESKTOP, is_installed};
use super::wallet;
use crate::purchase::Demo;

#[test]
fn a_wallet_renews_by_the_code_on_the_screen_and_the_page_shows_the_later_end() {
    if !is_installed("chromedriver") {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let demo = Demo::start(dir.path(), &[]);
    let mut browser = Browser::chromium(DESKTOP);
    buy(&mut browser, &demo.url(), |_, _| ());
    browser.comes_by_https();
    browser.click("a.button[href^='/bridge/']");
    let (page, code) = (browser.address(), browser.text("#renew"));
    let bridge = page.trim_end_matches('/').rsplit('/').next().expect("an id").to_owned();
    let codes = codes_in(&browser.screenshot("bridge-with-code"));
    assert!(codes.iter().any(|seen| seen.ends_with(&code)), "{codes:?} for {code}");
    is_fine(&mut browser, "bridge with its code");
    let path = format!("/lnurl/renew/bridge/{bridge}/");
    wallet::leads_to(&code, &format!("{}{path}", demo.url().replace("http://", "https://")));

    let end = demo.end_of(&bridge);
    assert!(browser.text("main").contains(&end), "{end}");
    let offer = wallet::ask(demo.client(), &path);
    assert_eq!((offer["tag"].as_str(), offer["minSendable"].as_u64()), (Some("payRequest"), Some(20_000)));
    let answer = wallet::ask(demo.client(), &format!("{}&amount=20000", wallet::path_of(&offer["callback"])));
    demo.pay_request(answer["pr"].as_str().expect("an invoice"));
    // Where the wallet leads its owner afterwards.
    browser.go(&format!("{}{}", demo.url(), wallet::path_of(&answer["successAction"]["url"])));
    browser.wait_for("[data-state=extended]");

    let later = demo.end_of(&bridge);
    assert!(later > end, "{later} after {end}");
    for language in ["de", "en"] {
        browser.go(&format!("{page}?lang={language}"));
        assert!(browser.text("main").contains(&later), "{language}: {later}");
        assert_eq!(browser.text("#renew"), code, "the code stays, in each language");
    }
}
