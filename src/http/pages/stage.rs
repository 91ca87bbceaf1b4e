//! How far an order is, in the steps that its buyer sees. Pure: what is said of each step is in `order.rs`.

use crate::domain::product::{Product, ProductStatus};
use crate::domain::purchase::{Delivery, InvoiceState, OrderStatus, Purchase, PurchaseKind};
use crate::domain::texts::{Ending, OrderMessage};
use crate::domain::time::Timestamp;

/// The steps of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The invoice is being made.
    Making,
    /// The invoice can be paid.
    ToPay,
    /// Its time is over, and it is not closed yet.
    Expiring,
    /// The payment is held, the host is at work.
    Held,
    /// It works, and the held payment is being taken.
    Settling,
    /// It ends without a sale, and its node has not confirmed that yet.
    Closing,
    /// It was not paid in time.
    Expired,
    /// It was refused before it could be paid.
    Refused,
    /// A held payment went back.
    Returned,
    /// Its node no longer knows its invoice: nobody knows whether it was paid.
    Doubtful,
    /// It has ended in another way.
    Ended,
    /// Paid, the host is at work.
    Waiting,
    /// Paid and delivered, and it works.
    Active,
    /// More time was paid and added.
    Extended,
    /// Paid and delivered; it does not run any more.
    Over,
    /// Paid and not delivered: money is owed.
    Owed,
    /// What is owed is being paid.
    PayingBack,
    /// What was owed was paid.
    Refunded,
}

impl Stage {
    /// Every step.
    #[cfg(test)]
    pub const ALL: [Self; 18] = [
        Self::Making,
        Self::ToPay,
        Self::Expiring,
        Self::Held,
        Self::Settling,
        Self::Closing,
        Self::Expired,
        Self::Refused,
        Self::Returned,
        Self::Doubtful,
        Self::Ended,
        Self::Waiting,
        Self::Active,
        Self::Extended,
        Self::Over,
        Self::Owed,
        Self::PayingBack,
        Self::Refunded,
    ];

    /// The step of an order.
    pub fn of(purchase: &Purchase, product: &Product, is_being_paid_back: bool, now: Timestamp) -> Self {
        match purchase.status {
            status if status.is_open() => Self::of_open(purchase, now),
            OrderStatus::Rejected => Self::of_ended(purchase),
            OrderStatus::NeedsRefund if is_being_paid_back => Self::PayingBack,
            OrderStatus::NeedsRefund => Self::Owed,
            OrderStatus::Refunded => Self::Refunded,
            _ => Self::of_paid(purchase, product),
        }
    }

    fn of_open(purchase: &Purchase, now: Timestamp) -> Self {
        match purchase.invoice.state {
            InvoiceState::Open if purchase.invoice.expires_at.is_some_and(|end| end <= now) => Self::Expiring,
            InvoiceState::Open => Self::ToPay,
            InvoiceState::Held => Self::Held,
            InvoiceState::Settling => Self::Settling,
            InvoiceState::Cancelling | InvoiceState::Expired | InvoiceState::Void => Self::Closing,
            InvoiceState::Initial | InvoiceState::Paid => Self::Making,
        }
    }

    fn of_ended(purchase: &Purchase) -> Self {
        if purchase.invoice.state.is_live() {
            return Self::Closing;
        }
        match (&purchase.message, purchase.invoice.held_at) {
            (Some(OrderMessage::Ended(Ending::Expired)), None) => Self::Expired,
            (Some(OrderMessage::Vanished), _) => Self::Doubtful,
            (_, Some(_)) => Self::Returned,
            (_, None) if purchase.invoice.state == InvoiceState::Void => Self::Refused,
            _ => Self::Ended,
        }
    }

    fn of_paid(purchase: &Purchase, product: &Product) -> Self {
        match (purchase.delivery, product.status) {
            (Delivery::Awaiting, _) | (_, ProductStatus::NeedsActivate) => Self::Waiting,
            (_, ProductStatus::Active) if purchase.kind == PurchaseKind::Extension => Self::Extended,
            (_, ProductStatus::Active) => Self::Active,
            _ => Self::Over,
        }
    }

    /// A name for the script and for tests.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Making => "making",
            Self::ToPay => "to_pay",
            Self::Expiring => "expiring",
            Self::Held => "held",
            Self::Settling => "settling",
            Self::Closing => "closing",
            Self::Expired => "expired",
            Self::Refused => "refused",
            Self::Returned => "returned",
            Self::Doubtful => "doubtful",
            Self::Ended => "ended",
            Self::Waiting => "waiting",
            Self::Active => "active",
            Self::Extended => "extended",
            Self::Over => "over",
            Self::Owed => "owed",
            Self::PayingBack => "paying_back",
            Self::Refunded => "refunded",
        }
    }

    /// After how many seconds a browser without JavaScript looks again; `None` where nothing changes by itself. Where
    /// somebody copies the invoice it is longer: a new page forgets what was marked.
    pub const fn refresh_secs(self) -> Option<u32> {
        match self {
            Self::Making | Self::Held | Self::Settling | Self::Waiting => Some(4),
            Self::Expiring | Self::Closing | Self::PayingBack => Some(8),
            Self::ToPay => Some(10),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::http::pages::sample::sample;

    const NOW: Timestamp = Timestamp::from_secs(1_000);

    fn stage(status: OrderStatus, invoice: InvoiceState, change: impl FnOnce(&mut Purchase, &mut Product)) -> Stage {
        let (mut purchase, mut product) = sample(Uuid::nil());
        (purchase.status, purchase.invoice.state) = (status, invoice);
        purchase.invoice.expires_at = Some(NOW.plus_secs(10));
        change(&mut purchase, &mut product);
        Stage::of(&purchase, &product, false, NOW)
    }

    #[test]
    fn an_order_that_can_be_paid_says_so_until_its_time_is_over() {
        let plain = |_: &mut Purchase, _: &mut Product| {};
        assert_eq!(stage(OrderStatus::Initial, InvoiceState::Initial, plain), Stage::Making);
        assert_eq!(stage(OrderStatus::RemoteChecks, InvoiceState::Initial, plain), Stage::Making);
        assert_eq!(stage(OrderStatus::ToBePaid, InvoiceState::Open, plain), Stage::ToPay);
        let over = |purchase: &mut Purchase, _: &mut Product| purchase.invoice.expires_at = Some(NOW);
        assert_eq!(stage(OrderStatus::ToBePaid, InvoiceState::Open, over), Stage::Expiring);
        assert_eq!(stage(OrderStatus::ToBePaid, InvoiceState::Held, plain), Stage::Held);
        assert_eq!(stage(OrderStatus::ToBePaid, InvoiceState::Settling, plain), Stage::Settling);
    }

    #[test]
    fn nothing_is_said_to_be_over_before_its_node_has_confirmed_it() {
        let ended = |ending| {
            move |purchase: &mut Purchase, _: &mut Product| purchase.message = Some(OrderMessage::Ended(ending))
        };
        assert_eq!(stage(OrderStatus::Rejected, InvoiceState::Cancelling, ended(Ending::Expired)), Stage::Closing);
        assert_eq!(stage(OrderStatus::Rejected, InvoiceState::Expired, ended(Ending::Expired)), Stage::Expired);
        assert_eq!(stage(OrderStatus::Rejected, InvoiceState::Expired, ended(Ending::Replaced)), Stage::Ended);
        let denied = |purchase: &mut Purchase, _: &mut Product| purchase.message = Some(OrderMessage::Denied);
        assert_eq!(stage(OrderStatus::Rejected, InvoiceState::Void, denied), Stage::Refused);
        let held = |purchase: &mut Purchase, _: &mut Product| {
            purchase.message = Some(OrderMessage::Ended(Ending::Returned));
            purchase.invoice.held_at = Some(NOW);
        };
        assert_eq!(stage(OrderStatus::Rejected, InvoiceState::Expired, held), Stage::Returned);
    }

    #[test]
    fn nothing_is_said_of_a_payment_that_nobody_knows_about_whether_it_was_held_or_not() {
        for held_at in [None, Some(NOW)] {
            let vanished = |purchase: &mut Purchase, _: &mut Product| {
                purchase.message = Some(OrderMessage::Vanished);
                purchase.invoice.held_at = held_at;
            };
            assert_eq!(stage(OrderStatus::Rejected, InvoiceState::Expired, vanished), Stage::Doubtful);
        }
    }

    #[test]
    fn a_paid_order_waits_for_its_host_then_works_then_is_over() {
        for (delivery, status, kind, wanted) in [
            (Delivery::Awaiting, ProductStatus::NeedsActivate, PurchaseKind::First, Stage::Waiting),
            (Delivery::Delivered, ProductStatus::Active, PurchaseKind::First, Stage::Active),
            (Delivery::Delivered, ProductStatus::Active, PurchaseKind::Extension, Stage::Extended),
            (Delivery::Delivered, ProductStatus::Suspended, PurchaseKind::First, Stage::Over),
        ] {
            let change = |purchase: &mut Purchase, product: &mut Product| {
                (purchase.delivery, purchase.kind, product.status) = (delivery, kind, status);
            };
            assert_eq!(stage(OrderStatus::Paid, InvoiceState::Paid, change), wanted);
        }
    }

    #[test]
    fn what_is_owed_is_owed_until_it_is_paid() {
        let (mut purchase, product) = sample(Uuid::nil());
        purchase.status = OrderStatus::NeedsRefund;
        assert_eq!(Stage::of(&purchase, &product, false, NOW), Stage::Owed);
        assert_eq!(Stage::of(&purchase, &product, true, NOW), Stage::PayingBack);
        purchase.status = OrderStatus::Refunded;
        assert_eq!(Stage::of(&purchase, &product, false, NOW), Stage::Refunded);
    }
}
