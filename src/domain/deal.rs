//! A deal: one product and the purchases that pay for it. Every event of the money's life is one
//! method here: it takes `now`, changes the deal and notes what must be done outside
//! ([`Effect`]). No I/O; the caller stores deal and effects in one transaction.
//!
//! Invariants: an event that has been applied changes nothing when it comes again; the first
//! stored intent (settle or cancel) wins; a payment always ends in delivery or in an amount owed.

use super::effect::{AlertTopic, Effect};
use super::lightning::MadeInvoice;
use super::money::Msat;
use super::product::{Product, ProductStatus};
use super::purchase::{Delivery, InvoiceState, OrderStatus, Purchase, PurchaseKind};
use super::time::Timestamp;

/// What the order says while its target is probed.
pub const PROBING_MESSAGE: &str = "Checking whether the target can be reached; the invoice follows.";
/// What the order says while its payment is held.
pub const HELD_MESSAGE: &str = "Paid, waiting for the host. The payment is only taken once the host has delivered.";
/// What the order says when it was not paid in time.
pub const EXPIRED_MESSAGE: &str = "The invoice was not paid in time and has been cancelled. Nothing was charged.";
/// What the order says when a newer order has taken its place.
pub const REPLACED_MESSAGE: &str = "A newer order has taken the place of this one. Nothing was charged.";
/// What the order says when the host did not deliver while the payment was held.
pub const RETURNED_MESSAGE: &str =
    "The host did not deliver in time. The payment was cancelled, the money is back in your wallet.";
/// What the order says when a held payment could not be accepted.
pub const HOLD_REFUSED_MESSAGE: &str = "The payment could not be accepted (too little, or too close to its deadline). It was cancelled, the money is back in your wallet.";
/// What the order says when it was paid but not delivered.
pub const UNDELIVERED_MESSAGE: &str = "Paid, but the host has not delivered. The operator has been told and owes you a refund; a late delivery is still possible.";
/// What the order says when less was received than asked.
pub const UNDERPAID_MESSAGE: &str = "Less was received than asked. The operator has been told and owes you a refund.";
/// What the order says when it was paid but can't be delivered any more.
pub const UNDELIVERABLE_MESSAGE: &str =
    "Paid, but the product can't be delivered any more. The operator has been told and owes you a refund.";
/// What the order says when the debt was paid back.
pub const REFUNDED_MESSAGE: &str = "The payment was refunded.";

/// Fewer blocks than this left on a held payment's nearest part, and it is cancelled at once: the
/// channel would be closed by force if it were still held then.
pub const MIN_HOLD_BLOCKS: i64 = 24;
/// A plain paid product that is not activated within this time owes a refund. Seconds.
pub const ACTIVATION_LIMIT_SECS: i64 = 30 * 60;

/// Why an event was refused; a sentence for whoever caused it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

/// One product and its purchases that matter: those that are open or have a claim, and the one that
/// an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deal {
    /// The product.
    pub product: Product,
    /// Purchases, oldest first.
    pub purchases: Vec<Purchase>,
    /// What must be done outside; taken by the caller when it stores the deal.
    pub effects: Vec<Effect>,
}

impl Deal {
    /// A deal without pending effects.
    pub const fn new(product: Product, purchases: Vec<Purchase>) -> Self {
        Self { product, purchases, effects: Vec::new() }
    }

    // ---- the invoice --------------------------------------------------------------------------

    /// The node made the invoice: it can be paid now.
    pub fn invoice_made(&mut self, i: usize, made: &MadeInvoice) {
        let purchase = &mut self.purchases[i];
        if purchase.invoice.state != InvoiceState::Initial {
            return;
        }
        let invoice = &mut purchase.invoice;
        invoice.payment_request = Some(made.payment_request.clone());
        invoice.made_at = Some(made.created_at);
        invoice.expires_at = Some(made.expires_at);
        invoice.become_(InvoiceState::Open);
        // A warning about the target stays.
        let message = purchase.message.take();
        purchase.become_(OrderStatus::ToBePaid, message.as_deref());
    }

    /// The target is being probed, and the invoice waits for the result.
    pub fn probe_started(&mut self, i: usize) {
        self.purchases[i].become_(OrderStatus::RemoteChecks, Some(PROBING_MESSAGE));
    }

    /// The probe let the order pass: its invoice is to be made. Returns whether the order waited.
    pub fn probe_passed(&mut self, i: usize) -> bool {
        let waited = self.purchases[i].status == OrderStatus::RemoteChecks;
        if waited {
            self.purchases[i].become_(OrderStatus::NeedsInvoice, None);
        }
        waited
    }

    /// The probe failed, and the order goes on all the same: buyer and operator are told.
    pub fn probe_warned(&mut self, i: usize, verdict: &str) {
        let purchase = &mut self.purchases[i];
        if purchase.status.is_open() && purchase.message.is_none() {
            purchase.message = Some(format!("Warning: {verdict}."));
            self.alert(i, AlertTopic::TargetUnreachable, verdict);
        }
    }

    /// No invoice can be made, or a check failed, before anything could be paid.
    pub fn refuse(&mut self, i: usize, message: &str, now: Timestamp) {
        let purchase = &mut self.purchases[i];
        if purchase.invoice.state != InvoiceState::Initial {
            return;
        }
        purchase.invoice.become_(InvoiceState::Void);
        purchase.become_(OrderStatus::Rejected, Some(message));
        self.withdraw(i, now);
    }

    /// The order is given up from our side while its invoice can still be paid: the node is told to
    /// cancel it, and only its answer ends order and product.
    pub fn close_unpaid(&mut self, i: usize, message: &str) {
        if self.purchases[i].invoice.state == InvoiceState::Open {
            self.cancel_invoice(i, message);
        }
    }

    // ---- the payment --------------------------------------------------------------------------

    /// A hold invoice was accepted: the whole payment is held since `at`. `blocks_left` is the
    /// distance to the nearest part's expiry, when known.
    pub fn payment_held(&mut self, i: usize, received: Msat, blocks_left: Option<i64>, at: Timestamp, now: Timestamp) {
        let purchase = &mut self.purchases[i];
        match purchase.invoice.state {
            InvoiceState::Initial | InvoiceState::Open => {}
            InvoiceState::Expired | InvoiceState::Void => {
                return self.effects.push(Effect::CancelInvoice(self.purchases[i].id));
            }
            InvoiceState::Held | InvoiceState::Settling | InvoiceState::Cancelling | InvoiceState::Paid => return,
        }
        purchase.invoice.received = Some(received);
        purchase.invoice.held_at = Some(at);
        let too_close = blocks_left.is_some_and(|blocks| blocks < MIN_HOLD_BLOCKS);
        let hopeless = self.product.is_killed || !self.product.placed;
        if received < self.purchases[i].price || too_close || hopeless {
            return self.cancel_invoice(i, HOLD_REFUSED_MESSAGE);
        }
        let purchase = &mut self.purchases[i];
        purchase.invoice.become_(InvoiceState::Held);
        purchase.become_(OrderStatus::ToBePaid, Some(HELD_MESSAGE));
        purchase.delivery = Delivery::Awaiting;
        if self.product.status == ProductStatus::Active {
            self.settle_held(i, now);
        } else {
            self.make_pending(now);
        }
    }

    /// The node says the invoice is settled: the money is ours, whatever we thought before.
    pub fn payment_settled(&mut self, i: usize, received: Msat, at: Timestamp, now: Timestamp) {
        let purchase = &mut self.purchases[i];
        if purchase.invoice.state == InvoiceState::Paid {
            return;
        }
        purchase.invoice.become_(InvoiceState::Paid);
        purchase.invoice.received = Some(received);
        purchase.invoice.paid_at = Some(at);
        if received < purchase.price {
            return self.underpaid(i, now);
        }
        purchase.owed = received.saturating_sub(purchase.price);
        if purchase.owed > Msat(0) {
            let text = format!("{} more was received than asked", purchase.owed);
            self.alert(i, AlertTopic::Overpaid, &text);
        }
        match self.purchases[i].delivery {
            Delivery::None => self.deliver(i, now),
            Delivery::Awaiting | Delivery::Delivered => self.purchases[i].become_(OrderStatus::Paid, None),
        }
    }

    /// The node says the invoice is cancelled, expired or unknown: it can't be paid any more.
    pub fn payment_void(&mut self, i: usize, now: Timestamp) {
        let purchase = &mut self.purchases[i];
        let before = purchase.invoice.state;
        if !before.is_live() || before == InvoiceState::Initial {
            return;
        }
        purchase.invoice.become_(InvoiceState::Expired);
        let message = match before {
            InvoiceState::Open => EXPIRED_MESSAGE.to_owned(),
            InvoiceState::Held | InvoiceState::Settling => RETURNED_MESSAGE.to_owned(),
            _ => purchase.message.clone().unwrap_or_else(|| EXPIRED_MESSAGE.to_owned()),
        };
        purchase.delivery = Delivery::None;
        purchase.become_(OrderStatus::Rejected, Some(&message));
        self.take_back_grant(i);
        self.withdraw(i, now);
    }

    /// A held payment was not delivered within the host's limit.
    pub fn hold_overdue(&mut self, i: usize, now: Timestamp) {
        if self.purchases[i].invoice.state == InvoiceState::Held {
            self.cancel_invoice(i, RETURNED_MESSAGE);
            self.withdraw(i, now);
        }
    }

    /// The operator has paid back what the order owed.
    pub fn refunded(&mut self, i: usize, now: Timestamp) {
        let purchase = &mut self.purchases[i];
        purchase.refunded = Msat(purchase.refunded.0.saturating_add(purchase.owed.0));
        purchase.owed = Msat(0);
        if purchase.status != OrderStatus::NeedsRefund {
            return;
        }
        purchase.become_(OrderStatus::Refunded, Some(REFUNDED_MESSAGE));
        purchase.delivery = Delivery::None;
        self.take_back_grant(i);
        self.withdraw(i, now);
    }

    /// The operator wants an undelivered order to be tried again.
    pub fn retry_delivery(&mut self, i: usize, now: Timestamp) -> Result<(), Refusal> {
        let purchase = &self.purchases[i];
        let paid_in_full = purchase.invoice.received.is_some_and(|received| received >= purchase.price);
        if purchase.status != OrderStatus::NeedsRefund || !paid_in_full || self.product.is_killed {
            return Err(Refusal("Only an order in state N that was paid in full can be delivered again.".to_owned()));
        }
        self.purchases[i].owed = self.surplus(i);
        self.deliver(i, now);
        Ok(())
    }

    // ---- the host -----------------------------------------------------------------------------

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
        self.product.become_(ProductStatus::Active, now);
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
        self.product.become_(ProductStatus::Suspended, now);
        self.release_if_never_used();
        Ok(())
    }

    /// The host reports that it can't activate the product.
    pub fn host_fails(&mut self, now: Timestamp) -> Result<(), Refusal> {
        if self.product.status != ProductStatus::NeedsActivate {
            return Err(refused_move(self.product.status, ProductStatus::Failed));
        }
        self.give_up_pending(now);
        Ok(())
    }

    /// The host reports traffic: `bytes` more were used.
    pub fn bandwidth_used(&mut self, bytes: i64, now: Timestamp) {
        self.product.bandwidth_remaining = self.product.bandwidth_remaining.saturating_sub(bytes);
        self.product.bandwidth_checked_at = Some(now);
        if self.product.bandwidth_remaining <= 0 && self.product.status == ProductStatus::Active {
            self.product.become_(ProductStatus::NeedsSuspend, now);
            self.notify();
        }
    }

    /// The host (or operator) deletes the product: only what nobody can still pay for or has paid
    /// for. A tombstone stays.
    pub fn delete(&mut self, now: Timestamp) -> Result<(), Refusal> {
        let idle = matches!(
            self.product.status,
            ProductStatus::Suspended | ProductStatus::Archived | ProductStatus::NeedsDelete
        );
        let owed = self.product.suspend_after.is_none_or(|end| end > now) && self.product.activated_at.is_some();
        let live = self.purchases.iter().any(|purchase| purchase.invoice.state.is_live() || purchase.has_claim());
        if !idle || live || (owed && !self.product.is_killed) {
            return Err(Refusal("It is owed to a buyer and can't be deleted now.".to_owned()));
        }
        if self.product.status == ProductStatus::Suspended {
            self.product.become_(ProductStatus::NeedsDelete, now);
        }
        self.release_place();
        self.product.deleted_at = Some(now);
        Ok(())
    }

    // ---- time ---------------------------------------------------------------------------------

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
        if over && end <= now && end.plus_secs(lost) > now && self.product.bandwidth_remaining > 0 {
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

    // ---- the operator -------------------------------------------------------------------------

    /// The operator suspends a running product.
    pub fn operator_suspends(&mut self, now: Timestamp) -> Result<(), Refusal> {
        if self.product.status != ProductStatus::Active {
            return Err(Refusal("Only an active product can be suspended.".to_owned()));
        }
        self.product.become_(ProductStatus::NeedsSuspend, now);
        self.notify();
        Ok(())
    }

    /// The operator switches a product off for good (abuse). What was paid and not delivered is owed.
    pub fn operator_kills(&mut self, now: Timestamp) {
        self.product.is_killed = true;
        for i in 0..self.purchases.len() {
            match self.purchases[i].invoice.state {
                InvoiceState::Initial => self.refuse(i, UNDELIVERABLE_MESSAGE, now),
                InvoiceState::Open | InvoiceState::Held => self.cancel_invoice(i, RETURNED_MESSAGE),
                _ => {}
            }
        }
        match self.product.status {
            ProductStatus::Active => {
                self.product.become_(ProductStatus::NeedsSuspend, now);
                self.notify();
            }
            ProductStatus::NeedsActivate => self.give_up_pending(now),
            _ => {}
        }
    }

    /// The operator takes the port (or name) back without the host's word, because the host is gone
    /// for good or has been cleaned by hand.
    pub fn operator_releases(&mut self, now: Timestamp) -> Result<(), Refusal> {
        if self.has_claims() {
            return Err(Refusal("Somebody has paid for it; resolve the order first.".to_owned()));
        }
        match self.product.status {
            ProductStatus::NeedsSuspend => self.product.become_(ProductStatus::Suspended, now),
            ProductStatus::Suspended | ProductStatus::NeedsDelete => {}
            _ => return Err(Refusal("Only a suspended product can be released; suspend it first.".to_owned())),
        }
        self.release_place();
        Ok(())
    }

    /// No port (or name) could be reserved for a product that has to come back.
    pub fn place_unavailable(&mut self, now: Timestamp) {
        for i in 0..self.purchases.len() {
            if self.purchases[i].has_claim() && self.purchases[i].status == OrderStatus::Paid {
                self.owe_everything(i, UNDELIVERABLE_MESSAGE);
                self.purchases[i].delivery = Delivery::None;
                self.take_back_grant(i);
            }
        }
        if self.product.status == ProductStatus::NeedsActivate {
            // Never shown with this place: the transaction that would show it is this one.
            self.product.become_(ProductStatus::NeedsSuspend, now);
            self.product.become_(ProductStatus::Suspended, now);
        }
    }

    // ---- parts of the above -------------------------------------------------------------------

    /// Whether anybody was promised the product and does not have it.
    pub fn has_claims(&self) -> bool {
        self.purchases.iter().any(Purchase::has_claim)
    }

    fn deliver(&mut self, i: usize, now: Timestamp) {
        if self.product.is_killed {
            return self.owe_everything(i, UNDELIVERABLE_MESSAGE);
        }
        self.purchases[i].become_(OrderStatus::Paid, None);
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
    fn fulfil(&mut self, i: usize, now: Timestamp) {
        match self.purchases[i].invoice.state {
            InvoiceState::Held => self.settle_held(i, now),
            InvoiceState::Paid => {
                self.grant(i, now);
                self.purchases[i].delivery = Delivery::Delivered;
                if self.purchases[i].status == OrderStatus::NeedsRefund {
                    self.purchases[i].owed = self.surplus(i);
                    self.purchases[i].become_(OrderStatus::Paid, None);
                    self.effects.push(Effect::CloseAlert(AlertTopic::NeedsRefund, self.purchases[i].id.to_string()));
                }
            }
            _ => {}
        }
    }

    /// Delivered while held: the intent to take the money.
    fn settle_held(&mut self, i: usize, now: Timestamp) {
        self.grant(i, now);
        self.purchases[i].delivery = Delivery::Delivered;
        self.purchases[i].invoice.become_(InvoiceState::Settling);
        self.effects.push(Effect::SettleInvoice(self.purchases[i].id));
    }

    fn cancel_invoice(&mut self, i: usize, message: &str) {
        let purchase = &mut self.purchases[i];
        purchase.invoice.become_(InvoiceState::Cancelling);
        purchase.delivery = Delivery::None;
        purchase.message = Some(message.to_owned());
        self.effects.push(Effect::CancelInvoice(purchase.id));
    }

    fn grant(&mut self, i: usize, now: Timestamp) {
        let purchase = &mut self.purchases[i];
        if purchase.granted_secs > 0 || purchase.granted_bytes > 0 {
            return;
        }
        purchase.granted_secs = self.product.add_period(now);
        if purchase.kind == PurchaseKind::Extension {
            purchase.granted_bytes = self.product.terms.bandwidth_initial;
            let bytes = self.product.bandwidth_remaining.saturating_add(purchase.granted_bytes);
            self.product.bandwidth_remaining = bytes;
        }
    }

    fn take_back_grant(&mut self, i: usize) {
        let purchase = &mut self.purchases[i];
        let product = &mut self.product;
        product.suspend_after = product.suspend_after.map(|end| end.plus_secs(-purchase.granted_secs));
        product.bandwidth_remaining = product.bandwidth_remaining.saturating_sub(purchase.granted_bytes);
        purchase.granted_secs = 0;
        purchase.granted_bytes = 0;
    }

    fn make_pending(&mut self, now: Timestamp) {
        self.product.become_(ProductStatus::NeedsActivate, now);
        if !self.product.placed {
            self.effects.push(Effect::ReservePlace);
        }
        self.notify();
    }

    /// Purchase `i` has no claim any more: the product goes back to where it is without it.
    fn withdraw(&mut self, i: usize, now: Timestamp) {
        let first = self.purchases[i].kind == PurchaseKind::First;
        match self.product.status {
            ProductStatus::Initial if first => {
                self.product.become_(ProductStatus::Archived, now);
                self.release_place();
            }
            ProductStatus::NeedsActivate if !self.has_claims() => {
                self.product.become_(ProductStatus::NeedsSuspend, now);
                self.notify();
            }
            ProductStatus::Active if !self.is_paid_for(now, first) => {
                if first {
                    // The activation was not paid for: its place is free once the host has reported H.
                    self.product.activated_at = None;
                }
                self.product.become_(ProductStatus::NeedsSuspend, now);
                self.notify();
            }
            ProductStatus::Suspended => self.release_if_never_used(),
            _ => {}
        }
    }

    /// Whether an active product still has paid time and bandwidth once a purchase (`first` or not) is
    /// undone.
    fn is_paid_for(&self, now: Timestamp, first: bool) -> bool {
        let used_up = self.product.terms.bandwidth_initial > 0 && self.product.bandwidth_remaining <= 0;
        !used_up && self.product.suspend_after.map_or(!first, |end| end > now)
    }

    /// A pending product is not coming: held payments go back, plain ones are owed.
    fn give_up_pending(&mut self, now: Timestamp) {
        for i in 0..self.purchases.len() {
            match (self.purchases[i].has_claim(), self.purchases[i].invoice.state) {
                (true, InvoiceState::Held) => self.cancel_invoice(i, RETURNED_MESSAGE),
                (true, InvoiceState::Paid) if self.purchases[i].status == OrderStatus::Paid => {
                    self.owe_everything(i, UNDELIVERED_MESSAGE);
                    // A late delivery counts its time from then.
                    self.take_back_grant(i);
                }
                _ => {}
            }
        }
        self.product.become_(ProductStatus::NeedsSuspend, now);
        self.notify();
    }

    fn underpaid(&mut self, i: usize, now: Timestamp) {
        self.purchases[i].delivery = Delivery::None;
        self.owe_everything(i, UNDERPAID_MESSAGE);
        self.take_back_grant(i);
        self.withdraw(i, now);
    }

    fn owe_everything(&mut self, i: usize, message: &str) {
        let purchase = &mut self.purchases[i];
        purchase.owed = purchase.invoice.received.unwrap_or_default().saturating_sub(purchase.refunded);
        purchase.become_(OrderStatus::NeedsRefund, Some(message));
        let text = format!("{} is owed to the buyer: {message}", self.purchases[i].owed);
        self.alert(i, AlertTopic::NeedsRefund, &text);
    }

    /// What came above the price and was not paid back.
    fn surplus(&self, i: usize) -> Msat {
        let purchase = &self.purchases[i];
        let received = purchase.invoice.received.unwrap_or_default();
        received.saturating_sub(purchase.price).saturating_sub(purchase.refunded)
    }

    /// A first purchase that came to nothing: once the host has reported H, its place is free.
    fn release_if_never_used(&mut self) {
        if self.product.activated_at.is_none() && !self.has_claims() {
            self.release_place();
        }
    }

    fn release_place(&mut self) {
        if self.product.placed {
            self.product.placed = false;
            self.effects.push(Effect::ReleasePlace);
        }
    }

    fn notify(&mut self) {
        self.effects.push(Effect::NotifyHost);
    }

    fn alert(&mut self, i: usize, topic: AlertTopic, text: &str) {
        let subject = self.purchases[i].id.to_string();
        self.effects.push(Effect::Alert { topic, subject, text: text.to_owned() });
    }
}

fn refused_move(from: ProductStatus, to: ProductStatus) -> Refusal {
    let why = match (from, to) {
        (ProductStatus::NeedsSuspend | ProductStatus::Suspended, ProductStatus::Active) => {
            "nothing is paid for it any more (a payment that was held has gone back to the buyer)"
        }
        (_, ProductStatus::Failed) => "only a product in status P can be reported as failed",
        _ => "a host may change P to A, P to F, and S to H",
    };
    Refusal(format!("Can't change status from {} to {}: {why}.", from.letter(), to.letter()))
}

#[cfg(test)]
mod tests;
