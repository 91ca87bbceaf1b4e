//! A tiny shop for these tests: a poem application behind an onion service.

use std::path::Path;
use std::time::Duration;

use ip2tor_shop::onion::{Connection, DialError, Dialer, Isolation, OnionConfig, OnionService, ServiceHandle, Tor};
use poem::web::RemoteAddr;
use poem::{Route, Server, get, handler};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::tor_network::TorNetwork;

/// How long anything on the private network may take; the machine may be busy.
pub const LIMIT: Duration = Duration::from_secs(240);
/// How long the first attempt at anything may take; each later one may take twice as long as the one
/// before. An attempt can be lost, and then Tor waits for minutes: relays go on to take messages for a
/// service that is gone, until they hear of its end. So a lost attempt costs little, and a machine
/// that is slow still gets through.
pub const ATTEMPT: Duration = Duration::from_secs(10);
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
}

/// Waits until Tor has let go of its state: the folder is removed next, or another shop's.
impl Drop for Shop {
    fn drop(&mut self) {
        self.server.abort();
        if !std::thread::panicking() {
            tokio::task::block_in_place(|| Handle::current().block_on(self.tor.shutdown()));
        }
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

/// Asks for `path`, on a circuit of its own, until there is an answer.
pub async fn fetch(tor: &Tor, address: &str, path: &str) -> String {
    insist("the onion service answers", async |limit| fetch_once(tor, address, path, Isolation::fresh(), limit).await)
        .await
}

/// The same on the circuit of `isolation`, or on another one if that is closed.
pub async fn fetch_on(tor: &Tor, address: &str, path: &str, isolation: Isolation) -> String {
    insist("the onion service answers", async |limit| fetch_once(tor, address, path, isolation, limit).await).await
}

/// Connects to the shop, each attempt on the circuit of `isolation()`. An attempt on the circuit of an
/// earlier one waits for the same thing as that.
pub async fn connect(dialer: &Dialer, address: &str, isolation: impl Fn() -> Isolation) -> Connection {
    insist("there is a connection", async |limit| dialer.connect(address, 80, isolation(), limit).await).await
}

/// Asks for `path` once, for as long as `limit`; the body, when the answer is 200.
pub async fn fetch_once(
    tor: &Tor,
    address: &str,
    path: &str,
    isolation: Isolation,
    limit: Duration,
) -> Result<String, DialError> {
    let lost = |error: std::io::Error| DialError::Other(error.to_string());
    let exchange = async {
        let mut stream = Dialer::Arti(tor.clone()).connect(address, 80, isolation, limit).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        let mut answer = String::new();
        stream.write_all(request.as_bytes()).await.map_err(lost)?;
        stream.flush().await.map_err(lost)?;
        stream.read_to_string(&mut answer).await.map_err(lost)?;
        Ok(answer)
    };
    let answer: String = tokio::time::timeout(limit, exchange).await.unwrap_or(Err(DialError::Timeout(limit)))?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200") => Ok(body.to_owned()),
        _ => Err(DialError::Other(answer)),
    }
}

/// Waits until the service at `address` answers `tor`.
pub async fn until_reachable(tor: &Tor, address: &str) {
    fetch(tor, address, "/healthz").await;
}

/// Makes attempts, each with the limit that it is given, until one succeeds.
pub async fn insist<T>(what: &str, attempt: impl AsyncFn(Duration) -> Result<T, DialError>) -> T {
    let mut reasons = Vec::new();
    let attempts = async {
        let mut limit = ATTEMPT;
        loop {
            let error = match attempt(limit).await {
                Ok(success) => break success,
                Err(error) => error,
            };
            tracing::info!("not yet: {error}");
            if matches!(error, DialError::Timeout(_)) {
                limit *= 2;
            }
            reasons.push(error);
            tokio::time::sleep(PAUSE).await;
        }
    };
    let done = tokio::time::timeout(LIMIT, attempts).await;
    done.unwrap_or_else(|_| panic!("waited in vain until {what}: {reasons:?}"))
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
