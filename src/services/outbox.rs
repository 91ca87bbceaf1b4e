//! What the shop still means to do at its Lightning nodes, as administrators look after it.

use super::orders::extend;
use super::shop::Shop;
use super::{Error, Principal, ReadTx, authz};
use crate::domain::texts::Reason;
use crate::domain::time::Timestamp;
use crate::store::audit_log;
use crate::store::outbox::{self, IntentKind};

pub use crate::store::outbox::Waiting;

/// How much waits, in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// Intents that were not tried yet.
    pub waiting: u64,
    /// Intents that have failed and are tried again.
    pub retrying: u64,
    /// Since when the oldest waits.
    pub oldest_at: Option<Timestamp>,
}

/// The intents, oldest first, those behind number `after`.
///
/// # Errors
/// [`Error::NotFound`] for anybody but an administrator.
pub fn list(tx: &ReadTx<'_>, failed_only: bool, after: i64, limit: u32) -> Result<Vec<Waiting>, Error> {
    authz::needs_administrator(tx.actor)?;
    let mut found = outbox::waiting(tx.db, failed_only, after, limit)?;
    found.truncate(limit as usize);
    Ok(found)
}

/// How much waits.
///
/// # Errors
/// [`Error::NotFound`] for anybody but an administrator.
pub fn queue(tx: &ReadTx<'_>) -> Result<Queue, Error> {
    authz::needs_administrator(tx.actor)?;
    let (waiting, retrying, oldest_at) = outbox::counts(tx.db)?;
    Ok(Queue { waiting, retrying, oldest_at })
}

/// Tries an intent now, whenever its next try would be.
///
/// # Errors
/// [`Error::NotFound`] when it is not there any more.
pub async fn retry(shop: &Shop, by: &Principal, id: i64) -> Result<(), Error> {
    shop.tx(by, move |tx| {
        authz::needs_administrator(tx.actor)?;
        let intent = outbox::get(tx.db, id)?.ok_or(Error::NotFound)?;
        outbox::try_at(tx.db, id, tx.now)?;
        tx.after.outbox = true;
        let change = format!("{} is tried again at the operator's word", intent.kind.name());
        Ok(audit_log::record_order(tx.db, tx.author(), intent.order, &change)?)
    })
    .await?;
    shop.outbox_bell.notify_one();
    Ok(())
}

/// Gives up making an invoice: its order ends with what its buyer is told when no node could make one, and what the node
/// may have made is cancelled there. What holds or takes money can't be given up: only its node says how that ends.
///
/// # Errors
/// [`Error::NotFound`] when it is not there any more; [`Error::Conflict`] for what can't be given up.
pub async fn give_up(shop: &Shop, by: &Principal, id: i64, note: &str) -> Result<(), Error> {
    let (inner, note) = (shop.clone(), note.to_owned());
    shop.tx(by, move |tx| {
        authz::needs_administrator(tx.actor)?;
        let intent = outbox::get(tx.db, id)?.ok_or(Error::NotFound)?;
        if intent.kind != IntentKind::Make {
            return Err(Error::Conflict(Reason::OnlyNodeEnds.into()));
        }
        extend::give_up(&inner, tx, intent.order)?;
        let change = format!("its invoice was given up: {note}");
        Ok(audit_log::record_order(tx.db, tx.author(), intent.order, &change)?)
    })
    .await
}
