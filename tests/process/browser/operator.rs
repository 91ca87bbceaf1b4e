//! Somebody who runs the shop, at its screens in Chromium: what they press and fill, what they are told, and what the API
//! and the database say afterwards.

use std::path::Path;

use ip2tor_shop::store::{Db, StoreError};
use serde_json::Value;

use super::admin::{one_of, sign_in, visit};
use super::looks::is_fine;
use super::purchase::buy;
use super::session::{Browser, DESKTOP, is_installed};
use crate::live::process::wait_until;
use crate::purchase::Demo;

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// Somebody who has signed in at the screens of a shop with one bridge that works.
pub struct Operator {
    pub browser: Browser,
    pub admin: String,
    pub demo: Demo,
    pub dir: tempfile::TempDir,
}

impl Operator {
    pub fn at_work() -> Option<Self> {
        if !is_installed("chromedriver") {
            return None;
        }
        let dir = tempfile::tempdir().expect("a folder");
        let demo = Demo::start(dir.path(), &[]);
        let mut browser = Browser::chromium(DESKTOP);
        buy(&mut browser, &demo.url(), |_, _| {});
        let admin = sign_in(&mut browser, &demo);
        Some(Self { browser, admin, demo, dir })
    }

    /// Goes to a screen as it is now, also to the one that is shown.
    pub fn visit(&mut self, place: &str) {
        self.browser.go("about:blank");
        visit(&mut self.browser, &self.admin, place);
    }

    /// The screen of the only thing in a list, with its id.
    pub fn visit_one(&mut self, list: &str) -> String {
        let place = one_of(&mut self.browser, &self.admin, list);
        self.visit(&place);
        place.split_once('/').expect("an id").1.to_owned()
    }

    /// Presses a button of the screen by what stands on it, or by its name for those who don't see it. In one step: what shows
    /// its news by itself may be drawn anew in between.
    pub fn press(&mut self, text: &str) {
        let press = format!(
            "const named = (one) => (one.ariaLabel ?? one.textContent) === '{text}'; \
             const found = [...document.querySelectorAll('main button, #said button')].find(named); \
             found?.focus(); found?.click(); return Boolean(found);"
        );
        let found = wait_until(PATIENCE, || self.browser.run(&press).as_bool().filter(|found| *found));
        assert!(found.is_some(), "no button {text:?}: {}", self.browser.text("main"));
    }

    /// Answers the question that a button asks: fills what is to be filled, and wants it.
    pub fn agree(&mut self, fields: &[(&str, &str)]) {
        self.browser.wait_for("dialog[open]");
        is_fine(&mut self.browser, "the question");
        for (name, value) in fields {
            self.browser.fill(&format!("dialog [name={name}]"), value);
        }
        self.browser.click("dialog button.main");
        let closed = wait_until(PATIENCE, || (!self.browser.has("dialog[open]")).then_some(()));
        assert!(closed.is_some(), "it was refused: {}", self.browser.text("dialog"));
    }

    /// What the API answers to the one who has signed in.
    pub fn get(&mut self, path: &str) -> Value {
        self.browser.run(&format!("return fetch('/api/v1/admin/{path}').then((answer) => answer.json());"))
    }

    /// Asks until it is as it should be.
    pub fn until(&mut self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let found = wait_until(PATIENCE, || {
            last = self.get(path);
            is_so(&last).then(|| last.clone())
        });
        found.unwrap_or_else(|| panic!("{path} stays {last}"))
    }

    /// Waits until the line says what was done, and puts it back.
    pub fn said(&mut self, part: &str) {
        let found = wait_until(PATIENCE, || self.browser.text("#said").contains(part).then_some(()));
        assert!(found.is_some(), "not {part:?} but {:?}", self.browser.text("#said"));
    }

    /// Changes the database behind the shop's back.
    pub fn sql(&self, text: &str) {
        sql(self.dir.path(), text);
    }
}

/// Changes the database of the demo in a folder behind the shop's back.
pub fn sql(dir: &Path, text: &str) {
    let db = Db::open(&dir.join("demo/shop.sqlite3")).expect("the database");
    let text = text.to_owned();
    db.write_blocking(move |db| db.execute_batch(&text).map_err(StoreError::from)).expect("the statement runs");
}
