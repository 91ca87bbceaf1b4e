//! What gRPC and REST have in common: LND's states of a payment, and its refusals.

use fedimint_tonic_lnd::lnrpc::PaymentFailureReason as Reason;
use fedimint_tonic_lnd::lnrpc::payment::PaymentStatus;

use super::super::permissions::BAKE_COMMAND;
use super::payment::unclear;
use ip2tor_domain::lightning::{NodeError, NodeErrorKind, PaymentState};
use ip2tor_domain::money::Msat;
use ip2tor_domain::node::PAYMENT_BAKE_COMMAND;

/// The state of a payment; `status` and `reason` are `None` where LND uses a word that is not known here.
pub fn state(status: Option<PaymentStatus>, fee_msat: i64, reason: Option<Reason>) -> Result<PaymentState, NodeError> {
    match status {
        Some(PaymentStatus::Succeeded) => {
            Ok(PaymentState::Succeeded { fee: Msat(u64::try_from(fee_msat).unwrap_or(0)) })
        }
        Some(PaymentStatus::Failed) => Ok(PaymentState::Failed { reason: words(reason).to_owned() }),
        Some(PaymentStatus::InFlight | PaymentStatus::Initiated) => Ok(PaymentState::InFlight),
        _ => Err(unclear("the node answered with an unknown state of a payment")),
    }
}

fn words(reason: Option<Reason>) -> &'static str {
    match reason {
        Some(Reason::FailureReasonTimeout) => "no route was found in time",
        Some(Reason::FailureReasonNoRoute) => "there is no route within the fee limit",
        Some(Reason::FailureReasonIncorrectPaymentDetails) => "the payee refused it (paid or expired)",
        Some(Reason::FailureReasonInsufficientBalance) => "the node's channels hold too little",
        Some(Reason::FailureReasonCanceled) => "it was cancelled",
        _ => "it failed for good",
    }
}

/// A refusal of the macaroon names the command that bakes one for payments, not the one for invoices.
pub fn for_payments(error: NodeError) -> NodeError {
    if error.kind == NodeErrorKind::WrongMacaroon {
        return NodeError::new(error.kind, error.detail.replace(BAKE_COMMAND, PAYMENT_BAKE_COMMAND));
    }
    error
}
