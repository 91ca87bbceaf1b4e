//! Commands that wait for the network.

use super::failure::Failure;

/// Runs a command that waits for the network.
pub fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure::Failed(format!("can't start: {error}")))?.block_on(work)
}
