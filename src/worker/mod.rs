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
mod marks;
pub mod outbox;
pub mod payer;
pub mod probing;
pub mod rates;
pub mod refunds;
pub mod registry;
pub mod settlements;
#[cfg(test)]
mod test_log;
mod troubles;

use std::future::Future;
use std::sync::Arc;

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

    /// How many run now.
    pub fn running(&self) -> usize {
        self.tracker.len()
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
    start_with(Registry::new(shop.clone(), dial), probe_dialer, tasks)
}

/// The same with a registry that reaches its nodes in a way of its own.
pub fn start_with(registry: Registry, probe_dialer: Option<Dialer>, tasks: &Tasks) -> Arc<Registry> {
    let (shop, registry) = (registry.shop.clone(), Arc::new(registry));
    // Before the outbox: what was left in it must find its node.
    log_failure("reading the nodes", registry.refresh(tasks));
    tasks.spawn(registry::keep_current(Arc::clone(&registry), tasks.clone()));
    tasks.spawn(outbox::Runner::new(Arc::clone(&registry), probe_dialer, tasks.clone()).run());
    tasks.spawn(deadlines::run(shop));
    registry
}

/// Logs an error of a background task; there is nobody to answer to.
fn log_failure(what: &str, result: Result<(), Error>) {
    if let Err(error) = result {
        tracing::error!(%error, "{what} failed");
    }
}
