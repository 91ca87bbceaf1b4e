//! Background tasks: started together, ended together.

use std::future::Future;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::kept;
use crate::services::Shop;

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

    /// Keeps the lasting task `name` running: one that panics is told, and begun anew by `begin`.
    pub fn keep<F>(&self, shop: &Shop, name: &str, begin: impl FnMut() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.spawn(kept::kept(shop.clone(), name.to_owned(), begin));
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
