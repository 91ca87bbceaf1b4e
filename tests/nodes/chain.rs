//! The chain backend: a btcd on regtest, whose blocks are made when a test wants some. It forgets its chain when it ends.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::PATIENCE;
use crate::keeper::{Daemon, Keeper, Stopped};
use crate::live::port::free_port;
use crate::live::process::wait_until;
use crate::purse::Purse;

/// Name and password of its interface, which listens on loopback only.
pub const LOGIN: (&str, &str) = ("tests", "tests");

/// Three periods of 144 blocks each, in which miners agree on it.
const SEGWIT_HEIGHT: u32 = 450;

/// A btcd.
pub struct Chain {
    daemon: Daemon,
    bin: PathBuf,
    dir: PathBuf,
    rpc: u16,
    peers: u16,
    purse: Purse,
}

impl Chain {
    pub fn start(keeper: &Keeper, bin: &Path) -> Self {
        let (daemon, dir) = (keeper.daemon("btcd"), keeper.dir().join("btcd"));
        std::fs::create_dir_all(&dir).expect("a folder for btcd");
        // Without a file it would copy an example of its own.
        std::fs::write(dir.join("btcd.conf"), "").expect("a configuration without content");
        let mut chain =
            Self { daemon, bin: bin.to_owned(), dir, rpc: free_port(), peers: free_port(), purse: Purse::new() };
        chain.run();
        // Nodes wait for a block of today before they start, and their transactions for segwit.
        chain.mine(SEGWIT_HEIGHT);
        chain
    }

    fn run(&mut self) {
        let mut command = Command::new(self.bin.join("btcd"));
        let dir = self.dir.display();
        command.args(["--regtest", "--txindex", "--nodnsseed", "--rejectnonstd", "--debuglevel=warn"]);
        command
            .arg(format!("--configfile={dir}/btcd.conf"))
            .arg(format!("--datadir={dir}"))
            .arg(format!("--logdir={dir}"));
        command.arg(format!("--rpcuser={}", LOGIN.0)).arg(format!("--rpcpass={}", LOGIN.1));
        command.arg(format!("--rpccert={dir}/rpc.cert")).arg(format!("--rpckey={dir}/rpc.key"));
        command.arg(format!("--rpclisten={}", self.address())).arg(format!("--listen=127.0.0.1:{}", self.peers));
        command.arg(format!("--miningaddr={}", self.purse.address()));
        self.daemon.start(command);
        wait_until(PATIENCE, || self.ask("getblockcount", &json!([]))).expect("btcd answers");
    }

    /// Where its RPC interface listens.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.rpc)
    }

    pub fn certificate(&self) -> PathBuf {
        self.dir.join("rpc.cert")
    }

    fn ask(&self, method: &str, params: &Value) -> Option<Value> {
        let request = json!({"jsonrpc": "1.0", "id": 1, "method": method, "params": params}).to_string();
        let mut command = Command::new("curl");
        command.args(["--silent", "--max-time", "60", "--noproxy", "*", "--cacert"]).arg(self.certificate());
        command.args(["--user", &format!("{}:{}", LOGIN.0, LOGIN.1), "--data-binary", "@-"]);
        command.arg(format!("https://{}/", self.address())).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut curl = command.spawn().expect("curl starts");
        let written = curl.stdin.take().map(|mut stdin| stdin.write_all(request.as_bytes()));
        let output = curl.wait_with_output().ok()?;
        written?.ok()?;
        let answer: Value = serde_json::from_slice(&output.stdout).ok()?;
        answer.get("result").filter(|result| !result.is_null()).cloned()
    }

    /// Makes blocks.
    pub fn mine(&self, blocks: u32) {
        self.ask("generate", &json!([blocks])).expect("blocks are made");
    }

    /// Gives the wallet at `address` fifty bitcoins, in ten parts. They count after the next block.
    pub fn give(&mut self, address: &str) {
        let hash = self.ask("getblockhash", &json!([self.purse.next])).expect("a block");
        let block = self.ask("getblock", &json!([hash, 1])).expect("a block");
        let coinbase = block["tx"][0].as_str().expect("its first transaction");
        let spending = self.purse.spend(coinbase, address, 10);
        self.ask("sendrawtransaction", &json!([spending])).expect("btcd takes the transaction");
        self.purse.next += 1;
    }

    pub fn height(&self) -> u64 {
        self.ask("getblockcount", &json!([])).and_then(|height| height.as_u64()).expect("btcd answers")
    }

    /// Stops it in the middle of whatever it does: it accepts connections and answers nothing.
    pub fn hang(&self) -> Stopped<'_> {
        self.daemon.stop()
    }
}
