//! What operators give: back what was suspended, time for nothing, another port.

use super::*;
use crate::texts::Message;

/// A bridge that works until its only period ends.
fn active() -> Deal {
    let mut deal = ordered(false);
    for event in [Event::Made(0), Event::Settled(0, PRICE), Event::HostActivates] {
        apply(&mut deal, event, true, START);
    }
    deal
}

/// The same, taken down at the operator's word.
fn suspended() -> Deal {
    let mut deal = active();
    for event in [Event::OperatorSuspends, Event::HostSuspends] {
        apply(&mut deal, event, true, START);
    }
    assert_eq!(deal.product.status, ProductStatus::Suspended);
    deal
}

fn end_of(deal: &Deal) -> Timestamp {
    deal.product.suspend_after.expect("an end")
}

#[test]
fn what_was_suspended_comes_back_while_it_has_time_and_not_a_moment_longer() {
    let mut deal = suspended();
    let end = end_of(&deal);
    let before = end.plus_secs(-1);
    assert_eq!(deal.clone().operator_resumes(end), Err(Refusal(Message::ExtendFirst)));
    deal.operator_resumes(before).unwrap();
    assert_eq!((deal.product.status, end_of(&deal)), (ProductStatus::NeedsActivate, end), "its time goes on as before");
    assert_eq!(deal.operator_resumes(before), Err(Refusal(Message::NothingToResume)));
}

#[test]
fn what_was_never_delivered_or_was_switched_off_is_given_nothing() {
    let mut ordered = ordered(false);
    assert_eq!(ordered.operator_resumes(START), Err(Refusal(Message::NothingToResume)));
    assert_eq!(ordered.operator_extends(None, START), Err(Refusal(Message::NeverDelivered)));
    let mut killed = suspended();
    killed.operator_kills(START);
    assert_eq!(killed.operator_resumes(START), Err(Refusal(Message::SwitchedOff)));
    assert_eq!(killed.operator_extends(Some(60), START), Err(Refusal(Message::SwitchedOff)));
}

#[test]
fn time_for_nothing_counts_from_the_end_or_from_now_whichever_is_later() {
    let mut running = active();
    let end = end_of(&running);
    assert_eq!(running.operator_extends(Some(500), START).unwrap(), (500, BYTES));
    assert_eq!((running.product.status, end_of(&running)), (ProductStatus::Active, end.plus_secs(500)));
    let mut over = suspended();
    let later = end.plus_secs(1_000_000);
    over.operator_extends(Some(500), later).unwrap();
    assert_eq!((over.product.status, end_of(&over)), (ProductStatus::NeedsActivate, later.plus_secs(500)));
    let mut period = active();
    let (secs, _) = period.operator_extends(None, START).unwrap();
    assert_eq!(secs, period.product.terms.duration_secs + period.product.terms.grace_secs);
    assert!(period.purchases.iter().all(|purchase| purchase.price == Msat(PRICE)), "no order has to do with it");
}

#[test]
fn a_bridge_gets_another_port_only_where_its_host_has_taken_it_down() {
    assert_eq!(active().operator_moves(4, START), Err(Refusal(Message::MoveOnlySuspended)));
    let mut deal = suspended();
    deal.operator_moves(4, START).unwrap();
    assert_eq!((deal.product.port, deal.product.placed), (Some(4), true));
    assert_eq!(deal.product.status, ProductStatus::NeedsActivate, "it has time left");
    let mut over = suspended();
    let end = end_of(&over);
    over.operator_moves(4, end).unwrap();
    assert_eq!((over.product.port, over.product.status), (Some(4), ProductStatus::Suspended));
}
