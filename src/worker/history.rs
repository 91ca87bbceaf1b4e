//! Looks once through everything that a node was ever paid, after a backup was restored. Where the backup knows a
//! settlement of the node, the stream goes on from there and tells of every later one. Where it knows none, the
//! stream replays nothing, and payments of orders that the backup does not have would never be noticed.

use super::registry::Entry;
use crate::domain::lightning::{NodeInvoice, NodeInvoiceState};
use crate::services::{Error, Shop, payments};
use crate::store::{deals, node_state};

/// Invoices asked for at a time.
const PAGE: u32 = 500;

/// Looks through the node's invoices if that is still to be done. Cut short, it is begun again the next time.
pub async fn look_through(shop: &Shop, entry: &Entry) -> Result<(), Error> {
    let node = entry.spec.id;
    if !shop.db.read(|db| node_state::is_history_due(db, node))? {
        return Ok(());
    }
    let mut after = 0;
    loop {
        let page = match entry.node.all_invoices(after, PAGE).await {
            Ok(page) => page,
            Err(error) => {
                entry.log_failure("what it was paid is not looked through yet", &error);
                return Ok(());
            }
        };
        tell_of_unknown(shop, entry, page.invoices).await?;
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    shop.change(move |db, _| Ok(node_state::end_history(db, node)?)).await
}

/// The comparison has those that an order knows.
async fn tell_of_unknown(shop: &Shop, entry: &Entry, invoices: Vec<NodeInvoice>) -> Result<(), Error> {
    let node = entry.spec.id;
    let settled = |invoice: &NodeInvoice| invoice.state == NodeInvoiceState::Settled;
    for invoice in invoices.into_iter().filter(settled).filter(|invoice| invoice.memo.starts_with("PO: ")) {
        if shop.db.read(|db| deals::order_by_hash(db, invoice.hash, node))?.is_none() {
            payments::apply(shop, node, invoice, None).await?;
        }
    }
    Ok(())
}
