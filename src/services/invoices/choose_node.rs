//! Choosing the node for an invoice, and writing down every attempt before the node is asked.

use crate::domain::texts::Message;
use crate::store::Connection;

use crate::domain::host::Host;
use crate::domain::id::{NodeId, ProductId};
use crate::domain::money::Msat;
use crate::domain::purchase::{Purchase, PurchaseKind};
use crate::services::shop::Shop;
use crate::services::{Error, Tx};
use crate::store::node_state;
use crate::store::node_state::Candidate;
use crate::store::outbox;
use crate::store::outbox::{Attempt, IntentKind};

/// What an invoice is for.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug)]
pub struct InvoicePlan<'a> {
    /// The product that is paid for.
    pub product: ProductId,
    pub host: &'a Host,
    /// The node that is to make the invoice.
    pub node: Candidate,
    /// First purchase or extension.
    pub kind: PurchaseKind,
    pub price: Msat,
    /// How many periods it pays for.
    pub periods: u32,
    /// A text of which it is to carry the hash.
    pub described_by: Option<String>,
    /// Whether the payment may be held until delivery: extensions of a running product use plain
    /// invoices.
    pub may_hold: bool,
}

/// The best usable node for a host: alive, on the right network, not in `tried`, and (where the
/// settings say so) able to receive `amount`.
pub fn choose_node(
    shop: &Shop,
    db: &Connection,
    host: &Host,
    tried: &[NodeId],
    amount: Msat,
) -> Result<Option<Candidate>, Error> {
    let candidates = node_state::usable(db, host.owner_id)?;
    let receives =
        |node: &Candidate| !shop.settings.limit_to_inbound || node.inbound.is_none_or(|inbound| amount <= inbound);
    let fits = |node: &Candidate| {
        shop.settings.network_fits(node.network, host.is_testnet) && !tried.contains(&node.id) && receives(node)
    };
    Ok(candidates.into_iter().find(fits))
}

/// Whether the payment is to be held: wanted by host and node, possible there, and few enough are. What is held and
/// what is only offered have a limit each, since offers cost whoever orders nothing: they must not use up the holds of
/// those who pay.
fn is_hold(shop: &Shop, db: &Connection, host: &Host, node: &Candidate, may_hold: bool) -> Result<bool, Error> {
    let (held, unpaid) = (shop.settings.max_holds_per_node, shop.settings.max_unpaid_holds_per_node);
    if !(may_hold && host.use_holds && node.use_holds && node.kind.can_hold() && held > 0) {
        return Ok(false);
    }
    let live = node_state::live_holds(db, node.id)?;
    Ok(live.held < held && live.unpaid < unpaid)
}

/// The first attempt of a new purchase.
pub(in crate::services) fn first_attempt(
    shop: &Shop,
    db: &Connection,
    plan: &InvoicePlan<'_>,
    purchase: &Purchase,
) -> Result<Attempt, Error> {
    attempt(shop, db, plan.host, plan.may_hold, purchase, &plan.node, 0)
}

/// An attempt with its own payment hash.
pub(in crate::services) fn attempt(
    shop: &Shop,
    db: &Connection,
    host: &Host,
    may_hold: bool,
    purchase: &Purchase,
    node: &Candidate,
    number: u32,
) -> Result<Attempt, Error> {
    let hash = shop.preimage(purchase.id, number).hash();
    let is_hold = is_hold(shop, db, host, node, may_hold)?;
    Ok(Attempt { hash, order: purchase.id, node_id: node.id, number, is_hold })
}

/// Writes down that the node is going to be asked for this invoice.
pub(in crate::services) fn intend_to_make(tx: &mut Tx<'_>, attempt: &Attempt) -> Result<(), Error> {
    let db = tx.db;
    outbox::add_attempt(db, attempt, tx.now)?;
    outbox::add(db, IntentKind::Make, attempt.order, attempt.hash, attempt.node_id, tx.now)?;
    tx.after.outbox = true;
    Ok(())
}

/// No node of the host's operator can be used now.
pub(in crate::services) fn no_node() -> Error {
    Error::Unavailable { detail: Message::NoPayments, retry_after_secs: 60 }
}
