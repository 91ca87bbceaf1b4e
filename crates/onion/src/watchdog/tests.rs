//! Outages and what is done about them, minute by minute.

use super::*;

const START: Timestamp = Timestamp::from_secs(1_800_000_000);
const MINUTE: i64 = 60;

fn at(minutes: i64) -> Timestamp {
    START.plus_secs(minutes * MINUTE)
}

fn up() -> Outcome {
    Outcome::Reachable { latency_ms: 700 }
}

fn down() -> Outcome {
    Outcome::Unreachable { reason: "no answer".to_owned(), tor_ready: true }
}

/// Probes each minute in `minutes`, always in vain; the steps taken, with their minute.
fn outage(dog: &mut Watchdog, minutes: std::ops::Range<i64>) -> Vec<(i64, Action)> {
    minutes.filter_map(|minute| dog.observe(at(minute), down()).action.map(|action| (minute, action))).collect()
}

#[test]
fn a_service_that_answers_is_left_alone() {
    let mut dog = Watchdog::new(Patience::default(), START, None);
    assert_eq!(dog.observe(at(1), up()).alert, Some(Alert::Online { latency_ms: 700 }));
    for minute in 2..600 {
        assert_eq!(dog.observe(at(minute), up()), Decision::default());
    }
    assert_eq!(dog.health().reachability, Reachability::Reachable);
    assert_eq!((dog.health().last_success, dog.health().latency_ms), (Some(at(599)), Some(700)));
}

#[test]
fn an_outage_is_met_with_growing_steps() {
    let mut dog = Watchdog::new(Patience::default(), START, None);
    dog.observe(at(0), up());
    let steps = outage(&mut dog, 1..200);
    assert_eq!(
        steps,
        [
            (6, Action::RestartService),
            (16, Action::NewClient),
            (31, Action::SetGuardsAside),
            (91, Action::NewClient),
            (151, Action::NewClient)
        ]
    );
}

#[test]
fn every_step_and_the_recovery_are_reported() {
    let mut dog = Watchdog::new(Patience::default(), START, None);
    dog.observe(at(0), up());
    assert_eq!(dog.observe(at(1), down()).alert, None, "one failed probe is no outage");
    let alert = dog.observe(at(6), down()).alert.unwrap();
    assert_eq!(
        alert.to_string(),
        "the onion service is unreachable since 2027-01-15T08:01:00Z (no answer): restarting the service"
    );
    assert_eq!(dog.observe(at(8), up()).alert, Some(Alert::Recovered { seconds: 7 * MINUTE }));
}

#[test]
fn a_short_outage_is_neither_treated_nor_reported() {
    let mut dog = Watchdog::new(Patience::default(), START, None);
    dog.observe(at(0), up());
    assert_eq!(dog.observe(at(1), down()), Decision::default());
    assert_eq!(dog.health().reachability, Reachability::Unreachable);
    assert_eq!(dog.observe(at(4), up()), Decision::default());
    assert_eq!(dog.observe(at(7), down()), Decision::default(), "a new outage begins anew");
}

#[test]
fn guards_are_set_aside_once_in_a_week() {
    let mut dog = Watchdog::new(Patience::default(), START, None);
    let first = outage(&mut dog, 0..60);
    assert!(first.contains(&(30, Action::SetGuardsAside)), "{first:?}");
    dog.observe(at(60), up());
    let second = outage(&mut dog, 61..600);
    assert!(second.iter().all(|(_, action)| *action != Action::SetGuardsAside), "{second:?}");
    let week = 7 * 24 * 60;
    dog.observe(at(week), up());
    let third = outage(&mut dog, week + 1..week + 60);
    assert!(third.iter().any(|(_, action)| *action == Action::SetGuardsAside), "{third:?}");
}

#[test]
fn a_restart_of_the_shop_does_not_forget_when_guards_were_set_aside() {
    let mut dog = Watchdog::new(Patience::default(), START, Some(START.plus_secs(-MINUTE)));
    let steps = outage(&mut dog, 0..600);
    assert!(steps.iter().all(|(_, action)| *action != Action::SetGuardsAside), "{steps:?}");
    let mut dog = Watchdog::new(Patience::default(), START, Some(START.plus_secs(8 * 24 * 3600)));
    assert!(outage(&mut dog, 0..60).contains(&(30, Action::SetGuardsAside)), "a clock was wrong");
}

#[test]
fn guards_are_kept_while_the_network_is_down() {
    let mut dog = Watchdog::new(Patience::default(), START, None);
    let without_network = |minute| {
        let outcome = Outcome::Unreachable { reason: "no network".to_owned(), tor_ready: false };
        dog.observe(at(minute), outcome).action
    };
    let steps: Vec<_> = (0..120).filter_map(without_network).collect();
    assert_eq!(steps, [Action::RestartService, Action::NewClient, Action::NewClient]);
    let steps = outage(&mut dog, 120..150);
    assert_eq!(steps, [(134, Action::SetGuardsAside)], "the network is back, the service is not");
}

#[test]
fn a_shop_that_others_fill_is_busy_and_no_step_is_taken() {
    let mut dog = Watchdog::new(Patience::default(), START, None);
    dog.observe(at(0), up());
    for minute in 1..600 {
        assert_eq!(dog.observe(at(minute), Outcome::Busy), Decision::default());
    }
    assert_eq!(dog.health().reachability, Reachability::Busy);
    assert_eq!(dog.observe(at(600), up()), Decision::default(), "there was no outage");
    assert_eq!((dog.health().reachability, &dog.health().reason), (Reachability::Reachable, &None));
}

#[test]
fn an_outage_counts_from_when_the_shop_was_last_busy() {
    let mut dog = Watchdog::new(Patience::default(), START, None);
    dog.observe(at(0), up());
    assert_eq!(outage(&mut dog, 1..20), [(6, Action::RestartService), (16, Action::NewClient)]);
    dog.observe(at(30), Outcome::Busy);
    assert_eq!(outage(&mut dog, 31..60), [(45, Action::SetGuardsAside)], "not at minute 31");
    assert!(matches!(dog.observe(at(60), up()).alert, Some(Alert::Recovered { .. })));
}

#[test]
fn a_service_that_never_came_up_is_treated_too() {
    let mut dog = Watchdog::new(Patience::default(), START, None);
    assert_eq!(outage(&mut dog, 0..10), [(5, Action::RestartService)]);
    assert_eq!(dog.health().reachability, Reachability::Starting);
}

#[test]
fn a_clock_that_jumps_triggers_one_step_and_not_all() {
    let mut dog = Watchdog::new(Patience::default(), Timestamp::from_secs(0), None);
    let steps: Vec<_> = (0..5).filter_map(|minute| dog.observe(at(minute), down()).action).collect();
    assert_eq!(steps, [Action::RestartService]);
    let mut dog = Watchdog::new(Patience::default(), START, None);
    assert_eq!(dog.observe(Timestamp::from_secs(0), down()), Decision::default(), "nor backwards");
}

#[test]
fn a_clock_that_is_put_back_delays_the_next_step_by_its_own_wait_only() {
    let years = 10 * 365 * 24 * 60;
    for is_busy_before in [false, true] {
        let mut dog = Watchdog::new(Patience::default(), START, None);
        assert_eq!(outage(&mut dog, 0..10), [(5, Action::RestartService)]);
        if is_busy_before {
            dog.observe(at(10), Outcome::Busy);
        }
        assert_eq!(outage(&mut dog, -years..20 - years), [(10 - years, Action::NewClient)]);
    }
}
