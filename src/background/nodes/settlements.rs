//! Reads what a node's stream of settlements tells: many at once when many wait, and what can't be stored with others
//! alone.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::mpsc;

use super::entry::Entry;
use super::heard;
use crate::background::failure::log_failure;
use crate::background::kept;
use crate::domain::id::OrderId;
use crate::domain::lightning::NodeInvoice;
use crate::services::payments;
use crate::services::payments::apply::{Applied, StreamPosition};
use crate::services::{Error, Shop, left_out};
use crate::store::node_state::Cursor;

/// Settlements applied in one transaction.
pub const BATCH: usize = 256;
/// A stream that says nothing for so long has told all that was settled before it was opened: a broken connection
/// would have been noticed by then.
const QUIET: Duration = Duration::from_secs(30);
/// Between tries when nothing at all can be stored.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// What becomes of a node's stream.
#[derive(Clone, Debug)]
pub enum Told {
    /// A settlement, and where the stream was opened that told it.
    Settled(Cursor, Box<NodeInvoice>),
    /// The stream has ended.
    Ended,
}

/// Applies the settlements that come in; runs until dropped.
pub async fn run(shop: Shop, entry: Entry, inbox: &mut mpsc::Receiver<Told>) {
    let mut reader = Reader::new(shop, entry);
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let received = match reader.position.is_ahead() {
            true => tokio::time::timeout(QUIET, inbox.recv_many(&mut batch, BATCH)).await,
            false => Ok(inbox.recv_many(&mut batch, BATCH).await),
        };
        match received {
            Ok(0) => return,
            Ok(_) => reader.take(std::mem::take(&mut batch)).await,
            Err(_) => log_failure("storing the cursor of a node", reader.quiet().await),
        }
    }
}

/// The reader of a node's stream, over all its lives.
pub struct Reader {
    shop: Shop,
    entry: Entry,
    position: StreamPosition,
}

impl Reader {
    /// One that has read nothing yet.
    pub fn new(shop: Shop, entry: Entry) -> Self {
        Self { shop, entry, position: StreamPosition::default() }
    }

    /// Applies settlements in the order in which they came. Nothing newer is read before they are stored or left out.
    pub async fn take(&mut self, told: Vec<Told>) {
        let mut news = Vec::with_capacity(told.len());
        for told in told {
            match told {
                Told::Settled(opened, invoice) => {
                    if self.position.opened != opened {
                        self.apply(std::mem::take(&mut news)).await;
                        self.position = StreamPosition::new(opened);
                    }
                    news.push(*invoice);
                }
                Told::Ended => {
                    self.apply(std::mem::take(&mut news)).await;
                    self.position.end();
                }
            }
        }
        self.apply(news).await;
    }

    /// The stream says nothing for a while.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn quiet(&mut self) -> Result<(), Error> {
        self.position = payments::apply::caught_up(&self.shop, self.entry.spec.id, self.position.clone()).await?;
        Ok(())
    }

    async fn apply(&mut self, news: Vec<NodeInvoice>) {
        if news.is_empty() {
            return;
        }
        match self.store(&news).await {
            Ok(()) => {}
            Err(error) if news.len() > 1 => {
                tracing::debug!(%error, "settlements can't be stored together; each is tried alone");
                for invoice in news {
                    self.apply_alone(invoice).await;
                }
            }
            Err(error) => self.leave_out(&news[0], &error).await,
        }
    }

    async fn apply_alone(&mut self, invoice: NodeInvoice) {
        let one = [invoice];
        if let Err(error) = self.store(&one).await {
            self.leave_out(&one[0], &error).await;
        }
    }

    /// The stream goes on behind it; as long as its order waits for it, each comparison tries it again.
    async fn leave_out(&mut self, invoice: &NodeInvoice, error: &Error) {
        left_out::tell(&self.shop, invoice.hash, "applying a settlement", error).await;
        self.position.pass_over(invoice.settle_index);
    }

    /// Stores all or nothing, again and again while nothing at all can be stored; the error is that of the news.
    async fn store(&mut self, news: &[NodeInvoice]) -> Result<(), Error> {
        loop {
            let apply =
                payments::apply::apply_all(&self.shop, self.entry.spec.id, news.to_vec(), self.position.clone());
            match kept::caught("applying it", apply).await {
                Ok((applied, position)) => {
                    self.position = position;
                    self.look_for_new_counting(news, &applied);
                    self.look_for_unknown(&applied);
                    return Ok(());
                }
                Err(error) if left_out::is_its_own(&error) => return Err(error),
                Err(error) => tracing::error!(%error, "settlements can't be stored; trying again"),
            }
            tokio::time::sleep(RETRY_DELAY).await;
        }
    }

    /// Whose order the database does not know: all that the node has tells why.
    fn look_for_unknown(&self, applied: &[Applied]) {
        if applied.contains(&Applied::Unknown) {
            self.entry.compare.notify_one();
        }
    }

    fn look_for_new_counting(&self, news: &[NodeInvoice], applied: &[Applied]) {
        let anew = |applied: &Applied| match applied {
            Applied::CountsAnew(order) => Some(*order),
            _ => None,
        };
        let orders: BTreeSet<(u64, OrderId)> =
            news.iter().zip(applied).filter_map(|(news, applied)| Some((news.settle_index, anew(applied)?))).collect();
        if let Some((index, order)) = orders.first() {
            heard::tell_counting(&self.entry, order, *index);
            self.entry.reopen.notify_one();
        }
    }
}
