//! The payment of a purchase: held, settled, given back, paid back.

use super::{Deal, MIN_HOLD_BLOCKS, Refusal};
use crate::alert::AlertTopic;
use crate::effect::Effect;
use crate::money::Msat;
use crate::product::ProductStatus;
use crate::purchase::{Delivery, InvoiceState, OrderStatus, Purchase, PurchaseKind};
use crate::texts::{Ending, Message, OrderMessage};
use crate::time::{CLOCK_TOLERANCE_SECS, Timestamp};

impl Deal {
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
        if received < self.purchases[i].price || too_close {
            return self.cancel_invoice(i, Ending::HoldRefused);
        }
        let never_delivered = self.purchases[i].kind == PurchaseKind::Extension && !self.was_ever_bought();
        if self.product.is_killed || never_delivered {
            return self.cancel_invoice(i, Ending::HoldHopeless);
        }
        self.move_invoice(i, InvoiceState::Held);
        self.move_order(i, OrderStatus::ToBePaid, Some(OrderMessage::Held));
        self.purchases[i].delivery = Delivery::Awaiting;
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
        if purchase.invoice.state == InvoiceState::Expired {
            let subject = purchase.id.to_string();
            self.effects.push(Effect::CloseAlert(AlertTopic::InvoiceVanished, subject));
        }
        self.move_invoice(i, InvoiceState::Paid);
        let purchase = &mut self.purchases[i];
        purchase.invoice.received = Some(received);
        purchase.invoice.paid_at = Some(at);
        if received < purchase.price {
            return self.underpaid(i, now);
        }
        self.owe_surplus(i);
        match self.purchases[i].delivery {
            Delivery::None => self.deliver(i, now),
            Delivery::Awaiting | Delivery::Delivered => self.move_order(i, OrderStatus::Paid, None),
        }
    }

    /// Money came once more for an order that was paid: by an invoice that another had taken the place of.
    /// All of it is owed, on top of what is owed already.
    pub fn paid_again(&mut self, i: usize, received: Msat) {
        let purchase = &mut self.purchases[i];
        let before = purchase.invoice.received.unwrap_or_default();
        purchase.invoice.received = Some(Msat(before.0.saturating_add(received.0)));
        match purchase.status {
            OrderStatus::NeedsRefund | OrderStatus::Refunded => self.owe_everything(i, OrderMessage::PaidAgain),
            _ => self.owe_surplus(i),
        }
    }

    /// The node says the invoice is cancelled, expired or unknown: it can't be paid any more.
    pub fn payment_void(&mut self, i: usize, now: Timestamp) {
        let purchase = &self.purchases[i];
        let before = purchase.invoice.state;
        let end = purchase.invoice.expires_at;
        let is_early = end.is_some_and(|end| now.plus_secs(CLOCK_TOLERANCE_SECS) < end);
        let message = match before {
            InvoiceState::Open if is_early => OrderMessage::CancelledElsewhere,
            InvoiceState::Open => OrderMessage::Ended(Ending::Expired),
            InvoiceState::Held | InvoiceState::Settling => OrderMessage::HoldLost,
            _ => match &purchase.message {
                Some(OrderMessage::Cancelling(ending)) => OrderMessage::Ended(*ending),
                Some(other) => other.clone(),
                None => OrderMessage::Ended(Ending::Expired),
            },
        };
        let ended = self.end_unpaid(i, message, now);
        if ended && matches!(before, InvoiceState::Held | InvoiceState::Settling) {
            self.alert(i, AlertTopic::HoldLost, &self.lost_hold(i));
        }
    }

    fn lost_hold(&self, i: usize) -> String {
        let invoice = &self.purchases[i].invoice;
        format!(
            "A held payment was cancelled at node {} by the node itself or by somebody else there, not by this shop \
             (payment hash {}); its buyer has the money back",
            invoice.node_id, invoice.hash
        )
    }

    /// The node does not know the invoice any more, and nobody can tell whether it was paid before: it ends as if
    /// it was not, but nothing of the kind is claimed.
    pub fn payment_vanished(&mut self, i: usize, now: Timestamp) {
        if !self.end_unpaid(i, OrderMessage::Vanished, now) {
            return;
        }
        let Purchase { id, price, invoice, .. } = &self.purchases[i];
        let text = format!(
            "Node {} no longer knows the invoice of order {id} (payment hash {}, {price}), which was not cancelled by this \
             shop: it may have been paid. Look for the hash in what the node knows of its payments (on Core Lightning: \
             `listhtlcs`, `bkpr-listincome`); if it was paid, pay it back. Close this alert then",
            invoice.node_id, invoice.hash
        );
        self.alert(i, AlertTopic::InvoiceVanished, &text);
    }

    /// The invoice can't be paid any more; whatever was held of it is not ours. Returns whether it was live.
    fn end_unpaid(&mut self, i: usize, message: OrderMessage, now: Timestamp) -> bool {
        let purchase = &mut self.purchases[i];
        let before = purchase.invoice.state;
        if !before.is_live() || before == InvoiceState::Initial {
            return false;
        }
        purchase.invoice.received = None;
        purchase.delivery = Delivery::None;
        self.move_invoice(i, InvoiceState::Expired);
        self.move_order(i, OrderStatus::Rejected, Some(message));
        self.take_back_grant(i);
        self.withdraw(i, now);
        true
    }

    /// A held payment that was not delivered within the host's limit, in seconds, goes back.
    pub fn hold_overdue(&mut self, i: usize, limit_secs: i64, now: Timestamp) {
        if self.purchases[i].is_held_too_long(limit_secs, now) {
            self.cancel_invoice(i, Ending::Returned);
            self.withdraw(i, now);
        }
    }

    /// `amount` was paid back to the buyer. What was owed may have changed since that was begun, so it
    /// can be less than is owed now, or more: both are told to the operator.
    pub fn refunded(&mut self, i: usize, amount: Msat, now: Timestamp) {
        let purchase = &mut self.purchases[i];
        let too_much = amount.saturating_sub(purchase.owed);
        purchase.refunded = Msat(purchase.refunded.0.saturating_add(amount.0));
        purchase.owed = purchase.owed.saturating_sub(amount);
        let (owed, needs_refund) = (purchase.owed, purchase.status == OrderStatus::NeedsRefund);
        if too_much > Msat(0) {
            let text = format!("{amount} were paid back to the buyer, {too_much} more than was owed by then");
            self.alert(i, AlertTopic::RefundedTooMuch, &text);
        }
        if owed > Msat(0) {
            let topic = if needs_refund { AlertTopic::NeedsRefund } else { AlertTopic::Overpaid };
            return self.alert(i, topic, &format!("{owed} is still owed to the buyer after {amount} were paid back"));
        }
        self.close_debt(i);
        if needs_refund {
            self.end_refunded(i);
            self.take_back_grant(i);
            self.withdraw(i, now);
        }
    }

    /// The buyer of what was delivered late wants the money instead: it is owed, and what it paid for is taken
    /// back.
    pub fn return_late(&mut self, i: usize, now: Timestamp) -> Result<(), Refusal> {
        let purchase = &self.purchases[i];
        let is_late = purchase.status == OrderStatus::Paid && purchase.late_secs.is_some();
        if !is_late || purchase.delivery != Delivery::Delivered {
            return Err(Refusal(Message::OnlyLateReturns));
        }
        let subject = purchase.id.to_string();
        self.effects.push(Effect::CloseAlert(AlertTopic::LateDelivery, subject));
        self.purchases[i].delivery = Delivery::None;
        self.owe_everything(i, OrderMessage::LateReturned);
        self.take_back_grant(i);
        self.withdraw(i, now);
        Ok(())
    }

    /// The operator wants an undelivered order to be tried again.
    pub fn retry_delivery(&mut self, i: usize, now: Timestamp) -> Result<(), Refusal> {
        let purchase = &self.purchases[i];
        let kept = purchase.invoice.received.unwrap_or_default().saturating_sub(purchase.refunded);
        let paid_in_full = kept >= purchase.price;
        if purchase.status != OrderStatus::NeedsRefund || !paid_in_full || self.product.is_killed {
            return Err(Refusal(Message::OnlyPaidRetries));
        }
        self.owe_only_surplus(i);
        self.deliver(i, now);
        Ok(())
    }
}
