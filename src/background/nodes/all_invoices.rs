//! Everything that a node has of invoices, page by page.

use super::entry::Entry;
use crate::domain::lightning::{NodeError, NodeInvoice};

/// Invoices asked for at a time.
const PAGE: u32 = 500;

/// The pages that are still to be asked for.
pub struct Pages {
    next: Option<u64>,
}

impl Pages {
    /// All of the invoices after a running number of the node's.
    pub const fn after(index: u64) -> Self {
        Self { next: Some(index) }
    }

    /// The next page; `None` after the last.
    ///
    /// # Errors
    /// What the node refused to answer; the same page is then asked for again.
    pub async fn next(&mut self, entry: &Entry) -> Result<Option<Vec<NodeInvoice>>, NodeError> {
        let Some(after) = self.next else { return Ok(None) };
        let page = entry.node.all_invoices(after, PAGE).await?;
        self.next = page.next;
        Ok(Some(page.invoices))
    }
}
