//! A Core Lightning that pays, through its socket: by `xpay` where the node has it, else by `pay`. Who may use the
//! socket may pay, so that this is switched on by the operator is all that stands before it.
//!
//! How a payment ended is never taken from the words of `xpay` or `pay`: they give up while parts are still on their way.
//! The node's list of payments tells.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use cln_rpc::primitives::{Amount, RpcError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::cln_call::{Failure, Socket};
use super::super::policy::Policy;
use super::payment::{Order, PAY_LIMIT, PayingNode, ROUTING_SECS, open, unclear};
use ip2tor_domain::lightning::{NodeError, NodeErrorKind, PaymentHash, PaymentState, Preimage};
use ip2tor_domain::money::Msat;

/// Code for a command that the node does not have.
const UNKNOWN_COMMAND: i32 = -32601;
/// Codes that say that the payment is under way or done.
const REPETITIONS: [i32; 4] = [200, 201, 218, 219];
/// After a failure the payment is looked at until two looks agree: a part that was being prepared may still be sent
/// then, and one that has failed may still be listed as pending. So many times, so far apart.
const MAX_LOOKUPS: u32 = 8;
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);

/// A Core Lightning that pays.
pub struct ClnPayer {
    socket: Socket,
    policy: Policy,
}

/// The part of the answer to `xpay` and `pay` that the shop reads.
#[derive(Deserialize)]
struct Paid {
    payment_preimage: String,
    amount_msat: Amount,
    amount_sent_msat: Amount,
}

/// The answer to `listpays`, or to `listsendpays`.
#[derive(Deserialize)]
struct Listed {
    #[serde(alias = "payments")]
    pays: Vec<Listing>,
}

/// An attempt to pay, or a part of one.
#[derive(Deserialize)]
struct Listing {
    status: String,
    amount_msat: Option<Amount>,
    amount_sent_msat: Option<Amount>,
    #[serde(alias = "payment_preimage")]
    preimage: Option<String>,
}

impl ClnPayer {
    /// The node with the socket at `path` (`~/.lightning/<network>/lightning-rpc`).
    pub const fn new(path: PathBuf, policy: Policy) -> Self {
        Self { socket: Socket { path }, policy }
    }

    async fn command(&self, method: &str, request: &str, order: &Order) -> Result<Value, Failure> {
        let mut params = json!({"maxfee": order.fee_limit.0, "retry_for": ROUTING_SECS});
        params[request] = order.request.as_str().into();
        if let Some(amount) = order.amount {
            params["amount_msat"] = amount.0.into();
        }
        self.socket.call_with(method, params, PAY_LIMIT).await
    }

    /// What became of a payment that the node says has failed.
    async fn after_failure(&self, hash: PaymentHash) -> Result<PaymentState, NodeError> {
        let mut last = None;
        for _ in 0..MAX_LOOKUPS {
            let now = self.track(hash).await?;
            match &now {
                PaymentState::Succeeded { .. } => return Ok(now),
                PaymentState::Unknown | PaymentState::Failed { .. } if last.as_ref() == Some(&now) => return Ok(now),
                _ => last = Some(now),
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Ok(PaymentState::InFlight)
    }

    /// The payment as the node's list has it, after the command ended with `error`.
    async fn outcome(&self, order: &Order, error: RpcError) -> Result<Option<PaymentState>, NodeError> {
        let code = error.code.unwrap_or_default();
        let said = NodeError::from(Failure::Refused(error));
        if code == UNKNOWN_COMMAND {
            // Told before anything is begun, and there is nothing to look for.
            let detail = format!("{}; it needs one of its plugins cln-xpay and pay", said.detail);
            return Err(NodeError::new(NodeErrorKind::Rejected, detail));
        }
        match self.after_failure(order.hash).await {
            // It says so itself, and yet lists none: whom to believe is not for us to decide.
            Ok(PaymentState::Unknown | PaymentState::Failed { .. }) if REPETITIONS.contains(&code) => Err(open(&said)),
            Ok(PaymentState::Unknown | PaymentState::Failed { .. }) => match meaning(code) {
                Some(meaning) => Ok(Some(PaymentState::Failed { reason: format!("{meaning} ({})", said.detail) })),
                None => Err(said),
            },
            Ok(state) => Ok(Some(state)),
            Err(_) => Err(open(&said)),
        }
    }
}

#[async_trait]
impl PayingNode for ClnPayer {
    fn policy(&self) -> &Policy {
        &self.policy
    }

    async fn send(&self, order: &Order) -> Result<Option<PaymentState>, NodeError> {
        let answer = match self.command("xpay", "invstring", order).await {
            Err(Failure::Refused(error)) if error.code == Some(UNKNOWN_COMMAND) => {
                self.command("pay", "bolt11", order).await
            }
            answer => answer,
        };
        match answer {
            // Without the proof that it was paid, the list tells.
            Ok(answer) => Ok(proven(answer, order.hash)),
            Err(Failure::Refused(error)) => self.outcome(order, error).await,
            // What the node answers is none of its answers.
            Err(Failure::Node(error)) if error.is_an_answer() => Err(open(&error)),
            Err(Failure::Node(error)) => Err(error),
        }
    }

    async fn track(&self, hash: PaymentHash) -> Result<PaymentState, NodeError> {
        let params = || json!({"payment_hash": hash.to_string()});
        let limit = self.policy.call_limit;
        let listed: Listed = match self.socket.call_with("listpays", params(), limit).await {
            // Without its plugin for payments; the parts are listed by the node itself.
            Err(Failure::Refused(error)) if error.code == Some(UNKNOWN_COMMAND) => {
                self.socket.call_with("listsendpays", params(), limit).await?
            }
            listed => listed?,
        };
        state_of(&listed.pays, hash)
    }
}

/// A success that the preimage proves.
fn proven(answer: Value, hash: PaymentHash) -> Option<PaymentState> {
    let paid: Paid = serde_json::from_value(answer).ok()?;
    let fee = paid.amount_sent_msat.msat().saturating_sub(paid.amount_msat.msat());
    is_proof(&paid.payment_preimage, hash).then_some(PaymentState::Succeeded { fee: Msat(fee) })
}

fn is_proof(preimage: &str, hash: PaymentHash) -> bool {
    let mut bytes = [0; 32];
    hex::decode_to_slice(preimage, &mut bytes).is_ok() && Preimage(bytes).hash() == hash
}

/// One attempt that is complete pays the invoice; only when all have failed nothing is paid.
fn state_of(listed: &[Listing], hash: PaymentHash) -> Result<PaymentState, NodeError> {
    let complete: Vec<&Listing> = listed.iter().filter(|pay| pay.status == "complete").collect();
    if !complete.is_empty() {
        if !complete.iter().all(|pay| pay.preimage.as_deref().is_some_and(|preimage| is_proof(preimage, hash))) {
            return Err(unclear("the node lists the payment as complete, without the preimage that proves it"));
        }
        let fees = complete.iter().map(|pay| fee_of(pay));
        return Ok(PaymentState::Succeeded { fee: Msat(fees.fold(0, u64::saturating_add)) });
    }
    if listed.is_empty() {
        return Ok(PaymentState::Unknown);
    }
    if listed.iter().all(|pay| pay.status == "failed") {
        return Ok(PaymentState::Failed {
            reason: "all attempts failed (`listsendpays` of the node has them)".to_owned(),
        });
    }
    Ok(PaymentState::InFlight)
}

/// In msat; 0 where the node does not say what reached the payee.
fn fee_of(pay: &Listing) -> u64 {
    match (pay.amount_sent_msat, pay.amount_msat) {
        (Some(sent), Some(amount)) => sent.msat().saturating_sub(amount.msat()),
        _ => 0,
    }
}

/// What the codes of `pay` and `xpay` mean.
const fn meaning(code: i32) -> Option<&'static str> {
    match code {
        203 => Some("the payee refused it (paid or expired)"),
        205 | 206 => Some("there is no route within the fee limit"),
        207 => Some("the payment request has expired"),
        210 => Some("no route was found in time"),
        215 => Some("the node's channels hold too little"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PREIMAGE: Preimage = Preimage([7; 32]);

    fn state(listed: Value) -> Result<PaymentState, NodeError> {
        let listed: Listed = serde_json::from_value(listed).unwrap();
        state_of(&listed.pays, PREIMAGE.hash())
    }

    fn listing(status: &str) -> Value {
        json!({"payment_hash": PREIMAGE.hash().to_string(), "status": status, "created_at": 1, "amount_sent_msat": 0})
    }

    fn complete(preimage: [u8; 32]) -> Value {
        let mut listing = listing("complete");
        listing["amount_msat"] = 25_000.into();
        listing["amount_sent_msat"] = "25003msat".into();
        listing["preimage"] = hex::encode(preimage).into();
        listing
    }

    #[test]
    fn a_payment_has_failed_only_when_no_part_of_any_attempt_is_pending() {
        assert_eq!(state(json!({"pays": []})).unwrap(), PaymentState::Unknown);
        let failed = || listing("failed");
        assert!(matches!(state(json!({"pays": [failed(), failed()]})), Ok(PaymentState::Failed { .. })));
        for other in ["pending", "a word of the future"] {
            for pays in [json!([failed(), listing(other)]), json!([listing(other), failed()])] {
                assert_eq!(state(json!({"payments": pays})).unwrap(), PaymentState::InFlight);
            }
        }
        let paid = PaymentState::Succeeded { fee: Msat(3) };
        for pays in [json!([failed(), complete([7; 32])]), json!([complete([7; 32]), listing("pending")])] {
            assert_eq!(state(json!({"pays": pays})).unwrap(), paid);
        }
    }

    #[test]
    fn a_payment_is_complete_only_with_its_preimage() {
        let mut unproven = complete([7; 32]);
        unproven.as_object_mut().unwrap().remove("preimage");
        for odd in [complete([8; 32]), unproven] {
            assert!(state(json!({"pays": [odd]})).unwrap_err().may_have_happened());
        }
        let answer = |preimage: [u8; 32]| json!({"payment_preimage": hex::encode(preimage), "amount_msat": 5, "amount_sent_msat": 6});
        assert_eq!(proven(answer([7; 32]), PREIMAGE.hash()), Some(PaymentState::Succeeded { fee: Msat(1) }));
        assert_eq!(proven(answer([8; 32]), PREIMAGE.hash()), None);
        assert_eq!(proven(json!({"status": "pending"}), PREIMAGE.hash()), None);
    }
}
