//! A purchase: a purchase order with its single item and its one visible invoice, and the states
//! of order and invoice. What they do to the product is in [`super::deal`].

use strum::EnumCount;

use super::fiat::InvoiceRates;
use super::id::{NodeId, OrderId};
use super::lightning::PaymentHash;
use super::money::Msat;
use super::texts::OrderMessage;
use super::time::Timestamp;
use super::transition::BrokenRule;

/// The states of a purchase order; the letters are the contract's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumCount)]
pub enum OrderStatus {
    /// I: accepted, its invoice is being made.
    Initial,
    /// K: local checks are running.
    LocalChecks,
    /// L: the target is being probed.
    RemoteChecks,
    /// M: checks passed, its invoice is being made.
    NeedsInvoice,
    /// T: its invoice can be paid, or its payment is held until the host delivers.
    ToBePaid,
    /// P: paid.
    Paid,
    /// R: ended without payment; the message says why.
    Rejected,
    /// N: paid and not delivered: money is owed.
    NeedsRefund,
    /// S: what was owed was paid back.
    Refunded,
}

impl OrderStatus {
    /// Every state.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Initial,
        Self::LocalChecks,
        Self::RemoteChecks,
        Self::NeedsInvoice,
        Self::ToBePaid,
        Self::Paid,
        Self::Rejected,
        Self::NeedsRefund,
        Self::Refunded,
    ];

    /// The contract's letter.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Initial => "I",
            Self::LocalChecks => "K",
            Self::RemoteChecks => "L",
            Self::NeedsInvoice => "M",
            Self::ToBePaid => "T",
            Self::Paid => "P",
            Self::Rejected => "R",
            Self::NeedsRefund => "N",
            Self::Refunded => "S",
        }
    }

    /// Reads [`OrderStatus::letter`].
    pub fn parse(letter: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.letter() == letter)
    }

    /// The whole transition table of an order. Money can arrive at an order that was given up, so
    /// R leads to P and N; S to N, should money arrive once more.
    pub const fn may_become(self, next: Self) -> bool {
        use OrderStatus as O;
        match self {
            O::Initial | O::LocalChecks | O::RemoteChecks | O::NeedsInvoice => {
                matches!(next, O::LocalChecks | O::RemoteChecks | O::NeedsInvoice | O::ToBePaid | O::Rejected)
                    || matches!(next, O::Paid | O::NeedsRefund)
            }
            O::ToBePaid => matches!(next, O::Paid | O::Rejected | O::NeedsRefund),
            O::Paid => matches!(next, O::NeedsRefund),
            O::Rejected => matches!(next, O::Paid | O::NeedsRefund),
            O::NeedsRefund => matches!(next, O::Paid | O::Refunded),
            O::Refunded => matches!(next, O::NeedsRefund),
        }
    }

    /// Whether the order still waits for its payment.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Initial | Self::LocalChecks | Self::RemoteChecks | Self::NeedsInvoice | Self::ToBePaid)
    }
}

/// The states of an invoice on our side. An intent (settling, cancelling) is stored before the node
/// is asked; the first intent wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumCount)]
pub enum InvoiceState {
    /// To be made; there is no payment request yet.
    Initial,
    /// Can be paid.
    Open,
    /// Its payment has arrived and is held.
    Held,
    /// Delivered: the node is being told to take the held payment.
    Settling,
    /// Given up: the node is being told to cancel it.
    Cancelling,
    /// The money is ours.
    Paid,
    /// Can not be paid any more, and was not.
    Expired,
    /// Never came to be.
    Void,
}

impl InvoiceState {
    /// Every state.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Initial,
        Self::Open,
        Self::Held,
        Self::Settling,
        Self::Cancelling,
        Self::Paid,
        Self::Expired,
        Self::Void,
    ];

    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Open => "open",
            Self::Held => "held",
            Self::Settling => "settling",
            Self::Cancelling => "cancelling",
            Self::Paid => "paid",
            Self::Expired => "expired",
            Self::Void => "void",
        }
    }

    /// Reads [`InvoiceState::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The whole transition table of an invoice. Every state leads to Paid: what the node says it
    /// has settled is paid, whatever we thought of it.
    pub const fn may_become(self, next: Self) -> bool {
        use InvoiceState as S;
        match (self, next) {
            (S::Paid, _) => false,
            (_, S::Paid) => true,
            (S::Initial, S::Open | S::Void | S::Held | S::Cancelling) => true,
            (S::Open, S::Held | S::Cancelling | S::Expired) => true,
            (S::Held, S::Settling | S::Cancelling | S::Expired) => true,
            (S::Settling | S::Cancelling, S::Expired) => true,
            _ => false,
        }
    }

    /// Whether the node may still do something with it.
    pub const fn is_live(self) -> bool {
        !matches!(self, Self::Paid | Self::Expired | Self::Void)
    }
}

/// Whether an order is for a new product or for more time on one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PurchaseKind {
    /// The first purchase of a product.
    First,
    /// More time on a product.
    Extension,
}

impl PurchaseKind {
    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Extension => "extension",
        }
    }
}

/// How far an order has been delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// Nothing is due.
    None,
    /// Paid (or held), and the host has not activated yet.
    Awaiting,
    /// Delivered.
    Delivered,
}

impl Delivery {
    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Awaiting => "awaiting",
            Self::Delivered => "delivered",
        }
    }
}

/// The one invoice that an order shows.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    pub state: InvoiceState,
    /// The node that it is on.
    pub node_id: NodeId,
    /// Names it at the node.
    pub hash: PaymentHash,
    /// Whether its payment is held until delivery.
    pub is_hold: bool,
    /// BOLT11, once made.
    pub payment_request: Option<String>,
    /// The price.
    pub amount: Msat,
    /// Exchange rates to show it with, as of its creation.
    pub rates: InvoiceRates,
    /// What came, once something did.
    pub received: Option<Msat>,
    /// A text of which it carries the hash in place of its memo (LUD-06).
    pub described_by: Option<String>,
    /// Seconds that it can be paid.
    pub expiry_secs: u32,
    /// When the node made it.
    pub made_at: Option<Timestamp>,
    /// When it can no longer be paid.
    pub expires_at: Option<Timestamp>,
    /// When its payment was accepted.
    pub held_at: Option<Timestamp>,
    /// When it was settled.
    pub paid_at: Option<Timestamp>,
    /// When the shop decided to make it.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
}

impl Invoice {
    /// Moves to `next`; staying is no move.
    ///
    /// # Errors
    /// When the transition table does not have the move; nothing is changed then.
    pub fn transition_to(&mut self, next: InvoiceState) -> Result<(), BrokenRule> {
        if self.state != next && !self.state.may_become(next) {
            let (from, to) = (self.state.name(), next.name());
            return Err(BrokenRule { noun: "invoice", id: self.hash.to_string(), from, to });
        }
        self.state = next;
        Ok(())
    }

    /// Whether nobody can pay it any more: the node has closed it by itself when it expired, and ours is closed a
    /// little later.
    pub fn is_past_its_time(&self, now: Timestamp) -> bool {
        self.state == InvoiceState::Open && self.expires_at.is_some_and(|end| is_past_time(end, now))
    }
}

/// An invoice is closed so many seconds after its node has closed it.
const CLOSE_MARGIN_SECS: i64 = 2;

/// Whether an invoice that expired at `end` is to be closed.
pub const fn is_past_time(end: Timestamp, now: Timestamp) -> bool {
    now.millis_since(end) >= CLOSE_MARGIN_SECS * 1000
}

/// Whether a payment that is held since `since` is held for longer than `limit_secs`. Held in the future: the clock was
/// put back since, so nobody knows for how long, and it goes back.
pub fn is_overdue(since: Timestamp, limit_secs: i64, now: Timestamp) -> bool {
    since.plus_secs(limit_secs) <= now || since.is_from_the_future(now)
}

/// An order, its item and its invoice.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// The public id of all three.
    pub id: OrderId,
    /// First purchase or extension.
    pub kind: PurchaseKind,
    /// The order's state.
    pub status: OrderStatus,
    /// What a person should know about the state.
    pub message: Option<OrderMessage>,
    pub price: Msat,
    /// How many periods it is for.
    pub periods: u32,
    /// How far it is delivered.
    pub delivery: Delivery,
    /// Seconds that it added to the product.
    pub granted_secs: i64,
    /// Bytes that it added to the product, what it forgave included.
    pub granted_bytes: i64,
    /// What the shop owes the buyer.
    pub owed: Msat,
    /// What was paid back to the buyer.
    pub refunded: Msat,
    /// Seconds from the payment to the delivery, where that was later than buyers' software waits.
    pub late_secs: Option<i64>,
    pub invoice: Invoice,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
}

impl Purchase {
    /// Moves the order to `next`, with `message` replacing what it said before.
    ///
    /// # Errors
    /// When the transition table does not have the move; nothing is changed then.
    pub fn transition_to(&mut self, next: OrderStatus, message: Option<OrderMessage>) -> Result<(), BrokenRule> {
        if self.status != next && !self.status.may_become(next) {
            let (from, to) = (self.status.letter(), next.letter());
            return Err(BrokenRule { noun: "order", id: self.id.to_string(), from, to });
        }
        self.status = next;
        self.message = message;
        Ok(())
    }

    /// Whether its payment is held for longer than `limit_secs`, its host's limit.
    pub fn is_held_too_long(&self, limit_secs: i64, now: Timestamp) -> bool {
        let since = self.invoice.held_at.filter(|_| self.invoice.state == InvoiceState::Held);
        since.is_some_and(|since| is_overdue(since, limit_secs, now))
    }

    /// Seconds from its payment to its delivery `now`. `None` while either is missing, and where the payment was
    /// held: that is only taken once it is delivered.
    pub fn secs_to_delivery(&self, now: Timestamp) -> Option<i64> {
        let is_delivered = self.status == OrderStatus::Paid && self.delivery == Delivery::Delivered;
        let paid_at = self.invoice.paid_at.filter(|_| is_delivered && !self.invoice.is_hold)?;
        Some(now.millis_since(paid_at) / 1000)
    }

    /// Whether the product is (or was) promised for this order's money and not given yet.
    pub fn has_claim(&self) -> bool {
        self.delivery == Delivery::Awaiting
    }
}
