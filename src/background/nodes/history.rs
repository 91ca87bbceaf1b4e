//! Looks once through everything that a node was ever paid, after a backup was restored: the stream goes on from where
//! the backup ends only if the node still counts as it did then, and not at all where the backup knows no settlement.

use super::all_invoices::Pages;
use super::entry::Entry;
use super::heard;
use crate::domain::lightning::{NodeError, NodeInvoice, NodeInvoiceState};
use crate::services::{Error, Principal, Shop, invoices, left_out};
use crate::store::{deals, node_state};

/// Looks through the node's invoices if that is still to be done. Cut short, it is begun again the next time.
///
/// # Errors
/// Inside: what the node refused to answer. Outside: those of the database.
pub async fn look_through(shop: &Shop, entry: &Entry) -> Result<Result<(), NodeError>, Error> {
    let node = entry.spec.id;
    if !shop.db.read(|db| node_state::is_history_due(db, node))? {
        return Ok(Ok(()));
    }
    let mut pages = Pages::after(0);
    loop {
        match pages.next(entry).await {
            Ok(Some(invoices)) => {
                for invoice in invoices {
                    look_at(shop, entry, invoice).await?;
                }
            }
            Ok(None) => break,
            Err(error) => return Ok(Err(error)),
        }
    }
    shop.tx(&Principal::Shop, move |tx| Ok(node_state::end_history(tx.db, node)?)).await.map(Ok)
}

/// Applies a settlement of ours that is not known.
async fn look_at(shop: &Shop, entry: &Entry, invoice: NodeInvoice) -> Result<(), Error> {
    let (node, hash) = (entry.spec.id, invoice.hash);
    if invoice.state != NodeInvoiceState::Settled
        || invoices::ownership::maker(shop, &invoice).is_none()
        || shop.db.read(|db| deals::is_settlement_known(db, hash, node))?
    {
        return Ok(());
    }
    match heard::apply(shop, entry, invoice, None).await {
        Err(error) if left_out::is_its_own(&error) => {
            left_out::tell(shop, hash, "applying a settlement of the past", &error).await;
            Ok(())
        }
        applied => applied,
    }
}
