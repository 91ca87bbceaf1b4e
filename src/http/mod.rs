//! The HTTP interface: the API that clients rely on, the host push, pictures of payment requests,
//! health, documentation. Everything here translates; decisions are in `services`.

mod contract;
mod docs;
mod health;
mod language;
mod media;
pub mod middleware;
mod pages;
mod problem;
mod push;
pub mod server;

use std::sync::Arc;
use std::time::Duration;

use poem::endpoint::{make, make_sync};
use poem::{Endpoint, Request, Response, Route, get};

use self::contract::dispatch::Frame;
use self::media::Pictures;
use self::middleware::get_only::Reads;
use self::middleware::guard::Guard;
use self::middleware::order_limit::{OrderLimiters, OrderRates};
use self::middleware::rate_limit::{Limiter, Rate};
use self::server::bodies::Bodies;
use self::server::client::IsTrusted;
use crate::services::Shop;
use crate::services::auth::Authenticator;
use crate::services::hosts::CatalogCache;

pub use self::docs::{openapi_document, openapi_json};
pub use self::health::Readiness;
pub use self::server::surface::Surface;

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

/// The largest body, in bytes, unless the operator says otherwise.
pub const BODY_BYTES: usize = 64 << 10;

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

/// Everything that requests share.
pub struct App {
    shop: Shop,
    auth: Authenticator,
    catalog: CatalogCache,
    is_trusted_proxy: Box<IsTrusted>,
    limits: Limits,
    requests: Limiter,
    orders: OrderLimiters,
    bodies: Bodies,
    pictures: Pictures,
    pushes: push::Connections,
    readiness: Readiness,
    /// The onion address that pages on clearnet name, as `http://<address>.onion`.
    advertised: Option<String>,
}

impl App {
    /// A shop behind HTTP. `is_trusted_proxy` says whose `X-Forwarded-*` headers count.
    pub fn new(shop: Shop, limits: Limits, is_trusted_proxy: Box<IsTrusted>) -> Self {
        Self {
            auth: Authenticator::new(shop.db.clone(), Arc::clone(&shop.clock), &*shop.random),
            shop,
            catalog: CatalogCache::default(),
            is_trusted_proxy,
            requests: Limiter::new(limits.requests),
            orders: OrderLimiters::new(limits.orders),
            bodies: Bodies::new(limits.body_bytes),
            pictures: Pictures::default(),
            pushes: push::Connections::default(),
            readiness: Readiness::default(),
            advertised: None,
            limits,
        }
    }

    /// Lets pages on clearnet name an onion address, given as `http://<address>.onion`.
    pub fn advertising(self, onion: Option<String>) -> Self {
        Self { advertised: onion, ..self }
    }

    /// Where other parts of the shop tell how they are.
    pub fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }
}

/// The limiters of rates: of requests, and of orders of each kind.
const LIMITERS: usize = 6;
/// What the circuits of the onion service take here, in bytes, when as many are open as may be by default: a
/// place and a task for each. What Tor itself keeps of them is limited by its own settings.
const CIRCUITS_BYTES: usize = 512 * 1024;

/// Everything that strangers can make the process remember, each with its bound in bytes at the default
/// settings; in all less than 16 MiB.
pub const REMEMBERED: [(&str, usize); 7] = [
    ("connections", server::seats::MOST_BYTES),
    ("large bodies", server::bodies::MOST_BYTES),
    ("rates", LIMITERS * middleware::rate_limit::MOST_BYTES),
    ("failed logins", crate::services::auth::MOST_BYTES),
    ("pictures", media::MOST_BYTES),
    ("documents", docs::MOST_BYTES),
    ("onion circuits", CIRCUITS_BYTES),
];

/// All of the HTTP interface, for any listener.
pub fn app(app: App) -> impl Endpoint<Output = Response> + 'static {
    let app = Arc::new(app);
    let (ready, pictures, pushes) = (Arc::clone(&app), Arc::clone(&app), Arc::clone(&app));
    let routes = Route::new()
        .nest_no_strip("/api/v1", Frame::new(Arc::clone(&app), contract::operations::operations()))
        .at("/", Reads(get(make_sync(|_| pages::front()))))
        .at("/docs", Reads(get(make_sync(|request: Request| pages::add_slash(request.uri())))))
        .at("/docs/", Reads(get(make_sync(|_| pages::docs()))))
        .at("/openapi.yaml", Reads(get(make_sync(|_| pages::document()))))
        .at("/healthz", Reads(get(make_sync(|_| health::healthz()))))
        .at(
            "/readyz",
            Reads(get(make(move |_: Request| {
                let app = Arc::clone(&ready);
                async move { poem::Result::<Response>::Ok(health::readyz(&app).await) }
            }))),
        )
        .at(
            "/media/invoices/:year/:month/:file",
            Reads(get(make_sync(move |request| {
                media::qr_image(&pictures, &request).unwrap_or_else(poem::IntoResponse::into_response)
            }))),
        )
        .at(
            "/shop/host",
            Reads(get(make(move |request: Request| {
                let app = Arc::clone(&pushes);
                async move { poem::Result::<Response>::Ok(push::connect(&app, &request).await?) }
            }))),
        );
    Guard::new(app, routes)
}
