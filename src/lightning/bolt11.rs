//! What a BOLT11 payment request says, as far as the shop needs it.

use std::str::FromStr;

use lightning_invoice::Bolt11Invoice;

use crate::domain::lightning::{NodeError, NodeErrorKind, PaymentHash};
use crate::domain::money::Msat;
use crate::domain::time::Timestamp;

/// The parts of a payment request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bolt11 {
    /// The hash of the payment.
    pub hash: PaymentHash,
    /// The amount; `None` leaves it to the payer.
    pub amount: Option<Msat>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it can no longer be paid.
    pub expires_at: Timestamp,
    /// The public key (hex) of the node that is paid.
    pub payee: String,
}

/// Reads a payment request and checks its signature.
///
/// # Errors
/// [`NodeErrorKind::Rejected`] when it is none.
pub fn read(request: &str) -> Result<Bolt11, NodeError> {
    let invoice = Bolt11Invoice::from_str(request.trim()).map_err(|error| {
        NodeError::new(NodeErrorKind::Rejected, format!("not a valid BOLT11 payment request ({error})"))
    })?;
    let created = seconds(invoice.duration_since_epoch().as_secs());
    let created_at = Timestamp::from_secs(created);
    Ok(Bolt11 {
        hash: PaymentHash(*AsRef::<[u8; 32]>::as_ref(invoice.payment_hash())),
        amount: invoice.amount_milli_satoshis().map(Msat),
        created_at,
        expires_at: created_at.plus_secs(seconds(invoice.expiry_time().as_secs())),
        payee: invoice.get_payee_pub_key().to_string(),
    })
}

/// Capped, so that an absurd expiry can't overflow a date.
fn seconds(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX).min(i64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_no_payment_request_is_rejected() {
        assert_eq!(read("lnbc1nonsense").unwrap_err().kind, NodeErrorKind::Rejected);
    }
}
