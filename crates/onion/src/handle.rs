//! Restarting and stopping a service while others use it.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::Instant;

use super::circuit_slots::CircuitSlots;

/// Restarts and stops a service from elsewhere.
#[derive(Clone)]
pub struct ServiceHandle {
    pub(super) wanted: Arc<watch::Sender<Wanted>>,
    pub(super) slots: Arc<CircuitSlots>,
}

/// What the service's task should see to. Counting makes every restart a change.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    pub(super) published: bool,
    pub(super) restarts: u64,
}

impl ServiceHandle {
    /// Publishes the service afresh, with new introduction points. Open connections stay.
    pub fn restart(&self) {
        self.wanted.send_modify(|wanted| *wanted = Wanted { published: true, restarts: wanted.restarts + 1 });
    }

    /// Takes the service off the network until [`restart`](Self::restart). Open connections stay.
    pub fn take_down(&self) {
        self.wanted.send_modify(|wanted| wanted.published = false);
    }

    /// Whether a client that came at `since` or later may have had no answer because others had taken
    /// all circuits, or all seats of the HTTP server.
    pub(super) fn was_full(&self, since: Instant) -> bool {
        self.slots.were_full(since, Instant::now())
    }
}
