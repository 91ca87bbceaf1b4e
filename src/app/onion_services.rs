//! The onion services in the composition: the shop's own with its watchdog, and the operators'.

use std::sync::Arc;

use futures_util::future::OptionFuture;
use serde_json::{Value, json};

use super::listeners::Listeners;
use super::onion_identity::{self, Keys};
use super::parts::StartError;
use crate::background::Tasks;
use crate::domain::alert::AlertTopic;
use crate::domain::time::Timestamp;
use crate::http::Surface;
use crate::http::server::connection_limiter::ConnectionLimiter;
use crate::http::server::limits::ConnectionLimits;
use crate::onion::self_check::{Rhythm, SelfCheck};
use crate::onion::watchdog::{Alert, Reachability};
use crate::onion::{AuthorizedClients, OnionConfig, OnionError, OnionService, Tor};
use crate::services::onion_address::Service;
use crate::services::{Error, Principal, Shop};
use crate::store::alerts;

/// The launched services. Clients that come before they are served wait.
pub struct Services {
    tor: Tor,
    public: Option<Public>,
    operators: Option<OnionService>,
    is_advertised: bool,
}

/// The shop's own service, and the eye on it.
struct Public {
    service: OnionService,
    check: SelfCheck,
}

impl Services {
    /// Launches them; the addresses are known at once, publishing goes on in the background. One that has lost its
    /// key is left out: the shop runs without it.
    pub fn launch(tor: Tor, config: &OnionConfig, keys: &Keys<'_>, shop: &Shop) -> Result<Self, StartError> {
        let open = || tor.launch(&config.nickname, config.virtual_port, None);
        let public = launch(keys, Service::Public, open)?.map(|service| Public::watched(&tor, service, shop));
        let operators = match AuthorizedClients::of_operators(config)? {
            Some(clients) => launch(keys, Service::Operators, || {
                tor.launch(&config.admin.nickname, config.admin.virtual_port, Some(clients))
            })?,
            None => None,
        };
        Ok(Self { tor, public, operators, is_advertised: config.onion_location })
    }

    /// The address of the shop's service, `<56 characters>.onion`, unless it has lost its key.
    pub fn address(&self) -> Option<&str> {
        self.public.as_ref().map(|public| public.service.address())
    }

    /// Scheme and authority of its URLs, when pages on clearnet are to name them.
    pub fn advertised(&self) -> Option<String> {
        let service = &self.public.as_ref().filter(|_| self.is_advertised)?.service;
        let (address, port) = (service.address(), service.port());
        Some(if port == 80 { format!("http://{address}") } else { format!("http://{address}:{port}") })
    }

    /// How the shop's service is, for `readyz`; with its address only where clearnet may know that
    /// they belong together.
    pub fn report(&self) -> impl Fn() -> Value + Send + Sync + 'static {
        let bootstrap = self.tor.bootstrap_progress();
        let health = self.public.as_ref().map(|public| public.check.health());
        let address = self.address().filter(|_| self.is_advertised).map(str::to_owned);
        move || {
            let bootstrap = bootstrap.borrow();
            let health = health.as_ref().map(|health| health.borrow());
            let known = health.as_deref();
            json!({
                "address": address,
                "bootstrap": { "percent": bootstrap.percent, "ready": bootstrap.ready, "text": bootstrap.text },
                "reachability": match known.map(|health| health.reachability) {
                    Some(Reachability::Starting) => "starting",
                    Some(Reachability::Reachable) => "reachable",
                    Some(Reachability::Unreachable) => "unreachable",
                    Some(Reachability::Busy) => "busy",
                    None => "key_lost",
                },
                "last_success": known.and_then(|health| health.last_success).map(Timestamp::to_wire),
                "latency_ms": known.and_then(|health| health.latency_ms),
                "down_since": known.and_then(|health| health.down_since).map(Timestamp::to_wire),
                "reason": known.and_then(|health| health.reason.clone()),
            })
        }
    }

    /// Serves them until the shop stops, then ends Tor. The shop's service shares the places for connections
    /// with clearnet; operators, who are few, have their own: strangers can't shut them out.
    pub fn serve(
        self,
        listeners: &Listeners,
        limiter: &Arc<ConnectionLimiter>,
        limits: ConnectionLimits,
        tasks: &Tasks,
    ) {
        let Self { tor, public, operators, .. } = self;
        let (public, check) = public.map(|public| (public.service, public.check)).unzip();
        let stopped = tasks.stopped();
        let public = public.map(|service| listeners.serve(service.into_acceptor(), Surface::Onion, limiter));
        let few = ConnectionLimiter::new(limits.for_few());
        let operators = operators.map(|service| listeners.serve(service.into_acceptor(), Surface::Operators, &few));
        tasks.spawn_to_the_end(async move {
            // With no service at all Tor goes on until the shop stops: probes and nodes need it.
            tokio::join!(stopped.cancelled_owned(), OptionFuture::from(public), OptionFuture::from(operators));
            drop(check);
            tor.shutdown().await;
        });
    }
}

impl Public {
    fn watched(tor: &Tor, service: OnionService, shop: &Shop) -> Self {
        let alert_shop = shop.clone();
        let check = SelfCheck::start(tor.clone(), &service, Rhythm::default(), Arc::clone(&shop.clock), move |alert| {
            tell(&alert_shop, &alert);
        });
        Self { service, check }
    }
}

/// Launches a service that may be; one that has lost its key, or whose files can't be used, is told and left out.
fn launch(
    keys: &Keys<'_>,
    service: Service,
    open: impl FnOnce() -> Result<OnionService, OnionError>,
) -> Result<Option<OnionService>, StartError> {
    if !keys.permit(service)? {
        return Ok(None);
    }
    match open().and_then(|launched| keys.make_durable(service).map(|()| launched)) {
        Ok(launched) => {
            keys.remember(service, launched.address())?;
            tracing::info!(address = %launched.address(), "{}", service.name());
            Ok(Some(launched))
        }
        Err(error @ OnionError::Config { .. }) => Err(error.into()),
        Err(error) => {
            keys.switch_off(service, &error.to_string())?;
            Ok(None)
        }
    }
}

/// A shop without an onion service has no trouble with it: alerts of an earlier run are closed.
pub async fn forget_trouble(shop: &Shop) -> Result<(), StartError> {
    onion_identity::forget_trouble(shop)?;
    let now = shop.now();
    Ok(shop
        .tx(&Principal::Shop, move |tx| Ok::<_, Error>(alerts::close(tx.db, AlertTopic::OnionUnreachable, "", now)?))
        .await?)
}

/// What the watchdog says becomes an alert, or closes one.
fn tell(shop: &Shop, alert: &Alert) {
    let (shop, text, now) = (shop.clone(), alert.to_string(), shop.now());
    let unreachable = matches!(alert, Alert::Unreachable { .. });
    tokio::spawn(async move {
        let told = shop.tx(&Principal::Shop, move |tx| {
            let db = tx.db;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::store::Db;

    #[tokio::test]
    async fn a_shop_that_no_longer_has_an_onion_service_closes_its_alert() {
        let dir = tempfile::tempdir().unwrap();
        let text = format!(
            "data_dir = {:?}\n[http]\nlisten = \"127.0.0.1:0\"\n[onion]\nenabled = false",
            dir.path().to_str().unwrap()
        );
        let config = Config::parse(&text).unwrap();
        let (db, now) = (Db::open(&config.database()).unwrap(), Timestamp::from_secs(1_800_000_000));
        let raised: Result<bool, Error> = db.write_blocking(move |db| {
            Ok(alerts::raise(db, AlertTopic::OnionUnreachable, "", "the onion service is unreachable", now)?)
        });
        assert!(raised.unwrap());
        drop(db);
        let app = crate::app::start(config).await.unwrap();
        let open = app.shop.db.read(|db| alerts::list(db, false)).unwrap();
        assert!(open.iter().all(|alert| alert.topic != AlertTopic::OnionUnreachable), "{open:?}");
        app.stop().await;
    }
}
