//! The listeners in the composition, over TCP and of the onion services: each one goes on after a defect.

use std::sync::Arc;
use std::time::Duration;

use poem::EndpointExt;
use poem::listener::Acceptor;
use tokio_util::sync::CancellationToken;

use super::parts::Endpoint;
use crate::background::kept;
use crate::http::Surface;
use crate::http::server::connection_limiter::ConnectionLimiter;
use crate::http::server::listener::Listener;
use crate::services::Shop;

/// What the listeners of a shop have in common.
pub struct Listeners {
    shop: Shop,
    endpoint: Endpoint,
    stop: CancellationToken,
    /// Before one that has panicked accepts again.
    pause: Duration,
}

impl Listeners {
    /// Listeners that serve `endpoint` until `stop` is cancelled.
    pub const fn new(shop: Shop, endpoint: Endpoint, stop: CancellationToken) -> Self {
        Self { shop, endpoint, stop, pause: kept::PAUSE }
    }

    /// Serves one surface until the end. A panic while accepting is told, and the same acceptor is used again: without
    /// that the shop would run on, and nobody could reach it any more.
    pub fn serve<A: Acceptor + 'static>(
        &self,
        acceptor: A,
        surface: Surface,
        limiter: &Arc<ConnectionLimiter>,
    ) -> impl Future<Output = ()> + Send + use<A> {
        let endpoint = Arc::new(Arc::clone(&self.endpoint).data(surface).map_to_response());
        let listener = Arc::new(Listener::new(acceptor, endpoint, Arc::clone(limiter)));
        let stop = self.stop.clone();
        kept::kept_with(self.shop.clone(), name(surface).to_owned(), self.pause, move || {
            let (listener, stop) = (Arc::clone(&listener), stop.clone());
            async move { listener.serve(stop.cancelled()).await }
        })
    }
}

/// What the operator reads in the alert.
const fn name(surface: Surface) -> &'static str {
    match surface {
        Surface::Clearnet => "the listener over TCP",
        Surface::Onion => "the listener of the onion service",
        Surface::Operators => "the listener of the operators' onion service",
        Surface::Admin => "the listener for operators over TCP",
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use http::uri::Scheme;
    use poem::web::{LocalAddr, RemoteAddr};
    use poem::{Addr, Response};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;
    use crate::http::server::limits::ConnectionLimits;
    use crate::services::test_support::shop_in;
    use crate::store::alerts;

    /// Panics when it is asked first, then has one connection.
    struct Defective {
        asked: u32,
        connection: Option<DuplexStream>,
    }

    impl Acceptor for Defective {
        type Io = DuplexStream;

        fn local_addr(&self) -> Vec<LocalAddr> {
            Vec::new()
        }

        async fn accept(&mut self) -> io::Result<(DuplexStream, LocalAddr, RemoteAddr, Scheme)> {
            self.asked += 1;
            assert!(self.asked > 1, "a defect");
            let Some(connection) = self.connection.take() else { return std::future::pending().await };
            let peer = RemoteAddr(Addr::Custom("test", "".into()));
            Ok((connection, LocalAddr::default(), peer, Scheme::HTTP))
        }
    }

    #[tokio::test]
    async fn a_listener_that_panics_is_told_and_serves_whoever_comes_next() {
        let dir = tempfile::tempdir().unwrap();
        let shop = shop_in(&dir.path().join("shop.sqlite3"));
        let endpoint = poem::endpoint::make_sync(|_| Response::builder().body("here"));
        let (endpoint, stop): (Endpoint, _) = (Arc::new(endpoint.boxed()), CancellationToken::new());
        let listeners = Listeners { pause: Duration::ZERO, ..Listeners::new(shop.clone(), endpoint, stop.clone()) };
        let (mut client, connection) = duplex(1 << 10);
        let acceptor = Defective { asked: 0, connection: Some(connection) };
        let limiter = ConnectionLimiter::new(ConnectionLimits::default());
        let served = tokio::spawn(listeners.serve(acceptor, Surface::Clearnet, &limiter));
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("here"), "{answer}");
        stop.cancel();
        served.await.unwrap();
        let told = shop.db.read(|db| alerts::list(db, false)).unwrap();
        let told: Vec<_> = told.iter().map(|alert| (alert.subject.as_str(), alert.occurrences)).collect();
        assert_eq!(told, [("the listener over TCP", 1)]);
    }
}
