//! Listens, does the TLS handshakes and hands each HTTP request on.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::grpc::{self, Access};

/// The most that a TLS handshake may take.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);

/// What the listening loop and its connections share.
pub struct Shared {
    pub access: Arc<Access>,
    /// Replaced when the certificate is renewed; connections keep the one they began with.
    pub tls: Mutex<Arc<ServerConfig>>,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
}

impl Shared {
    fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.tls.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Accepts connections until the simulator stops.
pub async fn listen(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            () = shared.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                shared.tasks.spawn(until_stopped(Arc::clone(&shared), stream));
            }
            // Out of file descriptors, most likely: let connections end instead of spinning.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn until_stopped(shared: Arc<Shared>, stream: TcpStream) {
    let dropped = shared.access.node.faults.connections_dropped();
    tokio::select! {
        () = shared.stop.cancelled() => {}
        () = dropped => {}
        // What ends a connection is the client's business.
        _ = connection(&shared, stream) => {}
    }
}

async fn connection(shared: &Shared, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let tls = tokio::time::timeout(HANDSHAKE_DEADLINE, shared.acceptor().accept(stream)).await??;
    let access = Arc::clone(&shared.access);
    let service = service_fn(move |request: Request<Incoming>| grpc::serve(Arc::clone(&access), request));
    hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .max_concurrent_streams(None)
        .serve_connection(TokioIo::new(tls), service)
        .await
        .map_err(io::Error::other)
}
