//! What all requests share: the shop, who may ask for how much, and what is kept in memory.

use std::sync::Arc;
use std::time::Duration;

use super::answered::Answered;
use super::branding::Branding;
use super::health::Readiness;
use super::kept_pages::KeptPages;
use super::media::Pictures;
use super::middleware::order_limit::{OrderLimiters, OrderRates};
use super::middleware::rate_limit::{Limiter, Rate};
use super::server::bodies::{BODY_BYTES, Bodies};
use super::server::client::IsTrusted;
use super::{event_limit, push_limit, watch_limit};
use crate::services::Shop;
use crate::services::backstage::Backstage;
use crate::services::hosts::catalog::CatalogCache;
use crate::services::operators::authenticate::Authenticator;
use crate::services::operators::login::Logins;

/// How much one client may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body_bytes: usize,
    /// A request that takes longer is given up.
    pub request_time: Duration,
    /// Requests of one client.
    pub requests: Rate,
    /// New orders.
    pub orders: OrderRates,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: BODY_BYTES,
            request_time: Duration::from_secs(30),
            // A RaspiBlitz polls every two seconds; several may share an address.
            requests: Rate::per_minute(1200),
            orders: OrderRates::default(),
        }
    }
}

/// Pays a payment request, or says why it can't.
#[cfg(feature = "demo")]
pub type Wallet = Box<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// Everything that requests share.
pub struct App {
    pub(super) shop: Shop,
    pub(super) auth: Authenticator,
    pub(super) logins: Logins,
    pub(super) catalog: CatalogCache,
    pub(super) kept_pages: KeptPages,
    pub(super) is_trusted_proxy: Box<IsTrusted>,
    pub(super) limits: Limits,
    pub(super) requests: Limiter,
    pub(super) answered: Answered,
    pub(super) orders: OrderLimiters,
    pub(super) bodies: Bodies,
    pub(super) pictures: Pictures,
    pub(super) pushes: push_limit::Connections,
    pub(super) readiness: Readiness,
    pub(super) branding: Branding,
    /// What pays on the demo's order page.
    #[cfg(feature = "demo")]
    pub(super) wallet: Option<Wallet>,
    /// The onion address that pages on clearnet name, as `http://<address>.onion`.
    pub(super) advertised: Option<String>,
    /// What runs beside the answers, for those who run the shop.
    pub(super) backstage: Option<Arc<dyn Backstage>>,
    /// Who listens to what changes.
    pub(super) listeners: event_limit::Listeners,
    /// Who follows an order.
    pub(super) watchers: watch_limit::Watchers,
}

impl App {
    /// A shop behind HTTP. `is_trusted_proxy` says whose `X-Forwarded-*` headers count.
    pub fn new(shop: Shop, limits: Limits, is_trusted_proxy: Box<IsTrusted>) -> Self {
        Self {
            auth: Authenticator::new(shop.db.clone(), Arc::clone(&shop.clock), &*shop.random),
            logins: Logins::default(),
            shop,
            catalog: CatalogCache::default(),
            kept_pages: KeptPages::default(),
            is_trusted_proxy,
            requests: Limiter::new(limits.requests),
            answered: Answered::default(),
            orders: OrderLimiters::new(limits.orders),
            bodies: Bodies::new(limits.body_bytes),
            pictures: Pictures::default(),
            pushes: push_limit::Connections::default(),
            readiness: Readiness::default(),
            branding: Branding::default(),
            #[cfg(feature = "demo")]
            wallet: None,
            advertised: None,
            backstage: None,
            listeners: event_limit::Listeners::default(),
            watchers: watch_limit::Watchers::default(),
            limits,
        }
    }

    /// Lets those who run the shop turn to what runs beside the answers.
    pub fn with_backstage(self, backstage: Arc<dyn Backstage>) -> Self {
        Self { backstage: Some(backstage), ..self }
    }

    /// Lets pages on clearnet name an onion address, given as `http://<address>.onion`.
    pub fn advertising(self, onion: Option<String>) -> Self {
        Self { advertised: onion, ..self }
    }

    /// Gives the pages their look.
    pub fn branded(self, branding: Branding) -> Self {
        Self { branding, ..self }
    }

    /// Lets the order page pay with the demo's simulated wallet. A shop that sells has none, and no such path.
    #[cfg(feature = "demo")]
    pub fn paying_with(self, wallet: Option<Wallet>) -> Self {
        Self { wallet, ..self }
    }

    /// Where other parts of the shop tell how they are.
    pub fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }
}
