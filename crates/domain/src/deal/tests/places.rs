//! Products without a place, and products that were never delivered: what a held payment for them
//! leads to.

use super::*;

fn after(is_hold: bool, events: &[Event]) -> Deal {
    let mut deal = ordered(is_hold);
    for event in events {
        apply(&mut deal, *event, true, START);
    }
    deal
}

/// A bridge that worked and whose port was given back, with an extension that can be paid by hold.
fn released() -> Deal {
    let deal = after(
        false,
        &[
            Event::Made(0),
            Event::Settled(0, PRICE),
            Event::HostActivates,
            Event::OperatorSuspends,
            Event::HostSuspends,
            Event::OperatorReleases,
            Event::Extend,
            Event::Made(1),
        ],
    );
    assert!(!deal.product.placed && deal.purchases[1].invoice.is_hold);
    deal
}

#[test]
fn a_held_payment_brings_back_a_product_whose_place_was_given_back() {
    let mut deal = released();
    let effects = apply(&mut deal, Event::Held(1, PRICE, None), true, START);
    assert!(effects.contains(&Effect::ReservePlace), "{effects:?}");
    assert_eq!((deal.product.status, deal.product.placed), (ProductStatus::NeedsActivate, true));
    apply(&mut deal, Event::HostActivates, true, START);
    assert_eq!(deal.purchases[1].invoice.state, InvoiceState::Settling);
}

#[test]
fn a_held_payment_goes_back_when_no_place_is_free() {
    let mut deal = released();
    let order = deal.purchases[1].id;
    let effects = apply(&mut deal, Event::Held(1, PRICE, None), false, START);
    assert!(effects.contains(&Effect::CancelInvoice(order)), "{effects:?}");
    assert_eq!((deal.product.status, deal.product.placed), (ProductStatus::Suspended, false));
    apply(&mut deal, Event::Void(1), true, START);
    let purchase = &deal.purchases[1];
    assert_eq!(
        (purchase.status, &purchase.message),
        (OrderStatus::Rejected, &Some(OrderMessage::Ended(Ending::HoldUnplaced)))
    );
}

#[test]
fn a_product_that_was_never_delivered_is_not_brought_back_for_the_price_of_an_extension() {
    let mut deal = after(
        false,
        &[
            Event::Made(0),
            Event::Settled(0, PRICE),
            Event::HostFails,
            Event::HostSuspends,
            Event::Extend,
            Event::Made(1),
        ],
    );
    assert!(deal.was_ever_bought(), "its first order is owed");
    apply(&mut deal, Event::Refunded(0, PRICE), true, START);
    assert!(!deal.was_ever_bought());
    apply(&mut deal, Event::Held(1, PRICE, None), true, START);
    assert_eq!((deal.purchases[1].invoice.state, deal.product.placed), (InvoiceState::Cancelling, false));
    apply(&mut deal, Event::Void(1), true, START);
    assert_eq!(deal.purchases[1].message, Some(OrderMessage::Ended(Ending::HoldHopeless)));
}

#[test]
fn who_had_not_paid_when_a_product_is_switched_off_is_told_that_nothing_was_charged() {
    for (event, ending) in [(None, Ending::SwitchedOff), (Some(Event::Held(0, PRICE, None)), Ending::SwitchedOffHeld)] {
        let mut deal = after(true, &[Event::Made(0)]);
        event.into_iter().for_each(|event| drop(apply(&mut deal, event, true, START)));
        apply(&mut deal, Event::OperatorKills, true, START);
        apply(&mut deal, Event::Void(0), true, START);
        let purchase = &deal.purchases[0];
        assert_eq!((purchase.status, &purchase.message), (OrderStatus::Rejected, &Some(OrderMessage::Ended(ending))));
    }
}

#[test]
fn a_move_that_no_table_has_is_noted_and_not_made() {
    let mut deal = after(true, &[Event::Made(0)]);
    let before = deal.purchases[0].clone();
    deal.move_order(0, OrderStatus::Refunded, Some(OrderMessage::Refunded));
    assert_eq!(deal.purchases[0], before);
    let broken = deal.broken.expect("it is noted");
    assert_eq!((broken.noun, broken.from, broken.to), ("order", "T", "S"));
}

#[test]
fn no_machine_makes_a_move_that_its_table_does_not_have_and_staying_is_none() {
    let moved = |change: fn(&mut Deal)| {
        let mut deal = after(true, &[Event::Made(0)]);
        change(&mut deal);
        let states = (deal.purchases[0].status, deal.purchases[0].invoice.state, deal.product.status);
        assert_eq!(states, (OrderStatus::ToBePaid, InvoiceState::Open, ProductStatus::Initial));
        deal.broken.map(|broken| (broken.noun, broken.from, broken.to))
    };
    assert_eq!(moved(|deal| deal.move_invoice(0, InvoiceState::Void)), Some(("invoice", "open", "void")));
    assert_eq!(moved(|deal| deal.move_product(ProductStatus::Active, START)), Some(("product", "I", "A")));
    assert_eq!(moved(|deal| deal.move_invoice(0, InvoiceState::Open)), None);
    assert_eq!(moved(|deal| deal.move_product(ProductStatus::Initial, START)), None);
    assert_eq!(moved(|deal| deal.move_order(0, OrderStatus::ToBePaid, None)), None);
}

#[test]
fn a_payment_is_held_too_long_from_its_hosts_limit_on_or_when_the_clock_was_put_back() {
    let mut deal = after(true, &[Event::Made(0)]);
    apply(&mut deal, Event::Held(0, PRICE, None), true, START);
    let too_long = |secs: i64| deal.purchases[0].is_held_too_long(90, START.plus_secs(secs));
    assert!(!too_long(89) && too_long(90) && !too_long(-1) && too_long(-10 * 365 * 86_400));
}

#[test]
fn a_suspended_product_is_given_up_after_its_days_and_an_unpaid_invoice_after_its_time() {
    let mut deal = after(false, &[Event::Made(0)]);
    let end = deal.purchases[0].invoice.expires_at.expect("an end");
    let is_over = |secs: i64| deal.purchases[0].invoice.is_past_its_time(end.plus_secs(secs));
    assert!(!is_over(1) && is_over(2), "its node closes it first");
    deal.product.status = ProductStatus::Suspended;
    deal.product.suspended_at = Some(START);
    let too_long = |secs: i64| deal.product.is_suspended_too_long(45, START.plus_secs(secs));
    assert!(!too_long(45 * 86_400 - 1) && too_long(45 * 86_400));
}

#[test]
fn the_time_to_a_delivery_is_known_once_a_plain_payment_was_delivered() {
    let paid = [Event::Made(0), Event::Settled(0, PRICE)];
    let mut deal = after(false, &paid);
    assert_eq!(deal.purchases[0].secs_to_delivery(START), None, "it is not delivered yet");
    apply(&mut deal, Event::HostActivates, true, START);
    let purchase = deal.purchases[0].clone();
    assert_eq!(purchase.secs_to_delivery(Timestamp(START.0 + 90_900)), Some(90), "whole seconds");
    let mut owed = purchase.clone();
    owed.status = OrderStatus::NeedsRefund;
    assert_eq!(owed.secs_to_delivery(START), None);
    let mut waiting = purchase.clone();
    waiting.delivery = Delivery::Awaiting;
    assert_eq!(waiting.secs_to_delivery(START), None);
    let mut unpaid = purchase.clone();
    unpaid.invoice.paid_at = None;
    assert_eq!(unpaid.secs_to_delivery(START), None);
    let mut held = purchase;
    held.invoice.is_hold = true;
    assert_eq!(held.secs_to_delivery(START), None, "a held payment is taken at the delivery");
}
