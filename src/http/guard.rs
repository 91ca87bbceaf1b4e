//! What surrounds every request, whatever it asks for: the client's rate, the time-out, and an
//! answer also when something panics.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use http::StatusCode;
use poem::{Endpoint, IntoResponse, Request, Response};

use super::App;
use super::client::Origin;
use super::pages;
use super::problem::Problem;
use super::surface::{Surface, advertise};

/// The guard around an endpoint.
pub struct Guard<E> {
    app: Arc<App>,
    inner: E,
}

impl<E> Guard<E> {
    /// Puts the guard around `inner`.
    pub const fn new(app: Arc<App>, inner: E) -> Self {
        Self { app, inner }
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for Guard<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let surface = request.extensions().get::<Surface>().copied().unwrap_or_default();
        if surface.is_limited() {
            let client = Origin::client_of(&request, &*self.app.is_trusted_proxy);
            if let Err(secs) = self.app.requests.admit(&client, self.app.shop.now()) {
                return Ok(Problem::throttled(secs).into_response());
            }
        }
        let uri = request.uri().clone();
        let mut response = self.answer(request).await;
        advertise(self.app.advertised.as_deref(), surface, &uri, &mut response);
        Ok(response)
    }
}

impl<E: Endpoint<Output = Response>> Guard<E> {
    /// An answer, whatever happens inside.
    async fn answer(&self, request: Request) -> Response {
        let work = AssertUnwindSafe(self.inner.call(request)).catch_unwind();
        let answer = match tokio::time::timeout(self.app.limits.request_time, work).await {
            Ok(Ok(Ok(response))) => Ok(response),
            Ok(Ok(Err(error))) => Ok(of_routing(&error)),
            Ok(Err(_)) => Err(Problem::internal("a handler panicked")),
            Err(_) => Err(Problem::detail(StatusCode::SERVICE_UNAVAILABLE, "This took too long. Please try again.")),
        };
        answer.unwrap_or_else(IntoResponse::into_response)
    }
}

/// Errors of the router: nothing else of poem's may be seen.
fn of_routing(error: &poem::Error) -> Response {
    if let Some(problem) = error.downcast_ref::<Problem>() {
        return problem.clone().into_response();
    }
    match error.status() {
        StatusCode::NOT_FOUND => pages::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => {
            Problem::detail(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed.").into_response()
        }
        status if status.is_client_error() => {
            Problem::detail(status, "The request is not understood here.").into_response()
        }
        _ => Problem::internal(&error.to_string()).into_response(),
    }
}
