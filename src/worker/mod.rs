//! What runs beside the answers to requests: it talks to the Lightning nodes, carries out the
//! outbox, and watches deadlines. It decides nothing; `services` do.

pub mod alive;
mod compare;
pub mod connect;
pub mod deadlines;
pub mod follow;
mod heard;
pub mod history;
pub mod holds;
pub mod outbox;
pub mod payer;
pub mod probing;
pub mod rates;
pub mod refunds;
pub mod registry;
pub mod settlements;
mod troubles;

use std::collections::HashSet;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::lightning::dial::Dial;
use crate::onion::Dialer;
use crate::services::{Error, Shop};
use registry::Registry;

/// Background tasks that end together.
#[derive(Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Tasks {
    /// Runs `task` until it ends or [`Tasks::stop`] is called.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tracker.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Runs `task` to its own end: it listens to [`Tasks::stopped`] itself.
    pub fn spawn_to_the_end(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(task);
    }

    /// Rings when everything is to end.
    pub fn stopped(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Ends all tasks. What they were doing is in the database and goes on at the next start.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

/// Starts everything that talks to nodes and targets; without `probe_dialer` no target is probed. The
/// registry is known at once; nodes connect in the background.
pub fn start(shop: &Shop, dial: Dial, probe_dialer: Option<Dialer>, tasks: &Tasks) -> Arc<Registry> {
    let registry = Arc::new(Registry::new(shop.clone(), dial));
    // Before the outbox: what was left in it must find its node.
    log_failure("reading the nodes", registry.refresh(tasks));
    tasks.spawn(registry::keep_current(Arc::clone(&registry), tasks.clone()));
    tasks.spawn(outbox::run(shop.clone(), Arc::clone(&registry), probe_dialer, tasks.clone()));
    tasks.spawn(deadlines::run(shop.clone()));
    registry
}

/// Marks something as being worked on. The mark is gone when this is dropped: also when the work panics.
pub(crate) struct Mark<K: Eq + Hash + Clone>(Arc<Mutex<HashSet<K>>>, K);

impl<K: Eq + Hash + Clone> Mark<K> {
    /// Marks `key`; `None` when it is marked already.
    pub(crate) fn set(marks: &Arc<Mutex<HashSet<K>>>, key: K) -> Option<Self> {
        let is_new = marks.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone());
        is_new.then(|| Self(Arc::clone(marks), key))
    }
}

impl<K: Eq + Hash + Clone> Drop for Mark<K> {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

/// Logs an error of a background task; there is nobody to answer to.
fn log_failure(what: &str, result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::error!(%error, "{what} failed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_leaves_nothing_marked_as_being_worked_on() {
        let marks = Arc::default();
        let mark = Mark::set(&marks, 7).expect("it is free");
        assert!(Mark::set(&marks, 7).is_none(), "it is being worked on");
        let worked = tokio::spawn(async move {
            let _mark = mark;
            panic!("a defect");
        });
        assert!(worked.await.is_err());
        assert!(Mark::set(&marks, 7).is_some());
    }
}
