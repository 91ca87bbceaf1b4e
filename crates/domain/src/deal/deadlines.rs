//! What happens to a product because time has passed.

use super::Deal;
use crate::product::ProductStatus;
use crate::texts::Ending;
use crate::time::Timestamp;

impl Deal {
    /// Nobody activated a paid product for [`crate::product::ACTIVATION_LIMIT_SECS`].
    pub fn activation_overdue(&mut self, now: Timestamp) {
        if self.product.is_activation_overdue(now) {
            self.give_up_pending(Ending::Returned, now);
        }
    }

    /// The paid time is over.
    pub fn time_is_over(&mut self, now: Timestamp) {
        if self.product.is_due_to_suspend(now) {
            self.take_down(now);
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

    /// The clock was ahead and has been put right: times that it set count from `now`. The paid time
    /// of a product that was activated then is as long as before.
    pub fn clock_was_ahead(&mut self, now: Timestamp) {
        let product = &mut self.product;
        if let Some(at) = product.activated_at.filter(|at| at.is_from_the_future(now)) {
            let ahead = at.millis_since(now) / 1000;
            product.suspend_after = product.suspend_after.map(|end| end.plus_secs(-ahead));
            product.activated_at = Some(now);
        }
        for at in [&mut product.pending_since, &mut product.suspending_since, &mut product.suspended_at] {
            *at = at.map(|at| at.min(now));
        }
    }

    /// It was suspended because a clock was ahead. Where it has paid time left, it comes back.
    pub fn time_was_not_over(&mut self, now: Timestamp) {
        let stopped = matches!(self.product.status, ProductStatus::NeedsSuspend | ProductStatus::Suspended);
        let has_time = self.product.suspend_after.is_some_and(|end| end > now);
        if stopped && has_time && !self.product.is_killed && !self.product.is_bandwidth_used_up() {
            self.make_pending(now);
        }
    }

    /// Suspended for so many days that its port is given back.
    pub fn suspended_too_long(&mut self, days: i64, now: Timestamp) {
        if self.product.is_suspended_too_long(days, now) && !self.has_claims() {
            self.move_product(ProductStatus::NeedsDelete, now);
            self.release_place();
            self.notify();
        }
    }
}
