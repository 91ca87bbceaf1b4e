//! A node in use: its connector, and the bells that wake its tasks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::unheard::Troubles;
use crate::lightning::LightningNode;
use crate::store::node_state::Spec;

/// A node in use.
#[derive(Clone)]
pub struct Entry {
    /// How it is reached.
    pub spec: Spec,
    /// The connector.
    pub node: Arc<dyn LightningNode>,
    /// Whether it could be reached when it was last asked; true until it was.
    pub answers: Arc<AtomicBool>,
    /// Rings when its state should be checked now.
    pub check: Arc<Notify>,
    /// Rings when its open invoices are to be compared with ours.
    pub compare: Arc<Notify>,
    /// Rings when its stream is to be opened again, from a cursor that has gone back.
    pub reopen: Arc<Notify>,
    /// Whether its stream has told a settlement beyond the cursor that it was opened with. Before that, the node may
    /// have begun to count anew, and the stream be deaf.
    pub is_counting_on: Arc<AtomicBool>,
    /// What of following it fails.
    pub troubles: Arc<Troubles>,
    /// Rings when it may have a new hold invoice to watch.
    pub holds: Arc<Notify>,
    /// Ends its tasks when it is changed or removed.
    pub gone: CancellationToken,
}

impl Entry {
    /// A node that nothing is known of yet.
    pub fn new(spec: Spec, node: Arc<dyn LightningNode>) -> Self {
        let answers = Arc::new(AtomicBool::new(true));
        let gone = CancellationToken::new();
        Self {
            spec,
            node,
            answers,
            check: Arc::default(),
            compare: Arc::default(),
            reopen: Arc::default(),
            is_counting_on: Arc::default(),
            troubles: Arc::default(),
            holds: Arc::default(),
            gone,
        }
    }

    /// Whether it counts as down: it did not answer when it was last asked what it is.
    pub fn is_down(&self) -> bool {
        !self.answers.load(Ordering::Relaxed)
    }

    /// The node's best block, if its macaroon permits to ask and it answers that: whoever waits for a node whose chain
    /// backend hangs would hear of a held payment late.
    pub async fn height(&self) -> Option<u32> {
        if self.is_down() {
            return None;
        }
        self.node.info().await.ok().and_then(|info| info.block_height)
    }
}
