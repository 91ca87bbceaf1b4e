//! One call to Core Lightning: a connection to its unix socket, a JSON-RPC request, the answer.
//! The messages and their framing are those of `cln-rpc`; its own client is not used because it
//! logs what it sends, preimages included, and knows no deadlines.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use cln_rpc::codec::JsonCodec;
use cln_rpc::primitives::RpcError;
use cln_rpc::{TypedRequest, model::requests::GetinfoRequest};
use futures_util::{SinkExt, StreamExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::UnixStream;
use tokio_util::codec::Framed;

use super::cln_path;
use ip2tor_domain::lightning::{NodeError, NodeErrorKind};

/// Code of every call that lightningd does not answer any more because it ends.
const SHUTTING_DOWN: i32 = -5;

/// The socket of a node.
#[derive(Clone, Debug)]
pub struct Socket {
    /// `~/.lightning/<network>/lightning-rpc`.
    pub path: PathBuf,
}

/// How a call failed.
pub enum Failure {
    /// The node answered no, with its code.
    Refused(RpcError),
    /// Anything else.
    Node(NodeError),
}

impl From<Failure> for NodeError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Node(error) => error,
            Failure::Refused(error) if error.code == Some(SHUTTING_DOWN) => {
                Self::new(NodeErrorKind::Unavailable, "lightningd is shutting down; it may be restarting")
            }
            Failure::Refused(error) => {
                let said: String = error.message.chars().filter(|c| !c.is_control()).take(200).collect();
                Self::new(NodeErrorKind::Rejected, format!("the node refuses: {said:?}"))
            }
        }
    }
}

impl Socket {
    /// Makes a call of `cln-rpc`'s model.
    ///
    /// # Errors
    /// A [`Failure`].
    pub async fn call<R>(&self, request: &R, limit: Duration) -> Result<R::Response, Failure>
    where
        R: TypedRequest + Serialize,
        R::Response: DeserializeOwned,
    {
        let params = serde_json::to_value(request).unwrap_or_else(|_| json!({}));
        self.call_with(request.method(), params, limit).await
    }

    /// Makes a call with `params` as they are.
    ///
    /// # Errors
    /// A [`Failure`].
    pub async fn call_with<T: DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
        limit: Duration,
    ) -> Result<T, Failure> {
        let exchanged = tokio::time::timeout(limit, self.exchange(method, params)).await;
        let mut answer = exchanged.unwrap_or_else(|_| Err(self.timed_out(limit))).map_err(Failure::Node)?;
        if let Some(error) = answer.get_mut("error").map(Value::take).filter(|error| !error.is_null()) {
            return Err(serde_json::from_value(error).map_or_else(|_| Failure::Node(odd(method)), Failure::Refused));
        }
        serde_json::from_value(answer["result"].take()).map_err(|_| Failure::Node(odd(method)))
    }

    async fn exchange(&self, method: &str, params: Value) -> Result<Value, NodeError> {
        let stream = UnixStream::connect(&self.path).await.map_err(|error| self.explain_connect(&error))?;
        let mut framed = Framed::new(stream, JsonCodec::default());
        let request = json!({"jsonrpc": "2.0", "id": "ip2tor-shop", "method": method, "params": params});
        framed.send(request).await.map_err(|_| self.broken())?;
        match framed.next().await {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(_)) | None => Err(self.broken()),
        }
    }

    fn explain_connect(&self, error: &io::Error) -> NodeError {
        let path = self.path.display();
        match error.kind() {
            io::ErrorKind::PermissionDenied => {
                NodeError::new(NodeErrorKind::BadCredentials, cln_path::closed(&self.path, cln_path::is_hidden))
            }
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                let detail =
                    format!("refused: no lightningd listens at {path}; is it running, and is this its socket?");
                NodeError::new(NodeErrorKind::Refused, detail)
            }
            _ => NodeError::new(NodeErrorKind::Refused, format!("refused: {path} can't be reached ({error})")),
        }
    }

    fn broken(&self) -> NodeError {
        let detail = format!("the connection with {} broke; lightningd may be restarting", self.path.display());
        NodeError::new(NodeErrorKind::Unavailable, detail)
    }

    fn timed_out(&self, limit: Duration) -> NodeError {
        let detail = format!("time-out: {} did not answer within {} s", self.path.display(), limit.as_secs_f32());
        NodeError::new(NodeErrorKind::TimedOut, detail)
    }

    /// What the node says of itself.
    ///
    /// # Errors
    /// A [`NodeError`].
    pub async fn info(&self, limit: Duration) -> Result<<GetinfoRequest as TypedRequest>::Response, NodeError> {
        Ok(self.call(&GetinfoRequest {}, limit).await?)
    }
}

fn odd(method: &str) -> NodeError {
    let detail = format!("the answer to {method} is not one of Core Lightning's; is this its lightning-rpc socket?");
    NodeError::new(NodeErrorKind::Rejected, detail)
}
