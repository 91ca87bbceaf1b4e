//! A payment that the simulated node makes, and what is asked of it.

use serde::{Deserialize, Serialize};

use super::invoice::Hex32;
use ip2tor_domain::lightning::PaymentHash;

/// What is to be paid, by a BOLT11 payment request.
#[derive(Clone, Debug, Default)]
pub struct PayOrder {
    /// BOLT11.
    pub request: String,
    /// The amount, in msat; only for requests that name none.
    pub amount_msat: Option<u64>,
    /// The most that may be paid for routing, in msat; `None` is no limit.
    pub fee_limit_msat: Option<u64>,
}

/// Why a payment failed, by LND's number and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureReason {
    /// No way to the payee, or none within the fee limit.
    NoRoute,
    /// The payee does not know the invoice, or it can no longer be paid.
    IncorrectPaymentDetails,
    /// The channels of this node do not hold as much.
    InsufficientBalance,
}

impl FailureReason {
    /// The name in `SendPaymentSync`'s `payment_error`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoRoute => "no_route",
            Self::IncorrectPaymentDetails => "incorrect_payment_details",
            Self::InsufficientBalance => "insufficient_balance",
        }
    }
}

/// How far a payment has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PaymentState {
    /// Sent; the payee holds it or has not answered.
    InFlight,
    /// Paid; the preimage proves it.
    Succeeded(Hex32),
    /// Nothing was paid.
    Failed(FailureReason),
}

/// A payment by this node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Payment {
    /// The payment hash of the invoice.
    pub hash: Hex32,
    /// BOLT11.
    pub request: String,
    /// What the payee gets.
    pub amount_msat: u64,
    /// What routing costs.
    pub fee_msat: u64,
    /// When it began: Unix milliseconds.
    pub created_ms: i64,
    /// Running number of payments, from 1.
    pub index: u64,
    /// How far it has come.
    pub state: PaymentState,
}

impl Payment {
    /// The payment hash of the invoice.
    pub fn hash(&self) -> PaymentHash {
        PaymentHash(self.hash.0)
    }

    /// Whether its outcome is final.
    pub fn is_over(&self) -> bool {
        self.state != PaymentState::InFlight
    }
}

/// Why a payment was not begun. The texts are LND's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayError {
    /// It has been paid: code `AlreadyExists`.
    #[error("invoice is already paid")]
    AlreadyPaid,
    /// It is being paid: code `AlreadyExists`.
    #[error("payment is in transition")]
    InFlight,
    /// The payment request cannot be paid as asked: code `Unknown`.
    #[error("{0}")]
    Invalid(String),
}
