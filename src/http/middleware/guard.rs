//! What surrounds every request, whatever it asks for: the client's rate, the time-out, and an
//! answer also when something panics.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use http::StatusCode;
use poem::{Endpoint, IntoResponse, Request, Response};

use crate::domain::texts::Message;
use crate::http::App;
use crate::http::pages::{self, Visit};
use crate::http::problem::Problem;
use crate::http::security;
use crate::http::server::body_wait::BodyWait;
use crate::http::server::client::Origin;
use crate::http::server::connection_state::ConnectionState;
use crate::http::server::surface::{Surface, advertise};

/// The guard around an endpoint.
pub struct RequestMiddleware<E> {
    app: Arc<App>,
    inner: E,
}

impl<E> RequestMiddleware<E> {
    /// Puts the guard around `inner`.
    pub const fn new(app: Arc<App>, inner: E) -> Self {
        Self { app, inner }
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for RequestMiddleware<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let (surface, uri) = (Surface::of(&request), request.uri().clone());
        let reader = pages::reader(&self.app, &request);
        let outcome = match self.admit(&request, surface) {
            Ok(()) => self.answer(request).await,
            Err(problem) => Err(Failure::Problem(problem)),
        };
        let response = outcome.unwrap_or_else(|failure| failure.answer(reader.as_ref()));
        let mut response = for_scripts(uri.path(), response);
        advertise(self.app.advertised.as_deref(), surface, &uri, &mut response);
        security::add_headers(&mut response);
        self.app.answered.count(response.status());
        Ok(response)
    }
}

impl<E: Endpoint<Output = Response>> RequestMiddleware<E> {
    /// Whether a request is looked at at all.
    fn admit(&self, request: &Request, surface: Surface) -> Result<(), Problem> {
        if surface.is_limited() {
            let client = Origin::client_of(request, &*self.app.is_trusted_proxy);
            self.app.requests.admit(&client, self.app.shop.now()).map_err(Problem::throttled)?;
        }
        security::check_host(request.version(), request.headers())?;
        security::check_transfer(request.headers())
    }

    /// An answer, or why there is none, whatever happens inside.
    async fn answer(&self, mut request: Request) -> Result<Response, Failure> {
        let state = request.extensions().get::<Arc<ConnectionState>>().cloned();
        let body = BodyWait::at(state);
        request.extensions_mut().insert(body.clone());
        let work = AssertUnwindSafe(self.inner.call(request)).catch_unwind();
        match tokio::time::timeout(self.app.limits.request_time, work).await {
            Ok(Ok(Ok(response))) => Ok(response),
            Ok(Ok(Err(error))) => Err(of_routing(&error)),
            Ok(Err(_)) => Err(Failure::Problem(Problem::internal("a handler panicked"))),
            Err(_) => Err(Failure::Problem(body.problem())),
        }
    }
}

/// The lists that hosts' scripts ask for.
const SCRIPT_LISTS: [&str; 2] = ["/api/v1/tor_bridges/", "/api/v1/nostr_aliases/"];

/// There are scripts that take whatever is neither empty nor a list for "there are none", and remove all forwards. What
/// says only that the shop can't answer now has no body there.
fn for_scripts(path: &str, mut response: Response) -> Response {
    let can_not_now = response.status() == StatusCode::TOO_MANY_REQUESTS || response.status().is_server_error();
    if can_not_now && SCRIPT_LISTS.contains(&path) {
        response.set_body(());
        response.headers_mut().remove(http::header::CONTENT_TYPE);
    }
    response
}

/// Why nobody has answered.
enum Failure {
    /// The path leads nowhere.
    NoPath,
    /// Anything else.
    Problem(Problem),
}

impl Failure {
    /// The answer: a page to who reads pages.
    fn answer(self, reader: Option<&Visit>) -> Response {
        match (self, reader) {
            (Self::NoPath, Some(reader)) => pages::answer(reader, &Problem::not_found()),
            (Self::NoPath, None) => pages::not_found(),
            (Self::Problem(problem), Some(reader)) => pages::answer(reader, &problem),
            (Self::Problem(problem), None) => problem.into_response(),
        }
    }
}

/// Errors of the router: nothing else of poem's may be seen.
fn of_routing(error: &poem::Error) -> Failure {
    if let Some(problem) = error.downcast_ref::<Problem>() {
        return Failure::Problem(problem.clone());
    }
    match error.status() {
        StatusCode::NOT_FOUND => Failure::NoPath,
        status if status.is_client_error() => Failure::Problem(Problem::detail(status, Message::NotUnderstood)),
        _ => Failure::Problem(Problem::internal(&error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use poem::endpoint::make;

    use super::*;
    use crate::domain::id::SystemRandom;
    use crate::domain::time::SystemClock;
    use crate::http::Limits;
    use crate::services::{Settings, Shop};
    use crate::store::Db;

    fn app(dir: &tempfile::TempDir) -> Arc<App> {
        let db = Db::open(&dir.path().join("shop.sqlite3")).unwrap();
        let shop = Shop::new(db, Arc::new(SystemClock), Arc::new(SystemRandom), Settings::default()).unwrap();
        let limits = Limits { request_time: Duration::from_millis(50), ..Limits::default() };
        Arc::new(App::new(shop, limits, Box::new(|_| false)))
    }

    fn request() -> Request {
        Request::builder().header("host", "shop.example").finish()
    }

    async fn breaks(_: Request) -> poem::Result<Response> {
        panic!("a secret detail")
    }

    #[tokio::test]
    async fn a_panic_is_answered_with_nothing_but_an_id() {
        let dir = tempfile::tempdir().unwrap();
        let broken = make(breaks);
        let mut response = RequestMiddleware::new(app(&dir), broken).get_response(request()).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = response.take_body().into_string().await.unwrap();
        assert!(
            body.starts_with("{\"detail\":\"Internal error. The operator finds it as ") && !body.contains("secret")
        );
    }

    #[tokio::test]
    async fn work_that_takes_too_long_is_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let endless = make(|_| std::future::pending::<poem::Result<Response>>());
        let response = RequestMiddleware::new(app(&dir), endless).get_response(request()).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn a_host_that_asks_for_its_list_gets_no_text_that_its_script_would_take_for_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        let guard = RequestMiddleware::new(app(&dir), make(breaks));
        for (path, is_empty) in [("/api/v1/tor_bridges/?status=A", true), ("/api/v1/tor_bridges/x/", false)] {
            let request = Request::builder().uri_str(path).header("host", "shop").finish();
            let mut response = guard.get_response(request).await;
            assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert_eq!(response.take_body().into_vec().await.unwrap().is_empty(), is_empty, "{path}");
        }
    }

    #[tokio::test]
    async fn a_body_that_does_not_come_is_the_clients_fault() {
        let dir = tempfile::tempdir().unwrap();
        let hungry = make(async |request: Request| {
            BodyWait::on(&request, std::future::pending::<()>()).await;
            poem::Result::<Response>::Ok(Response::default())
        });
        let response = RequestMiddleware::new(app(&dir), hungry).get_response(request()).await;
        assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
        let slow = make(async |request: Request| {
            BodyWait::on(&request, std::future::ready(())).await;
            std::future::pending::<poem::Result<Response>>().await
        });
        let response = RequestMiddleware::new(app(&dir), slow).get_response(request()).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE, "once it has come it is ours");
    }
}
