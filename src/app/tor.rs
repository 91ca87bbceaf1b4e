//! Tor in the composition: the client, and the ways out.

use super::StartError;
use super::onion_services::Services;
use crate::config::{Config, Problems};
use crate::lightning::dial::{BoxedIo, Dial};
use crate::onion::{Dialer, Isolation, OnionConfig, OnionError, Tor, is_onion};
use crate::services::Shop;
use crate::worker::Tasks;

/// A Lightning node behind Tor may take this long to be reached.
const NODE_LIMIT: std::time::Duration = std::time::Duration::from_secs(30);

/// How long a command waits for its own Tor client.
const COMMAND_PATIENCE: std::time::Duration = std::time::Duration::from_secs(120);

/// Tor as the rest of the shop uses it.
pub struct TorPart {
    config: OnionConfig,
    tor: Option<Tor>,
}

impl From<OnionError> for StartError {
    fn from(error: OnionError) -> Self {
        Self(error.to_string())
    }
}

impl From<Problems> for StartError {
    fn from(problems: Problems) -> Self {
        Self(problems.to_string())
    }
}

impl TorPart {
    /// Creates the client, if the configuration wants one; it bootstraps in the background.
    pub fn start(config: &Config, tasks: &Tasks) -> Result<Self, StartError> {
        let config = config.onion_settings()?;
        let tor = if config.enabled { Some(Tor::new(config.clone())?) } else { None };
        if let Some(tor) = &tor {
            tasks.spawn(log_progress(tor.bootstrap_progress()));
        }
        Ok(Self { config, tor })
    }

    /// The way out for probes; `None` when there is no Tor at all.
    pub fn dialer(&self) -> Option<Dialer> {
        match Dialer::new(&self.config, self.tor.clone()) {
            Dialer::Direct => None,
            dialer => Some(dialer),
        }
    }

    /// The way to Lightning nodes.
    pub fn node_dial(&self) -> Dial {
        node_dial(&self.config, self.tor.clone())
    }

    /// Launches the shop's onion service, and the operators' when there is one.
    pub fn launch(&self, shop: &Shop) -> Result<Option<Services>, StartError> {
        let Some(tor) = self.tor.clone() else { return Ok(None) };
        Ok(Some(Services::launch(tor, &self.config, shop)?))
    }
}

/// The way to Lightning nodes: those behind `.onion` through Tor, others over plain TCP.
fn node_dial(config: &OnionConfig, tor: Option<Tor>) -> Dial {
    let (direct, dialer) = (Dial::direct(), Dialer::new(config, tor));
    Dial::new(move |host, port| {
        let (direct, dialer) = (direct.clone(), dialer.clone());
        Box::pin(async move {
            if !is_onion(&host) {
                return direct.open(&host, port).await;
            }
            let stream = dialer.connect(&host, port, Isolation::SHARED, NODE_LIMIT).await;
            stream.map(|stream| Box::new(stream) as BoxedIo).map_err(std::io::Error::other)
        })
    })
}

/// The same for one command, which may run beside the shop: where a host needs the embedded Tor, the
/// command has a client of its own, with folders of its own beside the shop's. Waits until it is
/// ready.
///
/// # Errors
/// A folder that can't be used, or a Tor that does not get ready.
pub async fn command_dial(config: &Config, hosts: impl Iterator<Item = &str>) -> Result<Dial, StartError> {
    let mut onion = config.onion_settings()?;
    let needs_client = onion.enabled && onion.socks_proxy.is_none() && { hosts }.any(is_onion);
    if !needs_client {
        return Ok(node_dial(&onion, None));
    }
    for folder in [&mut onion.state_dir, &mut onion.cache_dir] {
        folder.as_mut_os_string().push("-command");
    }
    let tor = Tor::new(onion.clone())?;
    let mut progress = tor.bootstrap_progress();
    match tokio::time::timeout(COMMAND_PATIENCE, progress.wait_for(|now| now.ready)).await {
        Ok(Ok(_)) => {}
        _ => return Err(StartError("Tor did not get ready, so nodes behind .onion can't be reached".to_owned())),
    }
    Ok(node_dial(&onion, Some(tor)))
}

async fn log_progress(mut progress: tokio::sync::watch::Receiver<crate::onion::Bootstrap>) {
    loop {
        let now = progress.borrow_and_update().clone();
        tracing::info!(percent = now.percent, "Tor: {}", now.text);
        if progress.changed().await.is_err() {
            return;
        }
    }
}
