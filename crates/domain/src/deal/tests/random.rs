//! Any event can follow any other, however little sense it makes: tens of thousands of sequences (`make quick`: some hundred),
//! with the rules of the money checked after each event. A move that no transition table has is noted
//! in the deal (`Deal::broken`), which `apply` looks at.

use super::*;
use crate::alert::AlertTopic;
use crate::product::ACTIVATION_LIMIT_SECS;

/// Sequences; the same ones each time. `IP2TOR_DEAL_RUNS` sets another number.
const RUNS: u64 = 20_000;
/// Events of a sequence.
const EVENTS: usize = 40;

#[test]
fn no_sequence_of_events_breaks_a_rule_of_the_money() {
    let runs = std::env::var("IP2TOR_DEAL_RUNS").map_or(RUNS, |runs| runs.parse().unwrap());
    for seed in 0..runs {
        let mut luck = fastrand::Rng::with_seed(seed);
        let mut deal = ordered(luck.bool());
        let mut now = START;
        let mut trace = Vec::new();
        for _ in 0..EVENTS {
            now = now.plus_secs(luck.choice([0, 0, 1, 100, 2_000, 90_000, -50]).unwrap());
            let (event, place_free) = (draw(&mut luck, deal.purchases.len()), luck.u32(..5) > 0);
            let before = deal.clone();
            let effects = apply(&mut deal, event, place_free, now);
            trace.push(event);
            if let Err(text) = check(&before, &deal, &effects, event, now) {
                panic!("sequence {seed}: {text}\n{trace:?}\n{:?}\n{:?}", deal.product, deal.purchases);
            }
        }
    }
}

fn draw(luck: &mut fastrand::Rng, purchases: usize) -> Event {
    let i = luck.usize(..purchases);
    let amount = luck.choice([PRICE, PRICE, PRICE + 700, PRICE - 1]).unwrap();
    match luck.u32(..42) {
        0..2 if purchases < 5 => Event::Extend,
        2..6 => Event::Made(i),
        6 => Event::Refuse(i),
        7 => Event::Close(i),
        8..11 => Event::Held(i, amount, luck.choice([None, Some(100), Some(23)]).unwrap()),
        11..15 => Event::Settled(i, amount),
        15..17 => Event::Void(i),
        17 => Event::HoldOverdue(i),
        18 => Event::Refunded(i, luck.choice([PRICE, PRICE + 700, PRICE - 1, 700]).unwrap()),
        19 => Event::Retry(i),
        20..24 => Event::HostActivates,
        24..26 => Event::HostSuspends,
        26 => Event::HostFails,
        27 => Event::Delete,
        28 => Event::ActivationOverdue,
        29 => Event::TimeIsOver,
        30 => Event::LongSuspended,
        31 => Event::OperatorSuspends,
        32..34 => Event::Used(luck.choice([1, BYTES / 2, 5 * BYTES]).unwrap()),
        34 if luck.u32(..4) == 0 => Event::OperatorKills,
        35 => Event::PaidAgain(i, luck.choice([PRICE, 700]).unwrap()),
        36..40 => Event::Shown,
        40 => Event::ReturnLate(i),
        _ => Event::OperatorReleases,
    }
}

fn check(before: &Deal, deal: &Deal, effects: &[Effect], event: Event, now: Timestamp) -> Result<(), String> {
    for purchase in &deal.purchases {
        let name = purchase.id.0.as_u128();
        money(purchase)
            .and_then(|()| told(before, purchase, effects))
            .map_err(|text| format!("purchase {name}: {text}"))?;
        promise(deal, purchase).map_err(|text| format!("purchase {name}: {text}"))?;
    }
    rule(deal.product.placed || !is_working(deal), "it is promised without a place")?;
    rule(!deal.product.is_killed || !is_working(deal), "it is killed, and works")?;
    what_the_host_has(deal)?;
    time(before, deal, now)?;
    let bytes = |deal: &Deal| deal.purchases.iter().map(|purchase| purchase.granted_bytes).sum::<i64>();
    let used = if let Event::Used(bytes) = event { bytes } else { 0 };
    let left = before.product.bandwidth_remaining - used - bytes(before) + bytes(deal);
    rule(deal.product.bandwidth_remaining == left, "its bandwidth is not what was granted")?;
    let waited = deal.product.pending_since.map_or(0, |since| now.millis_since(since) / 1000);
    rule(event != Event::ActivationOverdue || waited < ACTIVATION_LIMIT_SECS, "it waits for ever")?;
    for (old, new) in before.purchases.iter().zip(&deal.purchases) {
        rule(old.invoice.state != InvoiceState::Paid || new.invoice.state == InvoiceState::Paid, "a payment is gone")?;
        let is_new = deal.product.deleted_at.is_some() && before.product.deleted_at.is_none();
        rule(!is_new || new.owed == Msat(0), "deleted, and owes money")?;
        let begun = |effect: &Effect| *effect == Effect::CancelInvoice(new.id);
        let settles = matches!(old.invoice.state, InvoiceState::Settling);
        rule(!settles || !effects.iter().any(begun), "cancels what it has begun to settle")?;
    }
    if !matches!(event, Event::Extend | Event::Used(_)) {
        let mut again = deal.clone();
        apply(&mut again, event, true, now);
        // What could not be delivered for want of a place may be tried again, and each refund or payment is
        // one more.
        let counts = matches!(event, Event::Retry(_) | Event::Refunded(..) | Event::PaidAgain(..));
        rule(again == *deal || counts, "the same event again changes something")?;
    }
    Ok(())
}

fn rule(holds: bool, text: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(text.to_owned()) }
}

const fn is_working(deal: &Deal) -> bool {
    matches!(deal.product.status, ProductStatus::NeedsActivate | ProductStatus::Active)
}

/// Only what a host was told of may have to be taken down there; what it can't have keeps no place that nobody paid
/// for.
fn what_the_host_has(deal: &Deal) -> Result<(), String> {
    let product = &deal.product;
    let (told, status) = (product.shown_at.is_some(), product.status);
    rule(told || !matches!(status, ProductStatus::Active | ProductStatus::NeedsSuspend), "no host was told of it")?;
    rule(!told || status != ProductStatus::Suspended, "taken down, and still there")?;
    rule(product.suspending_since.is_some() == (status == ProductStatus::NeedsSuspend), "suspending_since is wrong")?;
    let is_idle = status == ProductStatus::Suspended && product.activated_at.is_none() && !deal.has_claims();
    rule(!is_idle || !product.placed, "it keeps a place that nobody paid for")
}

/// A payment ends in delivery or in an amount owed, to the last millisatoshi; what was paid back, whenever
/// that was, is not owed again.
fn money(purchase: &Purchase) -> Result<(), String> {
    let received = purchase.invoice.received.unwrap_or_default().0;
    let due = match (purchase.invoice.state, purchase.status) {
        (InvoiceState::Paid, OrderStatus::Paid) => received.checked_sub(PRICE).ok_or("delivered for too little")?,
        (InvoiceState::Paid, OrderStatus::NeedsRefund | OrderStatus::Refunded) => received,
        (InvoiceState::Paid, other) => return Err(format!("paid, and in {other:?}")),
        (_, OrderStatus::Paid | OrderStatus::NeedsRefund | OrderStatus::Refunded) => return Err("never paid".into()),
        _ => 0,
    };
    let (owed, refunded) = (purchase.owed.0, purchase.refunded.0);
    rule(owed == due.saturating_sub(refunded), &format!("{due} is due, {refunded} was paid back, {owed} is owed"))?;
    let needs_refund = purchase.status == OrderStatus::NeedsRefund;
    rule(purchase.status != OrderStatus::Refunded || owed == 0, "refunded, and still owes")?;
    rule(!needs_refund || owed > 0, "it needs a refund of nothing")
}

/// Each refund is booked by its own amount, and the operator is told of one that was more than owed.
fn told(before: &Deal, purchase: &Purchase, effects: &[Effect]) -> Result<(), String> {
    let Some(old) = before.purchases.iter().find(|old| old.id == purchase.id) else { return Ok(()) };
    let paid_back = purchase.refunded.0.checked_sub(old.refunded.0).ok_or("a refund is forgotten")?;
    let is_told =
        effects.iter().any(|effect| matches!(effect, Effect::Alert { topic: AlertTopic::RefundedTooMuch, .. }));
    rule(is_told || paid_back <= old.owed.0, "too much was paid back, and nobody was told")
}

/// What is promised, and for which money.
fn promise(deal: &Deal, purchase: &Purchase) -> Result<(), String> {
    let granted = (purchase.granted_secs, purchase.granted_bytes);
    // More than its bytes when it forgave what was used beyond the former ones.
    let enough = if purchase.kind == PurchaseKind::Extension { granted.1 >= BYTES } else { granted.1 == 0 };
    rule(granted == (0, 0) || (granted.0 == PERIOD && enough), &format!("it was granted {granted:?}"))?;
    let fits = match (purchase.invoice.state, purchase.status) {
        (InvoiceState::Held, _) => purchase.delivery == Delivery::Awaiting,
        (InvoiceState::Settling, _) => purchase.delivery == Delivery::Delivered,
        (InvoiceState::Paid, OrderStatus::Paid) => purchase.delivery != Delivery::None,
        (InvoiceState::Paid, OrderStatus::NeedsRefund) => purchase.delivery != Delivery::Delivered,
        _ => purchase.delivery == Delivery::None,
    };
    rule(fits, "its delivery does not fit its payment")?;
    rule((purchase.delivery == Delivery::Delivered) <= (granted.0 == PERIOD), "delivered without its time")?;
    let undone = purchase.delivery == Delivery::None || purchase.status == OrderStatus::NeedsRefund;
    rule(!undone || granted == (0, 0), "granted and not delivered")?;
    let waits = purchase.has_claim() && purchase.status != OrderStatus::NeedsRefund;
    rule(!waits || deal.product.status == ProductStatus::NeedsActivate, "it waits for nothing")
}

/// The time that was granted in this event is what the product got.
fn time(before: &Deal, deal: &Deal, now: Timestamp) -> Result<(), String> {
    let (old, new) = (&before.product, &deal.product);
    let first = old.activated_at.is_none() && new.activated_at.is_some();
    let start = if first { Some(now) } else { old.suspend_after };
    let deltas = deal.purchases.iter().enumerate().map(|(i, purchase)| {
        purchase.granted_secs - before.purchases.get(i).map_or(0, |purchase| purchase.granted_secs)
    });
    let deltas: Vec<i64> = deltas.filter(|delta| *delta != 0).collect();
    let add =
        |end: Timestamp, delta: &i64| if *delta > 0 { end.max(now).plus_secs(*delta) } else { end.plus_secs(*delta) };
    let end = start.map(|start| deltas.iter().fold(start, add));
    // Granted and taken back at once, since no place was free: over, but not longer ago than now.
    let undone = deltas.is_empty() && !new.placed && new.suspend_after == start.map(|start| start.max(now));
    rule(undone || new.suspend_after == end, &format!("it ends {:?}, not {end:?}", new.suspend_after))
}
