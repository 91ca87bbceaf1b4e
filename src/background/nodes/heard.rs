//! News of an invoice that does not come by its node's stream: from an answer, a comparison, or a watched hold.

use super::entry::Entry;
use crate::domain::lightning::NodeInvoice;
use crate::services::payments;
use crate::services::payments::apply::Applied;
use crate::services::{Error, Shop};

/// Applies it; the stream is opened again when it turns out that the node counts its settlements anew.
///
/// # Errors
/// Those of the database.
pub async fn apply(shop: &Shop, entry: &Entry, news: NodeInvoice, height: Option<u32>) -> Result<(), Error> {
    let (index, applied) = (news.settle_index, payments::apply::apply(shop, entry.spec.id, news, height).await?);
    if let Applied::CountsAnew(order) = applied {
        tell_counting(entry, order, index);
        entry.reopen.notify_one();
    }
    Ok(())
}

/// Logs that a node counts its settlements anew.
pub fn tell_counting(entry: &Entry, order: impl std::fmt::Display, index: u64) {
    let node = &entry.spec.name;
    tracing::warn!(node, %order, index, "the node counts its settlements anew; the stream goes back to this one");
}
