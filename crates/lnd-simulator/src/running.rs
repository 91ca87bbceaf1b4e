//! Starting and stopping a simulated node.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::faults::Faults;
use super::files::StartError;
use super::grpc::Access;
use super::node::{Node, Setup};
use super::server::{Face, Shared};
use super::{bolt11, cln, control, files, server, tls};
use ip2tor_domain::id::{Random, SystemRandom};
use ip2tor_domain::lightning::Network;
use ip2tor_domain::time::{Clock, SystemClock};
use ip2tor_lightning::macaroon::{DEFAULT_ROOT_KEY_ID, Macaroon};

/// How often the node looks for invoices that have expired unasked.
const TICK: Duration = Duration::from_millis(100);

/// How a simulated node is started.
pub struct Options {
    /// Where gRPC is served; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where REST is served, if at all.
    pub rest_listen: Option<SocketAddr>,
    /// Whether Core Lightning's socket `lightning-rpc` is served in the folder.
    pub lightning_rpc: bool,
    /// The folder for credentials, keys and the journal; made when it is missing.
    pub dir: PathBuf,
    /// The chain whose invoices it makes.
    pub network: Network,
    /// The name the node gives itself.
    pub alias: String,
    /// Where "now" comes from.
    pub clock: Arc<dyn Clock>,
    /// Where keys, preimages and payment addresses come from.
    pub random: Arc<dyn Random>,
}

impl Options {
    /// A regtest node with the machine's clock and randomness.
    pub fn new(listen: SocketAddr, dir: impl Into<PathBuf>) -> Self {
        Self {
            listen,
            rest_listen: None,
            lightning_rpc: false,
            dir: dir.into(),
            network: Network::Regtest,
            alias: "lnd-simulator".to_owned(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        }
    }
}

/// Starts simulated nodes.
pub struct Simulator;

impl Simulator {
    /// Starts a node with what its folder remembers.
    pub async fn start(options: Options) -> Result<Running, StartError> {
        let Options { listen, rest_listen, lightning_rpc, dir, network, alias, clock, random } = options;
        std::fs::create_dir_all(&dir).map_err(files::file_error(&dir))?;
        let control = control::bind_socket(&dir, control::SOCKET).await?;
        let root_key = files::secret(&dir, "macaroons.key", random.as_ref())?;
        files::bake(&dir, &root_key, random.as_ref())?;
        let identity = bolt11::Identity::new(files::secret(&dir, "node.key", random.as_ref())?, network)
            .ok_or_else(|| StartError::DamagedSecret(dir.join("node.key")))?;
        let tls = tls::load_or_make(&dir, clock.now())?;
        let node = Arc::new(
            Node::open(&dir, Setup { identity, alias, clock, random })
                .map_err(files::file_error(&dir.join("journal.jsonl")))?,
        );
        let grpc = bind(listen).await?;
        let rest = match rest_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let shared = Arc::new(Shared {
            access: Arc::new(Access { node, root_key }),
            tls: tls.into(),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        });
        let mut running = Running { shared, dir, local_addr: grpc.1, rest_addr: None };
        running.serve(Face::Grpc, grpc.0);
        if let Some((listener, address)) = rest {
            running.rest_addr = Some(address);
            running.serve(Face::Rest, listener);
        }
        if lightning_rpc {
            let socket = control::bind_socket(&running.dir, cln::SOCKET).await?;
            running.shared.tasks.spawn(cln::listen(Arc::clone(&running.shared), socket));
        }
        running.attend(control);
        Ok(running)
    }
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let listen_error = |source| StartError::Listen { address: address.to_string(), source };
    let listener = TcpListener::bind(address).await.map_err(listen_error)?;
    let bound = listener.local_addr().map_err(listen_error)?;
    Ok((listener, bound))
}

/// A running simulated node. Dropping it stops it, too, but does not wait.
pub struct Running {
    shared: Arc<Shared>,
    dir: PathBuf,
    local_addr: SocketAddr,
    rest_addr: Option<SocketAddr>,
}

impl Running {
    fn serve(&self, face: Face, listener: TcpListener) {
        self.shared.tasks.spawn(server::listen(Arc::clone(&self.shared), face, listener));
    }

    /// Takes commands and lets time pass.
    fn attend(&self, control: tokio::net::UnixListener) {
        let tasks = &self.shared.tasks;
        tasks.spawn(control::listen(Arc::clone(&self.shared), self.dir.clone(), control));
        let shared = Arc::clone(&self.shared);
        tasks.spawn(async move {
            let mut ticks = tokio::time::interval(TICK);
            while shared.stop.run_until_cancelled(ticks.tick()).await.is_some() {
                shared.access.node.tick();
            }
        });
    }

    /// Where gRPC is served.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Core Lightning's socket; there only when it was asked for.
    pub fn lightning_rpc(&self) -> PathBuf {
        self.dir.join(cln::SOCKET)
    }

    /// Where REST is served, if it is.
    pub fn rest_addr(&self) -> Option<SocketAddr> {
        self.rest_addr
    }

    /// The folder with `tls.cert` and the macaroons.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What the node is told to do wrong.
    pub fn faults(&self) -> &Faults {
        &self.shared.access.node.faults
    }

    /// The node itself: arriving payments, the height of the chain, garbage collection and so on.
    pub fn node(&self) -> &Arc<Node> {
        &self.shared.access.node
    }

    /// A macaroon of this node with these permissions (entity and action), as `lncli bakemacaroon` makes it.
    pub fn bake(&self, permissions: &[(&str, &str)]) -> Vec<u8> {
        let access = &self.shared.access;
        let mut nonce = [0; 16];
        access.node.random.fill(&mut nonce);
        Macaroon::mint(&access.root_key, DEFAULT_ROOT_KEY_ID, nonce, permissions).encode()
    }

    /// Makes a new certificate, valid for `valid_secs` from now; new connections get it.
    pub fn renew_certificate(&self, valid_secs: i64) -> Result<(), StartError> {
        self.shared.renew_certificate(&self.dir, valid_secs)
    }

    /// Stops serving and ends all connections. The same folder can be started again afterwards.
    pub async fn shutdown(self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        self.shared.tasks.wait().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.stop.cancel();
    }
}
