//! A shop on the private network, and clients that reach it through C-tor.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use ip2tor_shop::onion::keys;
use tempfile::TempDir;
use tokio_socks::tcp::Socks5Stream;

use crate::load::{self, Connection};
use crate::process::ShopProcess;
use crate::tor_network::TorNetwork;

/// How long anything may take before the measurement is given up.
const LIMIT: Duration = Duration::from_secs(120);

/// A shop's process with an onion service.
pub struct OnionShop {
    _dir: TempDir,
    pub process: ShopProcess,
    pub tcp: SocketAddr,
    pub onion: String,
}

impl OnionShop {
    /// Starts a shop that has never run before; returns when its address is known.
    pub async fn start(network: &TorNetwork) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut config: toml::Table = toml::from_str(&format!("[http]\nlisten = \"{tcp}\"\n[onion]\n")).unwrap();
        config.insert("data_dir".to_owned(), dir.path().join("shop").display().to_string().into());
        config["onion"].as_table_mut().unwrap().insert("arti".to_owned(), network.arti().into());
        let file = dir.path().join("config.toml");
        std::fs::write(&file, config.to_string()).unwrap();
        let process = ShopProcess::start(&file);
        let state = dir.path().join("shop/tor");
        let onion = until(async || keys::address(&state, "shop").ok()).await;
        Self { _dir: dir, process, tcp, onion }
    }
}

/// Connects through C-tor, on a circuit that no other `name` uses.
pub async fn connect(socks: SocketAddr, onion: &str, name: &str) -> Option<Connection> {
    let stream = Socks5Stream::connect_with_password(socks, (onion, 80), name, "x");
    let stream = tokio::time::timeout(LIMIT, stream).await.ok()?.ok()?;
    Connection::over(stream.into_inner()).ok()
}

/// The same, tried until it answers.
pub async fn connected(socks: SocketAddr, onion: &str, name: &str) -> Connection {
    until(async || {
        let mut connection = connect(socks, onion, name).await?;
        connection.call(&load::get("/healthz", None)).await.ok().map(|_| connection)
    })
    .await
}

/// Tries until there is a result.
pub async fn until<T>(attempt: impl AsyncFn() -> Option<T>) -> T {
    let tries = async {
        loop {
            match attempt().await {
                Some(result) => return result,
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    tokio::time::timeout(LIMIT, tries).await.expect("the network works")
}
