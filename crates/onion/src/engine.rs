//! One run of arti: a client on a tokio runtime of its own.
//!
//! Its own, because arti's background tasks hold on to the state directory for as long as they
//! sleep, which may be until the next consensus: only with the end of their runtime is the state
//! free at once for the client that comes next.

use std::sync::Arc;
use std::time::Duration;

use arti_client::{TorClient, TorClientConfig};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tor_rtcompat::tokio::TokioRustlsRuntime;

use super::error::OnionError;

/// What arti runs on.
pub(super) type ArtiRuntime = TokioRustlsRuntime;
/// arti's client.
pub(super) type Client = Arc<TorClient<ArtiRuntime>>;
/// The client of the moment; `None` while it is being replaced.
pub(super) type CurrentClient = watch::Receiver<Option<Client>>;

/// How long the tasks of a stopped client get to end.
const RELEASE_LIMIT: Duration = Duration::from_secs(10);

/// A running arti. Stops when dropped.
pub(super) struct Engine {
    client: Client,
    /// `None` only while being dropped.
    runtime: Option<Runtime>,
}

impl Engine {
    /// Creates the client, unbootstrapped.
    pub(super) fn start(config: &TorClientConfig) -> Result<Self, OnionError> {
        let runtime = Builder::new_multi_thread().thread_name("tor").enable_all().build();
        let runtime = runtime.map_err(|error| OnionError::Tor(format!("cannot start its threads: {error}")))?;
        let arti = ArtiRuntime::from(runtime.handle().clone());
        match TorClient::with_runtime(arti).config(config.clone()).create_unbootstrapped() {
            Ok(client) => Ok(Self { client, runtime: Some(runtime) }),
            Err(error) => {
                // Dropping it would wait for its threads, which is not allowed in an async task.
                runtime.shutdown_background();
                Err(OnionError::tor(error))
            }
        }
    }

    /// The client.
    pub(super) fn client(&self) -> Client {
        self.client.clone()
    }

    /// Stops the client and waits until it has released its state. Others must have let go of it.
    pub(super) async fn stop(self) {
        let stopped = self.client.wait_for_stop();
        drop(self);
        if tokio::time::timeout(RELEASE_LIMIT, stopped).await.is_err() {
            tracing::warn!("the stopped Tor client still holds its state; going on without it");
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting is not allowed here: this may be an async task.
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::{OnionConfig, prepare};

    #[tokio::test]
    async fn a_client_that_cannot_be_made_is_an_error_and_no_panic() {
        crate::tls::install_provider();
        let dir = tempfile::tempdir().unwrap();
        let (state_dir, cache_dir) = (dir.path().join("tor"), dir.path().join("cache"));
        prepare(&state_dir).unwrap();
        std::fs::create_dir(state_dir.join("state")).unwrap();
        set_permissions(state_dir.join("state"), Permissions::from_mode(0o777)).unwrap();
        let arti = OnionConfig { state_dir, cache_dir, ..OnionConfig::default() }.to_arti().unwrap();
        assert!(Engine::start(&arti).is_err());
    }
}
