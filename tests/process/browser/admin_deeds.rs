//! What operators do by hand, each pressed once in Chromium, and what the shop says of it afterwards.

use serde_json::Value;

use super::admin::{one_of, sign_in, visit};
use super::looks::is_fine;
use super::purchase::buy;
use super::session::{Browser, DESKTOP, is_installed};
use crate::live::process::wait_until;
use crate::live::shop::TARGET;
use crate::purchase::Demo;

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// Somebody who has signed in at the screens of a shop with one bridge that works.
struct Operator {
    browser: Browser,
    admin: String,
    _demo: Demo,
    _dir: tempfile::TempDir,
}

impl Operator {
    fn at_work() -> Option<Self> {
        if !is_installed("chromedriver") {
            return None;
        }
        let dir = tempfile::tempdir().expect("a folder");
        let demo = Demo::start(dir.path(), &[]);
        let mut browser = Browser::chromium(DESKTOP);
        buy(&mut browser, &demo.url(), |_, _| {});
        let admin = sign_in(&mut browser, &demo);
        Some(Self { browser, admin, _demo: demo, _dir: dir })
    }

    /// Goes to a screen as it is now, also to the one that is shown.
    fn visit(&mut self, place: &str) {
        self.browser.go("about:blank");
        visit(&mut self.browser, &self.admin, place);
    }

    /// The screen of the only thing in a list, with its id.
    fn visit_one(&mut self, list: &str) -> String {
        let place = one_of(&mut self.browser, &self.admin, list);
        self.visit(&place);
        place.split_once('/').expect("an id").1.to_owned()
    }

    /// Presses a button of the screen by what stands on it, or by its name for those who don't see it. In one step: what shows
    /// its news by itself may be drawn anew in between.
    fn press(&mut self, text: &str) {
        let press = format!(
            "const named = (one) => (one.ariaLabel ?? one.textContent) === '{text}'; \
             const found = [...document.querySelectorAll('main button, #said button')].find(named); \
             found?.focus(); found?.click(); return Boolean(found);"
        );
        let found = wait_until(PATIENCE, || self.browser.run(&press).as_bool().filter(|found| *found));
        assert!(found.is_some(), "no button {text:?}: {}", self.browser.text("main"));
    }

    /// Answers the question that a button asks: fills what is to be filled, and wants it.
    fn agree(&mut self, fields: &[(&str, &str)]) {
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
    fn get(&mut self, path: &str) -> Value {
        self.browser.run(&format!("return fetch('/api/v1/admin/{path}').then((answer) => answer.json());"))
    }

    /// Asks until it is as it should be.
    fn until(&mut self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let found = wait_until(PATIENCE, || {
            last = self.get(path);
            is_so(&last).then(|| last.clone())
        });
        found.unwrap_or_else(|| panic!("{path} stays {last}"))
    }

    /// Waits until the line says what was done, and puts it back.
    fn said(&mut self, part: &str) {
        let found = wait_until(PATIENCE, || self.browser.text("#said").contains(part).then_some(()));
        assert!(found.is_some(), "not {part:?} but {:?}", self.browser.text("#said"));
    }
}

#[test]
fn a_bridge_is_extended_suspended_moved_resumed_and_killed_with_its_target_on_the_deny_list() {
    let Some(mut one) = Operator::at_work() else { return };
    let id = one.visit_one("products");
    let path = format!("products/{id}/");
    let before = one.get(&path)["product"].clone();
    one.press("Extend for free");
    one.agree(&[("secs", "3")]);
    one.said("active");
    let after = one.get(&path)["product"].clone();
    assert_ne!(before["suspend_after"], after["suspend_after"], "three days more");

    one.press("Suspend");
    one.agree(&[("reason", "its operator asked")]);
    one.until(&path, |detail| detail["product"]["status"] == "H");
    one.visit(&format!("products/{id}"));
    one.press("Resume");
    one.agree(&[]);
    one.until(&path, |detail| detail["product"]["status"] == "A");
    one.visit(&format!("products/{id}"));
    one.press("Suspend");
    one.agree(&[]);
    one.until(&path, |detail| detail["product"]["status"] == "H");
    one.visit(&format!("products/{id}"));
    one.press("Move to another port");
    one.agree(&[]);
    // It comes back there by itself.
    let moved = one.until(&path, |detail| detail["product"]["status"] == "A");
    assert_ne!(moved["product"]["port"], before["port"]);
    assert!(moved["history"].to_string().contains("its operator asked"), "{moved}");

    one.visit(&format!("products/{id}"));
    one.press("Switch off for good");
    one.browser.wait_for("dialog[open] [name=deny_target]");
    one.browser.click("dialog [name=deny_target]");
    one.agree(&[("reason", "abuse")]);
    one.until(&path, |detail| detail["product"]["is_killed"] == true);
    // All its ports are denied.
    let denied = one.get("deny/")["items"][0]["value"].clone();
    assert_eq!(denied.as_str(), TARGET.split(':').next());
}

#[test]
fn a_host_is_drained_and_back_with_one_press_and_gets_a_new_token_and_is_not_removed_while_something_stands_on_it() {
    let Some(mut one) = Operator::at_work() else { return };
    let id = one.visit_one("hosts");
    let path = format!("hosts/{id}/");
    one.press("Drain");
    one.said("takes no new orders");
    assert_eq!(one.get(&path)["host"]["is_draining"], true);
    one.press("Undo");
    one.said("takes new orders");
    assert_eq!(one.get(&path)["host"]["is_draining"], false);

    one.press("New token");
    one.agree(&[]);
    one.browser.wait_for("main .once pre");
    let block = one.browser.text("main .once pre");
    assert!(block.contains(&format!("IP2TOR_HOST_ID={id}")) && !block.contains("was shown once"), "{block}");
    assert!(one.get(&path)["history"].to_string().contains("token replaced"));

    one.visit(&format!("hosts/{id}"));
    one.press("Remove the host");
    one.browser.wait_for("dialog[open]");
    one.browser.click("dialog button.main");
    one.browser.wait_for("dialog [role=alert]:not([hidden])");
    assert_eq!(one.get(&path)["host"]["id"], id.as_str(), "it is there still");
}

#[test]
fn a_job_is_run_and_paused_and_a_node_is_asked_now() {
    let Some(mut one) = Operator::at_work() else { return };
    one.visit("tasks");
    let job = one.get("jobs/")[0]["name"].as_str().expect("a name").to_owned();
    let of_it = |jobs: &Value, field: &str| {
        let found = jobs.as_array().expect("jobs").iter().find(|one| one["name"] == job.as_str()).cloned();
        found.expect("the job")[field].clone()
    };
    let before = of_it(&one.get("jobs/"), "last_at");
    one.press(&format!("Run {job} now"));
    one.said(&job);
    one.until("jobs/", |jobs| !of_it(jobs, "last_at").is_null() && of_it(jobs, "last_at") != before);
    one.press(&format!("Pause {job}"));
    one.said("waits until it is resumed");
    assert!(!of_it(&one.get("jobs/"), "paused_at").is_null());
    one.press("Undo");
    one.said("comes again as scheduled");
    assert!(of_it(&one.get("jobs/"), "paused_at").is_null());

    let id = one.visit_one("nodes");
    one.press("Check now");
    one.browser.wait_for("main .note.good dl");
    let (said, node) = (one.browser.text("main .note.good"), one.get(&format!("nodes/{id}/")));
    assert!(said.contains(node["pubkey"].as_str().expect("a key")), "{said}");
    // The demo's macaroon lets nobody ask for balances.
    assert!(node["outbound_msat"].is_null() && !said.contains("Can send"), "{node}");
}
