//! Reads on what a node has of invoices, each once, whatever became of it: one that the shop's secret has made and the
//! database does not know tells that the database is older than the world, or that it is not alone
//! ([`crate::services::restored`]).

use super::all_invoices::Pages;
use super::entry::Entry;
use crate::domain::lightning::NodeError;
use crate::services::restored::{self, Seen};
use crate::services::{Error, Shop, invoices};
use crate::store::node_state;

/// How far the invoices of a node were read by this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The node's running number of the last.
    index: u64,
    /// How often the node had been seen to count anew.
    counting: i64,
}

/// Reads on from where `reading`, or without it the database, says. Cut short, it is begun there again the next time.
///
/// # Errors
/// Inside: what the node refused to answer. Outside: those of the database.
pub async fn read_on(
    shop: &Shop,
    entry: &Entry,
    reading: &mut Option<Reading>,
) -> Result<Result<(), NodeError>, Error> {
    let node = entry.spec.id;
    let (stored, counting) = shop
        .db
        .read(|db| Ok::<_, Error>((node_state::invoices_read(db, node)?, node_state::cursor(db, node)?.counting)))?;
    let (begin, seen) = match *reading {
        None => (stored, Seen::AtFirst),
        Some(last) if last.counting != counting => (0, Seen::Later),
        Some(last) => (last.index, Seen::Later),
    };
    let (mut index, mut pages) = (begin, Pages::after(begin));
    loop {
        match pages.next(entry).await {
            Ok(Some(invoices)) => {
                index = invoices.iter().map(|invoice| invoice.add_index).fold(index, u64::max);
                let ours = invoices.into_iter().filter(|invoice| invoices::ownership::maker(shop, invoice).is_some());
                restored::note(shop, node, ours.collect(), seen).await?;
            }
            Ok(None) => break,
            Err(error) => return Ok(Err(error)),
        }
    }
    *reading = Some(Reading { index, counting });
    Ok(Ok(()))
}

/// Stores how far was read: seldom, since what is read twice does no harm.
///
/// # Errors
/// Those of the database.
pub async fn store(shop: &Shop, entry: &Entry, reading: Option<Reading>) -> Result<(), Error> {
    let (node, Some(Reading { index, .. })) = (entry.spec.id, reading) else { return Ok(()) };
    if shop.db.read(|db| node_state::invoices_read(db, node))? == index {
        return Ok(());
    }
    shop.db.write(move |db| node_state::set_invoices_read(db, node, index)).await.map_err(Error::from)
}
