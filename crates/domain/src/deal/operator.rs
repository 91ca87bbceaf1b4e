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

    /// The operator brings back what was suspended while it has time left.
    pub fn operator_resumes(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let stopped = matches!(
            self.product.status,
            ProductStatus::NeedsSuspend | ProductStatus::Suspended | ProductStatus::NeedsDelete
        );
        if !stopped || self.product.activated_at.is_none() || self.product.deleted_at.is_some() {
            return Err(Refusal(Message::NothingToResume));
        }
        if self.product.is_killed {
            return Err(Refusal(Message::SwitchedOff));
        }
        if !self.is_paid_for(now, false) {
            return Err(Refusal(Message::ExtendFirst));
        }
        self.make_pending(now);
        Ok(())
    }

    /// The operator gives a product that was delivered `secs` more for nothing, or a whole period of what was agreed, and
    /// the bandwidth of a period; one that has ended comes back. Returns the seconds and the bytes that it got.
    pub fn operator_extends(&mut self, secs: Option<i64>, now: Timestamp) -> Result<(i64, i64), Refusal> {
        let product = &mut self.product;
        if product.is_killed {
            return Err(Refusal(Message::SwitchedOff));
        }
        if product.activated_at.is_none() || product.deleted_at.is_some() {
            return Err(Refusal(Message::NeverDelivered));
        }
        let Some(end) = product.suspend_after else { return Err(Refusal(Message::NeverEnds)) };
        let secs = match secs {
            Some(secs) => {
                product.suspend_after = Some(end.max(now).plus_secs(secs));
                secs
            }
            None => product.add_periods(1, now),
        };
        let bytes = product.add_bandwidth(1);
        if !matches!(product.status, ProductStatus::NeedsActivate | ProductStatus::Active) {
            self.operator_resumes(now)?;
        }
        Ok((secs, bytes))
    }

    /// The operator has another port reserved for a bridge that its host has taken down: nothing stands there that could
    /// lead elsewhere. It comes back at once if it has time left.
    pub fn operator_moves(&mut self, port: u16, now: Timestamp) -> Result<(), Refusal> {
        if self.product.status != ProductStatus::Suspended || self.product.deleted_at.is_some() {
            return Err(Refusal(Message::MoveOnlySuspended));
        }
        (self.product.port, self.product.placed) = (Some(port), true);
        match self.operator_resumes(now) {
            Ok(()) | Err(Refusal(Message::ExtendFirst)) => Ok(()),
            refused => refused,
        }
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
