//! Whose invoice it is. A node serves others too, among them shops like this one: only what this shop's secret has
//! made is this shop's, whatever a memo says.

use crate::domain::alert::AlertTopic;
use crate::domain::id::{NodeId, OrderId};
use crate::domain::lightning::{NodeInvoice, PaymentHash};
use crate::services::Error;
use crate::services::shop::Shop;
use crate::store::outbox;
use crate::store::{Connection, alerts, node_state};

/// How often an order's invoice is tried to be made, each time with a hash of its own.
pub const MAX_ATTEMPTS: u32 = 16;

/// What the memo of an invoice of the shop begins with; the order's id follows.
pub const MEMO: &str = "PO: ";

/// The order that an invoice was made for, if this shop's secret made its hash: also one that the database does not
/// have, since it is that of a restored backup.
pub fn maker(shop: &Shop, invoice: &NodeInvoice) -> Option<OrderId> {
    let order = invoice.memo.strip_prefix(MEMO).and_then(OrderId::parse)?;
    (0..MAX_ATTEMPTS).any(|number| shop.preimage(order, number).hash() == invoice.hash).then_some(order)
}

/// The record of a node, removed ones included, under which the shop had this invoice made, when it is not
/// `node` but seems to be the same machine: one LND may be there twice (by gRPC and by REST, say), or was
/// removed and added again. While a public key is not known yet, a hash of ours counts as made there.
pub fn other_record(db: &Connection, node: NodeId, hash: PaymentHash) -> Result<Option<NodeId>, Error> {
    let Some(attempt) = outbox::attempt(db, hash)?.filter(|attempt| attempt.node_id != node) else { return Ok(None) };
    let differs = match (node_state::pubkey(db, attempt.node_id)?, node_state::pubkey(db, node)?) {
        (Some(maker), Some(teller)) => maker != teller,
        _ => false,
    };
    Ok((!differs).then_some(attempt.node_id))
}

/// A payment for an invoice that this shop has made, but knows no order of, or none there: a restored backup is the
/// usual reason. Those of others are nobody's business. Whether it is one.
pub(in crate::services) fn tell_of_unknown_payment(
    shop: &Shop,
    db: &Connection,
    node: NodeId,
    news: &NodeInvoice,
) -> Result<bool, Error> {
    let Some(order) = maker(shop, news) else { return Ok(false) };
    if other_record(db, node, news.hash)?.is_some() {
        // That record hears of it too.
        return Ok(false);
    }
    let text = format!(
        "Node {node} received {} for order {order} (payment hash {}), which this shop has made the invoice for, but does \
         not know there. Was the database put back from a copy, or the hash of another node's invoice used? Then please \
         settle this with the buyer. Is a second copy of the shop alive (alert `second_copy`)? Then that one knows the order.",
        news.received, news.hash
    );
    alerts::raise(db, AlertTopic::UnknownPayment, &news.hash.to_string(), &text, shop.now())?;
    Ok(true)
}
