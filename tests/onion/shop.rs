//! A tiny shop for these tests: a poem application behind an onion service.

use std::path::Path;
use std::time::Duration;

use ip2tor_shop::onion::{Dialer, Isolation, OnionConfig, OnionService, ServiceHandle, Tor};
use poem::web::RemoteAddr;
use poem::{Route, Server, get, handler};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

use crate::tor_network::TorNetwork;

/// How long anything on the private network may take; the machine may be busy.
pub const LIMIT: Duration = Duration::from_secs(90);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// A shop that can be reached at its onion address.
pub struct Shop {
    pub tor: Tor,
    pub address: String,
    pub handle: ServiceHandle,
    server: JoinHandle<()>,
}

impl Shop {
    /// Starts a shop on the state below `dir` and waits until it can be reached.
    pub async fn start(network: &TorNetwork, dir: &Path) -> Self {
        Self::start_with(settings(network, dir)).await
    }

    /// The same with changed settings.
    pub async fn start_with(config: OnionConfig) -> Self {
        let tor = Tor::new(config).unwrap();
        let service = tor.launch("shop", 80, None).unwrap();
        let (address, handle) = (service.address().to_owned(), service.handle());
        let server = serve(service);
        let shop = Self { tor, address, handle, server };
        until_reachable(&shop.tor, &shop.address).await;
        shop
    }

    /// Stops the shop so that another can use its state.
    pub async fn stop(self) {
        self.server.abort();
        self.tor.shutdown().await;
    }
}

/// Serves `/healthz` and, at `/peer`, the remote address.
pub fn serve(service: OnionService) -> JoinHandle<()> {
    let app = Route::new().at("/healthz", get(healthz)).at("/peer", get(peer));
    tokio::spawn(async move { Server::new_with_acceptor(service.into_acceptor()).run(app).await.unwrap() })
}

#[handler]
fn healthz() -> &'static str {
    "ok"
}

#[handler]
fn peer(remote: &RemoteAddr) -> String {
    remote.to_string()
}

/// Settings for Tor on `network`, with all state below `dir`.
pub fn settings(network: &TorNetwork, dir: &Path) -> OnionConfig {
    // Shown with `RUST_LOG=debug`, for whoever has to find out why a test fails.
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
    OnionConfig {
        state_dir: dir.join("state"),
        cache_dir: dir.join("cache"),
        arti: network.arti(),
        ..OnionConfig::default()
    }
}

/// A Tor client that serves nothing.
pub async fn visitor(network: &TorNetwork) -> (TempDir, Tor) {
    let dir = tempfile::tempdir().unwrap();
    let tor = Tor::new(settings(network, dir.path())).unwrap();
    (dir, tor)
}

/// Asks for `path` on a circuit of its own.
pub async fn fetch(tor: &Tor, address: &str, path: &str) -> Result<String, String> {
    fetch_on(tor, address, path, Isolation::fresh()).await
}

/// Asks for `path`; the body, when the answer is 200.
pub async fn fetch_on(tor: &Tor, address: &str, path: &str, isolation: Isolation) -> Result<String, String> {
    let dialer = Dialer::Arti(tor.clone());
    let mut stream = dialer.connect(address, 80, isolation, LIMIT).await.map_err(|error| error.to_string())?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut answer = String::new();
    let exchange = async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        stream.read_to_string(&mut answer).await
    };
    tokio::time::timeout(LIMIT, exchange).await.map_err(|_| "no answer")?.map_err(|error| error.to_string())?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no HTTP answer")?;
    if head.starts_with("HTTP/1.1 200") { Ok(body.to_owned()) } else { Err(head.to_owned()) }
}

/// Waits until the service at `address` answers `tor`.
pub async fn until_reachable(tor: &Tor, address: &str) {
    let attempt = async || match fetch(tor, address, "/healthz").await {
        Ok(_) => true,
        Err(error) => {
            tracing::info!("not yet: {error}");
            false
        }
    };
    until("the onion service can be reached", attempt).await;
}

/// Waits until `condition` holds.
pub async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::time::sleep(PAUSE).await;
        }
    };
    assert!(tokio::time::timeout(LIMIT, wait).await.is_ok(), "waited in vain until {what}");
}
