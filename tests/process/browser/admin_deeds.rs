//! What operators do by hand, each pressed once in Chromium, and what the shop says of it afterwards.

use serde_json::Value;

use super::operator::Operator;
use crate::live::shop::TARGET;

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

#[test]
fn a_suspension_is_undone_with_one_press_and_the_port_of_what_its_host_has_taken_down_is_released() {
    let Some(mut one) = Operator::at_work() else { return };
    let id = one.visit_one("products");
    let path = format!("products/{id}/");
    one.press("Suspend");
    one.agree(&[]);
    one.said("Done");
    one.press("Undo");
    one.said("as it was before");
    // The agent of the demo plays the host.
    one.until(&path, |detail| detail["product"]["status"] == "A");

    one.visit(&format!("products/{id}"));
    one.press("Suspend");
    one.agree(&[("reason", "its host is given up")]);
    one.until(&path, |detail| detail["product"]["status"] == "H");
    one.visit(&format!("products/{id}"));
    one.press("Release the port");
    one.agree(&[("reason", "nothing stands there")]);
    one.said("Done");
    let released = one.until(&path, |detail| detail["history"].to_string().contains("nothing stands there"));
    let host = one.get("hosts/")["items"][0]["id"].as_str().expect("an id").to_owned();
    let ranges = one.get(&format!("hosts/{host}/"))["host"]["ranges"].clone();
    assert_eq!(ranges[0]["used"], 0, "its port can be sold: {released}");
}

#[test]
fn ports_are_added_and_removed_and_an_entry_of_the_deny_list_comes_back_with_one_press() {
    let Some(mut one) = Operator::at_work() else { return };
    let id = one.visit_one("hosts");
    let path = format!("hosts/{id}/");
    let ranges = |one: &mut Operator| one.get(&path)["host"]["ranges"].as_array().expect("ranges").len();
    let before = ranges(&mut one);
    for (field, port) in [("first", "41000"), ("last", "41009")] {
        one.browser.fill(&format!("main form.filter [name={field}]"), port);
    }
    one.press("Add the range");
    one.said("Done: Add the range");
    assert_eq!(ranges(&mut one), before + 1);
    one.visit(&format!("hosts/{id}"));
    one.browser.run(
        "[...document.querySelectorAll('main tbody tr')].find((row) => row.textContent.includes('41000')) \
         .querySelector('button').click();",
    );
    one.agree(&[]);
    one.said("Done: Remove the range");
    assert_eq!(ranges(&mut one), before);
    one.visit(&format!("hosts/{id}"));
    one.press("Disable");
    one.said("takes neither orders nor extensions");
    assert_eq!(one.get(&path)["host"]["is_enabled"], false);
    one.press("Undo");
    one.said("The host sells");
    assert_eq!(one.get(&path)["host"]["is_enabled"], true);

    one.visit("deny");
    one.press("Add an entry");
    one.agree(&[("value", TARGET), ("comment", "sends spam")]);
    one.said("gets no orders");
    let entry = one.get("deny/")["items"][0].clone();
    one.press("Remove");
    one.said("off the list");
    assert_eq!(one.get("deny/")["items"], Value::Array(Vec::new()));
    one.press("Undo");
    one.said("as it was before");
    let back = one.get("deny/")["items"][0].clone();
    for field in ["kind", "value", "status", "comment"] {
        assert_eq!(back[field], entry[field], "{field}");
    }
}
