//! A simulated host: does over HTTP what the hosts' scripts do, every two seconds: checks in,
//! activates what is paid and suspends what is over. No port is really forwarded.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::task::JoinHandle;

use super::seed::Memory;

const POLL_INTERVAL: Duration = Duration::from_secs(2);

struct Agent {
    client: Client<HttpConnector, Full<Bytes>>,
    api: String,
    host: String,
    token: String,
}

/// Why a call failed, in words.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Starts the agent; it ends when the handle is aborted.
pub fn start(shop: SocketAddr, memory: &Memory) -> JoinHandle<()> {
    let agent = Agent {
        client: Client::builder(TokioExecutor::new()).build_http(),
        api: format!("http://{shop}/api/v1"),
        host: memory.host_id.clone(),
        token: memory.token.clone(),
    };
    tokio::spawn(async move {
        loop {
            if let Err(error) = agent.round().await {
                tracing::warn!(%error, "the simulated host could not reach the shop");
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    })
}

impl Agent {
    async fn round(&self) -> Result<(), Failure> {
        self.call(Method::POST, &format!("hosts/{}/check_in/", self.host), "{}").await?;
        for product in ["tor_bridges", "nostr_aliases"] {
            self.move_all(product, "P", "A").await?;
            self.move_all(product, "S", "H").await?;
        }
        Ok(())
    }

    /// Reports `to` for every product that is `from`.
    async fn move_all(&self, product: &str, from: &str, to: &str) -> Result<(), Failure> {
        let list = self.call(Method::GET, &format!("{product}/?host={}&status={from}", self.host), "").await?;
        for id in list.as_array().into_iter().flatten().filter_map(|item| item["id"].as_str()) {
            let body = serde_json::json!({ "status": to }).to_string();
            self.call(Method::PATCH, &format!("{product}/{id}/"), &body).await?;
            tracing::info!(product, id, status = to, "the simulated host reports");
        }
        Ok(())
    }

    async fn call(&self, method: Method, path: &str, body: &str) -> Result<Value, Failure> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}/{path}", self.api))
            .header("Authorization", format!("Token {}", self.token));
        if !body.is_empty() {
            request = request.header("Content-Type", "application/json");
        }
        let answer = self.client.request(request.body(Full::from(body.to_owned()))?).await?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            return Err(format!("{path}: {status} {}", String::from_utf8_lossy(&bytes)).into());
        }
        Ok(serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }
}
