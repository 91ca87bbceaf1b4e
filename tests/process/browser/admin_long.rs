//! A list of 10,000 rows in Chromium: what one more page costs the browser then.

use serde_json::Value;

use super::admin::{NARROW, sign_in, visit};
use super::looks::is_calm;
use super::purchase::buy;
use super::session::{Browser, DESKTOP, Visitor, is_installed};
use crate::live::process::wait_until;
use crate::purchase::Demo;

/// Rows that are there when one more page is weighed.
const MANY: u64 = 10_000;
/// Rows of that page.
const PAGE: u64 = 50;
/// So many times the CPU that it takes behind a few rows it may take there, and so many seconds for what the browser does besides.
/// Seen: five times, and twice that while a table's columns were weighed anew with each page.
const TIMES: f64 = 8.0;
const BESIDES: f64 = 0.05;

/// The shop's answers for the list are those of a shop with more: the one bridge that there is again and again, in pages of
/// `window.rows`.
const MORE_BRIDGES: &str = "
    const real = window.fetch;
    const bridge = (await (await real('/api/v1/admin/products/?limit=1')).json()).items[0];
    window.fetch = async (address, ...rest) => {
        const url = new URL(address, location);
        if (url.pathname !== '/api/v1/admin/products/') return real(address, ...rest);
        const first = Number(url.searchParams.get('after') ?? 0);
        const items = Array.from({ length: window.rows }, (_, i) =>
            ({ ...bridge, id: String(first + i).padStart(8, '0') + bridge.id.slice(8), port: 1 + first + i }));
        const next = String(first + window.rows);
        return new Response(JSON.stringify({ items, next }), { headers: { 'Content-Type': 'application/json' } });
    };
    window.rows = 500;
    location.hash = '#/products?limit=500';
";

const ROWS: &str = "return document.querySelectorAll('main tbody tr').length;";
/// Presses the button for more and waits until that is drawn. To ask again and again would cost what is weighed.
const MORE: &str = "
    const table = document.querySelector('main table');
    return new Promise((then) => {
        const drawn = () => requestAnimationFrame(() => setTimeout(then));
        new MutationObserver((_, one) => { one.disconnect(); drawn(); }).observe(table, { childList: true, subtree: true });
        document.querySelector('main p.row button').click();
    });
";

#[test]
fn behind_ten_thousand_rows_one_more_page_takes_a_few_times_what_it_takes_behind_five_hundred_on_a_desktop() {
    grow("desktop", DESKTOP);
}

#[test]
fn behind_ten_thousand_rows_one_more_page_takes_a_few_times_what_it_takes_behind_five_hundred_on_a_phone() {
    grow("narrow", NARROW);
}

fn grow(who: &str, visitor: Visitor) {
    if !is_installed("chromedriver") {
        return;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let demo = Demo::start(dir.path(), &[]);
    let mut browser = Browser::chromium(DESKTOP);
    buy(&mut browser, &demo.url(), |_, _| {});
    let admin = sign_in(&mut browser, &demo);
    visit(&mut browser, &admin, "products");
    browser.becomes(visitor);
    browser.run(&format!("return (async () => {{ {MORE_BRIDGES} }})();"));
    wait_for_rows(&mut browser, 500);
    let few = cost_of_a_page(&mut browser);
    browser.run("window.rows = 500;");
    while rows(&mut browser) < MANY {
        browser.run(MORE);
    }
    let many = cost_of_a_page(&mut browser);
    println!("{who}: {few:.3} s of CPU for a page behind 500 rows, {many:.3} s behind 10,000");
    assert!(many <= few * TIMES + BESIDES, "{who}: {many:.3} s in the place of {few:.3} s");
    is_calm(&mut browser, who);
    // What nobody sees of a picture of 10,000 rows would be most of it: their end.
    browser.run("document.querySelectorAll('main tbody:not(:last-child)').forEach((one) => one.remove());");
    browser.screenshot(&format!("admin-long-list-{who}"));
}

/// Seconds of CPU that the page takes to show one more page of rows: the least of three, for a browser has other work, too.
fn cost_of_a_page(browser: &mut Browser) -> f64 {
    browser.run(&format!("window.rows = {PAGE};"));
    let cost = |_| {
        let before = browser.cpu();
        browser.run(MORE);
        browser.cpu() - before
    };
    (0..3).map(cost).fold(f64::INFINITY, f64::min)
}

fn rows(browser: &mut Browser) -> u64 {
    browser.run(ROWS).as_u64().expect("a number")
}

fn wait_for_rows(browser: &mut Browser, number: u64) {
    let there = || Some(browser.run(ROWS)).filter(|rows: &Value| rows.as_u64() >= Some(number));
    assert!(wait_until(std::time::Duration::from_secs(120), there).is_some(), "no {number} rows");
}
