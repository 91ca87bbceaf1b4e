//! Tor in the composition: the client, the shop's onion services, the way out, the watchdog.

use std::sync::Arc;

use super::{Endpoint, StartError};
use crate::config::Config;
use crate::domain::effect::AlertTopic;
use crate::domain::time::Timestamp;
use crate::http::listener::{self, ConnectionLimits};
use crate::lightning::dial::{BoxedIo, Dial};
use crate::onion::self_check::{Rhythm, SelfCheck};
use crate::onion::watchdog::{Alert, Health};
use crate::onion::{Dialer, Isolation, OnionConfig, OnionError, Tor, is_onion};
use crate::services::{Error, Shop};
use crate::store::alerts;
use crate::worker::Tasks;

/// A Lightning node behind Tor may take this long to be reached.
const NODE_LIMIT: std::time::Duration = std::time::Duration::from_secs(30);

/// Tor as the rest of the shop uses it.
pub struct TorPart {
    config: OnionConfig,
    tor: Option<Tor>,
}

/// What `readyz` and the admin show of the onion service.
#[derive(Clone)]
pub struct OnionState {
    /// The address, `<56 characters>.onion`.
    pub address: String,
    /// How far Tor has come.
    pub bootstrap: tokio::sync::watch::Receiver<crate::onion::Bootstrap>,
    /// What the watchdog found last.
    pub health: tokio::sync::watch::Receiver<Health>,
}

impl OnionState {
    /// As `readyz` shows it.
    pub fn as_json(&self) -> serde_json::Value {
        let (bootstrap, health) = (self.bootstrap.borrow(), self.health.borrow());
        serde_json::json!({
            "address": self.address,
            "bootstrap": { "percent": bootstrap.percent, "ready": bootstrap.ready, "text": bootstrap.text },
            "down_since": health.down_since.map(Timestamp::to_wire),
            "last_success": health.last_success.map(Timestamp::to_wire),
            "latency_ms": health.latency_ms,
            "reason": health.reason,
        })
    }
}

impl From<OnionError> for StartError {
    fn from(error: OnionError) -> Self {
        Self(error.to_string())
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

    /// The way to Lightning nodes: those behind `.onion` through Tor, others over plain TCP.
    pub fn node_dial(&self) -> Dial {
        let (direct, dialer) = (Dial::direct(), Dialer::new(&self.config, self.tor.clone()));
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

    /// Publishes the shop and watches over it.
    pub fn publish(
        &self,
        shop: &Shop,
        endpoint: &Endpoint,
        limits: ConnectionLimits,
        tasks: &Tasks,
    ) -> Result<Option<OnionState>, StartError> {
        let Some(tor) = self.tor.clone() else { return Ok(None) };
        let service = tor.launch(&self.config.nickname, self.config.virtual_port, None)?;
        let address = service.address().to_owned();
        tracing::info!(%address, "the shop's onion service");
        let alert_shop = shop.clone();
        let check = SelfCheck::start(tor.clone(), &service, Rhythm::default(), Arc::clone(&shop.clock), move |alert| {
            tell(&alert_shop, &alert);
        });
        let state = OnionState { address, bootstrap: tor.bootstrap_progress(), health: check.health() };
        let acceptor = service.into_acceptor();
        let (endpoint, stop) = (Arc::clone(endpoint), tasks.stopped());
        tasks.spawn_to_the_end(async move {
            if let Err(error) = listener::serve(acceptor, endpoint, limits, stop.cancelled_owned()).await {
                tracing::error!(%error, "the onion service's server ended");
            }
            drop(check);
            tor.shutdown().await;
        });
        Ok(Some(state))
    }
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

/// What the watchdog says becomes an alert, or closes one.
fn tell(shop: &Shop, alert: &Alert) {
    let (shop, text, now) = (shop.clone(), alert.to_string(), shop.now());
    let unreachable = matches!(alert, Alert::Unreachable { .. });
    tokio::spawn(async move {
        let told = shop.change(move |db, _| {
            if unreachable {
                alerts::raise(db, AlertTopic::OnionUnreachable, "", &text, now)?;
            } else {
                alerts::close(db, AlertTopic::OnionUnreachable, "", now)?;
            }
            Ok::<(), Error>(())
        });
        if let Err(error) = told.await {
            tracing::error!(%error, "an alert can't be stored");
        }
    });
}
