//! The program behind the chain: btcd, or bitcoind where the folder has only that. How it is started, how it is asked, and
//! what nodes are told of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::live::port::free_port;
use crate::purse::Purse;

/// Name and password of its interface, which listens on loopback only.
const LOGIN: (&str, &str) = ("tests", "tests");
/// Tells lightningd of btcd's chain: its own plugin knows bitcoind alone.
const BTCD_PLUGIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/nodes/btcd_backend.py");

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Btcd,
    /// With the ports of its two streams: blocks and transactions.
    Bitcoind {
        blocks: u16,
        transactions: u16,
    },
}

/// How the chain's program is reached.
pub struct Backend {
    kind: Kind,
    bin: PathBuf,
    dir: PathBuf,
    rpc: u16,
    peers: u16,
}

impl Backend {
    /// That of the programs in `bin`, which keeps its files in `dir`.
    pub fn new(bin: &Path, dir: PathBuf) -> Self {
        let kind = match bin.join("btcd").is_file() {
            true => Kind::Btcd,
            false => Kind::Bitcoind { blocks: free_port(), transactions: free_port() },
        };
        Self { kind, bin: bin.to_owned(), dir, rpc: free_port(), peers: free_port() }
    }

    /// What has to be in a folder besides the nodes' own programs, if it is not.
    pub fn missing_in(bin: &Path) -> Option<&'static str> {
        let has = |program: &str| bin.join(program).is_file();
        (!has("btcd") && !has("bitcoind")).then_some("btcd (or bitcoind)")
    }

    /// Starts it, with all that blocks earn going to `purse`.
    pub fn command(&self, purse: &Purse) -> Command {
        match self.kind {
            Kind::Btcd => self.btcd(purse),
            Kind::Bitcoind { blocks, transactions } => self.bitcoind(blocks, transactions),
        }
    }

    fn btcd(&self, purse: &Purse) -> Command {
        let dir = self.dir.display();
        // Without a file it would copy an example of its own.
        std::fs::write(self.dir.join("btcd.conf"), "").expect("a configuration without content");
        let mut command = Command::new(self.bin.join("btcd"));
        command.args(["--regtest", "--txindex", "--nodnsseed", "--rejectnonstd", "--debuglevel=warn"]);
        command
            .arg(format!("--configfile={dir}/btcd.conf"))
            .arg(format!("--datadir={dir}"))
            .arg(format!("--logdir={dir}"));
        command.arg(format!("--rpcuser={}", LOGIN.0)).arg(format!("--rpcpass={}", LOGIN.1));
        command.arg(format!("--rpccert={dir}/rpc.cert")).arg(format!("--rpckey={dir}/rpc.key"));
        command.arg(format!("--rpclisten={}", self.address())).arg(format!("--listen=127.0.0.1:{}", self.peers));
        command.arg(format!("--miningaddr={}", purse.address()));
        command
    }

    /// Its blocks are made for an address that is named each time.
    fn bitcoind(&self, blocks: u16, transactions: u16) -> Command {
        let mut command = Command::new(self.bin.join("bitcoind"));
        command.arg(format!("-datadir={}", self.dir.display()));
        command.args(["-regtest", "-server=1", "-txindex=1", "-disablewallet=1", "-listen=0", "-connect=0"]);
        command.args(["-printtoconsole=1", "-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1"]);
        command.arg(format!("-rpcport={}", self.rpc));
        command.arg(format!("-rpcuser={}", LOGIN.0)).arg(format!("-rpcpassword={}", LOGIN.1));
        command.arg(format!("-zmqpubrawblock=tcp://127.0.0.1:{blocks}"));
        command.arg(format!("-zmqpubrawtx=tcp://127.0.0.1:{transactions}"));
        command
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.rpc)
    }

    fn certificate(&self) -> PathBuf {
        self.dir.join("rpc.cert")
    }

    /// A command that sends a request, from its standard input, to the interface.
    pub fn asking(&self) -> Command {
        let mut command = Command::new("curl");
        command.args(["--silent", "--max-time", "60", "--noproxy", "*"]);
        command.args(["--user", &format!("{}:{}", LOGIN.0, LOGIN.1), "--data-binary", "@-"]);
        match self.kind {
            Kind::Btcd => command.arg("--cacert").arg(self.certificate()).arg(format!("https://{}/", self.address())),
            Kind::Bitcoind { .. } => command.arg(format!("http://{}/", self.address())),
        };
        command
    }

    /// The call that makes so many blocks, and its parameters.
    pub fn making(&self, blocks: u32, purse: &Purse) -> (&'static str, serde_json::Value) {
        match self.kind {
            Kind::Btcd => ("generate", serde_json::json!([blocks])),
            Kind::Bitcoind { .. } => ("generatetoaddress", serde_json::json!([blocks, purse.address().to_string()])),
        }
    }

    /// Tells an LND of it.
    pub fn equip_lnd(&self, command: &mut Command) {
        let program = if self.kind == Kind::Btcd { "btcd" } else { "bitcoind" };
        command.arg(format!("--bitcoin.node={program}")).arg(format!("--{program}.rpchost={}", self.address()));
        command.arg(format!("--{program}.rpcuser={}", LOGIN.0)).arg(format!("--{program}.rpcpass={}", LOGIN.1));
        match self.kind {
            Kind::Btcd => {
                command.arg(format!("--btcd.rpccert={}", self.certificate().display()));
            }
            Kind::Bitcoind { blocks, transactions } => {
                command.arg(format!("--bitcoind.zmqpubrawblock=tcp://127.0.0.1:{blocks}"));
                command.arg(format!("--bitcoind.zmqpubrawtx=tcp://127.0.0.1:{transactions}"));
            }
        }
    }

    /// Tells a lightningd of it.
    pub fn equip_cln(&self, command: &mut Command) {
        match self.kind {
            Kind::Btcd => {
                command.arg("--disable-plugin=bcli").arg(format!("--important-plugin={BTCD_PLUGIN}"));
                command.env("BTCD_RPC", self.address()).env("BTCD_LOGIN", format!("{}:{}", LOGIN.0, LOGIN.1));
            }
            Kind::Bitcoind { .. } => {
                command.arg(format!("--bitcoin-cli={}", self.bin.join("bitcoin-cli").display()));
                command.arg("--bitcoin-rpcconnect=127.0.0.1").arg(format!("--bitcoin-rpcport={}", self.rpc));
                command.arg(format!("--bitcoin-rpcuser={}", LOGIN.0));
                command.arg(format!("--bitcoin-rpcpassword={}", LOGIN.1));
            }
        }
    }
}
