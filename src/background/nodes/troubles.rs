//! A node that counts as alive and whose settlements can't be followed all the same is worse than one that is dead: it
//! sells, and nobody hears of the payments. The operator is told when that lasts.

use std::sync::atomic::Ordering;

use super::entry::Entry;
pub use super::unheard::Way;
use crate::background::failure::log_failure;
use crate::domain::alert::AlertTopic;
use crate::domain::lightning::NodeError;
use crate::domain::time::Timestamp;
use crate::services::{Error, Principal, Shop};
use crate::store::{alerts, node_state};

/// Failures that last for so long are told. Seconds.
const PATIENCE_SECS: i64 = 300;

/// It failed. Told when it has done so for five minutes while the node counted as alive.
pub async fn went_wrong(shop: &Shop, entry: &Entry, way: Way, error: &NodeError) {
    let (node, now) = (entry.spec.id, shop.now());
    let is_alive = shop.db.read(|db| node_state::public(db, node)).is_ok_and(|node| node.is_some_and(|n| n.is_alive));
    // A clock that is put back must not make it look as if it had begun in the future.
    let begun = |since: Option<Timestamp>| is_alive.then(|| since.unwrap_or(now).min(now));
    let since = entry.troubles.change(way, begun)[way as usize];
    if since.is_none_or(|since| now < since.plus_secs(PATIENCE_SECS)) {
        return;
    }
    let text = format!(
        "Lightning node {} answers, but {} for more than five minutes: payments may go unnoticed. {error}",
        entry.spec.name,
        way.name()
    );
    let raise = shop.tx(&Principal::Shop, move |tx| {
        let db = tx.db;
        alerts::raise(db, AlertTopic::NodeUnheard, &node.to_string(), &text, now)?;
        Ok::<_, Error>(())
    });
    log_failure("telling of a node that can't be followed", raise.await);
}

/// It works (again).
pub async fn went_well(shop: &Shop, entry: &Entry, way: Way) {
    let left = entry.troubles.change(way, |_| None);
    let (node, now) = (entry.spec.id, shop.now());
    let is_told = || shop.db.read(|db| alerts::any_open(db, AlertTopic::NodeUnheard)).unwrap_or(true);
    let is_first = !entry.troubles.is_begun.swap(true, Ordering::Relaxed);
    if left.iter().any(Option::is_some) || !(is_first || is_told()) {
        return;
    }
    let close =
        shop.tx(&Principal::Shop, move |tx| Ok(alerts::close(tx.db, AlertTopic::NodeUnheard, &node.to_string(), now)?));
    log_failure("closing the alert of a node that is followed again", close.await);
}
