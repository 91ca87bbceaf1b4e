//! An LND with a wallet password: after each start it waits until somebody says it.

use std::process::Command;

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::PATIENCE;
use crate::live::process::wait_until;
use crate::lnd::Lnd;
use crate::network::Network;

const PASSWORD: &str = "correct horse";

/// An LND that is locked after each start.
pub struct Locked {
    pub node: Lnd,
    words: Value,
}

impl Locked {
    /// A new node; unlocked.
    pub fn create(network: &mut Network) -> Self {
        let name = format!("locked{}", fastrand::u32(..));
        let mut node = network.prepare(&name);
        node.launch(&network.chain, &[]);
        let seed = |words: &Value| words["cipher_seed_mnemonic"].is_array();
        let words = call(&node, &["-X", "GET"], "genseed", seed);
        let mut locked = Self { node, words: words["cipher_seed_mnemonic"].clone() };
        locked.make_wallet();
        locked.node.introduce(&network.chain);
        locked
    }

    fn make_wallet(&self) {
        let wallet = json!({"wallet_password": password(), "cipher_seed_mnemonic": self.words});
        let made = |answer: &Value| answer["admin_macaroon"].is_string();
        call(&self.node, &["--data", &wallet.to_string()], "initwallet", made);
    }

    /// Loses all that it had but its seed, and is made anew from that: with the same key, and without channels.
    pub fn restore(&mut self, network: &Network) {
        let key = self.node.pubkey.clone();
        self.node.daemon.end();
        std::fs::remove_dir_all(self.node.file("data")).expect("it had data");
        self.node.launch(&network.chain, &[]);
        self.make_wallet();
        self.node.introduce(&network.chain);
        assert_eq!(self.node.pubkey, key);
    }

    /// Ends it and starts it again; it waits for its password then.
    pub fn restart(&mut self, network: &Network) {
        self.node.daemon.end();
        self.node.launch(&network.chain, &[]);
        let locked = |answer: &Value| answer["state"] == "LOCKED";
        call(&self.node, &["-X", "GET"], "state", locked);
    }

    pub fn unlock(&self, network: &Network) {
        let body = json!({"wallet_password": password()}).to_string();
        call(&self.node, &["--data", &body], "unlockwallet", |answer| {
            answer.as_object().is_some_and(|all| all.is_empty())
        });
        self.node.await_ready(&network.chain);
    }
}

fn password() -> String {
    BASE64.encode(PASSWORD.as_bytes())
}

/// Asks by REST until the answer is the one that is waited for: so early only this much of a node answers.
fn call(node: &Lnd, how: &[&str], path: &str, is_done: impl Fn(&Value) -> bool) -> Value {
    let answer = || {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--max-time", "60", "--noproxy", "*", "--cacert"]).arg(node.file("tls.cert"));
        let output = curl.args(how).arg(format!("https://127.0.0.1:{}/v1/{path}", node.rest)).output().ok()?;
        serde_json::from_slice(&output.stdout).ok().filter(|answer| is_done(answer))
    };
    wait_until(PATIENCE, answer).unwrap_or_else(|| panic!("{path}: {}", node.daemon.said()))
}
