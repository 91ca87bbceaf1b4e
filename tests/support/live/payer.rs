//! Pays through a simulated node's control socket, as `lnd-simulator pay` does: somebody's wallet
//! that blocks until the payment is taken or has come back.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

/// What became of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Paid {
    /// The payee has taken it.
    Settled,
    /// Nothing was paid.
    Failed(String),
    /// The node was killed, or the payee held the payment for longer than the payer waited.
    Unknown,
}

/// Pays `bolt11` at the node whose folder is `dir`, and waits at most `patience` for the outcome.
pub fn pay(dir: &Path, bolt11: &str, patience: Duration) -> Paid {
    ask(dir, bolt11, patience).unwrap_or(Paid::Unknown)
}

fn ask(dir: &Path, bolt11: &str, patience: Duration) -> Option<Paid> {
    let mut stream = UnixStream::connect(dir.join("simulator.sock")).ok()?;
    stream.set_read_timeout(Some(patience)).ok()?;
    let order = json!({"Pay": {"bolt11": bolt11, "amount_msat": null}});
    stream.write_all(format!("{order}\n").as_bytes()).ok()?;
    for line in BufReader::new(stream).lines() {
        let reply: Value = serde_json::from_str(&line.ok()?).ok()?;
        if reply["Settled"].is_object() {
            return Some(Paid::Settled);
        }
        if let Some(reason) = reply["Failed"]["reason"].as_str() {
            return Some(Paid::Failed(reason.to_owned()));
        }
    }
    None
}
