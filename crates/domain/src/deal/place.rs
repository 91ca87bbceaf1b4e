//! The place of a product, which is its port or its name: when it is reserved, and when it is free again.
//!
//! It is reserved with the order, and anew when something comes back that has none. It is free again
//! * at once, where its order came to nothing before anything was to be activated (`withdraw`), or where no host was told of it (`take_down`);
//! * once its host has reported H, where it was told of it and nothing was delivered (`host_suspends`);
//! * so many days after that report, where something was delivered (`suspended_too_long`), since its buyer may extend;
//! * when its host deletes it (`delete`), or the operator says that nothing stands there (`operator_releases`).
//!
//! These effects are carried out in the same transaction (`store::reservations`), where no two products have the same place.

use super::{Deal, Refusal};
use crate::effect::Effect;
use crate::product::ProductStatus;
use crate::purchase::{Delivery, InvoiceState, OrderStatus};
use crate::texts::{Ending, Message, OrderMessage};
use crate::time::Timestamp;

impl Deal {
    /// What has no place gets one: the same as before if it is free.
    pub(super) fn reserve_place(&mut self) {
        if !self.product.placed {
            self.effects.push(Effect::ReservePlace);
        }
    }

    /// A first purchase that came to nothing: once the host has reported H, its place is free.
    pub(super) fn release_if_never_used(&mut self) {
        if self.product.activated_at.is_none() && !self.has_claims() {
            self.release_place();
        }
    }

    /// The place is free from now on.
    pub(super) fn release_place(&mut self) {
        if self.product.placed {
            self.product.placed = false;
            self.effects.push(Effect::ReleasePlace);
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
