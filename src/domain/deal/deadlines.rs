//! What happens to a product because time has passed.

use super::{ACTIVATION_LIMIT_SECS, Deal};
use crate::domain::product::ProductStatus;
use crate::domain::time::Timestamp;

impl Deal {
    /// Nobody activated a paid product for [`ACTIVATION_LIMIT_SECS`].
    pub fn activation_overdue(&mut self, now: Timestamp) {
        let since = self.product.pending_since;
        if since.is_some_and(|since| since.plus_secs(ACTIVATION_LIMIT_SECS) <= now) {
            self.give_up_pending(now);
        }
    }

    /// The paid time is over.
    pub fn time_is_over(&mut self, now: Timestamp) {
        if self.product.is_due_to_suspend(now) {
            self.product.become_(ProductStatus::NeedsSuspend, now);
            self.notify();
        }
    }

    /// The host was dead from `since` until `now`: the paid time that it cost is added again. A
    /// product whose time ended meanwhile comes back. Returns the seconds added.
    pub fn credit_outage(&mut self, since: Timestamp, now: Timestamp) -> i64 {
        let (Some(end), true) = (self.product.suspend_after, self.product.activated_at.is_some()) else { return 0 };
        let lost = end.min(now).millis_since(since) / 1000;
        if lost <= 0 || self.product.is_killed {
            return 0;
        }
        self.product.suspend_after = Some(end.plus_secs(lost));
        let over = matches!(self.product.status, ProductStatus::NeedsSuspend | ProductStatus::Suspended);
        if over && end <= now && end.plus_secs(lost) > now && !self.product.is_bandwidth_used_up() {
            self.make_pending(now);
        }
        lost
    }

    /// Suspended for so long that its port is given back.
    pub fn suspended_too_long(&mut self, now: Timestamp) {
        if self.product.status == ProductStatus::Suspended && !self.has_claims() {
            self.product.become_(ProductStatus::NeedsDelete, now);
            self.release_place();
            self.notify();
        }
    }
}
