//! From LND's messages to the shop's types.

use fedimint_tonic_lnd::lnrpc;
use fedimint_tonic_lnd::lnrpc::InvoiceHtlcState;
use fedimint_tonic_lnd::lnrpc::invoice::InvoiceState;

use ip2tor_domain::lightning::{NodeError, NodeErrorKind, NodeInvoice, NodeInvoiceState, PaymentHash};
use ip2tor_domain::money::Msat;
use ip2tor_domain::time::Timestamp;

/// Those of a node's invoices that might be the shop's: one without a payment hash (spontaneous payments with AMP), or
/// in a state that nobody has heard of, must not keep the others from being read.
pub fn readable(invoices: Vec<lnrpc::Invoice>) -> Vec<NodeInvoice> {
    invoices.into_iter().filter_map(readable_one).collect()
}

/// The invoice, if it might be the shop's.
pub fn readable_one(invoice: lnrpc::Invoice) -> Option<NodeInvoice> {
    let add_index = invoice.add_index;
    invoice_from_lnd(invoice)
        .inspect_err(|error| tracing::debug!(add_index, %error, "an invoice that can't be ours is passed over"))
        .ok()
}

/// An invoice as LND reports it.
///
/// # Errors
/// [`NodeErrorKind::Rejected`] when its hash is not 32 bytes or its state is unheard of.
pub fn invoice_from_lnd(invoice: lnrpc::Invoice) -> Result<NodeInvoice, NodeError> {
    let hash = hash_from_bytes(&invoice.r_hash)?;
    let state = match InvoiceState::try_from(invoice.state) {
        Ok(InvoiceState::Open) => NodeInvoiceState::Open,
        Ok(InvoiceState::Accepted) => NodeInvoiceState::Accepted,
        Ok(InvoiceState::Settled) => NodeInvoiceState::Settled,
        Ok(InvoiceState::Canceled) => NodeInvoiceState::Canceled,
        Err(_) => return Err(odd("an unknown invoice state")),
    };
    let created_at = Timestamp::from_secs(invoice.creation_date);
    let held = || invoice.htlcs.iter().filter(|htlc| htlc.state == InvoiceHtlcState::Accepted as i32);
    let held_msat = held().map(|htlc| htlc.amt_msat).sum::<u64>();
    Ok(NodeInvoice {
        hash,
        state,
        amount: Msat(invoice.value_msat.unsigned_abs()),
        // While parts are only held, LND fills the sum in late or not at all.
        received: Msat(positive(invoice.amt_paid_msat).max(held_msat)),
        created_at,
        expires_at: created_at.plus_secs(invoice.expiry),
        settled_at: (state == NodeInvoiceState::Settled).then(|| Timestamp::from_secs(invoice.settle_date)),
        add_index: invoice.add_index,
        settle_index: invoice.settle_index,
        nearest_htlc_expiry: held().filter_map(|htlc| u32::try_from(htlc.expiry_height).ok()).min(),
        // 0: not told.
        accept_height: held().filter_map(|htlc| u32::try_from(htlc.accept_height).ok()).filter(|at| *at > 0).max(),
        memo: invoice.memo,
        payment_request: invoice.payment_request,
    })
}

/// A payment hash from a node's bytes.
///
/// # Errors
/// [`NodeErrorKind::Rejected`] when they are not 32.
pub fn hash_from_bytes(bytes: &[u8]) -> Result<PaymentHash, NodeError> {
    bytes.try_into().map(PaymentHash).map_err(|_| odd("a payment hash that is not 32 bytes long"))
}

fn positive(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn odd(what: &str) -> NodeError {
    NodeError::new(NodeErrorKind::Rejected, format!("the node answered with {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fedimint_tonic_lnd::lnrpc::InvoiceHtlc;

    fn htlc(amount: u64, expiry: i32, state: InvoiceHtlcState) -> InvoiceHtlc {
        InvoiceHtlc { amt_msat: amount, expiry_height: expiry, state: state as i32, ..Default::default() }
    }

    #[test]
    fn a_held_invoice_reports_the_sum_and_the_nearest_expiry_of_its_held_parts() {
        let invoice = lnrpc::Invoice {
            r_hash: vec![7; 32],
            state: InvoiceState::Accepted as i32,
            value_msat: 1000,
            creation_date: 100,
            expiry: 60,
            htlcs: vec![
                htlc(600, 900, InvoiceHtlcState::Accepted),
                htlc(400, 850, InvoiceHtlcState::Accepted),
                htlc(400, 800, InvoiceHtlcState::Canceled),
            ],
            ..Default::default()
        };
        let read = invoice_from_lnd(invoice).unwrap();
        assert_eq!((read.received, read.nearest_htlc_expiry), (Msat(1000), Some(850)));
        assert_eq!(read.expires_at, Timestamp::from_secs(160));
        assert_eq!(read.settled_at, None);
    }

    #[test]
    fn a_malformed_hash_is_an_error_not_a_panic() {
        assert!(invoice_from_lnd(lnrpc::Invoice { r_hash: vec![1], ..Default::default() }).is_err());
    }
}
