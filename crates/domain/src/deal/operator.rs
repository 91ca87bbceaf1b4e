//! What an operator does to a product; its place is in `place.rs`.

use super::{Deal, Refusal};
use crate::product::ProductStatus;
use crate::purchase::InvoiceState;
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
}
