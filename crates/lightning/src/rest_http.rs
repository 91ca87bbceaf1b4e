//! HTTP for LND's REST: one exchange, and streams of lines.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, BodyStream, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Error as ClientError;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tonic::Code;

use super::lnd_errors::{from_answer, from_transport, is_unknown_invoice};
use super::rest_json::{StreamLine, is_error_of_lnd, read_error};
use ip2tor_domain::lightning::{NodeError, NodeErrorKind, NodeInvoice};

/// ALPN of HTTP/1.1.
pub const HTTP1: &[u8] = b"http/1.1";
/// Largest answer that is read.
const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// Longest line of a stream that is read: one invoice. Longer ones are none of the shop's.
const MAX_LINE: usize = 1024 * 1024;
/// A silent HTTP/1.1 stream can't be told from a broken one: it ends after this, and its reader
/// subscribes anew from its cursor.
const MAX_SILENCE: Duration = Duration::from_secs(300);

/// What is asked of the node.
pub struct Exchange {
    /// HTTP method.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// JSON body.
    pub body: Option<Value>,
}

impl Exchange {
    /// A GET.
    pub const fn get(path: String) -> Self {
        Self { method: Method::GET, path, body: None }
    }

    /// A POST.
    pub fn post(path: &str, body: Value) -> Self {
        Self { method: Method::POST, path: path.to_owned(), body: Some(body) }
    }

    /// The request for the node at `base` (`https://host:port`).
    ///
    /// # Errors
    /// [`NodeErrorKind::BadCredentials`] when that is no address.
    pub fn request(&self, base: &str, macaroon: HeaderValue) -> Result<Request<Full<Bytes>>, NodeError> {
        let body = self.body.as_ref().map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        Request::builder()
            .method(self.method.clone())
            .uri(format!("{base}{}", self.path))
            .header("Grpc-Metadata-macaroon", macaroon)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|_| {
                let detail = format!("bad credentials: {base} is not an address of a node");
                NodeError::new(NodeErrorKind::BadCredentials, detail)
            })
    }
}

/// An answer that says no.
pub struct Refusal {
    /// LND's code, or what the HTTP status comes closest to.
    pub code: Code,
    /// LND's words, or the HTTP status.
    pub message: String,
    /// Whether LND itself says so, and not something that stands before it.
    pub is_of_lnd: bool,
}

/// Reads an answer without success.
///
/// # Errors
/// When the connection breaks meanwhile.
pub async fn read_refusal(answer: Response<Incoming>) -> Result<Refusal, NodeError> {
    let (head, body) = answer.into_parts();
    let error = serde_json::from_slice(&whole(body).await?).unwrap_or(Value::Null);
    let (code, message) = read_error(&error, head.status.as_u16());
    Ok(Refusal { code, message, is_of_lnd: is_error_of_lnd(&error) })
}

async fn whole(body: Incoming) -> Result<Bytes, NodeError> {
    let broken = |error: Box<dyn std::error::Error + Send + Sync>| from_transport(&*error);
    match Limited::new(body, MAX_ANSWER).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(NodeError::new(NodeErrorKind::Rejected, "the answer is larger than is read"))
        }
        Err(error) => Err(broken(error)),
    }
}

/// Reads an answer; `None` when it says that there is no such invoice.
pub async fn read_answer<T: DeserializeOwned>(
    answer: Result<Response<Incoming>, ClientError>,
) -> Result<Option<T>, NodeError> {
    let (head, body) = answer.map_err(|error| from_transport(&error))?.into_parts();
    let bytes = whole(body).await?;
    if head.status.is_success() {
        return serde_json::from_slice(&bytes).map(Some).map_err(|_| not_lnd());
    }
    let error = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    let (code, message) = read_error(&error, head.status.as_u16());
    if error.is_object() && is_unknown_invoice(&message) {
        return Ok(None);
    }
    Err(from_answer(code, &message))
}

/// The invoices of a stream of lines, the call itself included: its failure is the first item.
pub fn invoices_of(
    call: impl Future<Output = Result<Response<Incoming>, ClientError>> + Send + 'static,
) -> impl Stream<Item = Result<NodeInvoice, NodeError>> + Send + 'static {
    stream::once(async move {
        let answer = call.await.map_err(|error| from_transport(&error))?;
        if !answer.status().is_success() {
            let refused = read_answer::<Value>(Ok(answer)).await;
            return Err(refused.err().unwrap_or_else(not_lnd));
        }
        Ok(lines_of(answer.into_body()))
    })
    .try_flatten()
    .map(|line| read_line(&line?))
    .try_filter_map(|invoice| std::future::ready(Ok(invoice)))
}

/// The invoice of a line, if it might be the shop's.
fn read_line(line: &[u8]) -> Result<Option<NodeInvoice>, NodeError> {
    let line: StreamLine = serde_json::from_slice(line).map_err(|_| not_lnd())?;
    match (line.result, line.error) {
        (Some(invoice), _) => Ok(invoice.readable()),
        (None, error) => {
            let (code, message) = read_error(&error.unwrap_or(Value::Null), 200);
            Err(from_answer(code, &message))
        }
    }
}

/// The non-empty lines of a body.
pub fn lines_of(body: Incoming) -> impl Stream<Item = Result<Vec<u8>, NodeError>> + Send {
    let frames = BodyStream::new(body);
    stream::try_unfold((frames, Splitter::default()), |(mut frames, mut splitter)| async move {
        loop {
            if let Some(line) = splitter.lines.pop_front() {
                return Ok(Some((line, (frames, splitter))));
            }
            match tokio::time::timeout(MAX_SILENCE, frames.next()).await {
                Err(_) | Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => return Err(from_transport(&error)),
                Ok(Some(Ok(frame))) => splitter.push(&frame.into_data().unwrap_or_else(|_| Bytes::new())),
            }
        }
    })
}

/// Cuts bytes into lines.
#[derive(Default)]
struct Splitter {
    rest: Vec<u8>,
    /// Whether the present line is too long and what is left of it is thrown away.
    too_long: bool,
    lines: VecDeque<Vec<u8>>,
}

impl Splitter {
    fn push(&mut self, mut data: &[u8]) {
        while let Some(end) = data.iter().position(|byte| *byte == b'\n') {
            self.add(&data[..end]);
            data = &data[end + 1..];
            let line = std::mem::take(&mut self.rest);
            if !std::mem::take(&mut self.too_long) && !line.trim_ascii().is_empty() {
                self.lines.push_back(line);
            }
        }
        self.add(data);
    }

    fn add(&mut self, data: &[u8]) {
        self.too_long |= self.rest.len() + data.len() > MAX_LINE;
        if self.too_long {
            self.rest = Vec::new();
        } else {
            self.rest.extend_from_slice(data);
        }
    }
}

fn not_lnd() -> NodeError {
    NodeError::new(NodeErrorKind::Rejected, "the answer is not one of LND's REST interface; is this its REST port?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_across_frames_and_one_that_is_too_long_is_left_out() {
        let mut splitter = Splitter::default();
        splitter.push(b"{\"a\":");
        assert!(splitter.lines.is_empty());
        splitter.push(b"1}\n\n{\"b\":2}\n{");
        assert_eq!(splitter.lines, [b"{\"a\":1}".to_vec(), b"{\"b\":2}".to_vec()]);
        splitter.lines.clear();
        splitter.push(&vec![b'x'; MAX_LINE]);
        assert!(splitter.rest.is_empty(), "nothing of a line that is too long is kept");
        splitter.push(b"yy\n{}\n");
        assert_eq!(splitter.lines, [b"{}".to_vec()]);
    }

    #[test]
    fn an_error_in_a_stream_ends_it_with_its_meaning() {
        let line = br#"{"error":{"grpc_code":14,"http_code":503,"message":"shutting down","http_status":"x"}}"#;
        assert_eq!(read_line(line).unwrap_err().kind, NodeErrorKind::Unavailable);
    }
}
