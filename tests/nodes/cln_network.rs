//! The network of the Core Lightning scenes: a chain, the node that the shop sells through, and a buyer's with channels to
//! it. It is set up once; scenes use it one after the other.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::chain::Chain;
use crate::cln::Cln;
use crate::keeper::Keeper;
use crate::network::folder;

/// What a channel holds, in sat, and how much of that is the shop's.
const CHANNEL: (u64, u64) = (5_000_000, 1_500_000);
const PROGRAMS: [&str; 2] = ["lightningd", "lightning-cli"];

/// Chain and nodes.
pub struct ClnNetwork {
    pub chain: Chain,
    pub buyer: Cln,
    /// The node of the shop.
    pub cln: Cln,
    keeper: Keeper,
}

impl ClnNetwork {
    /// Alone with the network, in which everything runs.
    pub fn lock() -> MutexGuard<'static, Self> {
        static NETWORK: OnceLock<Mutex<ClnNetwork>> = OnceLock::new();
        let network = NETWORK.get_or_init(|| Mutex::new(Self::set_up()));
        let mut network = network.lock().unwrap_or_else(PoisonError::into_inner);
        network.mend();
        network
    }

    fn set_up() -> Self {
        let bin = folder("CLN_BIN", &PROGRAMS);
        let keeper = Keeper::new();
        let mut chain = Chain::start(&keeper, &bin);
        let buyer = Cln::create(&keeper, &bin, "buyer", &chain);
        let address = buyer.ask(&["newaddr", "addresstype=bech32"])["bech32"].as_str().expect("an address").to_owned();
        chain.give(&address);
        chain.mine(1);
        let cln = Cln::create(&keeper, &bin, "cln", &chain);
        let mut network = Self { chain, buyer, cln, keeper };
        network.mine(1);
        for _ in 0..2 {
            network.buyer.connect(&network.cln);
            network.buyer.open_channel(&network.cln, CHANNEL.0, CHANNEL.1);
            network.mine(6);
        }
        network.mend();
        network
    }

    /// Makes blocks and waits until all nodes have them.
    pub fn mine(&mut self, blocks: u32) {
        self.chain.mine(blocks);
        let height = self.chain.height();
        self.buyer.await_height(height);
        self.cln.await_height(height);
    }

    /// Starts what a scene has left behind ended, or with flags of its own.
    fn mend(&mut self) {
        if !self.buyer.daemon.is_running() {
            self.buyer.start(&self.chain, &[]);
        }
        if !self.cln.daemon.is_running() {
            self.cln.start(&self.chain, &[]);
        } else if !self.cln.flags.is_empty() {
            self.cln.restart(&self.chain, &[]);
        }
        self.reconnect();
    }

    pub fn reconnect(&self) {
        self.buyer.connect(&self.cln);
        self.cln.await_channels(2);
        self.buyer.await_channels(2);
    }

    /// Starts the shop's node again after it has ended.
    pub fn start_cln(&mut self) {
        self.cln.start(&self.chain, &[]);
        self.reconnect();
    }

    /// Ends the shop's node and starts it with other flags.
    pub fn restart_cln(&mut self, flags: &[&str]) {
        self.cln.restart(&self.chain, flags);
        self.reconnect();
    }

    /// Another node, with a channel from the buyer's.
    pub fn add(&mut self, name: &str) -> Cln {
        let node = Cln::create(&self.keeper, &folder("CLN_BIN", &PROGRAMS), name, &self.chain);
        self.let_pay(&node);
        node
    }

    /// Opens a channel from the buyer's node.
    pub fn let_pay(&mut self, node: &Cln) {
        self.buyer.connect(node);
        self.buyer.open_channel(node, CHANNEL.0, CHANNEL.1);
        self.mine(6);
        node.await_channels(1);
    }
}
