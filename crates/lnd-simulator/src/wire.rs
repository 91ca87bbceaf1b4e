//! From the simulated node's own types to LND's messages.

use std::collections::HashMap;

use fedimint_tonic_lnd::lnrpc;
use lightning_invoice::{Bolt11Invoice, Bolt11InvoiceDescriptionRef};
use lnrpc::invoice::InvoiceState;
use lnrpc::payment::PaymentStatus;
use tonic::Status;

use super::auth::unknown;
use super::invoice::{Htlc, Invoice, State};
use super::oddity::Oddity;
use super::payment::{FailureReason, Payment, PaymentState};
use ip2tor_domain::time::Timestamp;

const MSAT: i64 = 1000;

/// LND's form of an amount or a time; those beyond 2^63 do not exist.
pub fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn secs(ms: i64) -> i64 {
    Timestamp(ms).secs()
}

/// An invoice as all calls show it; one that the node can't read fails the whole answer.
pub fn told(known: &Invoice) -> Result<lnrpc::Invoice, Status> {
    match known.terms.oddity {
        Oddity::Unreadable => Err(unknown("unable to decode payment request: unknown feature bit".to_owned())),
        _ => Ok(invoice(known)),
    }
}

#[expect(deprecated, reason = "LND still fills the fields that it calls deprecated, and clients read them")]
fn invoice(invoice: &Invoice) -> lnrpc::Invoice {
    let (terms, progress) = (&invoice.terms, &invoice.progress);
    let (value_msat, paid_msat) = (signed(terms.value_msat), signed(invoice.paid_msat()));
    let settled = invoice.state() == State::Settled;
    let is_amp = matches!(terms.oddity, Oddity::Amp { .. });
    lnrpc::Invoice {
        memo: terms.memo.clone(),
        r_preimage: invoice.preimage().map(|preimage| preimage.0.to_vec()).unwrap_or_default(),
        r_hash: if is_amp { Vec::new() } else { terms.hash.0.to_vec() },
        value: value_msat / MSAT,
        value_msat,
        settled,
        creation_date: secs(terms.created_ms),
        settle_date: progress.settled_ms.map(secs).unwrap_or_default(),
        payment_request: terms.payment_request.clone(),
        description_hash: terms.description_hash.clone(),
        expiry: signed(terms.expiry_secs),
        cltv_expiry: terms.cltv_expiry,
        private: terms.private,
        add_index: invoice.add_index,
        settle_index: progress.settle_index,
        amt_paid: paid_msat,
        amt_paid_sat: paid_msat / MSAT,
        amt_paid_msat: paid_msat,
        state: match terms.oddity {
            Oddity::State(number) => number,
            Oddity::Amp { newest: true } => InvoiceState::Settled.into(),
            _ => state(invoice.state()).into(),
        },
        htlcs: progress.htlcs.iter().map(|part| htlc(part, terms.bulk)).collect(),
        is_keysend: terms.oddity == Oddity::Keysend,
        is_amp,
        is_blinded: terms.oddity == Oddity::Blinded,
        features: features(),
        payment_addr: terms.payment_addr.0.to_vec(),
        ..Default::default()
    }
}

fn state(state: State) -> InvoiceState {
    match state {
        State::Open => InvoiceState::Open,
        State::Settled => InvoiceState::Settled,
        State::Canceled => InvoiceState::Canceled,
        State::Accepted => InvoiceState::Accepted,
    }
}

/// The kind of record that podcast players send along.
const RECORD: u64 = 7_629_169;

fn htlc(htlc: &Htlc, bulk: usize) -> lnrpc::InvoiceHtlc {
    let state = match htlc.state {
        State::Settled => lnrpc::InvoiceHtlcState::Settled,
        State::Canceled => lnrpc::InvoiceHtlcState::Canceled,
        State::Open | State::Accepted => lnrpc::InvoiceHtlcState::Accepted,
    };
    lnrpc::InvoiceHtlc {
        chan_id: 1 << 40,
        htlc_index: htlc.index,
        amt_msat: htlc.amount_msat,
        accept_height: htlc.accept_height.cast_signed(),
        accept_time: secs(htlc.accepted_ms),
        resolve_time: htlc.resolved_ms.map(secs).unwrap_or_default(),
        expiry_height: htlc.expiry_height.cast_signed(),
        state: state.into(),
        mpp_total_amt_msat: htlc.total_msat,
        custom_records: (bulk > 0).then(|| (RECORD, vec![b'x'; bulk])).into_iter().collect(),
        ..Default::default()
    }
}

fn features() -> HashMap<u32, lnrpc::Feature> {
    let feature =
        |bit, name: &str, is_required| (bit, lnrpc::Feature { name: name.to_owned(), is_required, is_known: true });
    HashMap::from([
        feature(8, "tlv-onion", true),
        feature(14, "payment-addr", true),
        feature(17, "multi-path-payments", false),
    ])
}

/// A payment as the router's calls show it.
#[expect(deprecated, reason = "LND still fills the fields that it calls deprecated, and clients read them")]
pub fn payment(payment: &Payment) -> lnrpc::Payment {
    let (value_msat, fee_msat) = (signed(payment.amount_msat), signed(payment.fee_msat));
    let (status, preimage, reason) = match &payment.state {
        PaymentState::InFlight => (PaymentStatus::InFlight, None, lnrpc::PaymentFailureReason::FailureReasonNone),
        PaymentState::Succeeded(preimage) => {
            (PaymentStatus::Succeeded, Some(preimage.0), lnrpc::PaymentFailureReason::FailureReasonNone)
        }
        PaymentState::Failed(reason) => (PaymentStatus::Failed, None, failure_reason(*reason)),
    };
    lnrpc::Payment {
        payment_hash: hex::encode(payment.hash.0),
        value: value_msat / MSAT,
        creation_date: secs(payment.created_ms),
        fee: fee_msat / MSAT,
        // LND shows 32 zero bytes until it knows better.
        payment_preimage: hex::encode(preimage.unwrap_or_default()),
        value_sat: value_msat / MSAT,
        value_msat,
        payment_request: payment.request.clone(),
        status: status.into(),
        fee_sat: fee_msat / MSAT,
        fee_msat,
        creation_time_ns: payment.created_ms.saturating_mul(1_000_000),
        payment_index: payment.index,
        failure_reason: reason.into(),
        ..Default::default()
    }
}

fn failure_reason(reason: FailureReason) -> lnrpc::PaymentFailureReason {
    match reason {
        FailureReason::NoRoute => lnrpc::PaymentFailureReason::FailureReasonNoRoute,
        FailureReason::IncorrectPaymentDetails => lnrpc::PaymentFailureReason::FailureReasonIncorrectPaymentDetails,
        FailureReason::InsufficientBalance => lnrpc::PaymentFailureReason::FailureReasonInsufficientBalance,
    }
}

/// The whole route of a payment that succeeded.
#[expect(deprecated, reason = "LND still fills the fields that it calls deprecated, and clients read them")]
pub fn route(payment: &Payment) -> lnrpc::Route {
    let (amount_msat, fee_msat) = (signed(payment.amount_msat), signed(payment.fee_msat));
    let total_msat = amount_msat.saturating_add(fee_msat);
    lnrpc::Route {
        total_fees: fee_msat / MSAT,
        total_amt: total_msat / MSAT,
        total_fees_msat: fee_msat,
        total_amt_msat: total_msat,
        ..Default::default()
    }
}

/// A payment request taken apart.
pub fn pay_req(invoice: &Bolt11Invoice) -> lnrpc::PayReq {
    let (description, description_hash) = match invoice.description() {
        Bolt11InvoiceDescriptionRef::Direct(text) => (text.to_string(), String::new()),
        Bolt11InvoiceDescriptionRef::Hash(hash) => (String::new(), hash.0.to_string()),
    };
    let num_msat = signed(invoice.amount_milli_satoshis().unwrap_or(0));
    lnrpc::PayReq {
        destination: invoice.get_payee_pub_key().to_string(),
        payment_hash: invoice.payment_hash().to_string(),
        num_satoshis: num_msat / MSAT,
        timestamp: signed(invoice.duration_since_epoch().as_secs()),
        expiry: signed(invoice.expiry_time().as_secs()),
        description,
        description_hash,
        cltv_expiry: signed(invoice.min_final_cltv_expiry_delta()),
        route_hints: invoice.route_hints().iter().map(route_hint).collect(),
        payment_addr: invoice.payment_secret().0.to_vec(),
        num_msat,
        features: features(),
        ..Default::default()
    }
}

fn route_hint(hint: &lightning_invoice::RouteHint) -> lnrpc::RouteHint {
    let hops = hint.0.iter().map(|hop| lnrpc::HopHint {
        node_id: hop.src_node_id.to_string(),
        chan_id: hop.short_channel_id,
        fee_base_msat: hop.fees.base_msat,
        fee_proportional_millionths: hop.fees.proportional_millionths,
        cltv_expiry_delta: hop.cltv_expiry_delta.into(),
    });
    lnrpc::RouteHint { hop_hints: hops.collect() }
}
