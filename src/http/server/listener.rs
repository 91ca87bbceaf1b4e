//! Serves connections of any kind, TCP and the onion service alike: HTTP/1.1 and nothing else, since the
//! one protocol spoken here is hyper's first. What a connection may do is limited in [`super::connection_state`], how many
//! there are in [`super::connection_limiter`].

use std::sync::Arc;
use std::time::Duration;

use poem::listener::Acceptor;
use poem::{Endpoint, Response};
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

/// Serves `app` on `acceptor` until `stop` is ready, then lets running requests end.
pub async fn serve<A, E, S>(mut acceptor: A, app: Arc<E>, limiter: Arc<ConnectionLimiter>, stop: S)
where
    A: Acceptor + 'static,
    E: Endpoint<Output = Response> + 'static,
    S: Future<Output = ()>,
{
    for address in acceptor.local_addr() {
        tracing::info!(%address, "listening");
    }
    let (connections, stopping, killed) = (TaskTracker::new(), CancellationToken::new(), CancellationToken::new());
    let mut stop = std::pin::pin!(stop);
    loop {
        let (io, ends, place) = tokio::select! {
            () = &mut stop => break,
            next = next(&mut acceptor, &limiter) => next,
        };
        // In a box, since what watches over it would hold room for it twice.
        let connection = Box::pin(connection::serve(io, ends, place, Arc::clone(&app), stopping.clone()));
        connections.spawn(killed.clone().run_until_cancelled_owned(connection));
    }
    drop(acceptor);
    stopping.cancel();
    connections.close();
    if timeout(SHUTDOWN_TIMEOUT, connections.wait()).await.is_err() {
        killed.cancel();
        connections.wait().await;
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
