//! The composition root: from a configuration to a running shop, and down again.

mod listeners;
mod onion_identity;
mod onion_services;
mod onion_trouble;
mod parts;
mod storage;
mod systemd;
mod tor;

use std::net::SocketAddr;
use std::sync::Arc;

use poem::EndpointExt;
use poem::listener::{Acceptor, Listener, TcpAcceptor, TcpListener};
use tokio::signal::unix::{SignalKind, signal};

use crate::background;
use crate::background::Tasks;
use crate::background::alerts::{self, Messenger};
use crate::background::desk::Desk;
use crate::background::schedule::{JobContext, Scheduler, run};
use crate::config::{self, Config};
use crate::domain::id::SystemRandom;
use crate::domain::time::SystemClock;
use crate::http::middleware::order_limit::OrderRates;
use crate::http::middleware::rate_limit::Rate;
use crate::http::server::client::IsTrusted;
use crate::http::server::connection_limiter::ConnectionLimiter;
use crate::http::server::limits::ConnectionLimits;
use crate::http::{self, Limits, Surface};
use crate::lightning::dial::Dial;
use crate::notify::{Channels, Heartbeat, Ways};
use crate::rates::Provider;
use crate::services::instance::InstanceLock;
use crate::services::operators::first_run;
use crate::services::{Principal, ProbePolicy, Shop, clock, hosts};
use crate::store::node_state;
use listeners::Listeners;
use onion_services::Services;
pub use parts::{Endpoint, StartError};
pub use storage::lock;
pub use systemd::Systemd;
use tor::TorPart;
pub use tor::{command_dial, command_ways};

/// A running shop.
pub struct App {
    shop: Shop,
    local_addr: SocketAddr,
    admin_addr: Option<SocketAddr>,
    onion_address: Option<String>,
    tasks: Tasks,
    scheduler: Scheduler,
    /// Given back last: until then no other shop may open the database.
    lock: InstanceLock,
}

/// Starts the shop: database, workers, listeners, then the schedules. Answers requests when this
/// returns; nodes connect in the background. Waits for a disk that is full or read-only.
///
/// # Errors
/// [`StartError`] when the database, the address or a schedule can't be used.
pub async fn start(config: Config) -> Result<App, StartError> {
    let lock = lock(&config.data_dir).await?;
    start_with(config, lock, |interface| interface).await
}

/// [`start`] for the demo, which has taken the data folder already with [`lock`], and whose order page pays by itself.
///
/// # Errors
/// As [`start`].
#[cfg(feature = "demo")]
pub async fn start_demo(config: Config, lock: InstanceLock, wallet: http::Wallet) -> Result<App, StartError> {
    start_with(config, lock, |interface| interface.paying_with(Some(wallet))).await
}

async fn start_with(
    config: Config,
    lock: InstanceLock,
    adapt: impl FnOnce(http::App) -> http::App,
) -> Result<App, StartError> {
    crate::onion::tls::install_provider();
    let db = storage::open(&config, &lock).await?;
    // Before anything else begins: a start that fails for a taken address must leave no trace.
    let acceptor = bind(config.http.listen).await?;
    let tasks = Tasks::default();
    let tor = TorPart::start(&config)?;
    let mut settings = config.shop_settings();
    if tor.dialer().is_none() {
        if !tor.is_broken() {
            warn_without_tor(&config);
        }
        // Without Tor there is no way to a target.
        settings.probe = ProbePolicy::Off;
    }
    let shop = Shop::new(db, Arc::new(SystemClock), Arc::new(SystemRandom), settings)?;
    let registry = background::start(&shop, tor.node_dial(), tor.dialer(), &tasks);
    start_rates(&shop, &config, tor.web_dial(config.rates.through_tor), &tasks)?;
    let channels = start_alerts(&shop, &config, &tor.ways(), &tasks).await?;
    let services = tor.launch(&shop, &config)?;
    if services.is_none() && !tor.is_broken() {
        onion_services::forget_trouble(&shop).await?;
    }
    let context = Arc::new(JobContext::new(shop.clone(), Arc::clone(&registry), config.clone()));
    let desk = Desk::new(Arc::clone(&context), tor.node_dial(), channels, tasks.clone());
    let interface = http_app(&shop, &config)
        .with_backstage(Arc::new(desk))
        .advertising(services.as_ref().and_then(Services::advertised));
    let onion_address = services.as_ref().and_then(Services::address).map(str::to_owned);
    if let Some(services) = &services {
        interface.readiness().show("onion", services.report());
    } else if tor.is_broken() {
        interface.readiness().show("onion", || serde_json::json!({"reachability": "off"}));
    }
    let readiness = interface.readiness().clone();
    let endpoint: Endpoint = Arc::new(http::app(adapt(interface)).boxed());
    let limiter = ConnectionLimiter::behind(connection_limits(&config), is_trusted_proxy(&config));
    let listeners = Listeners::new(shop.clone(), endpoint, tasks.stopped());
    let local_addr = address_of(&acceptor).unwrap_or(config.http.listen);
    tasks.spawn_to_the_end(listeners.serve(acceptor, Surface::Clearnet, &limiter));
    let admin_addr = serve_operators(&listeners, &config, &tasks).await;
    if let Some(services) = services {
        services.serve(&listeners, &limiter, connection_limits(&config), &tasks);
    }
    tracing::info!(address = %local_addr, "the shop answers");
    let scheduler = start_jobs(context, &tasks).await?;
    let systemd = Systemd::of_process();
    systemd.ready();
    tasks.spawn(systemd.attend(shop.clone(), readiness));
    Ok(App { shop, local_addr, admin_addr, onion_address, tasks, scheduler, lock })
}

async fn bind(address: SocketAddr) -> Result<TcpAcceptor, StartError> {
    let failed = |error: std::io::Error| {
        StartError::Failed(format!(
            "can't listen on {address}: {error}; choose another address with http.listen in the configuration, for \
             the demo with --listen ADDR or make demo DEMO_LISTEN=ADDR"
        ))
    };
    TcpListener::bind(address).into_acceptor().await.map_err(failed)
}

/// What the operator asked for and can't have.
fn warn_without_tor(config: &Config) {
    const REMEDY: &str = "enable [onion] or set onion.socks_proxy";
    if config.probe.policy == ProbePolicy::Reject {
        tracing::warn!("probe.policy is \"reject\", but there is no Tor to probe with: no order is rejected; {REMEDY}");
    }
    if config.rates.enabled && config.rates.through_tor {
        tracing::warn!("there is no Tor to fetch rates through: they are fetched over clearnet; {REMEDY}");
    }
}

/// Where an acceptor listens: the port may have been chosen by the system.
fn address_of(acceptor: &TcpAcceptor) -> Option<SocketAddr> {
    acceptor.local_addr().iter().find_map(|address| address.as_socket_addr().copied())
}

/// Listens for those who run the shop, with places for connections of their own: buyers can't shut them out. A taken
/// address costs the shop this listener and nothing else: it goes on selling.
async fn serve_operators(listeners: &Listeners, config: &Config, tasks: &Tasks) -> Option<SocketAddr> {
    let address = config.http.admin_listen?;
    let acceptor = match TcpListener::bind(address).into_acceptor().await {
        Ok(acceptor) => acceptor,
        Err(error) => {
            tracing::warn!(
                "can't listen on {address} for those who run the shop: {error}; choose another address with \
                 http.admin_listen in the configuration, or \"off\""
            );
            return None;
        }
    };
    let at = address_of(&acceptor);
    let few = ConnectionLimiter::behind(connection_limits(config).for_few(), is_trusted_proxy(config));
    tasks.spawn_to_the_end(listeners.serve(acceptor, Surface::Admin, &few));
    at
}

fn http_app(shop: &Shop, config: &Config) -> http::App {
    let limits = Limits {
        body_bytes: config.http.body_limit_bytes,
        request_time: config.http.request_timeout,
        requests: Rate::per_minute(config.http.requests_per_minute),
        orders: OrderRates::per_hour(
            config.http.orders_per_hour,
            config.http.clearnet_orders_per_hour,
            config.http.circuit_orders_per_hour,
            config.http.onion_orders_per_hour,
        ),
    };
    http::App::new(shop.clone(), limits, is_trusted_proxy(config)).branded(branding(config))
}

/// How the pages look. A logo that can't be read is told of, and done without: the shop sells all the same.
fn branding(config: &Config) -> http::Branding {
    let config::Branding { name, intro, links, abuse_contact, colour, .. } = config.branding.clone();
    let mut branding = http::Branding { name, intro, links, abuse_contact, ..http::Branding::default() };
    if let Some(colour) = colour {
        branding = branding.with_colours(&colour.to_string(), &colour.by_night().to_string());
    }
    match config.branding.read_logo() {
        Ok(Some(logo)) => branding.with_logo(logo.media_type, logo.bytes),
        Ok(None) => branding,
        Err(problem) => {
            tracing::warn!("the pages are shown without a logo: {problem}");
            branding
        }
    }
}

fn is_trusted_proxy(config: &Config) -> Box<IsTrusted> {
    let proxies = config.http.trusted_proxies.clone();
    Box::new(move |address| proxies.iter().any(|network| network.contains(address)))
}

/// What limits connections, over TCP and through the onion service alike.
const fn connection_limits(config: &Config) -> ConnectionLimits {
    ConnectionLimits {
        max_connections: config.http.max_connections,
        header_time: config.http.header_timeout,
        request_time: config.http.request_timeout,
        idle_time: config.http.idle_timeout,
    }
}

/// Rates are fetched in the background; nothing waits for them.
fn start_rates(shop: &Shop, config: &Config, dial: Dial, tasks: &Tasks) -> Result<(), StartError> {
    let provider =
        Provider::new(&config.rates.url, dial).map_err(|error| StartError::Failed(format!("rates.url: {error}")))?;
    let (provider, asking) = (Arc::new(provider), shop.clone());
    tasks.keep(shop, "exchange rates", move || background::rates::run(asking.clone(), Arc::clone(&provider)));
    Ok(())
}

/// Alerts are told outside of the shop in the background, and the heartbeat is sent.
async fn start_alerts(shop: &Shop, config: &Config, ways: &Ways, tasks: &Tasks) -> Result<Arc<Channels>, StartError> {
    let channels = Arc::new(Channels::new(&config.alerts, ways));
    Messenger::new(shop.clone(), Arc::clone(&channels), config.message_rules()).start(tasks).await?;
    if let Some(heartbeat) = Heartbeat::new(&config.alerts, ways) {
        let watched = shop.clone();
        tasks.keep(shop, "the heartbeat", move || alerts::beat(watched.clone(), heartbeat.clone()));
    }
    Ok(channels)
}

async fn start_jobs(context: Arc<JobContext>, tasks: &Tasks) -> Result<Scheduler, StartError> {
    let scheduler = Scheduler::start(Arc::clone(&context)).await?;
    tasks.spawn(async move { run::catch_up(&context).await });
    Ok(scheduler)
}

impl App {
    /// Where the shop listens.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Where it listens for those who run it, if it does.
    pub const fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin_addr
    }

    /// A link with which the first administrator can be made; `None` when there is one, or where nobody could open it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn first_run_link(&self) -> Result<Option<String>, StartError> {
        let Some(address) = self.admin_addr else { return Ok(None) };
        let random = Arc::clone(&self.shop.random);
        let key = self.shop.tx(&Principal::Shop, move |tx| first_run::new_link(tx, &*random)).await?;
        Ok(key.map(|key| first_run::link(address, &key)))
    }

    /// The onion address, when the shop has one.
    pub fn onion_address(&self) -> Option<&str> {
        self.onion_address.as_deref()
    }

    /// Whether any Lightning node can be used now.
    pub fn has_usable_node(&self) -> bool {
        self.shop.db.read(node_state::counts).is_ok_and(|(_, alive)| alive > 0)
    }

    /// Stops taking requests, lets those under way finish, and ends all tasks. What is left to do
    /// is in the database. Returns the lock of the data folder, for one who has more to end in it.
    pub async fn stop(mut self) -> InstanceLock {
        Systemd::of_process().stopping();
        self.scheduler.stop().await;
        self.tasks.stop().await;
        if let Err(error) = clock::end(&self.shop).await.and(hosts::check_ins::store_all(&self.shop).await) {
            tracing::warn!(%error, "the last check-ins can't be stored");
        }
        self.lock
    }
}

/// Returns at SIGINT or SIGTERM.
pub async fn wait_for_signal() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping");
}
