//! An LND that pays, by REST: each call is answered by a stream of lines, one for each state of the payment.

use std::pin::pin;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use bytes::Bytes;
use futures_util::StreamExt;
use http::Response;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::Error as ClientError;
use serde::Deserialize;
use serde_json::{Value, json};
use tonic::Code;

use super::super::client::HttpClient;
use super::super::connector::{Connector, NodeAddress};
use super::super::dial::Dial;
use super::super::link::{Link, MacaroonHeader};
use super::super::lnd_errors::{from_answer, from_transport};
use super::super::permissions::payment_check;
use super::super::policy::Policy;
use super::super::rest_http::{Exchange, HTTP1, Refusal, lines_of, read_refusal};
use super::super::rest_json::{number, read_error};
use super::lnd::{for_payments, state};
use super::payment::{Order, PAY_LIMIT, PayingNode, PaymentCredentials, ROUTING_SECS, unclear};
use ip2tor_domain::lightning::{NodeError, NodeErrorKind, PaymentHash, PaymentState};

/// LND's words for a payment that it was never told to make. The code alone would not do: a gateway that does not
/// offer the service says "not found" as well.
const NEVER_TRIED: &str = "isn't initiated";

/// An LND that pays, by REST.
pub struct LndRestPayer {
    link: Link<Full<Bytes>>,
    base: String,
    macaroon: MacaroonHeader,
}

impl LndRestPayer {
    /// The node whose REST port is at `address`.
    pub fn new(address: NodeAddress, credentials: PaymentCredentials, policy: Policy, dial: Dial) -> Self {
        let base = format!("https://{address}");
        let connector = Connector::new(address, credentials.certificate, dial, HTTP1, policy.connect_limit);
        let macaroon = MacaroonHeader::new(credentials.macaroon, payment_check());
        Self { link: Link::new(connector, policy, false), base, macaroon }
    }
}

#[async_trait]
impl PayingNode for LndRestPayer {
    fn policy(&self) -> &Policy {
        self.link.policy()
    }

    async fn send(&self, order: &Order) -> Result<Option<PaymentState>, NodeError> {
        let body = json!({
            "payment_request": order.request,
            "amt_msat": order.amount.map_or(0, |amount| amount.0).to_string(),
            "fee_limit_msat": order.fee_limit.0.to_string(),
            "timeout_seconds": ROUTING_SECS,
            "no_inflight_updates": true,
        });
        let exchange = Exchange::post("/v2/router/send", body);
        let call = |client: HttpClient<Full<Bytes>>, header| {
            let request = exchange.request(&self.base, header);
            async move { last_state(client.request(request?).await, is_repetition).await }
        };
        self.link.call(PAY_LIMIT, &self.macaroon, call).await.map_err(for_payments)
    }

    async fn track(&self, hash: PaymentHash) -> Result<PaymentState, NodeError> {
        let exchange = Exchange::get(format!("/v2/router/track/{}", URL_SAFE.encode(hash.0)));
        let call = |client: HttpClient<Full<Bytes>>, header| {
            let request = exchange.request(&self.base, header);
            async move { first_state(client.request(request?).await, never_tried).await }
        };
        let found = self.link.ask(self.link.policy().call_limit, &self.macaroon, call).await.map_err(for_payments)?;
        Ok(found.unwrap_or(PaymentState::Unknown))
    }
}

/// One line of the streams.
#[derive(Deserialize)]
struct Line {
    result: Option<RestPayment>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct RestPayment {
    status: String,
    #[serde(default, deserialize_with = "number")]
    fee_msat: i64,
    #[serde(default)]
    failure_reason: String,
}

fn is_repetition(code: Code, _: &str) -> bool {
    code == Code::AlreadyExists
}

fn never_tried(code: Code, message: &str) -> bool {
    code == Code::NotFound && message.contains(NEVER_TRIED)
}

/// Whether an error of LND means that there is nothing to tell.
type IsNone = fn(Code, &str) -> bool;

/// The present state.
async fn first_state(
    answer: Result<Response<Incoming>, ClientError>,
    is_none: IsNone,
) -> Result<Option<PaymentState>, NodeError> {
    states(answer, is_none, |_| true).await
}

/// The state that ends the payment, also where the node tells of the steps before it.
async fn last_state(
    answer: Result<Response<Incoming>, ClientError>,
    is_none: IsNone,
) -> Result<Option<PaymentState>, NodeError> {
    states(answer, is_none, |state| *state != PaymentState::InFlight).await
}

/// The first state that is `wanted`.
async fn states(
    answer: Result<Response<Incoming>, ClientError>,
    is_none: IsNone,
    wanted: fn(&PaymentState) -> bool,
) -> Result<Option<PaymentState>, NodeError> {
    let answer = answer.map_err(|error| from_transport(&error))?;
    if !answer.status().is_success() {
        return refused(read_refusal(answer).await?, is_none);
    }
    let mut lines = pin!(lines_of(answer.into_body()));
    while let Some(line) = lines.next().await {
        match read_line(&line?, is_none)? {
            Some(state) if !wanted(&state) => {}
            found => return Ok(found),
        }
    }
    Err(unclear("the node's answer ended before it said what became of the payment"))
}

/// What did not come as a stream. Only LND's own words say that it was not done: what stands before it (a proxy)
/// knows nothing of payments.
fn refused(refusal: Refusal, is_none: IsNone) -> Result<Option<PaymentState>, NodeError> {
    let Refusal { code, message, is_of_lnd } = refusal;
    match code {
        code if is_of_lnd && is_none(code, &message) => Ok(None),
        Code::NotFound | Code::Unimplemented if is_of_lnd => Err(NodeError::new(
            NodeErrorKind::Refused,
            "the node's REST port does not offer payments (/v2/router); let through the whole interface, or use gRPC",
        )),
        code if is_of_lnd => Err(from_answer(code, &message)),
        _ => Err(unclear(format!("no answer of an LND: {message}"))),
    }
}

fn read_line(line: &[u8], is_none: IsNone) -> Result<Option<PaymentState>, NodeError> {
    let line: Line =
        serde_json::from_slice(line).map_err(|_| unclear("the answer is not one of LND's REST interface"))?;
    let Some(payment) = line.result else {
        let (code, message) = read_error(&line.error.unwrap_or(Value::Null), 200);
        return if is_none(code, &message) { Ok(None) } else { Err(from_answer(code, &message)) };
    };
    state(payment.status(), payment.fee_msat, payment.reason()).map(Some)
}

impl RestPayment {
    fn status(&self) -> Option<fedimint_tonic_lnd::lnrpc::payment::PaymentStatus> {
        fedimint_tonic_lnd::lnrpc::payment::PaymentStatus::from_str_name(&self.status)
    }

    fn reason(&self) -> Option<fedimint_tonic_lnd::lnrpc::PaymentFailureReason> {
        fedimint_tonic_lnd::lnrpc::PaymentFailureReason::from_str_name(&self.failure_reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ip2tor_domain::money::Msat;

    fn read(line: &str) -> Result<Option<PaymentState>, NodeError> {
        read_line(line.as_bytes(), never_tried)
    }

    #[test]
    fn a_state_is_read_with_its_numbers_in_strings() {
        let line = r#"{"result":{"payment_hash":"00","fee_msat":"12","status":"SUCCEEDED","htlcs":[]}}"#;
        assert_eq!(read(line).unwrap(), Some(PaymentState::Succeeded { fee: Msat(12) }));
        let line = r#"{"result":{"status":"FAILED","failure_reason":"FAILURE_REASON_NO_ROUTE"}}"#;
        assert!(matches!(read(line), Ok(Some(PaymentState::Failed { reason })) if reason.contains("no route")));
        assert_eq!(read(r#"{"result":{"status":"INITIATED"}}"#).unwrap(), Some(PaymentState::InFlight));
        assert!(read(r#"{"result":{"status":"NEW_WORD"}}"#).unwrap_err().may_have_happened());
        assert!(read("<html>").unwrap_err().may_have_happened());
    }

    #[test]
    fn only_lnds_own_words_mean_that_a_payment_was_never_tried() {
        let refusal = |code, message: &str, is_of_lnd| {
            refused(Refusal { code, message: message.to_owned(), is_of_lnd }, never_tried)
        };
        assert_eq!(refusal(Code::NotFound, "payment isn't initiated", true).unwrap(), None);
        let missing = refusal(Code::NotFound, "Not Found", true).unwrap_err();
        assert!(!missing.may_have_happened() && !missing.is_an_answer(), "{missing}");
        assert!(refusal(Code::NotFound, "HTTP status 404", false).unwrap_err().may_have_happened());
        assert!(refusal(Code::Unknown, "HTTP status 500", false).unwrap_err().may_have_happened());
        assert!(!refusal(Code::Unknown, "invoice expired", true).unwrap_err().may_have_happened());
    }
}
