//! Connections through a SOCKS5 proxy that is a Tor client.
//!
//! C-tor tells little through SOCKS: an onion service that does not exist and one that is down are
//! both "host unreachable", unless its `SocksPort` has the flag `ExtendedErrors`. Then there are
//! codes of its own (F0 to F7 in proposal 304), which the library does not know.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_socks::Error;
use tokio_socks::tcp::Socks5Stream;

use super::dial_error::DialError;
use super::isolation::Isolation;

/// Connects to `host:port` through `proxy`; `isolation` is the user that it is told.
pub(super) async fn connect(
    proxy: SocketAddr,
    host: &str,
    port: u16,
    isolation: Isolation,
) -> Result<TcpStream, DialError> {
    let stream = TcpStream::connect(proxy).await.map_err(|error| told(Error::Io(error), None, proxy))?;
    let mut overheard = Overheard { stream, answers: Vec::with_capacity(ANSWERS) };
    let user = isolation.socks_user();
    let asked = Socks5Stream::connect_with_password_and_socket(&mut overheard, (host, port), &user, "isolated");
    match asked.await.map(drop) {
        Ok(()) => Ok(overheard.stream),
        Err(error) => Err(told(error, overheard.code(), proxy)),
    }
}

/// What the proxy's refusal means, by its code where the library does not know that.
fn told(error: Error, code: Option<u8>, proxy: SocketAddr) -> DialError {
    match (error, code) {
        (_, Some(0xF0)) => DialError::NotFound,
        (_, Some(0xF2)) => DialError::NotRunning,
        (_, Some(0xF4 | 0xF5)) => DialError::NeedsAuthorization,
        (_, Some(0xF6)) | (Error::InvalidTargetAddress(_), _) => DialError::BadAddress,
        // A damaged descriptor, or a circuit that failed: not clearly the service's fault.
        (_, Some(code @ 0xF0..)) => DialError::Other(format!("the SOCKS proxy says: error {code:X}")),
        (Error::ConnectionRefused, _) => DialError::Refused,
        (error @ (Error::Io(_) | Error::ProxyServerUnreachable), _) => {
            DialError::NotReady(format!("the SOCKS proxy {proxy} (onion.socks_proxy) does not answer: {error}"))
        }
        (other, _) => DialError::Other(format!("the SOCKS proxy says: {other}")),
    }
}

/// The bytes of the proxy's answers up to the code: to the greeting, the login, and the request.
const ANSWERS: usize = 6;
/// The method of a login with a name, in the answer to the greeting.
const WITH_LOGIN: u8 = 2;

/// A connection to a proxy that remembers the first bytes of what it says.
struct Overheard {
    stream: TcpStream,
    answers: Vec<u8>,
}

impl Overheard {
    /// The code in the answer to the request, if it came so far.
    fn code(&self) -> Option<u8> {
        let code = if self.answers.get(1) == Some(&WITH_LOGIN) { ANSWERS - 1 } else { ANSWERS - 3 };
        self.answers.get(code).copied()
    }
}

impl AsyncRead for Overheard {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        let missing = ANSWERS.saturating_sub(self.answers.len());
        self.answers.extend(buf.filled()[before..].iter().take(missing));
        read
    }
}

impl AsyncWrite for Overheard {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// What a proxy that chooses `method` and answers the request with `code` makes of a connection.
    async fn refused(method: u8, code: u8) -> DialError {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = [0; 256];
            let _ = stream.read(&mut bytes).await;
            let _ = stream.write_all(&[5, method]).await;
            if method == WITH_LOGIN {
                let _ = stream.read(&mut bytes).await;
                let _ = stream.write_all(&[1, 0]).await;
            }
            let _ = stream.read(&mut bytes).await;
            let _ = stream.write_all(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0]).await;
        });
        connect(proxy, "a.onion", 80, Isolation::fresh()).await.unwrap_err()
    }

    #[tokio::test]
    async fn the_extended_errors_of_tor_are_understood() {
        for (code, meaning) in [
            (0x05, DialError::Refused),
            (0xF0, DialError::NotFound),
            (0xF2, DialError::NotRunning),
            (0xF4, DialError::NeedsAuthorization),
            (0xF5, DialError::NeedsAuthorization),
            (0xF6, DialError::BadAddress),
        ] {
            assert_eq!(refused(WITH_LOGIN, code).await, meaning, "{code:X}");
        }
        assert_eq!(refused(0, 0xF0).await, DialError::NotFound, "a proxy that wants no login");
    }

    #[tokio::test]
    async fn what_may_be_a_circuits_fault_blames_no_service() {
        for code in [0x01, 0x04, 0xF1, 0xF3, 0xF7] {
            let error = refused(WITH_LOGIN, code).await;
            assert!(matches!(error, DialError::Other(_)), "{code:X}: {error:?}");
        }
    }
}
