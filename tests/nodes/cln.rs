//! A Core Lightning of the network: started with the flags of a scene, asked through its own `lightning-cli`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::PATIENCE;
use crate::chain::Chain;
use crate::keeper::{Daemon, Keeper};
use crate::live::port::free_port;
use crate::live::process::wait_until;
use crate::payment::Payment;

/// A lightningd.
pub struct Cln {
    pub daemon: Daemon,
    pub dir: PathBuf,
    pub pubkey: String,
    /// Variables that it is started with.
    pub environment: Vec<(&'static str, String)>,
    /// What a scene has started it with.
    pub flags: Vec<String>,
    peers: u16,
    bin: PathBuf,
}

impl Cln {
    /// A new node with a wallet of its own.
    pub fn create(keeper: &Keeper, bin: &Path, name: &str, chain: &Chain) -> Self {
        let dir = keeper.dir().join(name);
        std::fs::create_dir_all(&dir).expect("a folder for the node");
        let mut node = Self {
            daemon: keeper.daemon(name),
            dir,
            pubkey: String::new(),
            environment: Vec::new(),
            flags: Vec::new(),
            peers: free_port(),
            bin: bin.to_owned(),
        };
        node.start(chain, &[]);
        node.pubkey = node.ask(&["getinfo"])["id"].as_str().expect("a key").to_owned();
        node
    }

    /// Starts it, and waits until it has the newest block.
    pub fn start(&mut self, chain: &Chain, flags: &[&str]) {
        let mut command = Command::new(self.bin.join("lightningd"));
        command.arg(format!("--lightning-dir={}", self.dir.display())).args(["--network=regtest", "--alias=tests"]);
        command.arg(format!("--addr=127.0.0.1:{}", self.peers)).args(["--disable-dns", "--log-level=debug"]);
        chain.backend.equip_cln(&mut command);
        command.args([
            "--allow-deprecated-apis=true",
            "--developer",
            "--dev-bitcoind-poll=1",
            "--dev-fast-gossip",
            "--dev-fast-reconnect",
        ]);
        command.envs(self.environment.iter().cloned());
        self.flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        command.args(flags);
        self.daemon.start(command);
        self.await_height(chain.height());
    }

    pub fn await_height(&self, height: u64) {
        let has = || (self.cli(&["getinfo"]).ok()?["blockheight"].as_u64() == Some(height)).then_some(());
        wait_until(PATIENCE, has).unwrap_or_else(|| panic!("lightningd is not ready:\n{}", self.daemon.said()));
    }

    /// Ends it in an orderly way and starts it with these flags.
    pub fn restart(&mut self, chain: &Chain, flags: &[&str]) {
        self.daemon.end();
        self.start(chain, flags);
    }

    /// Where its socket is, which a flag may have moved.
    pub fn socket(&self) -> PathBuf {
        let moved = self.flags.iter().find_map(|flag| flag.strip_prefix("--rpc-file="));
        moved.map_or_else(|| self.dir.join("regtest/lightning-rpc"), PathBuf::from)
    }

    fn lightning_cli(&self) -> Command {
        let mut command = Command::new(self.bin.join("lightning-cli"));
        command.arg(format!("--lightning-dir={}", self.dir.display())).args(["--network=regtest", "-k"]);
        command.arg(format!("--rpc-file={}", self.socket().display()));
        command
    }

    /// Runs a command with named parameters; what it prints, or what it complains of.
    pub fn cli(&self, args: &[&str]) -> Result<Value, String> {
        let output = self.lightning_cli().args(args).output().expect("lightning-cli starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(serde_json::from_str(&said).unwrap_or(Value::Null));
        }
        Err(said + &String::from_utf8_lossy(&output.stderr))
    }

    /// The same for what must succeed.
    pub fn ask(&self, args: &[&str]) -> Value {
        self.cli(args).unwrap_or_else(|error| panic!("lightning-cli {args:?}: {error}"))
    }

    pub fn connect(&self, peer: &Self) {
        let (id, port) = (format!("id={}", peer.pubkey), format!("port={}", peer.peers));
        let connected = || self.cli(&["connect", &id, "host=127.0.0.1", &port]).ok();
        wait_until(PATIENCE, connected).expect("the nodes connect");
    }

    /// Opens a channel of `sat`, of which `pushed` are the peer's. It counts after the next block.
    pub fn open_channel(&self, peer: &Self, sat: u64, pushed: u64) {
        let (id, amount, push) =
            (format!("id={}", peer.pubkey), format!("amount={sat}"), format!("push_msat={pushed}000"));
        let mut last = String::new();
        let opened = || {
            // A peer that knows a former channel no more ends the connection over it.
            self.connect(peer);
            let answer = self.cli(&["fundchannel", &id, &amount, &push, "minconf=1"]);
            answer.map_err(|error| last = error).ok()
        };
        if wait_until(PATIENCE, opened).is_none() {
            panic!("the channel is not opened: {last}");
        }
    }

    /// Waits until so many channels can be used.
    pub fn await_channels(&self, count: usize) {
        let open = || {
            let list = self.cli(&["listpeerchannels"]).ok()?;
            let is_usable =
                |channel: &&Value| channel["state"] == "CHANNELD_NORMAL" && channel["peer_connected"] == true;
            (list["channels"].as_array()?.iter().filter(is_usable).count() >= count).then_some(())
        };
        wait_until(PATIENCE, open).expect("the channels can be used");
    }

    /// Pays; goes on in the background.
    pub fn pay(&self, request: &str) -> Payment {
        let mut command = self.lightning_cli();
        command.args(["pay", &format!("bolt11={request}"), "retry_for=30"]);
        Payment::start(command)
    }

    /// The same for an invoice that has only the hash of what its payer was told.
    pub fn pay_told(&self, request: &str, told: &str) -> Payment {
        let mut command = self.lightning_cli();
        // Quoted: it is JSON, and the program would take it apart.
        let told = format!("description={}", Value::from(told));
        command.args(["pay", &format!("bolt11={request}"), "retry_for=30", &told]);
        Payment::start(command)
    }

    /// Pays the key of `payee` without an invoice.
    pub fn keysend(&self, payee: &Self, sat: u64) {
        self.ask(&["keysend", &format!("destination={}", payee.pubkey), &format!("amount_msat={sat}000")]);
    }

    /// What the node's book says of an invoice; `None` when it does not know it.
    pub fn invoice(&self, hash: &str) -> Option<Value> {
        self.ask(&["listinvoices", &format!("payment_hash={hash}")])["invoices"].as_array()?.first().cloned()
    }

    /// A request of this node's for a payment.
    pub fn request(&self, sat: u64) -> String {
        let label = format!("label={}", fastrand::u64(..));
        let made = self.ask(&["invoice", &format!("amount_msat={sat}000"), &label, "description=refund"]);
        made["bolt11"].as_str().expect("a request").to_owned()
    }

    /// Flags of `node add` for this node.
    pub fn record(&self) -> Vec<String> {
        ["--kind", "cln", "--host", &self.socket().display().to_string()].map(str::to_owned).to_vec()
    }
}
