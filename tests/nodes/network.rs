//! The network of the LND scenes: a chain, the node that the shop sells through, and a buyer's with channels to it. It
//! is set up once; scenes use it one after the other.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::PATIENCE;
use crate::backend::Backend;
use crate::chain::Chain;
use crate::keeper::Keeper;
use crate::live::process::wait_until;
use crate::lnd::Lnd;

/// What a channel holds, in sat, and how much of that is the shop's.
const CHANNEL: (u64, u64) = (5_000_000, 1_500_000);
/// Spontaneous payments are on, as common guides recommend.
const SHOP_FLAGS: [&str; 2] = ["--accept-amp", "--accept-keysend"];

const PROGRAMS: [&str; 2] = ["lnd", "lncli"];

/// Chain and nodes.
pub struct Network {
    pub chain: Chain,
    pub buyer: Lnd,
    /// The node of the shop.
    pub lnd: Lnd,
    keeper: Keeper,
}

/// The folder that an environment variable names.
pub fn folder(variable: &str, programs: &[&str]) -> PathBuf {
    let all = programs.join(", ");
    let hint = format!("{variable} must name a folder with {all} and btcd or bitcoind (`make test-nodes` says more)");
    let folder = PathBuf::from(std::env::var_os(variable).unwrap_or_else(|| panic!("{hint}")));
    let missing = programs.iter().copied().find(|program| !folder.join(program).is_file());
    if let Some(program) = missing.or_else(|| Backend::missing_in(&folder)) {
        panic!("{hint}; there is no {program} in {}", folder.display());
    }
    folder
}

impl Network {
    /// Alone with the network, in which everything runs.
    pub fn lock() -> MutexGuard<'static, Self> {
        static NETWORK: OnceLock<Mutex<Network>> = OnceLock::new();
        let network = NETWORK.get_or_init(|| Mutex::new(Self::set_up()));
        let mut network = network.lock().unwrap_or_else(PoisonError::into_inner);
        network.mend();
        network
    }

    fn set_up() -> Self {
        let bin = folder("LND_BIN", &PROGRAMS);
        let keeper = Keeper::new();
        let mut chain = Chain::start(&keeper, &bin);
        let buyer = Lnd::create(&keeper, &bin, "buyer", &chain, &[]);
        let address = buyer.ask(&["newaddress", "p2wkh"])["address"].as_str().expect("an address").to_owned();
        chain.give(&address);
        chain.mine(1);
        let lnd = Lnd::create(&keeper, &bin, "lnd", &chain, &SHOP_FLAGS);
        let mut network = Self { chain, buyer, lnd, keeper };
        for _ in 0..2 {
            network.buyer.connect(&network.lnd);
            network.buyer.open_channel(&network.lnd, CHANNEL.0, CHANNEL.1);
            network.mine(6);
        }
        network.mend();
        network
    }

    /// Makes blocks and waits until all nodes have them.
    pub fn mine(&mut self, blocks: u32) {
        self.chain.mine(blocks);
        let height = self.chain.height();
        for node in [&self.buyer, &self.lnd] {
            let has = || (node.cli(&["getinfo"]).ok()?["block_height"].as_u64() == Some(height)).then_some(());
            wait_until(PATIENCE, has).expect("the nodes follow the chain");
        }
    }

    /// Starts what a scene has left behind ended.
    fn mend(&mut self) {
        if !self.buyer.daemon.is_running() {
            self.buyer.start(&self.chain, &[]);
        }
        if !self.lnd.daemon.is_running() {
            self.lnd.start(&self.chain, &[]);
        } else if !self.lnd.flags.is_empty() {
            self.lnd.restart(&self.chain, &[]);
        }
        self.reconnect();
    }

    /// Nodes that are restarted find each other by themselves, but after growing pauses.
    pub fn reconnect(&self) {
        self.buyer.connect(&self.lnd);
        self.lnd.await_channels(2);
        self.buyer.await_channels(2);
    }

    /// Starts the shop's node again after it has ended.
    pub fn start_lnd(&mut self) {
        self.lnd.start(&self.chain, &[]);
        self.reconnect();
    }

    /// Ends the shop's node and starts it with other flags.
    pub fn restart_lnd(&mut self, flags: &[&str]) {
        self.lnd.restart(&self.chain, flags);
        self.reconnect();
    }

    /// A node that has never been started.
    pub fn prepare(&self, name: &str) -> Lnd {
        Lnd::prepare(&self.keeper, &folder("LND_BIN", &PROGRAMS), name, &[])
    }

    /// Another node, with a channel from the buyer's.
    pub fn add(&mut self, name: &str, flags: &[&str]) -> Lnd {
        let bin = folder("LND_BIN", &PROGRAMS);
        let node = Lnd::create(&self.keeper, &bin, name, &self.chain, flags);
        self.let_pay(&node);
        node
    }

    /// Opens a channel from the buyer's node.
    pub fn let_pay(&mut self, node: &Lnd) {
        self.buyer.connect(node);
        self.buyer.open_channel(node, CHANNEL.0, CHANNEL.1);
        self.mine(6);
        node.await_channels(1);
        self.buyer.await_route(node);
    }
}
