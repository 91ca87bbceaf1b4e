//! Clients of the shop, with curl as the scripts of RaspiBlitz and of the hosts use it.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;
use tokio::time::Instant;

use crate::onion_shop::world::LIMIT;
use crate::tor_network::TorNetwork;

/// How long the first attempt at a request may take; one after an attempt that took too long may take
/// twice as long. A lost attempt costs little, and a machine that is slow still gets through.
const ATTEMPT: Duration = Duration::from_secs(20);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(500);

/// Somebody with curl.
pub struct Client {
    /// What all URLs begin with: scheme and authority.
    base: String,
    /// How curl reaches the shop; `None`: directly.
    tor: Option<Way>,
}

/// The way through a Tor client.
struct Way {
    socks: SocketAddr,
    /// Nobody else's circuits have this name.
    name: String,
    /// How many attempts were lost: each later one goes over circuits that none of these had.
    lost: AtomicU32,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// As they came, one in a line.
    pub headers: String,
    pub body: String,
}

impl Client {
    /// Through C-tor, on circuits that no other `name` uses.
    pub fn through_tor(network: &TorNetwork, onion: &str, name: &str) -> Self {
        Self::through(network.socks(), onion, name)
    }

    /// Through the SOCKS port of any Tor.
    pub fn through(socks: SocketAddr, onion: &str, name: &str) -> Self {
        let way = Way { socks, name: name.to_owned(), lost: AtomicU32::new(0) };
        Self { base: format!("http://{onion}"), tor: Some(way) }
    }

    /// Over TCP.
    pub fn over_tcp(shop: SocketAddr) -> Self {
        Self { base: format!("http://{shop}"), tor: None }
    }

    /// What curl prints when it is given `arguments` and the URL of `path`, at the first attempt that
    /// brings an answer. What is asked for may be done more than once: an answer can get lost.
    pub async fn curl(&self, arguments: &[&str], path: &str) -> String {
        let mut reasons = Vec::new();
        let attempts = async {
            let mut limit = ATTEMPT;
            loop {
                let begun = Instant::now();
                match self.attempt(arguments, path, limit).await {
                    Ok(text) => break text,
                    Err(reason) => reasons.push(reason),
                }
                if begun.elapsed() >= limit {
                    limit *= 2;
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        let done = tokio::time::timeout(LIMIT, attempts).await;
        done.unwrap_or_else(|_| panic!("waited in vain for an answer to {path}: {reasons:?}"))
    }

    /// One attempt within `limit`: what curl prints.
    pub async fn attempt(&self, arguments: &[&str], path: &str, limit: Duration) -> Result<String, String> {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error"]).args(arguments).arg(format!("{}{path}", self.base));
        if let Some(Way { socks, name, lost }) = &self.tor {
            let user = format!("{name}:{}", lost.load(Ordering::Relaxed));
            curl.args(["--socks5-hostname", &socks.to_string(), "--proxy-user", &user]);
        }
        let output = curl.stdin(Stdio::null()).kill_on_drop(true).output();
        let answer = match tokio::time::timeout(limit, output).await.map(Result::unwrap) {
            Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(_) => Err(format!("no answer in {limit:?}")),
        };
        if let (Some(way), Err(_)) = (&self.tor, &answer) {
            way.lost.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }

    /// A request, made as often as [`Self::curl`] says.
    pub async fn ask(&self, arguments: &[&str], path: &str) -> Answer {
        let text = self.curl(&[&["--include"], arguments].concat(), path).await;
        let (headers, body) = text.split_once("\r\n\r\n").expect("an HTTP answer");
        let status = headers.split_whitespace().nth(1).and_then(|status| status.parse().ok());
        Answer { status: status.expect("a status"), headers: headers.to_owned(), body: body.to_owned() }
    }

    /// A request that is answered with 2xx and JSON, all of whose URLs are this client's.
    pub async fn json(&self, arguments: &[&str], path: &str) -> Value {
        let answer = self.ask(arguments, path).await;
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
        assert!(answer.headers.to_lowercase().contains("content-type: application/json"), "{path}: {answer:?}");
        let value = serde_json::from_str(&answer.body).unwrap();
        assert_urls_begin_with(&value, &self.base);
        value
    }

    /// Whether the public host list names any host: then the shop takes orders.
    pub async fn sees_a_host(&self) -> bool {
        let list = self.ask(&[], "/api/v1/public/hosts/?format=json").await;
        list.status == 200 && list.body.contains("bridge1")
    }
}

/// Every URL in an answer must be good where the answer went.
fn assert_urls_begin_with(value: &Value, base: &str) {
    match value {
        Value::String(text) if text.starts_with("http") => assert!(text.starts_with(base), "{text} at {base}"),
        Value::Array(list) => list.iter().for_each(|item| assert_urls_begin_with(item, base)),
        Value::Object(fields) => fields.values().for_each(|item| assert_urls_begin_with(item, base)),
        _ => {}
    }
}
