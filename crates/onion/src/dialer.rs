//! Outgoing connections: directly, through the embedded Tor client, or through a SOCKS proxy.
//!
//! Invariant: a `.onion` host never reaches a resolver or a socket outside Tor, and a dialer that
//! goes through Tor goes through nothing else: when Tor fails, the connection fails.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::client::Tor;
use super::config::OnionConfig;
use super::dial_error::DialError;
use super::isolation::Isolation;
use super::socks;
use ip2tor_domain::target::is_onion;

/// A stream of bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open connection, whichever way it goes. Through Tor nothing is sent before a flush.
pub type Connection = Box<dyn Stream>;

/// The way out.
#[derive(Clone)]
pub enum Dialer {
    /// Plain TCP. Refuses `.onion` hosts.
    Direct,
    /// The embedded Tor client, for `.onion` and other hosts.
    Arti(Tor),
    /// A SOCKS5 proxy, trusted to be a Tor client: it is also given `.onion` hosts.
    Socks(SocketAddr),
}

impl Dialer {
    /// The way out that the settings ask for: the proxy when there is one, else the embedded
    /// client when it runs, else plain TCP.
    pub fn new(config: &OnionConfig, tor: Option<Tor>) -> Self {
        match (config.socks_proxy, tor) {
            (Some(proxy), _) => Self::Socks(proxy),
            (None, Some(tor)) => Self::Arti(tor),
            (None, None) => Self::Direct,
        }
    }

    /// Whether a connection made now would not first wait for Tor.
    ///
    /// # Errors
    /// [`DialError::NotReady`] while the embedded client has no network.
    pub fn is_ready(&self) -> Result<(), DialError> {
        match self {
            Self::Arti(tor) => tor.is_ready(),
            Self::Direct | Self::Socks(_) => Ok(()),
        }
    }

    /// Connects to `host:port`, within `limit`.
    ///
    /// # Errors
    /// [`DialError`]; never tries another way out.
    pub async fn connect(
        &self,
        host: &str,
        port: u16,
        isolation: Isolation,
        limit: Duration,
    ) -> Result<Connection, DialError> {
        let attempt = async {
            match self {
                Self::Direct if is_onion(host) => Err(DialError::NeedsTor),
                Self::Direct => direct(host, port).await,
                Self::Arti(tor) => tor.connect(host, port, isolation).await.map(boxed),
                Self::Socks(proxy) => socks::connect(*proxy, host, port, isolation).await.map(boxed),
            }
        };
        tokio::time::timeout(limit, attempt).await.unwrap_or(Err(DialError::Timeout(limit)))
    }
}

fn boxed(stream: impl Stream + 'static) -> Connection {
    Box::new(stream)
}

async fn direct(host: &str, port: u16) -> Result<Connection, DialError> {
    TcpStream::connect((host, port)).await.map(boxed).map_err(|error| from_io(&error))
}

fn from_io(error: &io::Error) -> DialError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => DialError::Refused,
        _ => DialError::Other(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    const LIMIT: Duration = Duration::from_secs(30);

    #[test]
    fn what_strangers_may_read_of_an_error_holds_nothing_of_the_librarys_text() {
        let told = "cannot reach [scrubbed]xyz.onion".to_owned();
        for error in [DialError::Other(told.clone()), DialError::NotReady(told)] {
            assert!(!error.in_own_words().contains("onion"), "{}", error.in_own_words());
        }
        assert_eq!(DialError::Refused.in_own_words(), "nothing answers on this port");
    }

    #[tokio::test]
    async fn an_onion_host_is_never_dialled_directly() {
        let result = Dialer::Direct.connect("a.onion", 80, Isolation::SHARED, LIMIT).await;
        assert_eq!(result.err(), Some(DialError::NeedsTor));
    }

    #[tokio::test]
    async fn a_dead_proxy_is_an_error_and_not_a_reason_to_go_directly() {
        let target = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = proxy.local_addr().unwrap();
        drop(proxy);
        let port = target.local_addr().unwrap().port();
        let result = Dialer::Socks(address).connect("127.0.0.1", port, Isolation::SHARED, LIMIT).await;
        assert!(result.err().unwrap().to_string().contains("onion.socks_proxy"));
    }

    #[tokio::test]
    async fn the_proxy_is_given_the_name_and_the_isolation() {
        let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = proxy.local_addr().unwrap();
        let isolation = Isolation::fresh();
        let dial = tokio::spawn(async move { Dialer::Socks(address).connect("a.onion", 80, isolation, LIMIT).await });
        let (mut stream, _) = proxy.accept().await.unwrap();
        let mut greeting = [0; 4];
        stream.read_exact(&mut greeting).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut stream, &[5, 2]).await.unwrap();
        let mut login = vec![0; 3 + isolation.socks_user().len() + "isolated".len()];
        stream.read_exact(&mut login).await.unwrap();
        assert!(String::from_utf8_lossy(&login).contains(&isolation.socks_user()));
        tokio::io::AsyncWriteExt::write_all(&mut stream, &[1, 0]).await.unwrap();
        let mut request = [0; 14];
        stream.read_exact(&mut request).await.unwrap();
        assert_eq!(&request[..5], [5, 1, 0, 3, 7], "a domain name of seven bytes, resolved by the proxy");
        assert_eq!(&request[5..12], b"a.onion");
        tokio::io::AsyncWriteExt::write_all(&mut stream, &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        assert!(dial.await.unwrap().is_ok());
    }

    #[tokio::test]
    async fn the_time_limit_holds_for_a_proxy_that_says_nothing() {
        let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dialer = Dialer::Socks(proxy.local_addr().unwrap());
        let limit = Duration::from_millis(50);
        let result = dialer.connect("a.onion", 80, Isolation::SHARED, limit).await;
        assert_eq!(result.err(), Some(DialError::Timeout(limit)));
    }

    #[test]
    fn a_proxy_wins_over_the_embedded_client_and_neither_means_direct() {
        let mut config = OnionConfig::default();
        assert!(matches!(Dialer::new(&config, None), Dialer::Direct));
        config.socks_proxy = Some(([127, 0, 0, 1], 9050).into());
        assert!(matches!(Dialer::new(&config, None), Dialer::Socks(_)));
    }
}
