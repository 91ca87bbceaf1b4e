//! What a BOLT11 payment request says, as far as the shop needs it.

use std::str::FromStr;

use lightning_invoice::{Bolt11Invoice, RawBolt11Invoice, SignedRawBolt11Invoice};

use ip2tor_domain::lightning::{InvoiceRequest, MadeInvoice, NodeError, NodeErrorKind, PaymentHash};
use ip2tor_domain::money::Msat;
use ip2tor_domain::time::Timestamp;

/// Seconds that a payment request is valid for when it does not say: a rule of BOLT11.
const DEFAULT_EXPIRY_SECS: u64 = 3600;

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
}

/// What a node answers that has made an invoice, or had made it before.
pub struct Added {
    /// BOLT11.
    pub payment_request: String,
    /// The node's running number of it, if it was told.
    pub add_index: Option<u64>,
}

/// A payment request as it is passed on in chats and QR codes: broken into lines, in capitals, as a link.
pub fn from_pasted(text: &str) -> String {
    let is_around = |symbol: char| symbol.is_whitespace() || matches!(symbol, '\u{feff}' | '"' | '\'');
    let compact: String = text.chars().filter(|symbol| !is_around(*symbol)).collect::<String>().to_ascii_lowercase();
    compact.strip_prefix("lightning:").unwrap_or(&compact).to_owned()
}

/// Reads a payment request and checks its signature.
///
/// # Errors
/// [`NodeErrorKind::Rejected`] when it is none.
pub fn read(request: &str) -> Result<Bolt11, NodeError> {
    parts(checked(request)?.into_signed_raw().raw_invoice())
}

/// The public key (hex) of the node that a payment request pays, recovered from its signature.
///
/// # Errors
/// [`NodeErrorKind::Rejected`] when it is none.
pub fn payee(request: &str) -> Result<String, NodeError> {
    Ok(checked(request)?.get_payee_pub_key().to_string())
}

/// The invoice that our own node made, if it is the one that was asked for. Its signature is left to
/// the payer's wallet: checking it would cost as much as storing the whole order, and what came over
/// the pinned connection to the node needs no other proof of who made it.
///
/// # Errors
/// [`NodeErrorKind::Rejected`] when it is no payment request, or one for another hash or amount.
pub fn made(added: Added, asked: &InvoiceRequest) -> Result<MadeInvoice, NodeError> {
    let signed = SignedRawBolt11Invoice::from_str(added.payment_request.trim()).map_err(|error| invalid(&error))?;
    let read = parts(signed.raw_invoice())?;
    if read.hash != asked.hash || read.amount.unwrap_or_default() != asked.amount {
        let detail = "the node answered with another invoice than it was asked for";
        return Err(NodeError::new(NodeErrorKind::Rejected, detail));
    }
    let Added { payment_request, add_index } = added;
    Ok(MadeInvoice { payment_request, created_at: read.created_at, expires_at: read.expires_at, add_index })
}

/// When a payment request was made; `None` when it is none.
pub fn created_at(request: &str) -> Option<Timestamp> {
    let signed = SignedRawBolt11Invoice::from_str(request.trim()).ok()?;
    parts(signed.raw_invoice()).ok().map(|read| read.created_at)
}

fn checked(request: &str) -> Result<Bolt11Invoice, NodeError> {
    Bolt11Invoice::from_str(request.trim()).map_err(|error| invalid(&error))
}

fn parts(raw: &RawBolt11Invoice) -> Result<Bolt11, NodeError> {
    let hash = raw.payment_hash().ok_or_else(|| invalid(&"no payment hash"))?;
    let created_at = Timestamp::from_secs(seconds(raw.data.timestamp.as_unix_timestamp()));
    let valid_secs = raw.expiry_time().map_or(DEFAULT_EXPIRY_SECS, |time| time.as_seconds());
    Ok(Bolt11 {
        hash: PaymentHash(*AsRef::<[u8; 32]>::as_ref(&hash.0)),
        // An amount is written in units of 10^-12 bitcoin: ten to the millisatoshi.
        amount: raw.amount_pico_btc().map(|pico| Msat(pico / 10)),
        created_at,
        expires_at: created_at.plus_secs(seconds(valid_secs)),
    })
}

fn invalid(error: &dyn std::fmt::Display) -> NodeError {
    NodeError::new(NodeErrorKind::Rejected, format!("not a valid BOLT11 payment request ({error})"))
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

    #[test]
    fn a_payment_request_is_taken_as_wallets_pass_it_on() {
        for typed in ["lnbc1abc", " LNBC1ABC\n", "lightning:lnbc1abc", "LIGHTNING:LNBC1ABC", "\"lnbc1\nabc\""] {
            assert_eq!(from_pasted(typed), "lnbc1abc", "{typed:?}");
        }
    }
}
