//! The steps that events are made of: deliver, fulfil, grant, withdraw, owe.

use super::Deal;
use crate::alert::AlertTopic;
use crate::effect::Effect;
use crate::money::Msat;
use crate::product::ProductStatus;
use crate::purchase::{Delivery, InvoiceState, OrderStatus, Purchase, PurchaseKind};
use crate::texts::{Ending, OrderMessage};
use crate::time::Timestamp;
use crate::transition::BrokenRule;

/// What the operator is told of a debt, over once it is paid.
const DEBT_ALERTS: [AlertTopic; 4] =
    [AlertTopic::NeedsRefund, AlertTopic::Overpaid, AlertTopic::RefundMayBeDone, AlertTopic::RefundClaimed];

impl Deal {
    /// Whether anybody was promised the product and does not have it.
    pub fn has_claims(&self) -> bool {
        self.purchases.iter().any(Purchase::has_claim)
    }

    /// Whether its first period was delivered, or is owed to somebody: else an extension would be a
    /// first period at the lower price.
    pub fn was_ever_bought(&self) -> bool {
        self.product.activated_at.is_some() || self.has_claims()
    }

    /// Moves an order, as its transition table allows.
    pub fn move_order(&mut self, i: usize, next: OrderStatus, message: Option<OrderMessage>) {
        let moved = self.purchases[i].transition_to(next, message);
        self.note_broken(moved);
    }

    pub(super) fn move_invoice(&mut self, i: usize, next: InvoiceState) {
        let moved = self.purchases[i].invoice.transition_to(next);
        self.note_broken(moved);
    }

    pub(super) fn move_product(&mut self, next: ProductStatus, now: Timestamp) {
        let moved = self.product.transition_to(next, now);
        self.note_broken(moved);
    }

    fn note_broken(&mut self, moved: Result<(), BrokenRule>) {
        if let Err(broken) = moved {
            self.broken.get_or_insert(broken);
        }
    }

    pub(super) fn deliver(&mut self, i: usize, now: Timestamp) {
        if self.product.is_killed {
            return self.owe_everything(i, OrderMessage::Undeliverable);
        }
        self.move_order(i, OrderStatus::Paid, None);
        self.purchases[i].delivery = Delivery::Awaiting;
        if self.product.status == ProductStatus::Active {
            return self.fulfil(i, now);
        }
        if self.product.activated_at.is_some() {
            self.grant(i, now);
        }
        self.make_pending(now);
    }

    /// The product works: what purchase `i` paid for is given.
    pub(super) fn fulfil(&mut self, i: usize, now: Timestamp) {
        match self.purchases[i].invoice.state {
            InvoiceState::Held => self.settle_held(i, now),
            InvoiceState::Paid => {
                self.grant(i, now);
                self.purchases[i].delivery = Delivery::Delivered;
                if self.purchases[i].status == OrderStatus::NeedsRefund {
                    self.owe_only_surplus(i);
                    self.move_order(i, OrderStatus::Paid, None);
                }
            }
            _ => {}
        }
    }

    /// Delivered while held: the intent to take the money.
    pub(super) fn settle_held(&mut self, i: usize, now: Timestamp) {
        self.grant(i, now);
        self.purchases[i].delivery = Delivery::Delivered;
        self.move_invoice(i, InvoiceState::Settling);
        self.effects.push(Effect::SettleInvoice(self.purchases[i].id));
    }

    /// The intent to cancel an invoice; `ending` is what the buyer reads, differently once the node has done it.
    pub(super) fn cancel_invoice(&mut self, i: usize, ending: Ending) {
        self.move_invoice(i, InvoiceState::Cancelling);
        let purchase = &mut self.purchases[i];
        purchase.delivery = Delivery::None;
        purchase.message = Some(OrderMessage::Cancelling(ending));
        self.effects.push(Effect::CancelInvoice(purchase.id));
    }

    pub(super) fn grant(&mut self, i: usize, now: Timestamp) {
        let purchase = &mut self.purchases[i];
        if purchase.granted_secs > 0 || purchase.granted_bytes > 0 {
            return;
        }
        purchase.granted_secs = self.product.add_periods(purchase.periods, now);
        if purchase.kind == PurchaseKind::Extension {
            purchase.granted_bytes = self.product.add_bandwidth(purchase.periods);
        }
    }

    pub(super) fn take_back_grant(&mut self, i: usize) {
        let purchase = &mut self.purchases[i];
        let product = &mut self.product;
        product.suspend_after = product.suspend_after.map(|end| end.plus_secs(-purchase.granted_secs));
        product.bandwidth_remaining = product.bandwidth_remaining.saturating_sub(purchase.granted_bytes);
        purchase.granted_secs = 0;
        purchase.granted_bytes = 0;
    }

    pub(super) fn make_pending(&mut self, now: Timestamp) {
        self.move_product(ProductStatus::NeedsActivate, now);
        self.reserve_place();
        self.notify();
    }

    /// Purchase `i` has no claim any more: the product goes back to where it is without it.
    pub(super) fn withdraw(&mut self, i: usize, now: Timestamp) {
        let first = self.purchases[i].kind == PurchaseKind::First;
        match self.product.status {
            ProductStatus::Initial if first => {
                self.move_product(ProductStatus::Archived, now);
                self.release_place();
            }
            ProductStatus::NeedsActivate if !self.has_claims() => self.take_down(now),
            ProductStatus::Active if !self.is_paid_for(now, first) => {
                if first {
                    // The activation was not paid for: its place is free once the host has reported H.
                    self.product.activated_at = None;
                }
                self.take_down(now);
            }
            ProductStatus::Suspended => self.release_if_never_used(),
            _ => {}
        }
    }

    /// Whether an active product still has paid time and bandwidth once a purchase (`first` or not) is
    /// undone.
    pub(super) fn is_paid_for(&self, now: Timestamp, first: bool) -> bool {
        !self.product.is_bandwidth_used_up() && self.product.suspend_after.map_or(!first, |end| end > now)
    }

    /// A pending product is not coming: held payments go back (`ending` tells why), plain ones are owed.
    pub(super) fn give_up_pending(&mut self, ending: Ending, now: Timestamp) {
        for i in 0..self.purchases.len() {
            match (self.purchases[i].has_claim(), self.purchases[i].invoice.state) {
                (true, InvoiceState::Held) => self.cancel_invoice(i, ending),
                (true, InvoiceState::Paid) if self.purchases[i].status == OrderStatus::Paid => {
                    self.owe_everything(i, OrderMessage::Undelivered);
                    // A late delivery counts its time from then.
                    self.take_back_grant(i);
                }
                _ => {}
            }
        }
        self.take_down(now);
    }

    /// The host is to take it down. Where no host was ever told of it there is nothing to take down: waiting
    /// for a report would keep its place for ever, since scripts report only what they have.
    pub(super) fn take_down(&mut self, now: Timestamp) {
        self.move_product(ProductStatus::NeedsSuspend, now);
        if self.product.shown_at.is_some() {
            return self.notify();
        }
        self.move_product(ProductStatus::Suspended, now);
        self.release_if_never_used();
    }

    pub(super) fn underpaid(&mut self, i: usize, now: Timestamp) {
        self.purchases[i].delivery = Delivery::None;
        self.owe_everything(i, OrderMessage::Underpaid);
        self.take_back_grant(i);
        self.withdraw(i, now);
    }

    pub(super) fn owe_everything(&mut self, i: usize, message: OrderMessage) {
        let purchase = &mut self.purchases[i];
        purchase.owed = purchase.invoice.received.unwrap_or_default().saturating_sub(purchase.refunded);
        let (owed, told) = (purchase.owed, message.to_string());
        self.move_order(i, OrderStatus::NeedsRefund, Some(message));
        if owed == Msat(0) {
            // Paid back before it came to that: the same money is not owed twice.
            return self.end_refunded(i);
        }
        self.alert(i, AlertTopic::NeedsRefund, &format!("{owed} is owed to the buyer: {told}"));
    }

    /// What came above the price is owed while the rest is being delivered.
    pub(super) fn owe_surplus(&mut self, i: usize) {
        self.purchases[i].owed = self.surplus(i);
        let owed = self.purchases[i].owed;
        if owed > Msat(0) {
            self.alert(i, AlertTopic::Overpaid, &format!("{owed} more was received than asked"));
        }
    }

    /// An order in state N is delivered after all: its price is not owed any more.
    pub(super) fn owe_only_surplus(&mut self, i: usize) {
        self.close_debt(i);
        self.owe_surplus(i);
    }

    /// An order in state N owes nothing any more.
    pub(super) fn end_refunded(&mut self, i: usize) {
        self.move_order(i, OrderStatus::Refunded, Some(OrderMessage::Refunded));
        self.purchases[i].delivery = Delivery::None;
    }

    /// The operator need not look after the order's debt any more.
    pub(super) fn close_debt(&mut self, i: usize) {
        let subject = self.purchases[i].id.to_string();
        for topic in DEBT_ALERTS {
            self.effects.push(Effect::CloseAlert(topic, subject.clone()));
        }
    }

    /// What came above the price and was not paid back.
    pub(super) fn surplus(&self, i: usize) -> Msat {
        let purchase = &self.purchases[i];
        let received = purchase.invoice.received.unwrap_or_default();
        received.saturating_sub(purchase.price).saturating_sub(purchase.refunded)
    }

    pub(super) fn notify(&mut self) {
        self.effects.push(Effect::NotifyHost);
    }

    pub(super) fn alert(&mut self, i: usize, topic: AlertTopic, text: &str) {
        let subject = self.purchases[i].id.to_string();
        self.effects.push(Effect::Alert { topic, subject, text: text.to_owned() });
    }
}
