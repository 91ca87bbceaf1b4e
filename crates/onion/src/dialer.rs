//! Outgoing connections: directly, through the embedded Tor client, or through a SOCKS proxy.
//!
//! Invariant: a `.onion` host never reaches a resolver or a socket outside Tor, and a dialer that
//! goes through Tor goes through nothing else: when Tor fails, the connection fails.

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use arti_client::{ErrorKind, HasKind};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::client::Tor;
use super::config::OnionConfig;
use super::error::with_causes;
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

/// Why a connection could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// A `.onion` host without Tor.
    #[error(".onion addresses can be reached through Tor only: enable [onion] or set onion.socks_proxy")]
    NeedsTor,
    /// Tor has not finished its start, or is being restarted.
    #[error("Tor is not ready yet ({0})")]
    NotReady(String),
    /// The host is no valid `.onion` address or host name.
    #[error("the address is not valid")]
    BadAddress,
    /// Nobody has published such an onion service, or not recently.
    #[error("the onion service could not be found")]
    NotFound,
    /// The onion service was published, but does not answer.
    #[error("the onion service was found, but could not be reached")]
    NotRunning,
    /// The onion service admits listed clients only.
    #[error("the onion service admits authorized clients only")]
    NeedsAuthorization,
    /// The host was reached, nothing answers on the port.
    #[error("nothing answers on this port")]
    Refused,
    /// No answer in time.
    #[error("no answer within {} seconds", .0.as_secs())]
    Timeout(Duration),
    /// What cannot be put into one of the above; the text is the library's own.
    #[error("{0}")]
    Other(String),
}

impl DialError {
    /// The same without the library's text, which may name the address: for what strangers may read.
    pub fn in_own_words(&self) -> String {
        match self {
            Self::NotReady(_) => "Tor is not ready".to_owned(),
            Self::Other(_) => "Tor could not connect".to_owned(),
            own => own.to_string(),
        }
    }
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

/// What an error of arti means for somebody who waits for a connection.
pub(super) fn from_arti(error: &arti_client::Error) -> DialError {
    if closed_by_service(error) {
        return DialError::Refused;
    }
    match error.kind() {
        ErrorKind::OnionServiceNotFound => DialError::NotFound,
        ErrorKind::OnionServiceNotRunning
        | ErrorKind::OnionServiceConnectionFailed
        | ErrorKind::OnionServiceProtocolViolation => DialError::NotRunning,
        ErrorKind::OnionServiceMissingClientAuth | ErrorKind::OnionServiceWrongClientAuth => {
            DialError::NeedsAuthorization
        }
        ErrorKind::InvalidStreamTarget | ErrorKind::OnionServiceAddressInvalid | ErrorKind::ForbiddenStreamTarget => {
            DialError::BadAddress
        }
        ErrorKind::RemoteConnectionRefused
        | ErrorKind::RemoteStreamClosed
        | ErrorKind::RemoteStreamReset
        | ErrorKind::RemoteStreamError => DialError::Refused,
        ErrorKind::BootstrapRequired | ErrorKind::TorAccessFailed => DialError::NotReady(error.to_string()),
        _ => DialError::Other(with_causes(error)),
    }
}

/// Whether there was a circuit, and the other side closed the stream or all of it instead of
/// opening a stream: what services do when a port is not one of theirs. arti says only "not
/// connected" then, which it takes for a mistake of ours.
fn closed_by_service(error: &arti_client::Error) -> bool {
    // Client, circuit manager, protocol: at another depth such an error is about a circuit on the
    // way, which says nothing of the port.
    let cause = error.source().and_then(StdError::source).and_then(StdError::source);
    matches!(
        cause.and_then(|cause| cause.downcast_ref()),
        Some(tor_proto::Error::NotConnected | tor_proto::Error::CircuitClosed | tor_proto::Error::EndReceived(_))
    )
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
