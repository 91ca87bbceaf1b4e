//! Tests of the deal: every event as data, so that it can be drawn at random ([`random`]) and
//! tabulated ([`table`]).

mod bandwidth;
mod gifts;
mod outages;
mod places;
mod random;
mod table;

use super::*;
use crate::id::{HostId, NodeId, OrderId, ProductId};
use crate::lightning::{MadeInvoice, PaymentHash};
use crate::money::Msat;
use crate::product::{ProductStatus, Subject, Terms};
use crate::purchase::{Delivery, Invoice, InvoiceState, OrderStatus, PurchaseKind};
use crate::texts::{Ending, OrderMessage};
use crate::time::Timestamp;
use uuid::Uuid;

/// Where time begins.
const START: Timestamp = Timestamp::from_secs(1_795_000_000);
/// What everything costs.
const PRICE: u64 = 20_000;
/// The paid period with its grace. Seconds.
const PERIOD: i64 = 86_400 + 600;
/// Bytes per paid period.
const BYTES: i64 = 1_000;

/// Everything that can happen to a deal; those with a number are about that purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Extend,
    Made(usize),
    Refuse(usize),
    Close(usize),
    Held(usize, u64, Option<i64>),
    Settled(usize, u64),
    PaidAgain(usize, u64),
    Void(usize),
    Vanished(usize),
    HoldOverdue(usize),
    Refunded(usize, u64),
    Retry(usize),
    Shown,
    HostActivates,
    HostSuspends,
    HostFails,
    ReturnLate(usize),
    Used(i64),
    Delete,
    ActivationOverdue,
    TimeIsOver,
    LongSuspended,
    OperatorSuspends,
    OperatorKills,
    OperatorReleases,
}

/// Applies `event` and everything that follows in the same transaction; `place_free` is whether a
/// place can be reserved.
fn apply(deal: &mut Deal, event: Event, place_free: bool, now: Timestamp) -> Vec<Effect> {
    match event {
        Event::Extend => extend(deal, now),
        Event::Made(i) => deal.invoice_made(i, &made(now)),
        Event::Refuse(i) => deal.refuse(i, OrderMessage::Free("no".to_owned()), now),
        Event::Close(i) => deal.close_unpaid(i, Ending::Expired),
        Event::Held(i, amount, blocks) => deal.payment_held(i, Msat(amount), blocks, now, now),
        Event::Settled(i, amount) => deal.payment_settled(i, Msat(amount), now, now),
        Event::PaidAgain(i, _) if deal.purchases[i].invoice.state != InvoiceState::Paid => {}
        Event::PaidAgain(i, amount) => deal.paid_again(i, Msat(amount)),
        Event::Void(i) => deal.payment_void(i, now),
        Event::Vanished(i) => deal.payment_vanished(i, now),
        Event::HoldOverdue(i) => deal.hold_overdue(i, 0, now),
        // Money goes back only where some came.
        Event::Refunded(i, _) if deal.purchases[i].invoice.state != InvoiceState::Paid => {}
        Event::Refunded(i, amount) => deal.refunded(i, Msat(amount), now),
        Event::Retry(i) => drop(deal.retry_delivery(i, now)),
        // As the store does it.
        Event::Shown if deal.product.status != ProductStatus::NeedsActivate => {}
        Event::Shown => drop(deal.product.shown_at.get_or_insert(now)),
        Event::ReturnLate(i) => {
            if deal.purchases[i].secs_to_delivery(now).is_some() {
                deal.purchases[i].late_secs = Some(400);
            }
            drop(deal.return_late(i, now));
        }
        Event::HostActivates => drop(deal.host_activates(now)),
        Event::HostSuspends => drop(deal.host_suspends(now)),
        Event::HostFails => drop(deal.host_fails(now)),
        Event::Used(bytes) => deal.bandwidth_used(bytes, now),
        Event::Delete => drop(deal.delete(now)),
        Event::ActivationOverdue => deal.activation_overdue(now),
        Event::TimeIsOver => deal.time_is_over(now),
        Event::LongSuspended => deal.suspended_too_long(0, now),
        Event::OperatorSuspends => drop(deal.operator_suspends(now)),
        Event::OperatorKills => deal.operator_kills(now),
        Event::OperatorReleases => drop(deal.operator_releases(now)),
    }
    assert_eq!(deal.broken, None, "{event:?}");
    let mut position = 0;
    while let Some(effect) = deal.effects.get(position).cloned() {
        position += 1;
        if effect == Effect::ReservePlace && !place_free {
            deal.place_unavailable(now);
        } else if effect == Effect::ReservePlace {
            deal.product.placed = true;
        }
    }
    std::mem::take(&mut deal.effects)
}

/// One more purchase for the same product.
fn extend(deal: &mut Deal, now: Timestamp) {
    let (number, is_hold) = (deal.purchases.len(), deal.product.status != ProductStatus::Active);
    deal.purchases.push(purchase(number, PurchaseKind::Extension, is_hold, now));
}

fn made(now: Timestamp) -> MadeInvoice {
    MadeInvoice {
        payment_request: "lnbcrt1".to_owned(),
        created_at: now,
        expires_at: now.plus_secs(900),
        add_index: None,
    }
}

/// A bridge that was just ordered.
fn ordered(is_hold: bool) -> Deal {
    let id = Uuid::from_u128(1);
    let terms =
        Terms { duration_secs: 86_400, grace_secs: 600, price_extension: Msat(PRICE), bandwidth_initial: BYTES };
    let subject = Subject::Target("target".to_owned());
    let product = Product {
        port: Some(20_000),
        suspend_after: Some(START.plus_secs(PERIOD)),
        ..Product::ordered(ProductId(id), HostId(id), subject, terms, START)
    };
    Deal::new(product, vec![purchase(0, PurchaseKind::First, is_hold, START)])
}

fn purchase(number: usize, kind: PurchaseKind, is_hold: bool, now: Timestamp) -> Purchase {
    let id = Uuid::from_u128(number as u128);
    let invoice = Invoice {
        state: InvoiceState::Initial,
        node_id: NodeId(id),
        hash: PaymentHash([number as u8; 32]),
        is_hold,
        payment_request: None,
        amount: Msat(PRICE),
        received: None,
        described_by: None,
        expiry_secs: 900,
        made_at: None,
        expires_at: None,
        held_at: None,
        paid_at: None,
        rates: crate::fiat::InvoiceRates::default(),
        created_at: now,
        modified_at: now,
    };
    Purchase {
        id: OrderId(id),
        kind,
        status: OrderStatus::Initial,
        message: None,
        price: Msat(PRICE),
        periods: 1,
        delivery: Delivery::None,
        granted_secs: 0,
        granted_bytes: 0,
        owed: Msat(0),
        refunded: Msat(0),
        late_secs: None,
        invoice,
        created_at: now,
        modified_at: now,
    }
}
