//! Bandwidth: what is used up suspends, and what is paid for is there.

use super::*;

/// A bridge that works.
fn active() -> Deal {
    let mut deal = ordered(false);
    for event in [Event::Made(0), Event::Settled(0, PRICE), Event::HostActivates] {
        apply(&mut deal, event, true, START);
    }
    deal
}

/// A bridge that was suspended after it used twice of what it had, and its extension, not paid yet.
fn overdrawn() -> Deal {
    let mut deal = active();
    for event in [Event::Used(3 * BYTES), Event::HostSuspends, Event::Extend, Event::Made(1)] {
        apply(&mut deal, event, true, START);
    }
    assert_eq!((deal.product.status, deal.product.bandwidth_remaining), (ProductStatus::Suspended, -2 * BYTES));
    deal
}

#[test]
fn an_extension_buys_its_whole_bandwidth_whatever_was_overdrawn_before() {
    let mut deal = overdrawn();
    for event in [Event::Held(1, PRICE, None), Event::HostActivates, Event::Settled(1, PRICE), Event::Used(0)] {
        apply(&mut deal, event, true, START);
    }
    assert_eq!((deal.product.status, deal.product.bandwidth_remaining), (ProductStatus::Active, BYTES));
    apply(&mut deal, Event::Used(BYTES), true, START);
    assert_eq!(deal.product.status, ProductStatus::NeedsSuspend);
}

#[test]
fn an_order_of_several_periods_grants_each_of_them_and_gives_all_of_them_back() {
    let mut deal = overdrawn();
    deal.purchases[1].periods = 3;
    let end = deal.product.suspend_after;
    apply(&mut deal, Event::Settled(1, PRICE), true, START);
    let period = deal.product.terms.duration_secs + deal.product.terms.grace_secs;
    assert_eq!((deal.purchases[1].granted_secs, deal.product.bandwidth_remaining), (3 * period, 3 * BYTES));
    apply(&mut deal, Event::HostFails, true, START);
    assert_eq!((deal.product.suspend_after, deal.product.bandwidth_remaining), (end, -2 * BYTES));
    assert_eq!((deal.purchases[1].granted_secs, deal.purchases[1].granted_bytes), (0, 0));
}

#[test]
fn what_an_extension_forgave_is_owed_again_when_it_is_taken_back() {
    let mut deal = overdrawn();
    apply(&mut deal, Event::Settled(1, PRICE), true, START);
    assert_eq!((deal.product.bandwidth_remaining, deal.purchases[1].granted_bytes), (BYTES, 3 * BYTES));
    apply(&mut deal, Event::HostFails, true, START);
    assert_eq!((deal.product.bandwidth_remaining, deal.purchases[1].granted_bytes), (-2 * BYTES, 0));
}

#[test]
fn bandwidth_that_is_left_is_kept_by_an_extension() {
    let mut deal = active();
    for event in [Event::Used(400), Event::Extend, Event::Made(1), Event::Settled(1, PRICE)] {
        apply(&mut deal, event, true, START);
    }
    assert_eq!((deal.product.bandwidth_remaining, deal.purchases[1].granted_bytes), (BYTES - 400 + BYTES, BYTES));
}

#[test]
fn without_a_limit_no_traffic_suspends_a_product() {
    let mut deal = active();
    (deal.product.terms.bandwidth_initial, deal.product.bandwidth_remaining) = (0, 0);
    apply(&mut deal, Event::Used(BYTES), true, START);
    assert_eq!(deal.product.status, ProductStatus::Active);
    assert!(deal.is_paid_for(START, true));
}
