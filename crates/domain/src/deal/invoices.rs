//! The invoice of a purchase: probed for, made, refused, given up.

use super::Deal;
use crate::alert::AlertTopic;
use crate::lightning::MadeInvoice;
use crate::purchase::{InvoiceState, OrderStatus};
use crate::texts::{Ending, OrderMessage};
use crate::time::Timestamp;

impl Deal {
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
        // A warning about the target stays.
        let message = purchase.message.take();
        self.move_invoice(i, InvoiceState::Open);
        self.move_order(i, OrderStatus::ToBePaid, message);
    }

    /// The host's port or the target is being tried (`message` says which), and the invoice waits for the
    /// result.
    pub fn probe_started(&mut self, i: usize, message: OrderMessage) {
        self.move_order(i, OrderStatus::RemoteChecks, Some(message));
    }

    /// The probe let the order pass: its invoice is to be made. Returns whether the order waited.
    pub fn probe_passed(&mut self, i: usize) -> bool {
        let waited = self.purchases[i].status == OrderStatus::RemoteChecks;
        if waited {
            self.move_order(i, OrderStatus::NeedsInvoice, None);
        }
        waited
    }

    /// The probe failed, and the order goes on all the same: buyer and operator are told.
    pub fn probe_warned(&mut self, i: usize, verdict: &str) {
        let purchase = &mut self.purchases[i];
        if purchase.status.is_open() && purchase.message.is_none() {
            purchase.message = Some(OrderMessage::TargetWarned(verdict.to_owned()));
            self.alert(i, AlertTopic::TargetUnreachable, verdict);
        }
    }

    /// No invoice can be made, or a check failed, before anything could be paid.
    pub fn refuse(&mut self, i: usize, message: OrderMessage, now: Timestamp) {
        let purchase = &mut self.purchases[i];
        if purchase.invoice.state != InvoiceState::Initial {
            return;
        }
        self.move_invoice(i, InvoiceState::Void);
        self.move_order(i, OrderStatus::Rejected, Some(message));
        self.withdraw(i, now);
    }

    /// The order is given up from our side while its invoice can still be paid: the node is told to
    /// cancel it, and only its answer ends order and product.
    pub fn close_unpaid(&mut self, i: usize, ending: Ending) {
        if self.purchases[i].invoice.state == InvoiceState::Open {
            self.cancel_invoice(i, ending);
        }
    }
}
