//! What an operator does to a product, and what becomes of it when its place is gone.

use super::{Deal, Refusal};
use crate::product::ProductStatus;
use crate::purchase::{Delivery, InvoiceState, OrderStatus};
use crate::texts::{Ending, Message, OrderMessage};
use crate::time::Timestamp;

impl Deal {
    /// The operator suspends a running product.
    pub fn operator_suspends(&mut self, now: Timestamp) -> Result<(), Refusal> {
        if self.product.status != ProductStatus::Active {
            return Err(Refusal(Message::OnlyActiveSuspends));
        }
        self.take_down(now);
        Ok(())
    }

    /// The operator switches a product off for good (abuse). What was paid and not delivered is owed.
    pub fn operator_kills(&mut self, now: Timestamp) {
        self.product.is_killed = true;
        for i in 0..self.purchases.len() {
            match self.purchases[i].invoice.state {
                InvoiceState::Initial => self.refuse(i, OrderMessage::Ended(Ending::SwitchedOff), now),
                InvoiceState::Open => self.cancel_invoice(i, Ending::SwitchedOff),
                InvoiceState::Held => self.cancel_invoice(i, Ending::SwitchedOffHeld),
                _ => {}
            }
        }
        match self.product.status {
            ProductStatus::Active => self.take_down(now),
            ProductStatus::NeedsActivate => self.give_up_pending(Ending::SwitchedOffHeld, now),
            _ => {}
        }
    }

    /// The operator takes the port (or name) back without the host's word, because the host is gone
    /// for good or has been cleaned by hand.
    pub fn operator_releases(&mut self, now: Timestamp) -> Result<(), Refusal> {
        if self.has_claims() {
            return Err(Refusal(Message::ResolveOrderFirst));
        }
        match self.product.status {
            ProductStatus::NeedsSuspend => self.move_product(ProductStatus::Suspended, now),
            ProductStatus::Suspended | ProductStatus::NeedsDelete => {}
            _ => return Err(Refusal(Message::SuspendFirst)),
        }
        self.release_place();
        Ok(())
    }

    /// No port (or name) could be reserved for a product that has to come back.
    pub fn place_unavailable(&mut self, now: Timestamp) {
        for i in 0..self.purchases.len() {
            let purchase = &self.purchases[i];
            match (purchase.has_claim(), purchase.invoice.state) {
                (true, InvoiceState::Held) => self.cancel_invoice(i, Ending::HoldUnplaced),
                (true, _) if purchase.status == OrderStatus::Paid => {
                    self.owe_everything(i, OrderMessage::Undeliverable);
                    self.purchases[i].delivery = Delivery::None;
                    self.take_back_grant(i);
                }
                _ => {}
            }
        }
        if self.product.status == ProductStatus::NeedsActivate {
            // Never shown with this place: the transaction that would show it is this one.
            self.move_product(ProductStatus::NeedsSuspend, now);
            self.move_product(ProductStatus::Suspended, now);
        }
    }
}
