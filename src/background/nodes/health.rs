//! Whether a node is alive, which network it is on, and whether it is still the same: asked each
//! minute, and at once after any failure.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::entry::Entry;
use crate::domain::lightning::{Network, NodeError, NodeInfo, Preimage};
use crate::lightning::{bolt11, check};
use crate::services::{Error, Shop, invoices, nodes};
use crate::store::{StoreError, node_state};

/// Checks when nothing rings.
const CHECK_INTERVAL: Duration = Duration::from_secs(60);
/// After a failed check the next follows soon: what failed may be back.
const RECHECK_DELAY: Duration = Duration::from_secs(3);
/// Invoices of ours that are asked for, to learn whose node it is: the newest may be lost.
const OWN_INVOICES: u32 = 3;
/// Rings closer together than this count once.
const DEBOUNCE: Duration = Duration::from_millis(200);

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
        tokio::time::sleep(DEBOUNCE).await;
        let wait = if alive { CHECK_INTERVAL } else { RECHECK_DELAY };
        let _ = tokio::time::timeout(wait, entry.check.notified()).await;
    }
}

/// Asks the node, stores the answer, and returns whether it can be used.
pub async fn check(shop: &Shop, entry: &Entry) -> Result<bool, Error> {
    let answer = ask(shop, entry).await;
    // A node that may make no invoices now (it is not synced, say) still has held payments to give back.
    let is_absent = answer.as_ref().err().is_some_and(NodeError::is_absence);
    entry.answers.store(!is_absent, Ordering::Relaxed);
    let verdict = nodes::health::store(shop, entry.spec.id, &entry.spec.name, answer).await?;
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
/// of an invoice is believed. An invoice of ours that it knows will do: GetInfo may hang while a chain backend does.
///
/// # Errors
/// Inside: the node did not answer, or another one did. Outside: those of the database.
pub async fn confirm(shop: &Shop, entry: &Entry) -> Result<Result<(), NodeError>, Error> {
    let id = entry.spec.id;
    if shop.db.read(|db| nodes::health::needed_pubkey(db, id))?.is_none() {
        return Ok(Ok(()));
    }
    let info = match identify(shop, entry).await {
        Ok(info) => info,
        Err(error) => return Ok(Err(error)),
    };
    let other = shop.db.read(|db| nodes::health::other_node(db, id, &info))?;
    if other.is_some() {
        // The operator is told there.
        entry.check.notify_one();
    }
    Ok(other.map_or(Ok(()), Err))
}

async fn identify(shop: &Shop, entry: &Entry) -> Result<NodeInfo, NodeError> {
    let mut info = NodeInfo::default();
    learn_from_own_invoice(shop, entry, &mut info).await?;
    if info.pubkey.is_some() { Ok(info) } else { ask(shop, entry).await }
}

/// What the node says of itself. Its key is otherwise learned from an invoice of ours, never from anybody's: one with
/// blinded paths is signed with a key of its own. Only when all of that lacks what is needed, the node is asked for an
/// invoice, which tells network and public key; it is cancelled at once.
pub(in crate::background) async fn ask(shop: &Shop, entry: &Entry) -> Result<NodeInfo, NodeError> {
    let id = entry.spec.id;
    let mut info = entry.node.info().await?;
    info.certificate = entry.node.certificate().await;
    let network = || shop.db.read(|db| node_state::network(db, id)).ok().flatten();
    let pubkey = || shop.db.read(|db| node_state::pubkey(db, id)).ok().flatten();
    let needed = || shop.db.read(|db| nodes::health::needed_pubkey(db, id)).ok().flatten();
    if info.pubkey.is_none() && (needed().is_some() || pubkey().is_none()) {
        learn_from_own_invoice(shop, entry, &mut info).await?;
    }
    let lacks_network = info.network.is_none() && network().is_none();
    let lacks_pubkey = info.pubkey.is_none() && needed().is_some();
    if info.lacks.is_none() && info.synced_to_chain != Some(false) && (lacks_network || lacks_pubkey) {
        let request = sample_invoice(shop, entry).await?;
        learn_from(&mut info, &request);
    }
    Ok(info)
}

/// Learns network and key from an invoice of ours, if the node has one of those that it should have: of the newest
/// that are live, or else of those that were paid.
async fn learn_from_own_invoice(shop: &Shop, entry: &Entry, info: &mut NodeInfo) -> Result<(), NodeError> {
    let id = entry.spec.id;
    let own = shop.db.read(|db| {
        let live = node_state::newest_live_hashes(db, id, OWN_INVOICES)?;
        if !live.is_empty() {
            return Ok::<_, StoreError>(live);
        }
        let refunded = node_state::hashes_of_refunds(db, id, OWN_INVOICES)?;
        Ok([refunded, node_state::newest_paid_hashes(db, id, OWN_INVOICES)?].concat())
    });
    for hash in own.unwrap_or_default() {
        let Some(invoice) = entry.node.look_up(hash).await? else { continue };
        if invoice.hash == hash && invoices::ownership::maker(shop, &invoice).is_some() {
            learn_from(info, &invoice.payment_request);
        }
        if info.pubkey.is_some() {
            break;
        }
    }
    Ok(())
}

fn learn_from(info: &mut NodeInfo, request: &str) {
    info.network = info.network.or_else(|| Network::of_payment_request(request));
    if info.pubkey.is_none() {
        info.pubkey = bolt11::payee(request).ok();
    }
}

async fn sample_invoice(shop: &Shop, entry: &Entry) -> Result<String, NodeError> {
    let mut preimage = [0; 32];
    shop.random.fill(&mut preimage);
    Ok(check::sample(&*entry.node, Preimage(preimage)).await?.payment_request)
}
