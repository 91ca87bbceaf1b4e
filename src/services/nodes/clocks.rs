//! Clocks apart: what the invoices of a node tell of its clock is compared with ours, kept and told.

use super::health;
use crate::domain::alert::AlertTopic;
use crate::domain::clocks::{Apart, Validity, are_apart};
use crate::domain::id::NodeId;
use crate::domain::time::Timestamp;
use crate::services::shop::Shop;
use crate::services::{Error, Principal};
use crate::store::node_state;
use crate::store::node_state::ClockReading;
use crate::store::{Connection, alerts, nodes};

/// A reading that shows nothing new is stored again after this time only. Seconds.
const FRESH_SECS: i64 = 3600;
/// What other nodes showed counts for so long. Seconds.
const WITNESS_SECS: i64 = 86_400;

/// Whether there is anything to [`note`]: the clocks are apart, or were, or nothing is known lately.
///
/// # Errors
/// Those of the database.
pub fn is_news(shop: &Shop, node: NodeId, ahead_secs: i64) -> Result<bool, Error> {
    let last = shop.db.read(|db| node_state::clock(db, node))?;
    let is_fresh = last.read_at.is_some_and(|read_at| read_at.is_within(FRESH_SECS, shop.now()));
    Ok(are_apart(ahead_secs) || last.note.is_some() || !is_fresh)
}

/// Stores how far a node's clock is ahead of ours; raises or closes the alert. `certificate` is when the node's
/// certificate is valid. Returns what the operator is to know when the clocks are apart.
///
/// # Errors
/// Those of the database.
pub async fn note(
    shop: &Shop,
    node: NodeId,
    ahead_secs: i64,
    certificate: Option<Validity>,
) -> Result<Option<String>, Error> {
    let now = shop.now();
    shop.tx(&Principal::Shop, move |tx| {
        let db = tx.db;
        let Some(name) = nodes::get(db, node)?.map(|node| node.name) else { return Ok(None) };
        let apart = are_apart(ahead_secs).then(|| apart(db, node, ahead_secs, certificate, now)).transpose()?;
        let text = apart.map(|apart| apart.text(&name));
        let reading = ClockReading { ahead_secs: Some(ahead_secs), read_at: Some(now), note: text.clone() };
        node_state::set_clock(db, node, &reading)?;
        match text.as_ref().filter(|_| health::is_used(db, node).unwrap_or(true)) {
            Some(text) => {
                let text = format!("Clocks apart: {text}");
                alerts::raise(db, AlertTopic::ClocksApart, &node.to_string(), &text, now)?;
            }
            None => alerts::close(db, AlertTopic::ClocksApart, &node.to_string(), now)?,
        }
        Ok(text)
    })
    .await
}

fn apart(
    db: &Connection,
    node: NodeId,
    ahead_secs: i64,
    certificate: Option<Validity>,
    now: Timestamp,
) -> Result<Apart, Error> {
    let others = node_state::other_clocks(db, node, now.plus_secs(-WITNESS_SECS))?;
    let count = |agrees: &dyn Fn(i64) -> bool| {
        u32::try_from(others.iter().filter(|ahead| agrees(**ahead)).count()).unwrap_or(u32::MAX)
    };
    Ok(Apart {
        ours: now,
        theirs: now.plus_secs(ahead_secs),
        certificate,
        with_us: count(&|ahead| !are_apart(ahead)),
        with_them: count(&|ahead| !are_apart(ahead.saturating_sub(ahead_secs))),
    })
}
