//! The HTTP interface: the API that clients rely on, the host push, pictures of payment requests,
//! health, documentation. Everything here translates; decisions are in `services`.

mod answer;
mod api;
pub mod auth;
mod call;
pub mod client;
mod extract;
mod frame;
mod input;
mod language;
mod metadata;
mod negotiate;
mod pages;
mod paths;
mod problem;
mod resources;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use poem::{Endpoint, EndpointExt, Response, Route};

use self::auth::Authority;
use self::client::IsTrusted;
use self::frame::Frame;
use crate::services::Shop;
use crate::services::hosts::CatalogCache;

/// How much one client may ask for.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The largest body, in bytes.
    pub body_bytes: usize,
    /// A request that takes longer is given up.
    pub request_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes: 64 * 1024, request_time: Duration::from_secs(30) }
    }
}

/// Everything that requests share.
pub struct App {
    /// The shop.
    pub shop: Shop,
    /// The public host list.
    pub catalog: CatalogCache,
    /// Checks credentials.
    pub auth: Arc<dyn Authority>,
    /// Whose `X-Forwarded-*` headers count.
    pub is_trusted_proxy: Box<IsTrusted>,
    /// How much one client may ask for.
    pub limits: Limits,
}

impl App {
    /// A shop behind default limits that trusts no proxy.
    pub fn new(shop: Shop, auth: Arc<dyn Authority>) -> Self {
        let (catalog, limits) = (CatalogCache::default(), Limits::default());
        Self { shop, catalog, auth, is_trusted_proxy: Box::new(|_| false), limits }
    }

    /// Lets a new order of this client in, or says when to try again.
    fn admit_order(&self, client: &client::Client) -> Result<(), problem::Problem> {
        let _ = client;
        Ok(())
    }
}

/// All of the HTTP interface, for any listener.
pub fn app(app: App) -> impl Endpoint<Output = Response> + 'static {
    let app = Arc::new(app);
    Route::new()
        .nest_no_strip("/api/v1", Frame::new(Arc::clone(&app), api::operations()))
        .at("/", poem::endpoint::make_sync(|_| pages::front()))
        .catch_all_error(|_| async { pages::not_found() })
        .map_to_response()
}
