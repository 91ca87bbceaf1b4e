//! An LND of the network: started with the flags of a scene, asked through its own `lncli`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::PATIENCE;
use crate::chain::Chain;
use crate::keeper::{Daemon, Keeper};
use crate::live::port::free_port;
use crate::live::process::wait_until;
use crate::payment::Payment;

/// What the help recommends for the shop.
pub const RECOMMENDED: [&str; 3] = ["invoices:read", "invoices:write", "info:read"];

/// An LND.
pub struct Lnd {
    pub daemon: Daemon,
    pub dir: PathBuf,
    pub grpc: u16,
    pub rest: u16,
    pub pubkey: String,
    peers: u16,
    bin: PathBuf,
    /// The `lnd` itself: in a scene another build than that in the folder.
    pub program: PathBuf,
    /// What never changes for it.
    own_flags: Vec<String>,
    /// What a scene has started it with.
    pub flags: Vec<String>,
}

impl Lnd {
    /// A new node with a wallet of its own, which nothing locks.
    pub fn create(keeper: &Keeper, bin: &Path, name: &str, chain: &Chain, flags: &[&str]) -> Self {
        let mut node = Self::prepare(keeper, bin, name, &[&["--noseedbackup"], flags].concat());
        node.launch(chain, &[]);
        node.introduce(chain);
        node
    }

    /// A node that has never been started.
    pub fn prepare(keeper: &Keeper, bin: &Path, name: &str, flags: &[&str]) -> Self {
        let dir = keeper.dir().join(name);
        std::fs::create_dir_all(&dir).expect("a folder for the node");
        let (peers, grpc, rest) = (free_port(), free_port(), free_port());
        Self {
            daemon: keeper.daemon(name),
            dir,
            grpc,
            rest,
            pubkey: String::new(),
            peers,
            bin: bin.to_owned(),
            program: bin.join("lnd"),
            own_flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            flags: Vec::new(),
        }
    }

    /// Waits for its first start to be over; learns its key and bakes the shop's macaroon.
    pub fn introduce(&mut self, chain: &Chain) {
        self.await_ready(chain);
        self.pubkey = self.ask(&["getinfo"])["identity_pubkey"].as_str().expect("a key").to_owned();
        self.bake("shop.macaroon", &RECOMMENDED);
    }

    /// Starts it, and waits until it is ready and has the newest block.
    pub fn start(&mut self, chain: &Chain, flags: &[&str]) {
        self.launch(chain, flags);
        self.await_ready(chain);
    }

    pub fn await_ready(&self, chain: &Chain) {
        let height = chain.height();
        let is_ready = || {
            let info = self.cli(&["getinfo"]).ok()?;
            let is_ready = info["synced_to_chain"] == true && info["block_height"].as_u64() == Some(height);
            is_ready.then_some(())
        };
        wait_until(PATIENCE, is_ready).unwrap_or_else(|| panic!("LND is not ready:\n{}", self.daemon.said()));
    }

    /// Starts it without waiting.
    pub fn launch(&mut self, chain: &Chain, flags: &[&str]) {
        let dir = self.dir.display();
        let mut command = Command::new(&self.program);
        command.arg(format!("--lnddir={dir}"));
        command.args(["--bitcoin.active", "--bitcoin.regtest", "--nobootstrap"]);
        command.args(["--bitcoin.defaultchanconfs=1", "--trickledelay=50", "--debuglevel=info", "--alias=tests"]);
        chain.backend.equip_lnd(&mut command);
        command.arg(format!("--listen=127.0.0.1:{}", self.peers));
        command
            .arg(format!("--rpclisten=127.0.0.1:{}", self.grpc))
            .arg(format!("--restlisten=127.0.0.1:{}", self.rest));
        self.flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        command.args(&self.own_flags).args(flags);
        self.daemon.start(command);
    }

    /// Ends it in an orderly way and starts it with these flags.
    pub fn restart(&mut self, chain: &Chain, flags: &[&str]) {
        self.daemon.end();
        self.start(chain, flags);
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// One of the macaroons that LND makes for itself.
    pub fn stock(&self, name: &str) -> PathBuf {
        self.dir.join("data/chain/bitcoin/regtest").join(name)
    }

    /// Bakes a macaroon into the file `name`.
    pub fn bake(&self, name: &str, permissions: &[&str]) -> PathBuf {
        let file = self.file(name);
        let save_to = file.display().to_string();
        self.ask(&[&["bakemacaroon", "--save_to", &save_to], permissions].concat());
        file
    }

    fn lncli(&self) -> Command {
        let mut command = Command::new(self.bin.join("lncli"));
        command.arg(format!("--lnddir={}", self.dir.display())).arg("--network=regtest");
        command.arg(format!("--rpcserver=127.0.0.1:{}", self.grpc));
        command
    }

    /// Runs a command of `lncli`; what it prints, or what it complains of.
    pub fn cli(&self, args: &[&str]) -> Result<Value, String> {
        let output = self.lncli().args(args).output().expect("lncli starts");
        if output.status.success() {
            return Ok(serde_json::from_slice(&output.stdout).unwrap_or(Value::Null));
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// The same for what must succeed.
    pub fn ask(&self, args: &[&str]) -> Value {
        self.cli(args).unwrap_or_else(|error| panic!("lncli {args:?}: {error}"))
    }

    /// Connects to a peer, which may be connected already.
    pub fn connect(&self, peer: &Self) {
        let address = format!("{}@127.0.0.1:{}", peer.pubkey, peer.peers);
        let connected = || match self.cli(&["connect", &address]) {
            Err(error) if !error.contains("already connected") => None,
            _ => Some(()),
        };
        wait_until(PATIENCE, connected).expect("the nodes connect");
    }

    /// Opens a channel of `sat`, of which `pushed` are the peer's. It counts after the next block.
    pub fn open_channel(&self, peer: &Self, sat: u64, pushed: u64) {
        let (local, push) = (format!("--local_amt={sat}"), format!("--push_amt={pushed}"));
        let key = format!("--node_key={}", peer.pubkey);
        // Its wallet may still be reading the last blocks, and a peer that knows a former channel no more ends the connection.
        let opened = || {
            self.connect(peer);
            self.cli(&["openchannel", &key, &local, &push, "--sat_per_vbyte=2"]).ok()
        };
        wait_until(PATIENCE, opened).expect("the channel is opened");
    }

    /// The second number of its version: 18 of 0.18.5-beta.
    pub fn minor_version(&self) -> u32 {
        let info = self.ask(&["getinfo"]);
        let version = info["version"].as_str().expect("a version");
        version.split('.').nth(1).and_then(|minor| minor.parse().ok()).expect("its second number")
    }

    /// Waits until so many channels can be used.
    pub fn await_channels(&self, count: usize) {
        let open = || {
            let list = self.cli(&["listchannels", "--active_only"]).ok()?;
            (list["channels"].as_array()?.len() >= count).then_some(())
        };
        wait_until(PATIENCE, open).expect("the channels can be used");
    }

    /// Waits until it knows how to pay `payee`: a moment after the channel can be used.
    pub fn await_route(&self, payee: &Self) {
        let route = || self.cli(&["queryroutes", &payee.pubkey, "1000"]).ok();
        wait_until(PATIENCE, route).expect("there is a way to the payee");
    }

    /// Pays; goes on in the background until the payee has decided.
    pub fn pay(&self, request: &str) -> Payment {
        let mut command = self.lncli();
        command.args(["payinvoice", "--force", "--json", "--fee_limit=1000", "--timeout=60s", request]);
        Payment::start(command)
    }

    /// Pays another amount than the request asks for, as nobody's wallet does.
    pub fn pay_amount(&self, request: &str, sat: u64) {
        let asked = self.ask(&["decodepayreq", request]);
        let flag = |name: &str, value: &str| format!("--{name}={}", asked[value].as_str().expect("a text"));
        let mut command = self.lncli();
        command.args(["sendpayment", &format!("--amt={sat}"), &flag("dest", "destination")]);
        command.args([flag("payment_hash", "payment_hash"), flag("pay_addr", "payment_addr")]);
        command.args([flag("final_cltv_delta", "cltv_expiry"), "--force".to_owned(), "--json".to_owned()]);
        Payment::start(command).expect_settled();
    }

    /// Pays the key of `payee` without an invoice: an `--amp` or a `--keysend`.
    pub fn pay_unasked(&self, payee: &Self, how: &str, sat: u64) {
        let (dest, amount) = (format!("--dest={}", payee.pubkey), format!("--amt={sat}"));
        let mut command = self.lncli();
        command.args(["sendpayment", how, &dest, &amount, "--force", "--json", "--timeout=60s"]);
        Payment::start(command).expect_settled();
    }

    /// What the node's book says of an invoice; `None` when it does not know it.
    pub fn invoice(&self, hash: &str) -> Option<Value> {
        self.cli(&["lookupinvoice", hash]).ok()
    }

    /// A request of this node's for a payment.
    pub fn request(&self, sat: u64) -> String {
        self.ask(&["addinvoice", &format!("--amt={sat}")])["payment_request"].as_str().expect("a request").to_owned()
    }

    /// Flags of `node add` for this node.
    pub fn record(&self, kind: &str, macaroon: &Path) -> Vec<String> {
        let port = if kind == "lnd_rest" { self.rest } else { self.grpc };
        let flags = [
            ("--kind", kind.to_owned()),
            ("--host", "127.0.0.1".to_owned()),
            ("--port", port.to_string()),
            ("--certificate-file", self.file("tls.cert").display().to_string()),
            ("--macaroon-file", macaroon.display().to_string()),
        ];
        flags.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]).collect()
    }

    /// The same with the macaroon that the help recommends.
    pub fn usual_record(&self, kind: &str) -> Vec<String> {
        self.record(kind, &self.file("shop.macaroon"))
    }
}
