//! The onion services in the composition: the shop's own with its watchdog, and the operators'.

use std::sync::Arc;

use poem::EndpointExt;
use serde_json::{Value, json};

use super::{Endpoint, StartError};
use crate::domain::effect::AlertTopic;
use crate::domain::time::Timestamp;
use crate::http::Surface;
use crate::http::listener::{self, ConnectionLimits};
use crate::http::seats::Seats;
use crate::onion::self_check::{Rhythm, SelfCheck};
use crate::onion::watchdog::{Alert, Reachability};
use crate::onion::{AuthorizedClients, OnionConfig, OnionService, Tor};
use crate::services::{Error, Shop};
use crate::store::alerts;
use crate::worker::Tasks;

/// The launched services. Clients that come before they are served wait.
pub struct Services {
    tor: Tor,
    public: OnionService,
    operators: Option<OnionService>,
    check: SelfCheck,
    is_advertised: bool,
}

impl Services {
    /// Launches them; the addresses are known at once, publishing goes on in the background.
    pub fn launch(tor: Tor, config: &OnionConfig, shop: &Shop) -> Result<Self, StartError> {
        let public = tor.launch(&config.nickname, config.virtual_port, None)?;
        tracing::info!(address = %public.address(), "the shop's onion service");
        let operators = match AuthorizedClients::of_operators(config)? {
            Some(clients) => {
                let service = tor.launch(&config.admin.nickname, config.admin.virtual_port, Some(clients))?;
                tracing::info!(address = %service.address(), "the operators' onion service");
                Some(service)
            }
            None => None,
        };
        let alert_shop = shop.clone();
        let check = SelfCheck::start(tor.clone(), &public, Rhythm::default(), Arc::clone(&shop.clock), move |alert| {
            tell(&alert_shop, &alert);
        });
        Ok(Self { tor, public, operators, check, is_advertised: config.onion_location })
    }

    /// The address of the shop's service, `<56 characters>.onion`.
    pub fn address(&self) -> &str {
        self.public.address()
    }

    /// Scheme and authority of its URLs, when pages on clearnet are to name them.
    pub fn advertised(&self) -> Option<String> {
        let (address, port) = (self.public.address(), self.public.port());
        let base = if port == 80 { format!("http://{address}") } else { format!("http://{address}:{port}") };
        self.is_advertised.then_some(base)
    }

    /// How the shop's service is, for `readyz`; with its address only where clearnet may know that
    /// they belong together.
    pub fn report(&self) -> impl Fn() -> Value + Send + Sync + 'static {
        let (bootstrap, health) = (self.tor.bootstrap_progress(), self.check.health());
        let address = self.is_advertised.then(|| self.public.address().to_owned());
        move || {
            let (bootstrap, health) = (bootstrap.borrow(), health.borrow());
            json!({
                "address": address,
                "bootstrap": { "percent": bootstrap.percent, "ready": bootstrap.ready, "text": bootstrap.text },
                "reachability": match health.reachability {
                    Reachability::Starting => "starting",
                    Reachability::Reachable => "reachable",
                    Reachability::Unreachable => "unreachable",
                    Reachability::Busy => "busy",
                },
                "last_success": health.last_success.map(Timestamp::to_wire),
                "latency_ms": health.latency_ms,
                "down_since": health.down_since.map(Timestamp::to_wire),
                "reason": health.reason,
            })
        }
    }

    /// Serves them until the shop stops, then ends Tor. The shop's service shares the places for connections
    /// with clearnet; operators, who are few, have their own: strangers can't shut them out.
    pub fn serve(self, endpoint: &Endpoint, seats: &Arc<Seats>, limits: ConnectionLimits, tasks: &Tasks) {
        let Self { tor, public, operators, check, .. } = self;
        let stop = tasks.stopped();
        let serve = move |service: OnionService, surface: Surface, endpoint: &Endpoint, seats: Arc<Seats>| {
            let endpoint = Arc::new(Arc::clone(endpoint).data(surface).map_to_response());
            listener::serve(service.into_acceptor(), endpoint, seats, stop.clone().cancelled_owned())
        };
        let public = serve(public, Surface::Onion, endpoint, Arc::clone(seats));
        let own = |service| serve(service, Surface::Operators, endpoint, Seats::new(limits.for_few()));
        let operators = operators.map(own);
        tasks.spawn_to_the_end(async move {
            tokio::join!(public, futures_util::future::OptionFuture::from(operators));
            drop(check);
            tor.shutdown().await;
        });
    }
}

/// A shop without an onion service has no trouble with it: an alert of an earlier run is closed.
pub async fn forget_trouble(shop: &Shop) -> Result<(), Error> {
    let now = shop.now();
    shop.change(move |db, _| Ok(alerts::close(db, AlertTopic::OnionUnreachable, "", now)?)).await
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
        assert!(open.iter().all(|alert| alert.topic != AlertTopic::OnionUnreachable.name()), "{open:?}");
        app.stop().await;
    }
}
