//! One onion service: its key and address, and the task that keeps it published behind one
//! acceptor, through restarts of the service and of the Tor client.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use arti_client::{TorClient, TorClientConfig};
use futures_util::StreamExt;
use parking_lot::Mutex;
use safelog::DisplayRedacted as _;
use tokio::sync::{mpsc, watch};
use tor_hsservice::OnionServiceConfig;
use tor_hsservice::config::OnionServiceConfigBuilder;
use tor_keymgr::KeystoreSelector;

use super::acceptor::OnionAcceptor;
use super::authorized::AuthorizedClients;
use super::bootstrap::Bootstrap;
use super::circuits::{Circuits, Limits};
use super::config::settings::{OnionConfig, parse_nickname};
use super::engine::{ArtiRuntime, Client, CurrentClient};
use super::error::{OnionError, with_causes};
use super::handle::{ServiceHandle, Wanted};
use super::onion_stream::OnionStream;

/// Streams that may wait for the HTTP server, over all circuits of a service.
const BACKLOG: usize = 64;
/// The first wait after a failed launch. The old instance needs a moment to let go of its state.
const FIRST_WAIT: Duration = Duration::from_millis(200);
/// The longest wait between two launches.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What a service is made of.
pub(super) struct Setup {
    config: OnionServiceConfig,
    limits: Limits,
}

impl Setup {
    /// Translates the settings for one service.
    pub(super) fn new(
        config: &OnionConfig,
        nickname: &str,
        port: u16,
        restricted: Option<AuthorizedClients>,
    ) -> Result<Self, OnionError> {
        let mut builder = OnionServiceConfigBuilder::default();
        builder
            .nickname(parse_nickname("nickname", nickname)?)
            .max_concurrent_streams_per_circuit(config.max_streams_per_circuit);
        if let Some(clients) = restricted {
            clients.restrict(&mut builder)?;
        }
        let service = builder.build().map_err(OnionError::tor)?;
        let idle = Duration::from_secs(config.idle_circuit_secs);
        Ok(Self { config: service, limits: Limits { port, circuits: config.max_circuits, idle } })
    }

    /// The service's address; makes the key when there is none.
    pub(super) fn address(&self, arti: &TorClientConfig) -> Result<String, OnionError> {
        let service = TorClient::<ArtiRuntime>::create_onion_service(arti, self.config.clone());
        let identity = service.map_err(OnionError::tor)?.generate_identity_key(KeystoreSelector::Primary);
        Ok(identity.map_err(OnionError::tor)?.display_unredacted().to_string())
    }
}

/// A launched onion service. It runs as long as this, its acceptor or a [`ServiceHandle`] exists.
pub struct OnionService {
    address: String,
    port: u16,
    streams: mpsc::Receiver<OnionStream>,
    handle: ServiceHandle,
}

impl OnionService {
    /// The host name that clients connect to: 56 characters and `.onion`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The port that clients connect to.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// For whoever may have to restart the service.
    pub fn handle(&self) -> ServiceHandle {
        self.handle.clone()
    }

    /// The service's connections, as poem takes them.
    pub fn into_acceptor(self) -> OnionAcceptor {
        OnionAcceptor::new(format!("{}:{}", self.address, self.port), self.streams, self.handle)
    }
}

/// The nicknames of running services: two tasks on one nickname would fight over its state.
#[derive(Clone, Default)]
pub(super) struct Launched(Arc<Mutex<HashSet<String>>>);

/// The right to run the service of one nickname; ends with it.
pub(super) struct Claim {
    nickname: String,
    launched: Launched,
}

impl Launched {
    /// Claims `nickname`.
    pub(super) fn claim(&self, nickname: &str) -> Result<Claim, OnionError> {
        if self.0.lock().insert(nickname.to_owned()) {
            return Ok(Claim { nickname: nickname.to_owned(), launched: self.clone() });
        }
        let problem = format!("the onion service \"{nickname}\" runs already");
        Err(OnionError::Config { field: "nickname".into(), problem })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.launched.0.lock().remove(&self.nickname);
    }
}

/// Starts the task of a service.
pub(super) fn start(
    setup: Setup,
    address: String,
    clients: CurrentClient,
    progress: watch::Receiver<Bootstrap>,
    claim: Claim,
) -> OnionService {
    let (sender, streams) = mpsc::channel(BACKLOG);
    let (wanted, changes) = watch::channel(Wanted { published: true, restarts: 0 });
    let circuits = Circuits::new(setup.limits, sender);
    let (port, slots) = (setup.limits.port, circuits.slots());
    tokio::spawn(async move {
        supervise(setup.config, circuits, clients, progress, changes).await;
        drop(claim);
    });
    OnionService { address, port, streams, handle: ServiceHandle { wanted: Arc::new(wanted), slots } }
}

/// Keeps the service in the wanted state, until nobody holds it any more or Tor ends.
async fn supervise(
    config: OnionServiceConfig,
    circuits: Circuits,
    mut clients: CurrentClient,
    mut progress: watch::Receiver<Bootstrap>,
    mut changes: watch::Receiver<Wanted>,
) {
    loop {
        let published = changes.borrow_and_update().published;
        let client = clients.borrow_and_update().clone().filter(|_| published);
        tokio::select! {
            biased;
            changed = clients.changed() => if changed.is_err() { return },
            changed = changes.changed() => if changed.is_err() { return },
            () = publish(client, &config, &circuits, &mut progress) => {}
        }
    }
}

/// Runs the service on `client` until it ends by itself, which it should not.
async fn publish(
    client: Option<Client>,
    config: &OnionServiceConfig,
    circuits: &Circuits,
    progress: &mut watch::Receiver<Bootstrap>,
) {
    let Some(client) = client else { return std::future::pending().await };
    let mut wait = FIRST_WAIT;
    loop {
        match client.launch_onion_service(config.clone()) {
            Ok(Some((running, requests))) => {
                let mut requests = std::pin::pin!(requests);
                while let Some(request) = requests.next().await {
                    circuits.serve(request);
                }
                drop(running);
                tracing::warn!("the onion service {} ended by itself; starting it again", config.nickname());
            }
            Ok(None) => tracing::error!("the onion service {} is disabled inside arti", config.nickname()),
            Err(error) if wait < Duration::from_secs(3) => tracing::debug!("launching: {}", with_causes(&error)),
            Err(error) => tracing::warn!(
                "the onion service {} cannot start, trying again in {} s: {}",
                config.nickname(),
                wait.as_secs(),
                with_causes(&error)
            ),
        }
        tokio::time::sleep(wait).await;
        // Without a network the old instance does not end, and the new one could not be found. When
        // Tor itself has ended, `supervise` ends this.
        let _ = progress.wait_for(|now| now.ready).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}
