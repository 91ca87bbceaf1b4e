//! When alerts become messages, and what becomes of those.

use super::super::Session;
use super::super::test_support::{administrator, database};
use super::*;
use crate::domain::id::SystemRandom;
use crate::store::Db;

const MINUTE: Rules = Rules { group_secs: 60, quiet: None };

/// A database with the channels `one` and `two`.
fn shop(lowest: Severity) -> (tempfile::TempDir, Db) {
    let (dir, db) = database();
    administrator().write(&db, move |tx| set_channels(tx, &[("one", lowest), ("two", Severity::Critical)])).unwrap();
    (dir, db)
}

fn after(secs: i64) -> Session {
    Session { now: administrator().now.plus_secs(secs), ..administrator() }
}

fn raise(db: &Db, secs: i64, topic: AlertTopic, subject: &'static str) {
    let raise = move |tx: &mut Tx<'_>| Ok(alerts::raise(tx.db, topic, subject, "says", tx.now).map(drop)?);
    after(secs).write(db, raise).unwrap();
}

fn close(db: &Db, secs: i64, topic: AlertTopic, subject: &'static str) {
    after(secs).write(db, move |tx| Ok(alerts::close(tx.db, topic, subject, tx.now)?)).unwrap();
}

/// The titles of the messages that a channel is to send now.
fn next(db: &Db, secs: i64, channel: &'static str, rules: Rules) -> Option<Waiting> {
    let session = after(secs);
    session.write(db, move |tx| group(tx, channel, rules, &SystemRandom)).unwrap();
    session.read(db, |tx| due(tx, channel)).unwrap()
}

fn end(db: &Db, secs: i64, channel: &'static str, waiting: Waiting, outcome: Result<(), Refusal>) {
    after(secs).write(db, move |tx| note(tx, channel, &waiting, &outcome)).unwrap();
}

fn refusal() -> Result<(), Refusal> {
    Err(Refusal { text: "no answer".to_owned(), ..Refusal::default() })
}

#[test]
fn an_alert_is_told_once_when_it_opens_and_once_when_it_ends() {
    let (_dir, db) = shop(Severity::Warning);
    raise(&db, 0, AlertTopic::HostDead, "a");
    raise(&db, 5, AlertTopic::HostDead, "a");
    assert_eq!(next(&db, 59, "one", MINUTE), None, "others may join it");
    let first = next(&db, 60, "one", MINUTE).unwrap();
    assert_eq!(first.message.title, "IP2TOR SHOP SITE: host_dead (warning)");
    assert_eq!(next(&db, 60, "two", MINUTE), None, "only what is critical is told there");
    end(&db, 61, "one", first, Ok(()));
    raise(&db, 700, AlertTopic::HostDead, "a");
    assert_eq!(next(&db, 800, "one", MINUTE), None, "still open");
    close(&db, 900, AlertTopic::HostDead, "a");
    let last = next(&db, 960, "one", MINUTE).unwrap();
    assert_eq!(last.message.title, "IP2TOR SHOP SITE: host_dead (over)");
    end(&db, 961, "one", last, Ok(()));
    assert_eq!(next(&db, 9999, "one", MINUTE), None);
}

#[test]
fn several_within_a_minute_are_one_message() {
    let (_dir, db) = shop(Severity::Info);
    for (secs, subject) in [(0, "a"), (20, "b"), (59, "c")] {
        raise(&db, secs, AlertTopic::FewPorts, subject);
    }
    let message = next(&db, 60, "one", MINUTE).unwrap().message;
    assert_eq!(message.title, "IP2TOR SHOP SITE: 3 alerts");
    assert!(["few_ports a", "few_ports b", "few_ports c"].iter().all(|part| message.text.contains(part)));
}

#[test]
fn what_is_undone_with_its_transaction_is_not_told() {
    let (_dir, db) = shop(Severity::Info);
    let undone = administrator().write(&db, |tx| {
        alerts::raise(tx.db, AlertTopic::HostDead, "a", "says", tx.now)?;
        Err::<(), _>(Error::NotFound)
    });
    assert_eq!(undone, Err(Error::NotFound));
    assert_eq!(next(&db, 999, "one", MINUTE), None);
}

#[test]
fn in_quiet_hours_only_what_is_critical_is_told_and_the_rest_when_they_are_over() {
    let (_dir, db) = shop(Severity::Warning);
    // The tests' time is 08:00 UTC.
    let quiet = Rules { group_secs: 0, quiet: QuietHours::parse("07:00-09:00") };
    raise(&db, 0, AlertTopic::HostDead, "a");
    assert_eq!(next(&db, 10, "one", quiet), None);
    raise(&db, 20, AlertTopic::NodeDead, "n");
    let told = next(&db, 30, "one", quiet).unwrap();
    assert_eq!(told.message.title, "IP2TOR SHOP SITE: node_dead (critical)");
    end(&db, 30, "one", told, Ok(()));
    close(&db, 40, AlertTopic::NodeDead, "n");
    assert_eq!(next(&db, 50, "one", quiet), None, "nobody is woken to hear that all is well");
    assert_eq!(next(&db, 3600, "one", quiet).unwrap().message.title, "IP2TOR SHOP SITE: 1 alerts, 1 are over");
}

#[test]
fn a_message_keeps_its_key_over_all_tries_and_is_given_up_after_the_seventh() {
    let (_dir, db) = shop(Severity::Info);
    raise(&db, 0, AlertTopic::FewPorts, "a");
    let (mut at, mut keys) = (60, Vec::new());
    for pause in [5, 300, 1800, 7200, 18_000, 36_000, 0] {
        let waiting = next(&db, at, "one", MINUTE).unwrap();
        keys.push(waiting.message.key.clone());
        end(&db, at, "one", waiting, refusal());
        assert_eq!(next(&db, at + pause - 1, "one", MINUTE), None, "before the pause of {pause} s");
        at += pause;
    }
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
    assert_eq!(next(&db, at + 99_999, "one", MINUTE), None, "given up");
    let states = administrator().read(&db, own_channels::list).unwrap();
    assert_eq!((states[0].waiting, states[0].failure.as_deref()), (0, Some("no answer")));
}

#[test]
fn that_a_channel_fails_is_told_on_the_others_until_it_works_again() {
    let (_dir, db) = database();
    let both = [("one", Severity::Info), ("two", Severity::Info)];
    administrator().write(&db, move |tx| set_channels(tx, &both)).unwrap();
    raise(&db, 0, AlertTopic::FewPorts, "a");
    let told = next(&db, 60, "two", MINUTE).unwrap();
    end(&db, 60, "two", told, Ok(()));
    for at in [60, 65, 365] {
        let waiting = next(&db, at, "one", MINUTE).unwrap();
        end(&db, at, "one", waiting, refusal());
    }
    let told = next(&db, 500, "two", MINUTE).unwrap();
    assert_eq!(told.message.title, "IP2TOR SHOP SITE: alerts_undelivered (warning)");
    end(&db, 500, "two", told, Ok(()));
    let waiting = next(&db, 9000, "one", MINUTE).unwrap();
    assert!(waiting.message.title.contains("few_ports"), "its own failure is not told on it: {waiting:?}");
    end(&db, 9000, "one", waiting, Ok(()));
    assert_eq!(next(&db, 9100, "one", MINUTE), None);
    assert_eq!(next(&db, 9100, "two", MINUTE).unwrap().message.title, "IP2TOR SHOP SITE: alerts_undelivered (over)");
}

#[test]
fn a_receiver_that_wants_no_more_is_left_alone_until_a_test_goes_well() {
    let (_dir, db) = shop(Severity::Info);
    raise(&db, 0, AlertTopic::FewPorts, "a");
    let waiting = next(&db, 60, "one", MINUTE).unwrap();
    end(&db, 60, "one", waiting, Err(Refusal { is_final: true, ..refusal().unwrap_err() }));
    raise(&db, 61, AlertTopic::FewPorts, "b");
    assert_eq!(next(&db, 999, "one", MINUTE), None);
    let state = || administrator().read(&db, own_channels::list).unwrap().remove(0);
    assert!(state().off_at.is_some() && state().waiting == 0);
    after(1000).write(&db, |tx| note_test(tx, "one", &Ok(()))).unwrap();
    assert_eq!(state().off_at, None);
    raise(&db, 1001, AlertTopic::FewPorts, "c");
    assert!(next(&db, 1100, "one", MINUTE).is_some());
}

#[test]
fn what_waits_stays_bounded_and_what_is_left_out_is_counted() {
    let (_dir, db) = shop(Severity::Info);
    let now = administrator().now;
    let flood = move |tx: &mut Tx<'_>| {
        for n in 0..450 {
            alerts::raise(tx.db, AlertTopic::FewPorts, &n.to_string(), "says", now)?;
        }
        Ok(alerts::raise(tx.db, AlertTopic::NodeDead, "n", "says", now).map(drop)?)
    };
    administrator().write(&db, flood).unwrap();
    assert_eq!(administrator().read(&db, own_channels::list).unwrap()[0].waiting, 201, "200, and the critical one");
    let message = next(&db, 60, "one", MINUTE).unwrap().message;
    assert_eq!(message.title, "IP2TOR SHOP SITE: 451 alerts");
    assert!(message.text.starts_with("CRITICAL node_dead") && message.text.contains("And 401 more"));
}

#[test]
fn a_channel_that_is_no_longer_configured_leaves_nothing_behind() {
    let (_dir, db) = shop(Severity::Info);
    raise(&db, 0, AlertTopic::FewPorts, "a");
    assert!(next(&db, 60, "one", MINUTE).is_some());
    raise(&db, 61, AlertTopic::FewPorts, "b");
    administrator().write(&db, |tx| set_channels(tx, &[("two", Severity::Info)])).unwrap();
    let names: Vec<_> =
        administrator().read(&db, own_channels::list).unwrap().into_iter().map(|state| state.name).collect();
    assert_eq!(names, ["two"]);
}

#[test]
fn after_a_clock_that_was_ahead_messages_do_not_wait_for_its_time() {
    let (_dir, db) = shop(Severity::Info);
    raise(&db, 999_999, AlertTopic::FewPorts, "a");
    assert!(next(&db, 0, "one", MINUTE).is_some(), "of unknown age");
}

#[test]
fn a_month_is_summarized_once_when_it_is_over() {
    let (_dir, db) = shop(Severity::Critical);
    let told = |secs| after(secs).write(&db, |tx| summarize(tx, &SystemRandom)).unwrap();
    // The tests' time is 2027-01-15.
    assert_eq!(told(0), "nothing is known of 2026-12");
    assert_eq!(told(1), "2026-12 was told before");
    assert_eq!(told(20 * 86_400), "2027-01 told on 2 channels");
    assert_eq!(told(21 * 86_400), "2027-01 was told before");
    let message = next(&db, 21 * 86_400, "one", MINUTE).unwrap().message;
    assert_eq!(message.title, "IP2TOR SHOP SITE: summary of 2027-01");
    assert!(message.text.contains("Sold: 0, extended: 0"), "{}", message.text);
}
