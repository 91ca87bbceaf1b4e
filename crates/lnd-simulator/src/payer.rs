//! The node as a payer: of its own invoices (then it stands for some other node in the network whose
//! payment arrives), of connected simulators' invoices, and of invoices that it knows nothing of.

use std::sync::Arc;

use lightning_invoice::Bolt11Invoice;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::UnboundedReceiver;

use super::bolt11;
use super::book::Arrival;
use super::invoice::{Hex32, State};
use super::node::Node;
use super::payment::{FailureReason, PayError, PayOrder, Payment, PaymentState};
use super::state::NodeState;
use ip2tor_domain::lightning::{PaymentHash, Preimage};
use ip2tor_domain::time::Timestamp;

/// The smallest routing fee to a payee who is not a direct peer, in msat; a thousandth comes on top.
const BASE_FEE_MSAT: u64 = 1000;

/// A payment that has begun, and what becomes of it.
pub struct Started {
    /// As it was begun: in flight.
    pub payment: Payment,
    /// The final state.
    pub updates: UnboundedReceiver<Payment>,
}

/// A payment request that may be paid.
struct Bill {
    invoice: Bolt11Invoice,
    hash: PaymentHash,
    amount_msat: u64,
    fee_msat: u64,
    own: bool,
}

impl Node {
    /// Begins a payment. It is over at once unless the payee holds it.
    pub fn pay(self: &Arc<Self>, order: &PayOrder) -> Result<Started, PayError> {
        let bill = self.check(order)?;
        let mut state = self.lock();
        match state.payments.get(&bill.hash).map(|payment| payment.state) {
            Some(PaymentState::InFlight) => return Err(PayError::InFlight),
            Some(PaymentState::Succeeded(_)) => return Err(PayError::AlreadyPaid),
            Some(PaymentState::Failed(_)) | None => {}
        }
        state.last_payment += 1;
        let payment = Payment {
            hash: Hex32(bill.hash.0),
            request: order.request.clone(),
            amount_msat: bill.amount_msat,
            fee_msat: bill.fee_msat,
            created_ms: self.clock.now().0,
            index: state.last_payment,
            state: PaymentState::InFlight,
        };
        state.publish_payment(payment.clone()).map_err(|error| PayError::Invalid(error.to_string()))?;
        let updates = state.track(bill.hash);
        let obstacle = self.obstacle(&state, &bill, order.fee_limit_msat);
        if let Some(reason) = obstacle {
            state.end_payment(bill.hash, PaymentState::Failed(reason));
        } else if bill.own {
            self.pay_own(&mut state, &bill);
        } else {
            drop(state);
            self.pay_foreign(&bill);
        }
        Ok(Started { payment, updates })
    }

    fn check(&self, order: &PayOrder) -> Result<Bill, PayError> {
        let invoice = bolt11::read(&order.request, self.identity.network()).map_err(PayError::Invalid)?;
        let ends = invoice.duration_since_epoch().saturating_add(invoice.expiry_time());
        let ends = Timestamp::from_secs(i64::try_from(ends.as_secs()).unwrap_or(i64::MAX / 1000));
        if ends <= self.clock.now() {
            return Err(PayError::Invalid(format!("invoice expired. Valid until {ends}")));
        }
        let amount_msat = match (invoice.amount_milli_satoshis(), order.amount_msat) {
            (Some(amount), None) | (None, Some(amount)) if amount > 0 => amount,
            (Some(_), _) => return Err(invalid("amount must not be specified when paying a non-zero  amount invoice")),
            (None, _) => return Err(invalid("amount must be specified when paying a zero amount invoice")),
        };
        let payee = invoice.get_payee_pub_key();
        let own = payee == self.identity.public_key;
        let direct = own || self.is_direct_peer(&payee);
        let fee_msat = if direct { 0 } else { BASE_FEE_MSAT + amount_msat / 1000 };
        let hash = PaymentHash(*AsRef::<[u8; 32]>::as_ref(invoice.payment_hash()));
        Ok(Bill { invoice, hash, amount_msat, fee_msat, own })
    }

    /// Why the payment cannot leave, or not arrive.
    fn obstacle(&self, state: &NodeState, bill: &Bill, fee_limit_msat: Option<u64>) -> Option<FailureReason> {
        let capacity_msat = if bill.own { state.remote_msat } else { state.local_msat };
        if self.faults.no_route() || fee_limit_msat.is_some_and(|limit| bill.fee_msat > limit) {
            Some(FailureReason::NoRoute)
        } else if bill.amount_msat.saturating_add(bill.fee_msat) <= capacity_msat {
            None
        } else if bill.own {
            Some(FailureReason::NoRoute)
        } else {
            Some(FailureReason::InsufficientBalance)
        }
    }

    fn pay_own(&self, state: &mut NodeState, bill: &Bill) {
        let amount = bill.amount_msat;
        let arrival =
            Arrival { parts_msat: &[amount], total_msat: amount, now: self.clock.now(), height: state.height };
        let written = match state.book.arrive(bill.hash, arrival) {
            Ok(invoice) => state.publish(&invoice).is_ok(),
            Err(_) => false,
        };
        if !written {
            state.end_payment(bill.hash, PaymentState::Failed(FailureReason::IncorrectPaymentDetails));
        }
    }

    fn pay_foreign(self: &Arc<Self>, bill: &Bill) {
        match self.peer(&bill.invoice.get_payee_pub_key()) {
            Some(peer) => self.pay_peer(&peer, bill),
            None => {
                // Nobody can know the real preimage here; this one only looks like it.
                let made_up = Sha256::digest([b"foreign".as_slice(), &bill.hash.0].concat());
                self.lock().end_payment(bill.hash, PaymentState::Succeeded(Hex32(made_up.into())));
            }
        }
    }

    /// Pays the invoice of a connected simulator and waits in the background for what it does.
    fn pay_peer(self: &Arc<Self>, peer: &Arc<Node>, bill: &Bill) {
        let (hash, amount) = (bill.hash, bill.amount_msat);
        let (_, mut changes) = peer.watch(hash);
        if peer.arrive(hash, &[amount], amount).is_err() {
            self.lock().end_payment(hash, PaymentState::Failed(FailureReason::IncorrectPaymentDetails));
            return;
        }
        let payer = Arc::clone(self);
        tokio::spawn(async move {
            while let Some(invoice) = changes.recv().await {
                let outcome = match (invoice.state(), invoice.preimage()) {
                    (State::Settled, Some(Preimage(bytes))) => PaymentState::Succeeded(Hex32(bytes)),
                    (State::Canceled, _) => PaymentState::Failed(FailureReason::IncorrectPaymentDetails),
                    _ => continue,
                };
                payer.lock().end_payment(hash, outcome);
            }
        });
    }
}

impl NodeState {
    /// Ends a payment that is in flight.
    fn end_payment(&mut self, hash: PaymentHash, outcome: PaymentState) {
        let Some(mut payment) = self.payments.get(&hash).cloned() else { return };
        if payment.state == PaymentState::InFlight {
            payment.state = outcome;
            // When this cannot be written, a restart shows the payment in flight: the truth is lost either way.
            let _ = self.publish_payment(payment);
        }
    }
}

fn invalid(text: &str) -> PayError {
    PayError::Invalid(text.to_owned())
}
