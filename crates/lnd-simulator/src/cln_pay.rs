//! Core Lightning's `pay` and `xpay`, and its lists of payments. Both commands wait for the outcome. `pay`, asked a
//! second time for the same invoice, tells of the first payment (or waits for it); `xpay` refuses.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::bolt11;
use super::cln_faults::{Part, PayEnd};
use super::cln_params::{Params, Refused};
use super::node::Node;
use super::payment::{FailureReason, PayError, PayOrder, Payment, PaymentState};
use ip2tor_domain::lightning::PaymentHash;

const PLUGIN_ERROR: i32 = -3;
const IN_PROGRESS: i32 = 200;
const DESTINATION_FAILED: i32 = 203;
const NO_ROUTE: i32 = 205;
const TOO_EXPENSIVE: i32 = 206;
const EXPIRED: i32 = 207;
const STOPPED_RETRYING: i32 = 210;
const ALREADY_PAID: i32 = 219;
const INVALID_PARAMS: i32 = -32602;
/// Half a percent, or one: what routing may cost unless told otherwise. The least is 5 sat.
const PAY_FEE_SHARE: u64 = 200;
const XPAY_FEE_SHARE: u64 = 100;
const LEAST_FEE_MSAT: u64 = 5000;
/// How late a part leaves that was being prepared.
const LATE: Duration = Duration::from_millis(100);

/// A payment as it was asked for.
struct Asked {
    hash: PaymentHash,
    order: PayOrder,
    fee_limit_msat: u64,
}

/// `pay`
pub async fn pay(node: &Arc<Node>, params: &Params) -> Result<Value, Refused> {
    let asked = asked(node, params, params.text("bolt11").or_else(|| params.text("invstring")), PAY_FEE_SHARE)?;
    let payment = match begin(node, &asked).await? {
        Ok(payment) => payment,
        // Who asks again hears how the first one ends.
        Err(PayError::AlreadyPaid | PayError::InFlight) => ended(node, asked.hash).await?,
        Err(PayError::Invalid(text)) => return Err(invalid(text)),
    };
    let mut told = succeeded(&payment).map_err(|reason| {
        let (code, words) = match reason {
            FailureReason::IncorrectPaymentDetails => (DESTINATION_FAILED, UNKNOWN_TO_PAYEE),
            FailureReason::NoRoute if payment.fee_msat > asked.fee_limit_msat => {
                (TOO_EXPENSIVE, "Route wanted fee that exceeds our fee budget")
            }
            FailureReason::NoRoute => (NO_ROUTE, "Could not find a route"),
            FailureReason::InsufficientBalance => (STOPPED_RETRYING, "Ran out of routes to try after 0 attempts"),
        };
        Refused::new(code, words)
    })?;
    told["payment_hash"] = payment.hash().to_string().into();
    told["created_at"] = (payment.created_ms / 1000).into();
    told["parts"] = 1.into();
    told["status"] = "complete".into();
    Ok(told)
}

/// `xpay`
pub async fn xpay(node: &Arc<Node>, params: &Params) -> Result<Value, Refused> {
    let asked = asked(node, params, params.text("invstring"), XPAY_FEE_SHARE)?;
    let payment = match begin(node, &asked).await? {
        Ok(payment) => payment,
        Err(PayError::AlreadyPaid) => {
            return Err(Refused::new(ALREADY_PAID, "Already paid this invoice successfully"));
        }
        Err(PayError::InFlight) => {
            let words = format!("Unexpected injectpaymentonion error {IN_PROGRESS}: Payment still in progress");
            return Err(Refused::new(PLUGIN_ERROR, words));
        }
        Err(PayError::Invalid(text)) => return Err(invalid(text)),
    };
    let mut told = succeeded(&payment).map_err(|reason| match reason {
        FailureReason::IncorrectPaymentDetails => Refused::new(DESTINATION_FAILED, UNKNOWN_TO_PAYEE),
        _ => Refused::new(NO_ROUTE, "Failed: Could not find route without excessive cost"),
    })?;
    told["failed_parts"] = 0.into();
    told["successful_parts"] = 1.into();
    Ok(told)
}

const UNKNOWN_TO_PAYEE: &str = "failed: WIRE_INCORRECT_OR_UNKNOWN_PAYMENT_DETAILS (reply from remote)";

fn asked(node: &Node, params: &Params, request: Option<String>, fee_share: u64) -> Result<Asked, Refused> {
    let request = request.map_or_else(|| params.required("invstring"), Ok)?;
    let read = bolt11::read(&request, node.identity.network());
    let read = read.map_err(|error| Refused::new(INVALID_PARAMS, format!("Invalid bolt11: {error}")))?;
    let amount_msat = params.amount("amount_msat")?;
    let total_msat = read.amount_milli_satoshis().or(amount_msat).unwrap_or(0);
    let fee_limit_msat = params.amount("maxfee")?.unwrap_or_else(|| (total_msat / fee_share).max(LEAST_FEE_MSAT));
    let hash = PaymentHash(*AsRef::<[u8; 32]>::as_ref(read.payment_hash()));
    let order = PayOrder { request, amount_msat, fee_limit_msat: Some(fee_limit_msat) };
    Ok(Asked { hash, order, fee_limit_msat })
}

/// Pays, and waits for the outcome unless the command is to give up before.
async fn begin(node: &Arc<Node>, asked: &Asked) -> Result<Result<Payment, PayError>, Refused> {
    let end = node.faults.cln.payments_end();
    let gives_up = |code| Refused::new(code, format!("Failed with code {code} on demand"));
    match end {
        Some(PayEnd { code, part: Part::None }) => return Err(gives_up(code)),
        Some(PayEnd { code, part: Part::Late }) => {
            let (node, order) = (Arc::clone(node), asked.order.clone());
            tokio::spawn(async move {
                tokio::time::sleep(LATE).await;
                // Whether it can be sent then is nobody's business any more.
                let _ = node.pay(&order);
            });
            return Err(gives_up(code));
        }
        Some(PayEnd { part: Part::Sent, .. }) | None => {}
    }
    let mut started = match node.pay(&asked.order) {
        Ok(started) => started,
        Err(error) => return Ok(Err(error)),
    };
    match end {
        Some(end) => Err(gives_up(end.code)),
        None => Ok(Ok(started.updates.recv().await.unwrap_or(started.payment))),
    }
}

/// How a payment that has begun before ends.
async fn ended(node: &Node, hash: PaymentHash) -> Result<Payment, Refused> {
    let forgotten = || Refused::new(IN_PROGRESS, "Payment was forgotten meanwhile");
    let (payment, mut updates) = node.track(hash).ok_or_else(forgotten)?;
    if payment.state == PaymentState::InFlight { updates.recv().await.ok_or_else(forgotten) } else { Ok(payment) }
}

fn invalid(text: String) -> Refused {
    let code = if text.starts_with("invoice expired") { EXPIRED } else { INVALID_PARAMS };
    Refused::new(code, text)
}

fn succeeded(payment: &Payment) -> Result<Value, FailureReason> {
    match payment.state {
        PaymentState::Succeeded(preimage) => Ok(json!({
            "payment_preimage": hex::encode(preimage.0),
            "amount_msat": payment.amount_msat,
            "amount_sent_msat": payment.amount_msat + payment.fee_msat,
        })),
        PaymentState::Failed(reason) => Err(reason),
        // Only while the node stops.
        PaymentState::InFlight => Err(FailureReason::NoRoute),
    }
}

/// `listpays`, and `listsendpays`, which calls some things by other names. Only parts that have left are listed: a
/// payment without a route leaves no trace.
pub fn list(node: &Node, params: &Params, key: &str, preimage_key: &str) -> Result<Value, Refused> {
    let mut wanted = params.hex32("payment_hash")?.map(PaymentHash);
    if let Some(request) = params.text("bolt11") {
        let read = bolt11::read(&request, node.identity.network());
        let read = read.map_err(|error| Refused::new(INVALID_PARAMS, format!("Invalid invstring: {error}")))?;
        wanted = Some(PaymentHash(*AsRef::<[u8; 32]>::as_ref(read.payment_hash())));
    }
    let mut payments: Vec<Payment> = node.lock().payments.values().cloned().collect();
    payments.retain(|payment| wanted.is_none_or(|hash| hash == payment.hash()) && has_left(payment));
    payments.sort_by_key(|payment| payment.index);
    let shown: Vec<Value> = payments.iter().map(|payment| show(payment, preimage_key)).collect();
    Ok(json!({ key: shown }))
}

fn has_left(payment: &Payment) -> bool {
    !matches!(payment.state, PaymentState::Failed(FailureReason::NoRoute | FailureReason::InsufficientBalance))
}

fn show(payment: &Payment, preimage_key: &str) -> Value {
    let mut shown = json!({
        "id": payment.index,
        "created_index": payment.index,
        "groupid": payment.index,
        "partid": 1,
        "payment_hash": payment.hash().to_string(),
        "bolt11": payment.request,
        "created_at": payment.created_ms / 1000,
        "amount_msat": payment.amount_msat,
        "amount_sent_msat": payment.amount_msat + payment.fee_msat,
    });
    match payment.state {
        PaymentState::InFlight => shown["status"] = "pending".into(),
        PaymentState::Failed(_) => {
            shown["status"] = "failed".into();
            shown["amount_sent_msat"] = 0.into();
        }
        PaymentState::Succeeded(preimage) => {
            shown["status"] = "complete".into();
            shown[preimage_key] = hex::encode(preimage.0).into();
        }
    }
    shown
}
