//! Intents of the outbox after a node was asked: through, or to be tried again. What becomes of the invoice is applied where
//! the node's answer is understood; what a failure to make one means is in `create.rs`.

use crate::domain::alert::AlertTopic;
use crate::domain::lightning::NodeError;
use crate::services::shop::Shop;
use crate::services::{Error, Principal};
use crate::store::outbox::{self, AttemptEnd, Intent, IntentKind};
use crate::store::{alerts, node_state};

/// A failing intent is told to the operator after so many attempts.
const ATTEMPTS_BEFORE_ALERT: u32 = 5;

/// A cancellation or settlement is through (or moot); the state of the invoice was applied before.
pub async fn finish(shop: &Shop, intent: &Intent) -> Result<(), Error> {
    let (intent, now) = (intent.clone(), shop.now());
    shop.tx(&Principal::Shop, move |tx| {
        let db = tx.db;
        outbox::done(db, intent.id)?;
        if intent.kind == IntentKind::Cancel {
            outbox::set_outcome(db, intent.hash, AttemptEnd::Cancelled)?;
        }
        alerts::close(db, AlertTopic::FailedIntent, &intent.hash.to_string(), now)?;
        Ok(())
    })
    .await
}

/// The node could not be asked: the intent is tried again, later each time. That a node is away is told once, not for
/// each of its intents.
pub async fn postpone(shop: &Shop, intent: &Intent, error: &NodeError) -> Result<(), Error> {
    let is_uncertain = error.may_have_happened();
    let (intent, error, now) = (intent.clone(), error.clone(), shop.now());
    let wait = 1_i64 << intent.attempts.min(3);
    shop.tx(&Principal::Shop, move |tx| {
        let db = tx.db;
        outbox::postpone(db, intent.id, now.plus_secs(wait), &error.to_string(), is_uncertain)?;
        let is_told = error.is_absence() && !node_state::is_alive(db, intent.node_id)?;
        if intent.attempts + 1 >= ATTEMPTS_BEFORE_ALERT && !is_told {
            let text = format!("{} for payment hash {} keeps failing: {error}", intent.kind.name(), intent.hash);
            alerts::raise(db, AlertTopic::FailedIntent, &intent.hash.to_string(), &text, now)?;
        }
        Ok(())
    })
    .await
}
