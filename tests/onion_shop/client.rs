//! Clients of the shop, with curl as the scripts of RaspiBlitz and of the hosts use it.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::process::Command;

use crate::tor_network::TorNetwork;

/// Somebody with curl.
pub struct Client {
    /// What all URLs begin with: scheme and authority.
    base: String,
    /// How curl reaches the shop.
    way: Vec<String>,
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
        let way = ["--socks5-hostname", &socks.to_string(), "--proxy-user", &format!("{name}:x")];
        Self { base: format!("http://{onion}"), way: way.map(str::to_owned).into() }
    }

    /// Over TCP.
    pub fn over_tcp(shop: SocketAddr) -> Self {
        Self { base: format!("http://{shop}"), way: Vec::new() }
    }

    /// The same on other circuits.
    pub fn renamed(&self, name: &str) -> Self {
        let mut way = self.way.clone();
        *way.last_mut().unwrap() = format!("{name}:x");
        Self { base: self.base.clone(), way }
    }

    /// What curl prints when it is given `arguments` and the URL of `path`.
    pub async fn curl(&self, arguments: &[&str], path: &str) -> Result<String, String> {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--max-time", "60"])
            .args(&self.way)
            .args(arguments)
            .arg(format!("{}{path}", self.base))
            .output()
            .await
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }

    /// One request.
    pub async fn ask(&self, arguments: &[&str], path: &str) -> Result<Answer, String> {
        let text = self.curl(&[&["--include"], arguments].concat(), path).await?;
        let (headers, body) = text.split_once("\r\n\r\n").ok_or("no HTTP answer")?;
        let status = headers.split_whitespace().nth(1).and_then(|status| status.parse().ok());
        Ok(Answer { status: status.ok_or("no status")?, headers: headers.to_owned(), body: body.to_owned() })
    }

    /// One request that is answered with 2xx and JSON, all of whose URLs are this client's.
    pub async fn json(&self, arguments: &[&str], path: &str) -> Value {
        let answer = self.ask(arguments, path).await.unwrap();
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
        assert!(answer.headers.to_lowercase().contains("content-type: application/json"), "{path}: {answer:?}");
        let value = serde_json::from_str(&answer.body).unwrap();
        assert_urls_begin_with(&value, &self.base);
        value
    }

    /// Whether the public host list names any host: then the shop takes orders.
    pub async fn sees_a_host(&self) -> bool {
        let list = self.ask(&[], "/api/v1/public/hosts/?format=json").await;
        list.is_ok_and(|answer| answer.status == 200 && answer.body.contains("bridge1"))
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
