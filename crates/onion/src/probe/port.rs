//! Tries whether anything answers at a host's public port, before it is sold to somebody.

use std::time::Duration;

use crate::{DialError, Dialer, Isolation};

/// What one connection gets. A forward that stands accepts at once: what takes longer is the way there.
const LIMIT: Duration = Duration::from_secs(6);
/// Connections, each over a way of its own: what one circuit could not do says nothing of the port.
const ATTEMPTS: u32 = 2;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PortVerdict {
    /// Something accepts connections.
    Answers,
    /// Nobody does: the connection was refused, or not answered each time.
    Silent,
    /// There was no way to it: nothing is known of the port.
    NotTried {
        /// Why not, without anything that a stranger may not read.
        reason: String,
    },
}

/// Tries `port` of the address `ip`, for twelve seconds at most.
pub async fn try_port(dialer: &Dialer, ip: &str, port: u16) -> PortVerdict {
    let mut verdict = PortVerdict::Silent;
    for _ in 0..ATTEMPTS {
        let way = async {
            dialer.is_ready()?;
            dialer.connect(ip, port, Isolation::fresh(), LIMIT).await
        };
        verdict = match way.await {
            Ok(_) => return PortVerdict::Answers,
            Err(DialError::Refused) => return PortVerdict::Silent,
            // A firewall drops what is not forwarded: an answer never comes, whichever way one asks.
            Err(DialError::Timeout(_)) => PortVerdict::Silent,
            Err(error) => PortVerdict::NotTried { reason: error.in_own_words() },
        };
    }
    verdict
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_port_answers_is_silent_or_cannot_be_tried() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(try_port(&Dialer::Direct, "127.0.0.1", port).await, PortVerdict::Answers);
        drop(listener);
        assert_eq!(try_port(&Dialer::Direct, "127.0.0.1", port).await, PortVerdict::Silent);
        let no_proxy = Dialer::Socks(([127, 0, 0, 1], port).into());
        let verdict = try_port(&no_proxy, "127.0.0.1", port).await;
        assert!(matches!(verdict, PortVerdict::NotTried { .. }), "{verdict:?}");
    }
}
