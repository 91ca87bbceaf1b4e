//! The three state machines as a text that a person can read: which state may follow which, and what
//! each event does in each stage of a purchase. A change of the rules shows as a change of the
//! snapshot beside this file.

use std::fmt::Write;

use super::*;

/// Stages of a purchase, each with the events that lead there from an order.
const STAGES: [(&str, bool, &[Event]); 23] = [
    ("ordered", false, &[]),
    ("refused", false, &[Event::Refuse(0)]),
    ("payable", false, &[Event::Made(0)]),
    ("closing", false, &[Event::Made(0), Event::Close(0)]),
    ("over", false, &[Event::Made(0), Event::Void(0)]),
    ("underpaid", false, &[Event::Made(0), Event::Settled(0, PRICE - 1)]),
    ("paid", false, &[Event::Made(0), Event::Settled(0, PRICE)]),
    ("paid, shown", false, &[Event::Made(0), Event::Settled(0, PRICE), Event::Shown]),
    ("undelivered, unseen", false, &[Event::Made(0), Event::Settled(0, PRICE), Event::OperatorKills]),
    ("undelivered", false, &[Event::Made(0), Event::Settled(0, PRICE), Event::HostFails]),
    ("undelivered, off", false, &[Event::Made(0), Event::Settled(0, PRICE), Event::HostFails, Event::HostSuspends]),
    ("refunded", false, &[Event::Made(0), Event::Settled(0, PRICE), Event::HostFails, Event::Refunded(0, PRICE)]),
    ("running", false, RUNNING),
    ("ending", false, &[Event::Made(0), Event::Settled(0, PRICE), Event::HostActivates, Event::OperatorSuspends]),
    ("off", false, OFF),
    (
        "given up",
        false,
        &[
            Event::Made(0),
            Event::Settled(0, PRICE),
            Event::HostActivates,
            Event::OperatorSuspends,
            Event::HostSuspends,
            Event::LongSuspended,
        ],
    ),
    ("killed", false, &[Event::Made(0), Event::Settled(0, PRICE), Event::HostActivates, Event::OperatorKills]),
    ("held", true, &[Event::Made(0), Event::Held(0, PRICE, None)]),
    ("held, shown", true, &[Event::Made(0), Event::Held(0, PRICE, None), Event::Shown]),
    ("hold returning, unseen", true, &[Event::Made(0), Event::Held(0, PRICE, None), Event::HoldOverdue(0)]),
    ("hold returning", true, &[Event::Made(0), Event::Held(0, PRICE, None), Event::Shown, Event::HoldOverdue(0)]),
    ("hold returned", true, RETURNED),
    ("settling", true, &[Event::Made(0), Event::Held(0, PRICE, None), Event::HostActivates]),
];
const RETURNED: &[Event] =
    &[Event::Made(0), Event::Held(0, PRICE, None), Event::Shown, Event::HoldOverdue(0), Event::Void(0)];
const RUNNING: &[Event] = &[Event::Made(0), Event::Settled(0, PRICE), Event::HostActivates];
const OFF: &[Event] =
    &[Event::Made(0), Event::Settled(0, PRICE), Event::HostActivates, Event::OperatorSuspends, Event::HostSuspends];

/// The events that are tried in each stage.
const EVENTS: [Event; 23] = [
    Event::Made(0),
    Event::Refuse(0),
    Event::Close(0),
    Event::Held(0, PRICE, Some(100)),
    Event::Held(0, PRICE, Some(23)),
    Event::Settled(0, PRICE),
    Event::Settled(0, PRICE + 700),
    Event::Settled(0, PRICE - 1),
    Event::PaidAgain(0, PRICE),
    Event::Void(0),
    Event::Vanished(0),
    Event::HoldOverdue(0),
    Event::Refunded(0, PRICE - 1),
    Event::Refunded(0, PRICE),
    Event::Retry(0),
    Event::HostActivates,
    Event::HostSuspends,
    Event::HostFails,
    Event::ReturnLate(0),
    Event::Delete,
    Event::LongSuspended,
    Event::OperatorSuspends,
    Event::OperatorKills,
];

#[test]
fn the_state_machines_do_what_their_table_says() {
    insta::assert_snapshot!("table", format!("{}\n{}", transitions(), stages()));
}

fn transitions() -> String {
    let mut text = String::from("What may follow what\n");
    let mut line = |machine: &str, from: &str, to: Vec<&str>| {
        writeln!(text, "{machine} {from} -> {}", to.join(" ")).unwrap();
    };
    for from in OrderStatus::ALL {
        let to = OrderStatus::ALL.into_iter().filter(|to| from.may_become(*to));
        line("order", from.letter(), to.map(OrderStatus::letter).collect());
    }
    for from in InvoiceState::ALL {
        let to = InvoiceState::ALL.into_iter().filter(|to| from.may_become(*to));
        line("invoice", from.name(), to.map(InvoiceState::name).collect());
    }
    for from in ProductStatus::ALL {
        let to = ProductStatus::ALL.into_iter().filter(|to| from.may_become(*to));
        line("product", from.letter(), to.map(ProductStatus::letter).collect());
    }
    text
}

fn stages() -> String {
    let mut text = String::from("What an event does in a stage: order, invoice, delivery, product; effects\n");
    for (name, is_hold, path) in STAGES {
        let mut deal = ordered(is_hold);
        for event in path {
            apply(&mut deal, *event, true, START);
        }
        writeln!(text, "\n{name}: {}", line(&deal)).unwrap();
        for event in EVENTS {
            let mut after = deal.clone();
            let effects = apply(&mut after, event, true, START);
            if after != deal || !effects.is_empty() {
                let effects: Vec<_> = effects.iter().map(effect).collect();
                writeln!(text, "  {event:?} -> {}; {}", line(&after), effects.join(", ")).unwrap();
            }
        }
    }
    text
}

fn line(deal: &Deal) -> String {
    let (purchase, product) = (&deal.purchases[0], &deal.product);
    let mut text = format!(
        "{} {} {} {}",
        purchase.status.letter(),
        purchase.invoice.state.name(),
        purchase.delivery.name(),
        product.status.letter()
    );
    if !product.placed {
        text.push_str(" no place");
    }
    if purchase.owed.0 > 0 {
        write!(text, " owes {}", purchase.owed).unwrap();
    }
    text
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::CancelInvoice(_) => "cancel the invoice".to_owned(),
        Effect::SettleInvoice(_) => "settle the invoice".to_owned(),
        Effect::ReservePlace => "reserve the place".to_owned(),
        Effect::ReleasePlace => "release the place".to_owned(),
        Effect::NotifyHost => "tell the host".to_owned(),
        Effect::Alert { topic, .. } => format!("alert {}", topic.name()),
        Effect::CloseAlert(topic, _) => format!("close alert {}", topic.name()),
    }
}
