//! Core Lightning's `pay`: waits for the outcome; a second time for the same invoice it tells the
//! first outcome again.

use std::sync::Arc;

use serde_json::{Value, json};

use super::bolt11;
use super::cln_params::{Params, Refused};
use super::node::Node;
use super::payment::{FailureReason, PayError, PayOrder, Payment, PaymentState};
use crate::domain::lightning::PaymentHash;

const IN_PROGRESS: i32 = 200;
const DESTINATION_FAILED: i32 = 203;
const NO_ROUTE: i32 = 205;
const INVALID_PARAMS: i32 = -32602;

/// `pay`
pub async fn pay(node: &Arc<Node>, params: &Params) -> Result<Value, Refused> {
    let request = params.required("bolt11")?;
    let read = bolt11::read(&request, node.identity.network());
    let read = read.map_err(|error| Refused::new(INVALID_PARAMS, format!("Invalid bolt11: {error}")))?;
    let amount_msat = params.amount("amount_msat")?;
    let total_msat = read.amount_milli_satoshis().or(amount_msat).unwrap_or(0);
    // lightningd's own limit: half a percent, but at least 5 sat.
    let fee_limit_msat = params.amount("maxfee")?.unwrap_or_else(|| (total_msat / 200).max(5000));
    let order = PayOrder { request, amount_msat, fee_limit_msat: Some(fee_limit_msat) };
    let hash = PaymentHash(*AsRef::<[u8; 32]>::as_ref(read.payment_hash()));
    let payment = match node.pay(&order) {
        Ok(mut started) => started.updates.recv().await.unwrap_or(started.payment),
        Err(PayError::AlreadyPaid) => {
            let told = node.track(hash).map(|(payment, _)| payment);
            told.ok_or_else(|| Refused::new(IN_PROGRESS, "Payment was forgotten meanwhile"))?
        }
        Err(PayError::InFlight) => return Err(Refused::new(IN_PROGRESS, "Payment is still in progress")),
        Err(PayError::Invalid(text)) => return Err(Refused::new(INVALID_PARAMS, text)),
    };
    outcome(&payment)
}

fn outcome(payment: &Payment) -> Result<Value, Refused> {
    match payment.state {
        PaymentState::Succeeded(preimage) => Ok(json!({
            "payment_preimage": hex::encode(preimage.0),
            "payment_hash": payment.hash().to_string(),
            "created_at": payment.created_ms / 1000,
            "parts": 1,
            "amount_msat": payment.amount_msat,
            "amount_sent_msat": payment.amount_msat + payment.fee_msat,
            "status": "complete",
        })),
        PaymentState::Failed(FailureReason::IncorrectPaymentDetails) => Err(Refused::new(
            DESTINATION_FAILED,
            "failed: WIRE_INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS (reply from remote)",
        )),
        PaymentState::Failed(_) => Err(Refused::new(NO_ROUTE, "Ran out of routes to try")),
        PaymentState::InFlight => Err(Refused::new(IN_PROGRESS, "Payment is still in progress")),
    }
}
