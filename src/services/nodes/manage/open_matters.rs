//! What keeps a node where it is: invoices that are not final, and refunds whose outcome is not known.

use crate::domain::id::NodeId;
use crate::domain::texts::Reason;
use crate::services::Error;
use crate::store::{Connection, nodes, refunds};

/// Another node would not know the invoices that this one made, and their orders would end while they
/// can still be paid; nor would it know the refunds that this one was asked to pay.
pub fn needs_nothing_open(db: &Connection, id: NodeId) -> Result<(), Error> {
    let live = nodes::live_invoices(db, id)?;
    if live > 0 {
        return Err(Error::Conflict(Reason::InvoicesStay { count: live, node: id }.into()));
    }
    needs_no_open_refund(db, id, "If this very node has moved, say so with --moved.")
}

/// No other node can tell whether this one has paid a refund.
pub fn needs_no_open_refund(db: &Connection, id: NodeId, advice: &str) -> Result<(), Error> {
    let open = refunds::open_at(db, id)?;
    if open.is_empty() {
        return Ok(());
    }
    let orders = open.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Err(Error::Conflict(format!(
        "It is not known whether this node has paid refunds of orders {orders}, and no other one can tell. Run `order \
         refund` for them again. {advice}"
    )
    .into()))
}
