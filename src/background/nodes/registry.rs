//! The nodes that the shop talks to: follows the database, so that nodes added or changed by the
//! command line are used at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use super::entry::Entry;
use super::{connect, follow};
use crate::background::Tasks;
use crate::background::failure::log_failure;
use crate::domain::id::NodeId;
use crate::domain::lightning::{NodeError, NodeErrorKind};
use crate::lightning::LightningNode;
use crate::lightning::dial::Dial;
use crate::services::{Error, Shop};
use crate::store::node_state;
use crate::store::node_state::Spec;

/// How often changes of the stored nodes are looked for.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Makes the connector of a node.
type Connect = dyn Fn(&Spec) -> Result<Arc<dyn LightningNode>, NodeError> + Send + Sync;

/// All nodes in use.
pub struct Registry {
    /// The shop that they work for.
    pub shop: Shop,
    connect: Box<Connect>,
    nodes: RwLock<HashMap<NodeId, Entry>>,
    /// Records that no connector can be made of: each is tried, and told of, once.
    unusable: Mutex<HashMap<NodeId, Spec>>,
}

impl Registry {
    /// One that reaches its nodes directly, for tests of those who use it.
    #[cfg(test)]
    pub fn direct(shop: Shop) -> Self {
        Self::new(shop, Dial::direct())
    }

    /// An empty registry; [`keep_current`] fills it.
    pub fn new(shop: Shop, dial: Dial) -> Self {
        Self::reaching(shop, move |spec| connect::connect(spec, &dial))
    }

    /// One whose nodes are reached by what `connect` makes.
    pub fn reaching(
        shop: Shop,
        connect: impl Fn(&Spec) -> Result<Arc<dyn LightningNode>, NodeError> + Send + Sync + 'static,
    ) -> Self {
        Self { shop, connect: Box::new(connect), nodes: RwLock::default(), unusable: Mutex::default() }
    }

    /// Uses exactly these nodes, without following them.
    pub fn set(&self, entries: impl IntoIterator<Item = Entry>) {
        let entries = entries.into_iter().map(|entry| (entry.spec.id, entry)).collect();
        *self.nodes.write() = entries;
    }

    /// The node with this id, or why there is none.
    pub fn get(&self, id: NodeId) -> Result<Entry, NodeError> {
        let nodes = self.nodes.read();
        nodes.get(&id).cloned().ok_or_else(|| {
            NodeError::new(NodeErrorKind::Refused, "the node is disabled, removed or has unusable credentials")
        })
    }

    /// All nodes in use.
    pub fn all(&self) -> Vec<Entry> {
        self.nodes.read().values().cloned().collect()
    }

    /// Compares with the database; starts what is new and ends what is gone.
    pub(in crate::background) fn refresh(self: &Arc<Self>, tasks: &Tasks) -> Result<(), Error> {
        let specs = self.shop.db.read(node_state::specs)?;
        let mut nodes = self.nodes.write();
        nodes.retain(|id, entry| {
            let stays = specs.iter().any(|spec| spec.id == *id && *spec == entry.spec);
            if !stays {
                entry.gone.cancel();
            }
            stays
        });
        for spec in specs {
            if !nodes.contains_key(&spec.id)
                && let Some(entry) = self.new_entry(spec)
            {
                nodes.insert(entry.spec.id, entry.clone());
                follow::start(&self.shop, entry, tasks);
            }
        }
        Ok(())
    }

    fn new_entry(&self, spec: Spec) -> Option<Entry> {
        let mut unusable = self.unusable.lock();
        if unusable.get(&spec.id) == Some(&spec) {
            return None;
        }
        match (self.connect)(&spec) {
            Ok(node) => Some(Entry::new(spec, node)),
            Err(error) => {
                tracing::warn!(node = spec.name, %error, "this node can't be used");
                unusable.insert(spec.id, spec);
                None
            }
        }
    }
}

/// Keeps the registry like the database until dropped.
pub async fn keep_current(registry: Arc<Registry>, tasks: Tasks) {
    let mut seen = None;
    loop {
        let version = registry.shop.db.version().ok();
        // Only a commit by somebody can have changed a node.
        if version.is_none() || version != seen {
            log_failure("looking for changed nodes", registry.refresh(&tasks));
            seen = version;
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::domain::id::SystemRandom;
    use crate::domain::time::SystemClock;
    use crate::services::Settings;
    use crate::services::test_support::database;
    use crate::store::StoreError;

    #[tokio::test]
    async fn a_record_that_cannot_be_used_is_tried_once_until_it_is_changed() {
        let (_dir, db) = database();
        let sql = |sql: &'static str| {
            db.write_blocking(move |db| db.execute_batch(sql).map_err(StoreError::from)).unwrap();
        };
        sql("INSERT INTO operator (id, name, role, password_hash, created_at, modified_at) \
             VALUES (7, 'seven', 'operator', '-', 0, 0); \
             INSERT INTO node (id, operator_id, kind, name, host, port, created_at, modified_at) \
             VALUES (zeroblob(16), 7, 'lnd_grpc', 'bare', '127.0.0.1', 1, 0, 0)");
        let shop = Shop::new(db.clone(), Arc::new(SystemClock), Arc::new(SystemRandom), Settings::default()).unwrap();
        let tries = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&tries);
        let registry = Arc::new(Registry::reaching(shop, move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            Err(NodeError::new(NodeErrorKind::BadCredentials, "no macaroon"))
        }));
        for _ in 0..3 {
            registry.refresh(&Tasks::default()).unwrap();
        }
        assert_eq!(tries.load(Ordering::Relaxed), 1);
        sql("UPDATE node SET port = 2");
        registry.refresh(&Tasks::default()).unwrap();
        assert_eq!(tries.load(Ordering::Relaxed), 2);
    }
}
