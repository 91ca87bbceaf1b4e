//! `demo`: a complete shop to try out, in a folder of its own: the shop, a simulated Lightning node
//! and a host whose simulated agent activates what is paid. Started again, it goes on where it was.

mod agent;
mod folder;
mod seed;
mod walkthrough;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::app::{self, App, StartError};
use crate::config::{Config, DATABASE_FILE};
use crate::http;
use crate::store::Db;
use ip2tor_lnd_simulator::{Node, Options, PayError, PayOrder, Running, Simulator};
use seed::Memory;

/// How long the demo waits for its own node before it says so and goes on.
const NODE_PATIENCE: Duration = Duration::from_secs(10);

/// How the demo is started.
pub struct Demo {
    /// Where the shop listens.
    pub listen: SocketAddr,
    /// Where everything of the demo is.
    pub data_dir: PathBuf,
    /// Whether the simulated agent plays the host.
    pub with_agent: bool,
    /// Whether it runs Tor.
    pub with_onion: bool,
    /// Whether the details are printed as JSON.
    pub json: bool,
}

impl Demo {
    /// Runs until a signal ends it.
    ///
    /// # Errors
    /// [`StartError`] with what to do.
    pub async fn run(mut self) -> Result<(), StartError> {
        // The paths are stored and printed, and must hold in any folder.
        self.data_dir = std::path::absolute(&self.data_dir)
            .map_err(|error| StartError::Failed(format!("{}: {error}", self.data_dir.display())))?;
        // Before anything is touched: the folder may be that of a running demo, or of a real shop.
        let lock = app::lock(&self.data_dir).await?;
        let mut memory = Memory::load(&self.data_dir)?;
        if memory.is_none() {
            folder::claim(&self.data_dir, seed::FILE)?;
        }
        let lnd_dir = self.data_dir.join("lnd");
        let simulator = start_simulator(memory.as_ref().map_or(0, |memory| memory.lnd_port), lnd_dir.clone()).await?;
        let lnd_port = simulator.local_addr().port();
        let file = self.data_dir.join(DATABASE_FILE);
        let db = Db::open(&file).map_err(|error| StartError::Failed(format!("{}: {error}", file.display())))?;
        let memory = match memory.take() {
            Some(known) => known.at(&db, &self.data_dir, &lnd_dir, lnd_port)?,
            None => seed::seed(&db, &self.data_dir, &lnd_dir, lnd_port, self.with_agent)?,
        };
        drop(db);
        let app = app::start_demo(self.config()?, lock, wallet(simulator.node())).await?;
        let agent = self.with_agent.then(|| agent::start(app.local_addr(), &memory));
        wait_for_node(&app).await;
        self.tell(&app, &memory, &simulator);
        app::wait_for_signal().await;
        if let Some(agent) = agent {
            agent.abort();
        }
        let _lock = app.stop().await;
        simulator.shutdown().await;
        Ok(())
    }

    /// The demo's configuration, by way of the file that commands with `--data-dir` read: what they see
    /// is what runs.
    fn config(&self) -> Result<Config, StartError> {
        folder::write_config(&self.data_dir, self.listen, self.with_onion)?;
        Config::of_dir(&self.data_dir).map_err(StartError::Config)
    }

    fn tell(&self, app: &App, memory: &Memory, simulator: &Running) {
        let shop_url = format!("http://{}", app.local_addr());
        let lnd = json!({"grpc": simulator.local_addr().to_string(), "dir": simulator.dir()});
        let admin_url = app.admin_addr().map(|address| format!("http://{address}"));
        let details = json!({
            "shop_url": shop_url,
            "admin_url": admin_url,
            "onion": app.onion_address(),
            "data_dir": self.data_dir,
            "admin": {"user": memory.admin, "password": memory.password},
            "hosts": [{"id": memory.host_id, "token": memory.token, "name": memory.host_name, "ip": memory.host_ip}],
            "lnd": lnd,
        });
        if self.json {
            println!("{details}");
        } else {
            println!(
                "{}",
                walkthrough::text(&shop_url, admin_url.as_deref(), &self.data_dir, memory, simulator, self.with_agent)
            );
            if let Some(address) = app.onion_address() {
                println!("In a minute or two also at http://{address}\n");
            }
        }
    }
}

/// Pays as another node in the network would.
fn wallet(node: &Arc<Node>) -> http::Wallet {
    let node = Arc::clone(node);
    Box::new(move |request| {
        let order = PayOrder { request: request.to_owned(), amount_msat: None, fee_limit_msat: None };
        match node.pay(&order) {
            // Its button was pressed twice.
            Ok(_) | Err(PayError::AlreadyPaid | PayError::InFlight) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    })
}

async fn start_simulator(port: u16, dir: PathBuf) -> Result<Running, StartError> {
    let at = |port| Options::new(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), dir.clone());
    let simulator = match Simulator::start(at(port)).await {
        // Its old port is taken: any other will do.
        Err(ip2tor_lnd_simulator::StartError::Listen { .. }) if port != 0 => Simulator::start(at(0)).await,
        other => other,
    };
    simulator.map_err(|error| StartError::Failed(format!("the simulated Lightning node can't start: {error}")))
}

async fn wait_for_node(app: &App) {
    let ready = async {
        while !app.has_usable_node() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(NODE_PATIENCE, ready).await.is_err() {
        tracing::warn!("the simulated Lightning node does not answer yet");
    }
}
