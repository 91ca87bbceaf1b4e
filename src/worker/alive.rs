//! Whether a node is alive and which network it is on: asked by schedule, and at once after any
//! failure.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::registry::Entry;
use crate::domain::lightning::{InvoiceRequest, Network, NodeError, NodeErrorKind, NodeInfo};
use crate::domain::money::Msat;
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
    let answer = match entry.node.info().await {
        Ok(info) if info.synced_to_chain == Some(false) => {
            let detail = "not synced: the node has not caught up with the chain yet; wait for it";
            Err(NodeError::new(NodeErrorKind::NotSynced, detail))
        }
        Ok(info) => with_network(shop, entry, info).await,
        Err(error) => Err(error),
    };
    let alive = answer.is_ok();
    // A node that may make no invoices now (it is not synced, say) still has held payments to give back.
    let is_absent = answer.as_ref().err().is_some_and(NodeError::is_absence);
    entry.answers.store(!is_absent, Ordering::Relaxed);
    let news = nodes_alive::store(shop, entry.spec.id, &entry.spec.name, answer).await?;
    if news && alive {
        // What waited for it can go on.
        shop.outbox_bell.notify_one();
    }
    if news {
        tracing::info!(node = entry.spec.name, alive, "the state of a node has changed");
    }
    Ok(alive)
}

/// A node whose macaroon can't tell its network is asked for an invoice: the prefix tells. That
/// invoice is cancelled at once.
async fn with_network(shop: &Shop, entry: &Entry, mut info: NodeInfo) -> Result<NodeInfo, NodeError> {
    let id = entry.spec.id;
    if info.network.is_none() && shop.db.read(|db| node_state::network(db, id)).ok().flatten().is_none() {
        let mut preimage = [0; 32];
        shop.random.fill(&mut preimage);
        let preimage = crate::domain::lightning::Preimage(preimage);
        let request = InvoiceRequest {
            hash: preimage.hash(),
            preimage: Some(preimage),
            amount: Msat(1000),
            memo: "network check".to_owned(),
            expiry_secs: 60,
            cltv_expiry: None,
            private: false,
        };
        let made = entry.node.create(&request).await?;
        info.network = Network::of_payment_request(&made.payment_request);
        entry.node.cancel(request.hash).await?;
    }
    Ok(info)
}
