//! The chain: one on regtest, whose blocks are made when a test wants some.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::PATIENCE;
use crate::backend::Backend;
use crate::keeper::{Daemon, Keeper, Stopped};
use crate::live::process::wait_until;
use crate::purse::Purse;

/// Three periods of 144 blocks each, in which miners agree on it.
const SEGWIT_HEIGHT: u32 = 450;

/// The program behind the chain, running.
pub struct Chain {
    pub backend: Backend,
    daemon: Daemon,
    purse: Purse,
}

impl Chain {
    pub fn start(keeper: &Keeper, bin: &Path) -> Self {
        let (mut daemon, dir) = (keeper.daemon("chain"), keeper.dir().join("chain"));
        std::fs::create_dir_all(&dir).expect("a folder for the chain");
        let (backend, purse) = (Backend::new(bin, dir), Purse::new());
        daemon.start(backend.command(&purse));
        let chain = Self { backend, daemon, purse };
        wait_until(PATIENCE, || chain.ask("getblockcount", &json!([])))
            .unwrap_or_else(|| panic!("the chain's program does not answer:\n{}", chain.daemon.said()));
        // Nodes wait for a block of today before they start, and their transactions for segwit.
        chain.mine(SEGWIT_HEIGHT);
        chain
    }

    fn ask(&self, method: &str, params: &Value) -> Option<Value> {
        let request = json!({"jsonrpc": "1.0", "id": 1, "method": method, "params": params}).to_string();
        let mut command = self.backend.asking();
        let mut curl = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("curl starts");
        let written = curl.stdin.take().map(|mut stdin| stdin.write_all(request.as_bytes()));
        let output = curl.wait_with_output().ok()?;
        written?.ok()?;
        let answer: Value = serde_json::from_slice(&output.stdout).ok()?;
        answer.get("result").filter(|result| !result.is_null()).cloned()
    }

    /// Makes blocks.
    pub fn mine(&self, blocks: u32) {
        let (call, params) = self.backend.making(blocks, &self.purse);
        self.ask(call, &params).expect("blocks are made");
    }

    /// Gives the wallet at `address` fifty bitcoins, in ten parts. They count after the next block.
    pub fn give(&mut self, address: &str) {
        let hash = self.ask("getblockhash", &json!([self.purse.next])).expect("a block");
        let block = self.ask("getblock", &json!([hash, 1])).expect("a block");
        let coinbase = block["tx"][0].as_str().expect("its first transaction");
        let spending = self.purse.spend(coinbase, address, 10);
        self.ask("sendrawtransaction", &json!([spending])).expect("the transaction is taken");
        self.purse.next += 1;
    }

    pub fn height(&self) -> u64 {
        self.ask("getblockcount", &json!([])).and_then(|height| height.as_u64()).expect("the chain's program answers")
    }

    /// Stops it in the middle of whatever it does: it accepts connections and answers nothing.
    pub fn hang(&self) -> Stopped<'_> {
        self.daemon.stop()
    }
}
