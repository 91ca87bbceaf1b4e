//! Whether a node is alive, which network it is on, and whether it is still the same: asked by
//! schedule, and at once after any failure.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::registry::Entry;
use crate::domain::lightning::{Network, NodeError, NodeInfo, Preimage};
use crate::lightning::{bolt11, check};
use crate::services::{Error, Shop, nodes_alive};
use crate::store::node_state;

/// Checks when nothing rings; the schedule's job rings too.
const LOOK: Duration = Duration::from_secs(60);
/// After a failed check the next follows soon: what failed may be back.
const SOON: Duration = Duration::from_secs(3);
/// Rings closer together than this count once.
const CALM: Duration = Duration::from_millis(200);

/// Runs until dropped.
pub async fn run(shop: Shop, entry: Entry) {
    loop {
        let alive = match check(&shop, &entry).await {
            Ok(alive) => alive,
            Err(error) => {
                tracing::error!(%error, "the state of a node can't be stored");
                false
            }
        };
        tokio::time::sleep(CALM).await;
        let wait = if alive { LOOK } else { SOON };
        let _ = tokio::time::timeout(wait, entry.check.notified()).await;
    }
}

/// Asks the node, stores the answer, and returns whether it can be used.
pub async fn check(shop: &Shop, entry: &Entry) -> Result<bool, Error> {
    let answer = ask(shop, entry).await;
    // A node that may make no invoices now (it is not synced, say) still has held payments to give back.
    let is_absent = answer.as_ref().err().is_some_and(NodeError::is_absence);
    entry.answers.store(!is_absent, Ordering::Relaxed);
    let verdict = nodes_alive::store(shop, entry.spec.id, &entry.spec.name, answer).await?;
    let alive = verdict.problem.is_none();
    if verdict.is_news && alive {
        // What waited for it can go on.
        shop.outbox_bell.notify_one();
    }
    if verdict.is_news {
        tracing::info!(node = entry.spec.name, alive, "the state of a node has changed");
    }
    Ok(alive)
}

/// Makes sure that the node is still the one that made our invoices. To be asked before the absence
/// of an invoice is believed.
///
/// # Errors
/// Inside: the node did not answer, or another one did. Outside: those of the database.
pub async fn confirm(shop: &Shop, entry: &Entry) -> Result<Result<(), NodeError>, Error> {
    let id = entry.spec.id;
    if shop.db.read(|db| nodes_alive::needed_pubkey(db, id))?.is_none() {
        return Ok(Ok(()));
    }
    let info = match ask(shop, entry).await {
        Ok(info) => info,
        Err(error) => return Ok(Err(error)),
    };
    let other = shop.db.read(|db| nodes_alive::other_node(db, id, &info))?;
    if other.is_some() {
        // The operator is told there.
        entry.check.notify_one();
    }
    Ok(other.map_or(Ok(()), Err))
}

/// What the node says of itself. When that lacks what is needed, the node is asked for an invoice,
/// which tells network and public key; it is cancelled at once.
pub(super) async fn ask(shop: &Shop, entry: &Entry) -> Result<NodeInfo, NodeError> {
    let id = entry.spec.id;
    let mut info = entry.node.info().await?;
    let network = || shop.db.read(|db| node_state::network(db, id)).ok().flatten();
    let pubkey = || shop.db.read(|db| nodes_alive::needed_pubkey(db, id)).ok().flatten();
    let lacks_network = info.network.is_none() && network().is_none();
    let lacks_pubkey = info.pubkey.is_none() && pubkey().is_some();
    if info.lacks.is_none() && info.synced_to_chain != Some(false) && (lacks_network || lacks_pubkey) {
        let request = sample_invoice(shop, entry).await?;
        info.network = info.network.or_else(|| Network::of_payment_request(&request));
        info.pubkey = info.pubkey.or_else(|| bolt11::payee(&request).ok());
    }
    Ok(info)
}

async fn sample_invoice(shop: &Shop, entry: &Entry) -> Result<String, NodeError> {
    let mut preimage = [0; 32];
    shop.random.fill(&mut preimage);
    Ok(check::sample(&*entry.node, Preimage(preimage)).await?.payment_request)
}
