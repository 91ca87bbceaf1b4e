//! Listens, does the TLS handshakes and hands each HTTP request on.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::files::StartError;
use super::grpc::{self, Access};
use super::line::Line;
use super::{rest, tls};

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
    /// Makes a new certificate in `dir`, valid for `valid_secs` from now; new connections get it.
    pub fn renew_certificate(&self, dir: &Path, valid_secs: i64) -> Result<(), StartError> {
        let config = tls::make(dir, self.access.node.clock.now(), valid_secs)?;
        *self.tls.lock() = config;
        Ok(())
    }

    fn acceptor(&self, face: Face) -> TlsAcceptor {
        let mut config = ServerConfig::clone(&self.tls.lock());
        config.alpn_protocols = vec![face.protocol().to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }
}

/// What is spoken on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    Grpc,
    Rest,
}

impl Face {
    const fn protocol(self) -> &'static [u8] {
        match self {
            Self::Grpc => b"h2",
            Self::Rest => b"http/1.1",
        }
    }
}

/// Accepts connections until the simulator stops.
pub async fn listen(shared: Arc<Shared>, face: Face, listener: TcpListener) {
    loop {
        let accepted = tokio::select! {
            () = shared.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                shared.tasks.spawn(until_stopped(Arc::clone(&shared), face, stream));
            }
            // Out of file descriptors, most likely: let connections end instead of spinning.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn until_stopped(shared: Arc<Shared>, face: Face, stream: TcpStream) {
    let dropped = shared.access.node.faults.connections_dropped();
    tokio::select! {
        () = shared.stop.cancelled() => {}
        () = dropped => {}
        // What ends a connection is the client's business.
        _ = connection(&shared, face, stream) => {}
    }
}

async fn connection(shared: &Shared, face: Face, stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let line = Line::new(stream, shared.access.node.faults.deaths());
    let tls = tokio::time::timeout(HANDSHAKE_DEADLINE, shared.acceptor(face).accept(line)).await??;
    let access = Arc::clone(&shared.access);
    let served = match face {
        Face::Grpc => {
            let service = service_fn(move |request: Request<Incoming>| grpc::serve(Arc::clone(&access), request));
            let mut http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            http.max_concurrent_streams(None).serve_connection(TokioIo::new(tls), service).await
        }
        Face::Rest => {
            let service = service_fn(move |request: Request<Incoming>| rest::serve(Arc::clone(&access), request));
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(tls), service).await
        }
    };
    served.map_err(io::Error::other)
}
