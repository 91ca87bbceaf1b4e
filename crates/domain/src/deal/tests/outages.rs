//! Time that a product lost through no fault of its buyer: its host was dead, or the shop's clock was ahead.

use super::*;

/// A bridge that was activated at [`START`] and whose only period ends after [`PERIOD`].
fn running() -> Deal {
    let mut deal = ordered(false);
    for event in [Event::Made(0), Event::Settled(0, PRICE), Event::HostActivates] {
        apply(&mut deal, event, true, START);
    }
    assert_eq!(deal.product.suspend_after, Some(end()));
    deal
}

/// The same after its time: its host is to take it down, or has reported that it has.
fn over(status: ProductStatus) -> Deal {
    let mut deal = running();
    apply(&mut deal, Event::TimeIsOver, true, end());
    if status == ProductStatus::Suspended {
        apply(&mut deal, Event::HostSuspends, true, end());
    }
    assert_eq!(deal.product.status, status);
    deal
}

fn end() -> Timestamp {
    START.plus_secs(PERIOD)
}

/// The dead time that is credited, where the product's end and state are then.
fn credited(deal: &mut Deal, since: Timestamp, now: Timestamp) -> (i64, i64, ProductStatus) {
    let secs = deal.credit_outage(since, now);
    let end_moved = deal.product.suspend_after.expect("an end").millis_since(end()) / 1000;
    (secs, end_moved, deal.product.status)
}

#[test]
fn an_outage_is_added_to_the_end_of_what_runs_but_for_what_lay_behind_that_end() {
    let active = ProductStatus::Active;
    let (since, now) = (START.plus_secs(1_000), START.plus_secs(4_600));
    assert_eq!(credited(&mut running(), since, now), (3_600, 3_600, active));
    let late = end().plus_secs(500);
    let around = end().plus_secs(-100);
    assert_eq!(credited(&mut running(), around, late), (100, 100, active), "not the time after its end");
    let mut unbroken = running();
    assert_eq!(
        credited(&mut unbroken, around, end().plus_secs(50)),
        (100, 100, active),
        "nobody has taken it down yet"
    );
    assert_eq!(unbroken.broken, None, "and so it does not come back");
    for since in [end(), end().plus_secs(100)] {
        assert_eq!(credited(&mut running(), since, late), (0, 0, active), "its end was before the outage");
    }
    assert_eq!(credited(&mut running(), now, now), (0, 0, active), "an outage of no time");
}

#[test]
fn what_ended_during_an_outage_comes_back_only_while_its_new_end_is_ahead() {
    let since = end().plus_secs(-100);
    for stopped in [ProductStatus::NeedsSuspend, ProductStatus::Suspended] {
        for (after_end, status) in [
            (0, ProductStatus::NeedsActivate),
            (99, ProductStatus::NeedsActivate),
            (100, stopped),
            (101, stopped),
            (9_999, stopped),
        ] {
            let mut deal = over(stopped);
            let told = credited(&mut deal, since, end().plus_secs(after_end));
            assert_eq!(told, (100, 100, status), "{stopped:?}, {after_end} s after its end");
            assert_eq!(deal.effects.contains(&Effect::NotifyHost), status != stopped, "{stopped:?}, {after_end}");
        }
    }
}

#[test]
fn an_outage_gives_nothing_back_that_was_stopped_for_another_reason() {
    let (since, now) = (end().plus_secs(-100), end().plus_secs(50));
    let mut used_up = over(ProductStatus::Suspended);
    used_up.product.bandwidth_remaining = 0;
    assert_eq!(credited(&mut used_up, since, now), (100, 100, ProductStatus::Suspended), "its bandwidth is used up");
    let mut killed = over(ProductStatus::Suspended);
    apply(&mut killed, Event::OperatorKills, true, end());
    assert_eq!(credited(&mut killed, since, now), (0, 0, ProductStatus::Suspended));
    let mut by_hand = running();
    apply(&mut by_hand, Event::OperatorSuspends, true, START);
    let before_its_end = end().plus_secs(-1);
    assert_eq!(credited(&mut by_hand, since, before_its_end), (99, 99, ProductStatus::NeedsSuspend), "by an operator");
}

#[test]
fn what_never_ran_or_never_ends_has_nothing_to_be_credited() {
    let (since, now) = (START.plus_secs(10), START.plus_secs(50));
    let mut waiting = ordered(false);
    for event in [Event::Made(0), Event::Settled(0, PRICE)] {
        apply(&mut waiting, event, true, START);
    }
    let before = waiting.clone();
    assert_eq!((waiting.credit_outage(since, now), &waiting), (0, &before));
    let mut endless = running();
    endless.product.suspend_after = None;
    assert_eq!((endless.credit_outage(since, now), endless.product.suspend_after), (0, None));
}

#[test]
fn what_a_clock_suspended_that_was_ahead_comes_back_while_it_has_paid_time() {
    let back = |mut deal: Deal, now: Timestamp| {
        deal.time_was_not_over(now);
        deal.product.status == ProductStatus::NeedsActivate
    };
    for stopped in [ProductStatus::NeedsSuspend, ProductStatus::Suspended] {
        assert!(back(over(stopped), end().plus_secs(-1)), "{stopped:?}");
        assert!(!back(over(stopped), end()) && !back(over(stopped), end().plus_secs(1)), "{stopped:?}, over indeed");
        let mut killed = over(stopped);
        killed.product.is_killed = true;
        assert!(!back(killed, START), "{stopped:?}, switched off for good");
        let mut used_up = over(stopped);
        used_up.product.bandwidth_remaining = 0;
        assert!(!back(used_up, START), "{stopped:?}, without bandwidth");
        let mut endless = over(stopped);
        endless.product.suspend_after = None;
        assert!(!back(endless, START), "{stopped:?}, no clock has suspended what never ends");
    }
    assert!(!back(running(), START), "it runs");
}

#[test]
fn times_that_a_clock_ahead_has_set_count_from_now_and_what_was_paid_is_as_long_as_before() {
    let now = START.plus_secs(-5_000);
    let mut deal = running();
    deal.clock_was_ahead(now);
    let product = &deal.product;
    assert_eq!((product.activated_at, product.suspend_after), (Some(now), Some(now.plus_secs(PERIOD))));
    let mut corrected = running();
    corrected.clock_was_ahead(START.plus_secs(-60));
    assert_eq!(corrected.product.suspend_after, Some(end()), "a minute is a correction");
    for (stopped, since) in [(ProductStatus::NeedsSuspend, true), (ProductStatus::Suspended, false)] {
        let mut deal = over(stopped);
        deal.clock_was_ahead(START);
        let product = &deal.product;
        let stamps = (product.suspending_since, product.suspended_at);
        assert_eq!(stamps, if since { (Some(START), None) } else { (None, Some(START)) });
    }
    let mut past = over(ProductStatus::Suspended);
    past.clock_was_ahead(end().plus_secs(5));
    assert_eq!(past.product.suspended_at, Some(end()), "what lies behind us stays");
}
