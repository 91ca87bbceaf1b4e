//! Makes TLS connections to one node for hyper: the transport is a [`Dial`], the certificate is read
//! anew for each connection, so that a renewed one is picked up by itself.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::BoxFuture;
use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::credentials::Source;
use super::dial::{BoxedIo, Dial};
use super::trust::{explain_handshake, read_certificate, tls_config};
use ip2tor_domain::address::with_port;
use ip2tor_domain::lightning::{Certificate, NodeError, NodeErrorKind};

/// Where a node listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAddress {
    /// Host name, IP address (an IPv6 address without brackets) or `.onion` name.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&with_port(&self.host, self.port))
    }
}

/// The connector of one node.
#[derive(Clone, Debug)]
pub struct Connector(Arc<Settings>);

#[derive(Debug)]
struct Settings {
    address: NodeAddress,
    certificate: Option<Source>,
    dial: Dial,
    alpn: &'static [u8],
    time_limit: Duration,
}

impl Connector {
    /// A connector that speaks `alpn` (`h2`, `http/1.1`) and gives up on a connection, handshake
    /// included, after `time_limit`.
    pub fn new(
        address: NodeAddress,
        certificate: Option<Source>,
        dial: Dial,
        alpn: &'static [u8],
        time_limit: Duration,
    ) -> Self {
        Self(Arc::new(Settings { address, certificate, dial, alpn, time_limit }))
    }

    /// The node's address.
    pub fn address(&self) -> &NodeAddress {
        &self.0.address
    }

    /// Connects. All errors mean that nothing of the application was sent.
    ///
    /// # Errors
    /// `Refused`, `ConnectTimedOut`, `WrongCertificate`, `ExpiredCertificate`, `BadCredentials`.
    pub async fn connect(&self) -> Result<NodeStream, NodeError> {
        tokio::time::timeout(self.0.time_limit, self.connect_with_fresh_certificate()).await.unwrap_or_else(|_| {
            let detail = format!(
                "time-out: no connection with {} within {} s; is the machine up and the port open in its firewall?",
                self.0.address,
                self.0.time_limit.as_secs_f32()
            );
            Err(NodeError::new(NodeErrorKind::ConnectTimedOut, detail))
        })
    }

    /// What the configured certificate says; `None` without one.
    pub async fn certificate(&self) -> Option<Certificate> {
        read_certificate(&self.read_certificate().await.ok()??)
    }

    /// A node may renew its certificate between our reading it and the handshake: a certificate that
    /// fails is read once more, and tried again when it has changed.
    async fn connect_with_fresh_certificate(&self) -> Result<NodeStream, NodeError> {
        let pem = self.read_certificate().await?;
        match self.handshake(pem.as_deref()).await {
            Err(error) if is_about_certificate(error.kind) => {
                let again = self.read_certificate().await?;
                if again == pem { Err(error) } else { self.handshake(again.as_deref()).await }
            }
            result => result,
        }
    }

    async fn read_certificate(&self) -> Result<Option<Vec<u8>>, NodeError> {
        match &self.0.certificate {
            Some(source) => source.read("certificate").await.map(Some),
            None => Ok(None),
        }
    }

    async fn handshake(&self, pem: Option<&[u8]>) -> Result<NodeStream, NodeError> {
        let Settings { address, dial, alpn, .. } = &*self.0;
        let config = tls_config(pem, alpn)?;
        let name = ServerName::try_from(address.host.clone()).map_err(|_| {
            let detail = format!("refused: {:?} is neither a host name nor an IP address", address.host);
            NodeError::new(NodeErrorKind::Refused, detail)
        })?;
        let stream = dial.open(&address.host, address.port).await.map_err(|error| explain_dial(&error, address))?;
        let tls = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        tls.map(|stream| NodeStream(stream, MadeAt(Instant::now())))
            .map_err(|error| explain_handshake(&error, &address.to_string()))
    }
}

const fn is_about_certificate(kind: NodeErrorKind) -> bool {
    matches!(kind, NodeErrorKind::WrongCertificate | NodeErrorKind::ExpiredCertificate)
}

fn explain_dial(error: &io::Error, address: &NodeAddress) -> NodeError {
    let detail = match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!("refused: nothing listens at {address}; is the node running, and is this its port?")
        }
        _ => format!("refused: {address} can't be reached ({error})"),
    };
    NodeError::new(NodeErrorKind::Refused, detail)
}

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<NodeStream>;
    type Error = NodeError;
    type Future = BoxFuture<'static, Result<Self::Response, NodeError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NodeError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.connect().await.map(TokioIo::new) })
    }
}

/// An encrypted stream to a node that has proved who it is.
pub struct NodeStream(TlsStream<BoxedIo>, MadeAt);

/// When a connection came about.
#[derive(Clone, Copy, Debug)]
pub struct MadeAt(pub Instant);

impl Connection for NodeStream {
    fn connected(&self) -> Connected {
        Connected::new().extra(self.1)
    }
}

impl AsyncRead for NodeStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for NodeStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
