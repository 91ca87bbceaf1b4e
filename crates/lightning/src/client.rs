//! The HTTP client of a call. It notes when the call met a connection that had lain in the pool and was dead: a node
//! that was restarted leaves such connections behind, and nobody knows before the next call is sent over one.

use std::error::Error;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::{Extensions, Request, Response};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::{Client, Error as ClientError};
use tokio::time::Instant;

use super::connector::{Connector, MadeAt};

/// The HTTP client over a node's connector; `B` is the request body. Clones are about the same call.
pub struct HttpClient<B> {
    client: Client<Connector, B>,
    /// When the call began: what was connected before was not made for it.
    begun: Instant,
    met_dead: Arc<AtomicBool>,
}

impl<B> Clone for HttpClient<B> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), begun: self.begun, met_dead: Arc::clone(&self.met_dead) }
    }
}

impl<B> HttpClient<B>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    /// That of a call which begins now.
    pub fn new(client: Client<Connector, B>) -> Self {
        Self { client, begun: Instant::now(), met_dead: Arc::default() }
    }

    /// Whether the call failed because it was sent over an old connection that was dead.
    pub fn has_met_dead_connection(&self) -> bool {
        self.met_dead.load(Ordering::Relaxed)
    }

    /// Sends a request.
    ///
    /// # Errors
    /// Those of the connection.
    pub fn request(
        &self,
        request: Request<B>,
    ) -> impl Future<Output = Result<Response<Incoming>, ClientError>> + Send + 'static {
        let (answer, begun, met_dead) = (self.client.request(request), self.begun, Arc::clone(&self.met_dead));
        async move {
            let answer = answer.await;
            if answer.as_ref().is_err_and(|error| was_connected_before(error, begun) && says_dead(error)) {
                met_dead.store(true, Ordering::Relaxed);
            }
            answer
        }
    }
}

impl<B> tower_service::Service<Request<B>> for HttpClient<B>
where
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<Incoming>;
    type Error = ClientError;
    type Future = BoxFuture<'static, Result<Self::Response, ClientError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ClientError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        Box::pin(self.request(request))
    }
}

fn was_connected_before(error: &ClientError, begun: Instant) -> bool {
    let mut extras = Extensions::new();
    if let Some(connection) = error.connect_info() {
        connection.get_extras(&mut extras);
    }
    extras.get::<MadeAt>().is_some_and(|made| made.0 < begun)
}

/// Whether the connection as a whole is gone. HTTP/2 may end a single call, too: that is an answer of the node's.
fn says_dead(error: &ClientError) -> bool {
    let mut next: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(cause) = next {
        let ended = |error: &hyper::Error| error.is_incomplete_message() || error.is_closed() || error.is_canceled();
        if cause.is::<io::Error>() || cause.downcast_ref().is_some_and(ended) {
            return true;
        }
        next = cause.source();
    }
    false
}
