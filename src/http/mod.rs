//! The HTTP interface: the API that clients rely on, pages for people, the host push, pictures of payment requests,
//! health, documentation. Everything here translates; decisions are in `services`.

mod admin;
mod answered;
mod branding;
mod contract;
mod docs;
mod event_limit;
mod health;
mod kept_pages;
mod media;
mod metrics;
pub mod middleware;
mod pages;
mod problem;
mod problem_content;
mod push;
mod push_limit;
mod response;
mod security;
pub mod server;
mod state;
mod url_encoded;
mod watch_limit;

use std::sync::Arc;

use poem::endpoint::{make, make_sync};
use poem::{Endpoint, Request, Response, Route, get};

use self::contract::dispatch::ContractDispatcher;
use self::middleware::get_only::GetOnly;
use self::middleware::guard::RequestMiddleware;

pub use self::branding::Branding;
pub use self::docs::{openapi_document, openapi_json};
pub use self::health::{Readiness, readiness_of};
pub use self::server::bodies::BODY_BYTES;
pub use self::server::surface::Surface;
#[cfg(feature = "demo")]
pub use self::state::Wallet;
pub use self::state::{App, Limits};

/// The limiters of rates: of requests, and of orders of each kind.
const LIMITERS: usize = 6;
/// What the circuits of the onion service take here, in bytes, when as many are open as may be by default: a
/// place and a task for each. What Tor itself keeps of them is limited by its own settings.
const CIRCUITS_BYTES: usize = 512 * 1024;

/// Everything that strangers can make the process remember, each with its bound in bytes at the default
/// settings; in all less than 16 MiB.
pub const REMEMBERED: [(&str, usize); 10] = [
    ("connections", server::connection_limiter::MOST_BYTES),
    ("large bodies", server::bodies::MOST_BYTES),
    ("rates", LIMITERS * middleware::rate_limit::MOST_BYTES),
    ("wrong passwords", crate::services::operators::authenticate::MOST_BYTES),
    ("failed logins", crate::services::operators::login::MOST_BYTES),
    ("pictures", media::MOST_BYTES),
    ("kept pages", kept_pages::MOST_BYTES),
    ("onion circuits", CIRCUITS_BYTES),
    ("streams of orders", watch_limit::MOST_BYTES),
    ("warnings of the log", crate::services::log_ring::MOST_BYTES),
];

/// All of the HTTP interface, for any listener.
pub fn app(app: App) -> impl Endpoint<Output = Response> + 'static {
    let app = Arc::new(app);
    let (ready, pictures, pushes) = (Arc::clone(&app), Arc::clone(&app), Arc::clone(&app));
    let measured = Arc::clone(&app);
    let routes = Route::new()
        .nest_no_strip("/api/v1/admin", admin::Frame::new(Arc::clone(&app), admin::operations()))
        .nest_no_strip("/admin", GetOnly(admin::Screens))
        .nest_no_strip("/api/v1", ContractDispatcher::new(Arc::clone(&app), contract::operations::operations()))
        .at("/docs", GetOnly(get(make_sync(|request: Request| pages::add_slash(request.uri())))))
        .at("/docs/", GetOnly(get(make_sync(|request: Request| docs::page(request.headers()).unwrap_or_default()))))
        .at("/openapi.yaml", GetOnly(get(make_sync(|_| docs::document()))))
        .at("/healthz", GetOnly(get(make_sync(|_| health::healthz()))))
        .at(
            "/readyz",
            GetOnly(get(make(move |_: Request| {
                let app = Arc::clone(&ready);
                async move { poem::Result::<Response>::Ok(health::readyz(&app.shop, &app.readiness).await) }
            }))),
        )
        .at(
            "/metrics",
            GetOnly(get(make(move |request: Request| {
                let app = Arc::clone(&measured);
                async move { poem::Result::<Response>::Ok(metrics::answer(&app, &request).await) }
            }))),
        )
        .at(
            "/media/invoices/:year/:month/:file",
            GetOnly(get(make_sync(move |request| {
                media::qr_image(&pictures.pictures, &pictures.shop, &request)
                    .unwrap_or_else(poem::IntoResponse::into_response)
            }))),
        )
        .at(
            "/shop/host",
            GetOnly(get(make(move |request: Request| {
                let app = Arc::clone(&pushes);
                async move { poem::Result::<Response>::Ok(push::connect(&app, &request).await?) }
            }))),
        );
    let routes = pages::routes(&app, routes);
    RequestMiddleware::new(app, routes)
}
