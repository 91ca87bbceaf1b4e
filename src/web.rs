//! One question to a web server of somebody else, over any way out. Nothing is remembered of it, and redirects are not
//! followed: what is sent is meant for the address that was named, and often there is a secret in it.

mod public;

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;

use crate::domain::target::is_onion;
use crate::lightning::connector::{Connector, NodeAddress};
use crate::lightning::credentials::Source;
use crate::lightning::dial::{BoxedIo, Dial};

pub use public::{NOT_PUBLIC, may_be_public, public_only, system_resolver};

/// Largest answer that is read.
const MAX_ANSWER: usize = 64 * 1024;
/// For all of it: connection, question and answer. Over Tor a connection alone may take half a minute.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);

/// A web server, and the way to it.
#[derive(Clone, Debug)]
pub struct Server {
    /// How it is reached.
    pub dial: Dial,
    /// Its certificate, where no authority vouches for it.
    pub certificate: Option<Source>,
    /// How long it may take for all.
    pub limit: Duration,
}

/// What a server has said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// After how many seconds it wants to be asked again.
    pub retry_after_secs: Option<i64>,
    /// What it says besides.
    pub body: Bytes,
}

impl Answer {
    /// Whether it is a success.
    pub const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// What is said of an answer that is none.
    pub fn problem(&self) -> String {
        let status = self.status;
        match status {
            300..=399 => {
                format!(
                    "the server wants to be asked at another address (status {status}), which is not done: name that one"
                )
            }
            401 | 403 => format!("the server does not let the shop in (status {status})"),
            429 => format!("the server has had too many messages (status {status})"),
            _ => format!("the server answered with status {status}"),
        }
    }
}

impl Server {
    /// One that is reached in this way, and for which an authority vouches.
    pub const fn new(dial: Dial) -> Self {
        Self { dial, certificate: None, limit: TIME_LIMIT }
    }

    /// Sends `request`, whose URI is a whole one ([`parse`]), and reads the answer.
    ///
    /// # Errors
    /// One line that says what went wrong; of the address it names no more than host and port.
    pub async fn ask(&self, request: http::Request<Bytes>) -> Result<Answer, String> {
        let asked = tokio::time::timeout(self.limit, self.exchange(request));
        asked.await.map_err(|_| format!("no answer within {} s", self.limit.as_secs()))?
    }

    async fn exchange(&self, request: http::Request<Bytes>) -> Result<Answer, String> {
        let (mut head, body) = request.into_parts();
        let io = TokioIo::new(self.connect(&head.uri).await?);
        let host = header::HeaderValue::try_from(host_and_port(&head.uri)).map_err(|error| error.to_string())?;
        head.headers.insert(header::HOST, host);
        head.headers.insert(header::USER_AGENT, header::HeaderValue::from_static("ip2tor-shop"));
        let path = head.uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        head.uri = path.parse().map_err(|_| "the path of the URL can't be asked for".to_owned())?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.map_err(|e| e.to_string())?;
        let connection = tokio::spawn(connection);
        let answer = sender.send_request(http::Request::from_parts(head, Full::new(body))).await;
        let answer = match answer {
            Ok(answer) => read(answer).await,
            Err(error) => Err(error.to_string()),
        };
        connection.abort();
        answer
    }

    async fn connect(&self, url: &Uri) -> Result<BoxedIo, String> {
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        if url.scheme_str() == Some("http") {
            let port = url.port_u16().unwrap_or(80);
            return self.dial.open(&host, port).await.map_err(|error| error.to_string());
        }
        let address = NodeAddress { host, port: url.port_u16().unwrap_or(443) };
        let connector = Connector::new(address, self.certificate.clone(), self.dial.clone(), b"http/1.1", self.limit);
        Ok(Box::new(connector.connect().await.map_err(|error| error.to_string())?))
    }
}

async fn read(answer: http::Response<hyper::body::Incoming>) -> Result<Answer, String> {
    let (head, body) = answer.into_parts();
    let retry_after = head.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let body = Limited::new(body, MAX_ANSWER).collect().await.map_err(|error| error.to_string())?;
    Ok(Answer {
        status: head.status.as_u16(),
        retry_after_secs: retry_after.filter(|secs| *secs >= 0),
        body: body.to_bytes(),
    })
}

/// Reads the address of something on the web.
///
/// # Errors
/// What is wrong with it; the address is not repeated, it may be a secret.
pub fn parse(url: &str) -> Result<Uri, String> {
    let wrong = || "the URL must start with https:// (or http://) and name a host".to_owned();
    let url: Uri = url.parse().map_err(|_| wrong())?;
    let has_scheme = matches!(url.scheme_str(), Some("http" | "https"));
    if has_scheme && url.host().is_some() { Ok(url) } else { Err(wrong()) }
}

/// The same of an address that gets a secret: what is not encrypted has to stay in one's own network, or go to an onion
/// service, which encrypts by itself.
///
/// # Errors
/// What is wrong with it.
pub fn parse_private(url: &str) -> Result<Uri, String> {
    let url = parse(url)?;
    let host = url.host().unwrap_or_default();
    if url.scheme_str() == Some("https") || is_onion(host) || is_near(host) {
        return Ok(url);
    }
    Err("what is sent there must be encrypted: the URL has to start with https://".to_owned())
}

/// `host:port` as a request names it, the port only where the URL does.
pub fn host_and_port(url: &Uri) -> String {
    let host = url.host().unwrap_or_default();
    url.port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether a host is this machine or in its private network, where Tor could not get to.
pub fn is_near(host: &str) -> bool {
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_private() || address.is_link_local(),
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gets_a_secret_is_encrypted_or_near() {
        for good in ["https://a.example/x?y", "http://127.0.0.1:8080/", "http://[::1]/", "http://a.onion/"] {
            assert!(parse_private(good).is_ok(), "{good}");
        }
        for wrong in ["http://a.example/", "ftp://a.example/", "a.example", "https://", "http://8.8.8.8/secret"] {
            let message = parse_private(wrong).unwrap_err();
            assert!(!message.contains("secret"), "{message}");
        }
    }

    #[test]
    fn a_host_is_named_without_what_stands_before_it() {
        let host = |url: &str| host_and_port(&parse(url).unwrap());
        assert_eq!(host("https://me:secret@a.example:8443/x"), "a.example:8443");
        assert_eq!(host("https://[::1]/x"), "[::1]");
    }

    #[test]
    fn this_machine_and_private_networks_are_near() {
        assert!(is_near("192.168.1.5") && is_near("[::1]") && is_near("localhost"));
        assert!(!is_near("192.0.2.1") && !is_near("api.example.com") && !is_near("a.onion"));
    }
}
