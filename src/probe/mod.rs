//! Tries a buyer's target before money changes hands: is the onion service there, does its port
//! answer, does it speak TLS. The failing stage is told in words that a buyer understands.
//!
//! What cannot be told apart is not guessed: over a SOCKS proxy, and whenever time runs out, the
//! verdict says that nobody knows why.

mod tls;

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::onion::{DialError, Dialer, Isolation};

/// How long a probe may take, attempts and all. RaspiBlitz waits 120 s for an invoice.
pub const BUDGET: Duration = Duration::from_secs(20);
/// Between two attempts.
const PAUSE: Duration = Duration::from_secs(2);
/// A service that was started a moment ago is found late: more than one attempt before the target is
/// blamed. What three attempts have found will not change in the seconds that are left; what is not
/// clear is tried for as long as there is time.
const ATTEMPTS: u32 = 3;

/// What to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The host name, usually `<56 characters>.onion`.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether a TLS handshake must succeed; any certificate will do.
    pub tls: bool,
}

/// What came of it. `Display` gives the sentence for the buyer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It answers as it should.
    Good,
    /// The address is none.
    BadAddress,
    /// Nobody has published this onion service.
    NotFound,
    /// It was published, and does not answer.
    NotRunning,
    /// It admits authorized clients only, so the bridge would be shut out as well.
    NeedsAuthorization,
    /// The host is there, the port is closed.
    Closed {
        /// The port that was tried.
        port: u16,
    },
    /// Something listens on the port, without TLS.
    NoTls {
        /// The port that was tried.
        port: u16,
    },
    /// No answer in time, for reasons that Tor does not tell.
    NoAnswer {
        /// For how long it was tried, in seconds.
        seconds: u64,
    },
    /// It does not answer, for reasons that are not clearly the target's.
    Unclear {
        /// What the library says; for the operator's log.
        reason: String,
    },
    /// The shop itself has no Tor at the moment: nothing is known about the target.
    NotTried {
        /// Why not.
        reason: String,
    },
}

impl Verdict {
    /// Whether the target can be sold a bridge to.
    pub const fn is_good(&self) -> bool {
        matches!(self, Self::Good)
    }

    /// Whether the target is surely at fault: only then may an order be rejected.
    pub const fn blames_target(&self) -> bool {
        match self {
            Self::BadAddress
            | Self::NotFound
            | Self::NotRunning
            | Self::NeedsAuthorization
            | Self::Closed { .. }
            | Self::NoTls { .. } => true,
            Self::Good | Self::NoAnswer { .. } | Self::Unclear { .. } | Self::NotTried { .. } => false,
        }
    }

    fn of(error: DialError, target: &Target) -> Self {
        match error {
            DialError::BadAddress => Self::BadAddress,
            DialError::NotFound => Self::NotFound,
            DialError::NotRunning => Self::NotRunning,
            DialError::NeedsAuthorization => Self::NeedsAuthorization,
            DialError::Refused => Self::Closed { port: target.port },
            DialError::Timeout(_) => Self::NoAnswer { seconds: 0 },
            DialError::NeedsTor | DialError::NotReady(_) => Self::NotTried { reason: error.to_string() },
            DialError::Other(reason) => Self::Unclear { reason },
        }
    }

    /// Whether another attempt can find anything else.
    const fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Good | Self::BadAddress | Self::NeedsAuthorization | Self::NoTls { .. } | Self::NotTried { .. }
        )
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good => f.write_str("The target answers"),
            Self::BadAddress => f.write_str("The target is not a valid address"),
            Self::NotFound => f.write_str("The onion service could not be found (is Tor running there?)"),
            Self::NotRunning => f.write_str("The onion service was found, but does not answer"),
            Self::NeedsAuthorization => f.write_str("The onion service only admits clients that it knows"),
            Self::Closed { port } => write!(f, "The target was found, but nothing answers on port {port}"),
            Self::NoTls { port } => write!(f, "The target answers on port {port}, but does not speak TLS"),
            Self::NoAnswer { seconds } => {
                write!(f, "The target did not answer within {seconds} seconds; Tor could not tell why")
            }
            Self::Unclear { .. } => f.write_str("The target could not be reached; Tor could not tell why"),
            Self::NotTried { .. } => f.write_str("The target could not be tried: the shop has no Tor connection"),
        }
    }
}

/// Tries `target` for at most `budget`.
pub async fn probe(dialer: &Dialer, target: &Target, budget: Duration) -> Verdict {
    repeat(dialer, target, budget, PAUSE).await
}

/// Tries until something is certain, each time over circuits of its own: one bad relay must not
/// decide, nor the first circuits use up all the time.
async fn repeat(dialer: &Dialer, target: &Target, budget: Duration, pause: Duration) -> Verdict {
    let deadline = Instant::now() + budget;
    let mut verdict = Verdict::NoAnswer { seconds: 0 };
    for attempt in 1.. {
        let left = deadline.saturating_duration_since(Instant::now());
        let limit = if attempt == 1 { budget * 2 / 5 } else { left };
        match attempt_once(dialer, target, limit).await {
            // Running out of time in a later attempt makes an earlier finding no less true.
            Verdict::NoAnswer { .. } if attempt > 1 => break,
            newer => verdict = newer,
        }
        let is_certain = verdict.is_final() || attempt >= ATTEMPTS && verdict.blames_target();
        if is_certain || Instant::now() + pause >= deadline {
            break;
        }
        tokio::time::sleep(pause).await;
    }
    match verdict {
        Verdict::NoAnswer { .. } => Verdict::NoAnswer { seconds: budget.as_secs() },
        other => other,
    }
}

async fn attempt_once(dialer: &Dialer, target: &Target, limit: Duration) -> Verdict {
    let deadline = Instant::now() + limit;
    if let Err(error) = dialer.is_ready() {
        return Verdict::of(error, target);
    }
    let stream = match dialer.connect(&target.host, target.port, Isolation::fresh(), limit).await {
        Ok(stream) => stream,
        Err(error) => return Verdict::of(error, target),
    };
    if !target.tls {
        return Verdict::Good;
    }
    match tokio::time::timeout_at(deadline, tls::speaks_tls(stream, &target.host)).await {
        Ok(true) => Verdict::Good,
        // A server that waits for more after a TLS greeting is not one that speaks TLS.
        Ok(false) | Err(_) => Verdict::NoTls { port: target.port },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    async fn try_port(port: u16, tls: bool) -> Verdict {
        let target = Target { host: "127.0.0.1".to_owned(), port, tls };
        probe(&Dialer::Direct, &target, Duration::from_secs(1)).await
    }

    #[tokio::test]
    async fn a_closed_port_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let verdict = try_port(port, false).await;
        assert_eq!(verdict.to_string(), format!("The target was found, but nothing answers on port {port}"));
        assert!(verdict.blames_target());
    }

    #[tokio::test]
    async fn an_open_port_is_enough_without_tls_and_not_enough_with() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(try_port(port, false).await, Verdict::Good);
        let _held_open = tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok(connection) = listener.accept().await {
                held.push(connection);
            }
        });
        assert_eq!(try_port(port, true).await, Verdict::NoTls { port });
    }

    #[tokio::test]
    async fn a_proxy_that_says_nothing_is_nobodys_fault() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dialer = Dialer::Socks(listener.local_addr().unwrap());
        let target = Target { host: "a.onion".to_owned(), port: 80, tls: false };
        let verdict = probe(&dialer, &target, Duration::from_millis(50)).await;
        assert!(matches!(verdict, Verdict::NoAnswer { .. }), "{verdict:?}");
        assert!(!verdict.blames_target());
    }

    /// A SOCKS proxy that accepts every login and answers every request with `reply`; counts them.
    async fn proxy(reply: u8) -> (Dialer, Arc<Mutex<Vec<Vec<u8>>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dialer = Dialer::Socks(listener.local_addr().unwrap());
        let logins = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&logins);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = vec![0; 256];
                let _ = stream.read(&mut bytes).await;
                let _ = stream.write_all(&[5, 2]).await;
                let length = stream.read(&mut bytes).await.unwrap_or(0);
                seen.lock().unwrap().push(bytes[..length].to_vec());
                let _ = stream.write_all(&[1, 0]).await;
                let _ = stream.read(&mut bytes).await;
                let _ = stream.write_all(&[5, reply, 0, 1, 0, 0, 0, 0, 0, 0]).await;
            }
        });
        (dialer, logins)
    }

    fn onion() -> Target {
        Target { host: "a.onion".to_owned(), port: 80, tls: false }
    }

    #[tokio::test]
    async fn what_is_not_clear_is_tried_again_over_new_circuits_as_long_as_there_is_time() {
        let (dialer, logins) = proxy(1).await;
        let verdict = repeat(&dialer, &onion(), Duration::from_secs(1), Duration::from_millis(20)).await;
        assert!(matches!(verdict, Verdict::Unclear { .. }), "{verdict:?}");
        let mut logins = logins.lock().unwrap().clone();
        let tried = logins.len();
        assert!(tried > ATTEMPTS as usize, "{tried} attempts");
        logins.sort();
        logins.dedup();
        assert_eq!(logins.len(), tried, "no two attempts share a circuit");
    }

    #[tokio::test]
    async fn circuits_that_hang_are_given_up_for_others_in_time() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dialer = Dialer::Socks(listener.local_addr().unwrap());
        let accepted =
            tokio::spawn(async move { (listener.accept().await.unwrap(), listener.accept().await.unwrap()) });
        let verdict = repeat(&dialer, &onion(), Duration::from_millis(500), Duration::from_millis(1)).await;
        assert!(matches!(verdict, Verdict::NoAnswer { .. }), "{verdict:?}");
        assert!(accepted.is_finished(), "there was a second attempt");
    }

    #[tokio::test]
    async fn a_target_is_blamed_after_three_attempts() {
        let (dialer, logins) = proxy(5).await;
        let verdict = repeat(&dialer, &onion(), Duration::from_secs(20), Duration::from_millis(1)).await;
        assert_eq!(verdict, Verdict::Closed { port: 80 });
        assert_eq!(logins.lock().unwrap().len(), 3);
    }

    #[tokio::test]
    async fn a_dead_proxy_is_the_shops_trouble_and_no_verdict() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dialer = Dialer::Socks(listener.local_addr().unwrap());
        drop(listener);
        let verdict = probe(&dialer, &onion(), Duration::from_secs(20)).await;
        assert!(matches!(verdict, Verdict::NotTried { .. }), "{verdict:?}");
    }

    #[tokio::test]
    async fn an_onion_target_without_tor_is_not_tried() {
        let target = Target { host: "a.onion".to_owned(), port: 80, tls: false };
        let verdict = probe(&Dialer::Direct, &target, Duration::from_millis(10)).await;
        assert!(matches!(verdict, Verdict::NotTried { .. }), "{verdict:?}");
        assert!(!verdict.blames_target());
    }
}
