//! What a host reports about its product.

use super::{Deal, Refusal};
use crate::money::Msat;
use crate::product::ProductStatus;
use crate::texts::{Ending, Message};
use crate::time::Timestamp;

impl Deal {
    /// The host reports that the product works.
    pub fn host_activates(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let late = self.product.status == ProductStatus::NeedsSuspend && self.has_claims() && !self.product.is_killed;
        match self.product.status {
            ProductStatus::Active => return Ok(()),
            ProductStatus::NeedsActivate => {}
            ProductStatus::NeedsSuspend if late => {}
            status => return Err(refused_move(status, ProductStatus::Active)),
        }
        if self.product.activated_at.is_none() && self.product.suspend_after.is_some() {
            // Time counts from activation; until now the field held an estimate.
            self.product.suspend_after = Some(now);
        }
        // Whatever way it was told: it has it.
        self.product.shown_at.get_or_insert(now);
        self.move_product(ProductStatus::Active, now);
        for i in 0..self.purchases.len() {
            if self.purchases[i].has_claim() {
                self.fulfil(i, now);
            }
        }
        Ok(())
    }

    /// The host reports that the product is suspended.
    pub fn host_suspends(&mut self, now: Timestamp) -> Result<(), Refusal> {
        match self.product.status {
            ProductStatus::Suspended => return Ok(()),
            ProductStatus::NeedsSuspend => {}
            status => return Err(refused_move(status, ProductStatus::Suspended)),
        }
        self.move_product(ProductStatus::Suspended, now);
        self.release_if_never_used();
        Ok(())
    }

    /// The host reports that it can't activate the product.
    pub fn host_fails(&mut self, now: Timestamp) -> Result<(), Refusal> {
        if self.product.status != ProductStatus::NeedsActivate {
            return Err(refused_move(self.product.status, ProductStatus::Failed));
        }
        // It has tried, and may have a part of it.
        self.product.shown_at.get_or_insert(now);
        self.give_up_pending(Ending::HoldFailed, now);
        Ok(())
    }

    /// The host reports traffic: `bytes` more were used.
    pub fn bandwidth_used(&mut self, bytes: i64, now: Timestamp) {
        self.product.bandwidth_remaining = self.product.bandwidth_remaining.saturating_sub(bytes);
        self.product.bandwidth_checked_at = Some(now);
        if self.product.is_bandwidth_used_up() && self.product.status == ProductStatus::Active {
            self.take_down(now);
        }
    }

    /// The host (or operator) deletes the product: only what nobody can still pay for or has paid
    /// for, and no buyer is to get money back for. A tombstone stays.
    pub fn delete(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let idle = matches!(
            self.product.status,
            ProductStatus::Suspended | ProductStatus::Archived | ProductStatus::NeedsDelete
        );
        let unpaid = self.product.status == ProductStatus::Initial;
        let paid = self.product.suspend_after.is_none_or(|end| end > now) && self.product.activated_at.is_some();
        let claimed = self.purchases.iter().any(|purchase| purchase.has_claim());
        if !(idle || unpaid) || claimed || (paid && !self.product.is_killed) {
            return Err(Refusal(Message::OwedToBuyer));
        }
        if unpaid || self.purchases.iter().any(|purchase| purchase.invoice.state.is_live()) {
            return Err(Refusal(Message::StillPayable));
        }
        if self.purchases.iter().any(|purchase| purchase.owed > Msat(0)) {
            return Err(Refusal(Message::DebtRemains));
        }
        if self.product.status == ProductStatus::Suspended {
            self.move_product(ProductStatus::NeedsDelete, now);
        }
        self.release_place();
        self.product.deleted_at = Some(now);
        Ok(())
    }
}

/// Why a host may not report this change.
pub fn refused_move(from: ProductStatus, to: ProductStatus) -> Refusal {
    let (old, new) = (from.letter(), to.letter());
    Refusal(match (from, to) {
        (ProductStatus::NeedsSuspend | ProductStatus::Suspended, ProductStatus::Active) => {
            Message::NotPaidAnyMore { from: old, to: new }
        }
        (_, ProductStatus::Failed) => Message::OnlyPendingFails { from: old, to: new },
        _ => Message::NoSuchMove { from: old, to: new },
    })
}
