//! How a byte stream to a node is opened. Direct TCP here; a Tor stream or a SOCKS proxy is another
//! [`Dial`], and nothing above it changes.

use std::fmt;
use std::io;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use ip2tor_domain::target::is_onion;

/// What is said of `.onion` hosts without Tor.
const NEEDS_TOR: &str = ".onion addresses can be reached through Tor only: enable [onion] or set onion.socks_proxy";

/// A byte stream in both directions.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A byte stream of any kind.
pub type BoxedIo = Box<dyn Io>;

type Opener = dyn Fn(String, u16) -> BoxFuture<'static, io::Result<BoxedIo>> + Send + Sync;

/// Opens a byte stream to a host and port. Host names (and `.onion` names) arrive unresolved.
#[derive(Clone)]
pub struct Dial(Arc<Opener>);

impl Dial {
    /// Plain TCP. Refuses `.onion` hosts: not even a resolver may hear of them.
    pub fn direct() -> Self {
        Self::new(|host, port| {
            Box::pin(async move {
                if is_onion(&host) {
                    return Err(io::Error::new(io::ErrorKind::Unsupported, NEEDS_TOR));
                }
                let stream = TcpStream::connect((host.as_str(), port)).await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream) as BoxedIo)
            })
        })
    }

    /// Another transport.
    pub fn new(open: impl Fn(String, u16) -> BoxFuture<'static, io::Result<BoxedIo>> + Send + Sync + 'static) -> Self {
        Self(Arc::new(open))
    }

    /// Opens a stream.
    ///
    /// # Errors
    /// Whatever the transport reports; no bytes of the application were sent then.
    pub async fn open(&self, host: &str, port: u16) -> io::Result<BoxedIo> {
        (self.0)(host.to_owned(), port).await
    }
}

impl fmt::Debug for Dial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dial")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_onion_host_is_never_resolved_nor_dialled_directly() {
        let Err(error) = Dial::direct().open("node.onion", 10009).await else { panic!("it was opened") };
        assert_eq!((error.kind(), error.to_string().as_str()), (io::ErrorKind::Unsupported, NEEDS_TOR));
    }
}
