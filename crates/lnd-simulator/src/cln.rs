//! Core Lightning's face: the `lightning-rpc` socket with JSON-RPC, over the same invoices. Calls on
//! one connection do not wait for each other, as with lightningd.

use std::io;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::task::JoinSet;

use super::cln_calls::call;
use super::cln_params::{Params, Refused};
use super::faults::Wallet;
use super::grpc::strike;
use super::node::Node;
use super::server::Shared;

/// The name of the socket in the simulator's folder.
pub const SOCKET: &str = "lightning-rpc";
/// The longest request that is read.
const MAX_REQUEST: usize = 4 * 1024 * 1024;

/// Serves the socket until the simulator stops.
pub async fn listen(shared: Arc<Shared>, listener: UnixListener) {
    while let Some(accepted) = shared.stop.run_until_cancelled(listener.accept()).await {
        let Ok((stream, _)) = accepted else { continue };
        if shared.access.node.faults.wallet() != Wallet::Unlocked {
            // lightningd does not listen before it is ready.
            continue;
        }
        let serving = Arc::clone(&shared);
        shared.tasks.spawn(async move {
            let node = &serving.access.node;
            let dropped = node.faults.connections_dropped();
            tokio::select! {
                () = serving.stop.cancelled() => {}
                () = dropped => {}
                // What ends a connection is the client's business.
                _ = serve(node, stream) => {}
            }
        });
    }
}

async fn serve(node: &Arc<Node>, stream: UnixStream) -> io::Result<()> {
    let (mut read, mut write) = stream.into_split();
    let (answers, mut outbox) = mpsc::unbounded_channel::<Sent>();
    // Calls that still wait end with the connection.
    let mut calls = JoinSet::new();
    let reading = async {
        let mut buffer = Vec::new();
        while let Some(request) = next_request(&mut read, &mut buffer).await? {
            calls.spawn(answer(Arc::clone(node), request, answers.clone()));
        }
        Err::<(), io::Error>(io::ErrorKind::UnexpectedEof.into())
    };
    let writing = async {
        while let Some(answer) = outbox.recv().await {
            write.write_all(&answer.bytes).await?;
            if answer.is_last {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
        }
        Ok(())
    };
    tokio::try_join!(reading, writing).map(drop)
}

/// Requests follow each other without a separator that could be relied on.
async fn next_request(read: &mut (impl AsyncReadExt + Unpin), buffer: &mut Vec<u8>) -> io::Result<Option<Value>> {
    loop {
        let mut documents = serde_json::Deserializer::from_slice(buffer).into_iter::<Value>();
        match documents.next() {
            Some(Ok(request)) => {
                let end = documents.byte_offset();
                buffer.drain(..end);
                return Ok(Some(request));
            }
            Some(Err(error)) if !error.is_eof() => return Err(error.into()),
            _ if buffer.len() > MAX_REQUEST => return Err(io::ErrorKind::InvalidData.into()),
            _ => {}
        }
        if read.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// What goes out, and whether the connection is cut then.
struct Sent {
    bytes: Vec<u8>,
    is_last: bool,
}

/// Sends the answer to one request.
async fn answer(node: Arc<Node>, mut request: Value, answers: UnboundedSender<Sent>) {
    let method = request["method"].as_str().unwrap_or_default().to_owned();
    let params = Params::new(&method, request["params"].take());
    let answer = match strike(&node, &method).await {
        Ok(faults) if !faults.unavailable => {
            let outcome = call(&node, &method, params).await;
            let mut bytes = format!("{}\n\n", envelope(request["id"].take(), outcome)).into_bytes();
            let is_lost = faults.lose_answer || faults.reset_after;
            if is_lost || faults.cut {
                bytes.truncate(if is_lost { 0 } else { bytes.len() / 2 });
            }
            Sent { bytes, is_last: is_lost || faults.cut }
        }
        _ => Sent { bytes: Vec::new(), is_last: true },
    };
    // Who hung up needs no answer.
    let _ = answers.send(answer);
}

fn envelope(id: Value, outcome: Result<Value, Refused>) -> Value {
    match outcome {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Err(Refused { code, message }) => {
            json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
        }
    }
}
