//! Serves connections of any kind, TCP and the onion service alike: HTTP/1.1 and nothing else, since the
//! one protocol spoken here is hyper's first. What a connection may do is limited in [`super::connection_state`], how many
//! there are in [`super::connection_limiter`].

use std::sync::Arc;
use std::time::Duration;

use poem::listener::Acceptor;
use poem::{Endpoint, Response};
use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connection;
use super::connection::Ends;
use super::connection_limiter::{ConnectionLimiter, ConnectionPermit};

/// Waiting after a failed `accept`: most failures (no more file descriptors) pass by themselves.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(200);
/// How long requests may go on once the shop is stopping.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves `app` to what comes on an acceptor, which stays here: whoever accepts may panic and be begun anew.
pub struct Listener<A, E> {
    /// None once it is closed.
    acceptor: Mutex<Option<A>>,
    app: Arc<E>,
    limiter: Arc<ConnectionLimiter>,
    connections: TaskTracker,
    stopping: CancellationToken,
    killed: CancellationToken,
}

impl<A, E> Listener<A, E>
where
    A: Acceptor + 'static,
    E: Endpoint<Output = Response> + 'static,
{
    /// Serves nothing yet; whoever connects waits.
    pub fn new(acceptor: A, app: Arc<E>, limiter: Arc<ConnectionLimiter>) -> Self {
        for address in acceptor.local_addr() {
            tracing::info!(%address, "listening");
        }
        Self {
            acceptor: Mutex::new(Some(acceptor)),
            app,
            limiter,
            connections: TaskTracker::new(),
            stopping: CancellationToken::new(),
            killed: CancellationToken::new(),
        }
    }

    /// Serves until `stop` is ready, then lets running requests end. After a panic it can be called again: neither
    /// the acceptor nor a connection is lost by it.
    pub async fn serve(&self, stop: impl Future<Output = ()>) {
        self.accept_until(stop).await;
        self.stopping.cancel();
        self.connections.close();
        if timeout(SHUTDOWN_TIMEOUT, self.connections.wait()).await.is_err() {
            self.killed.cancel();
            self.connections.wait().await;
        }
    }

    /// Takes connections, and closes the acceptor at the end.
    async fn accept_until(&self, stop: impl Future<Output = ()>) {
        let mut open = self.acceptor.lock().await;
        let mut stop = std::pin::pin!(stop);
        while let Some(acceptor) = open.as_mut() {
            let (io, ends, place) = tokio::select! {
                () = &mut stop => break,
                next = next(acceptor, &self.limiter) => next,
            };
            // In a box, since what watches over it would hold room for it twice.
            let connection = Box::pin(connection::serve(io, ends, place, Arc::clone(&self.app), self.stopping.clone()));
            self.connections.spawn(self.killed.clone().run_until_cancelled_owned(connection));
        }
        *open = None;
    }
}

/// The next connection that has a place.
async fn next<A: Acceptor>(acceptor: &mut A, limiter: &Arc<ConnectionLimiter>) -> (A::Io, Ends, ConnectionPermit) {
    loop {
        limiter.room().await;
        match acceptor.accept().await {
            // Without a place for its client the connection is closed at once.
            Ok((io, local, remote, scheme)) => {
                if let Some(place) = limiter.admit(&remote.0) {
                    return (io, Ends { local, remote, scheme }, place);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
}
