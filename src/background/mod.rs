//! What runs beside the answers to requests: it talks to the Lightning nodes, carries out the
//! outbox, and watches deadlines. It decides nothing; `services` do.

pub mod alerts;
pub mod claims;
pub mod deadlines;
pub mod desk;
mod failure;
pub mod kept;
mod marks;
pub mod nodes;
pub mod outbox;
pub mod probes;
pub mod rates;
pub mod refunds;
pub mod schedule;
mod tasks;
#[cfg(test)]
mod test_log;

use std::sync::Arc;

use crate::lightning::dial::Dial;
use crate::onion::Dialer;
use crate::services::Shop;

use failure::log_failure;
use nodes::registry;
use nodes::registry::Registry;

pub use tasks::Tasks;

/// Starts everything that talks to nodes and targets; without `probe_dialer` no target is probed. The
/// registry is known at once; nodes connect in the background.
pub fn start(shop: &Shop, dial: Dial, probe_dialer: Option<Dialer>, tasks: &Tasks) -> Arc<Registry> {
    let (paying, way) = (shop.clone(), dial.clone());
    tasks.keep(shop, "the claims of buyers", move || claims::run(paying.clone(), way.clone()));
    start_with(Registry::new(shop.clone(), dial), probe_dialer, tasks)
}

/// The same with a registry that reaches its nodes in a way of its own.
pub fn start_with(registry: Registry, probe_dialer: Option<Dialer>, tasks: &Tasks) -> Arc<Registry> {
    let (shop, registry) = (registry.shop.clone(), Arc::new(registry));
    // Before the outbox: what was left in it must find its node.
    log_failure("reading the nodes", registry.refresh(tasks));
    let (nodes, all) = (Arc::clone(&registry), tasks.clone());
    tasks.keep(&shop, "the list of nodes", move || registry::keep_current(Arc::clone(&nodes), all.clone()));
    let runner = outbox::Runner::new(Arc::clone(&registry), probe_dialer, tasks.clone());
    tasks.keep(&shop, "the outbox", move || runner.clone().run());
    let watched = shop.clone();
    tasks.keep(&shop, "the deadlines of held payments", move || deadlines::run(watched.clone()));
    registry
}
