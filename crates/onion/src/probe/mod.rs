//! Tries a buyer's target before money changes hands: is the onion service there, does its port
//! answer, does it speak TLS. The failing stage is told in words that a buyer understands.
//!
//! What cannot be told apart is not guessed: over a SOCKS proxy, and whenever time runs out, the
//! verdict says that nobody knows why, and nobody is blamed.

pub mod port;
#[cfg(test)]
mod tests;
mod tls;

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;

use crate::{DialError, Dialer, Isolation};
use tls::Handshake;

/// How long a probe may take, attempts and all. RaspiBlitz waits 120 s for an invoice.
pub const BUDGET: Duration = Duration::from_secs(20);
/// Between two attempts.
const RETRY_DELAY: Duration = Duration::from_secs(2);
/// A service that was started a moment ago is found late: more than one attempt before the target is
/// blamed. What three attempts have found will not change in the seconds that are left; what is not
/// clear is tried for as long as there is time.
const ATTEMPTS: u32 = 3;
/// What a TLS handshake gets at least, as long as there is time at all: two round trips over a slow
/// circuit. However long the connecting took, the target must not pay for it.
const TLS_TIME: Duration = Duration::from_secs(6);

/// What to try.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The host name, usually `<56 characters>.onion`.
    pub host: String,
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
    /// Something listens on the port and answers, but not in TLS.
    NoTls {
        /// The port that was tried.
        port: u16,
    },
    /// Something listens on the port, and no TLS handshake was completed: a slow or broken circuit, or
    /// a target without TLS that says nothing.
    Unfinished {
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
            Self::Good
            | Self::Unfinished { .. }
            | Self::NoAnswer { .. }
            | Self::Unclear { .. }
            | Self::NotTried { .. } => false,
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
            Self::Unfinished { port } => {
                write!(f, "The target was reached on port {port}, but the TLS handshake was not completed")
            }
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
    repeat(dialer, target, budget, RETRY_DELAY).await
}

/// Tries until something is certain, each time over circuits of its own: one bad relay must not
/// decide, nor the first circuits use up all the time.
async fn repeat(dialer: &Dialer, target: &Target, budget: Duration, pause: Duration) -> Verdict {
    let deadline = Instant::now() + budget;
    let mut verdict = Verdict::NoAnswer { seconds: 0 };
    for attempt in 1.. {
        let left = deadline.saturating_duration_since(Instant::now());
        let limit = if attempt == 1 { budget * 2 / 5 } else { left };
        match attempt_once(dialer, target, limit, deadline).await {
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

/// One attempt within `limit`, of which TLS gets enough in any case, and never past `deadline`.
async fn attempt_once(dialer: &Dialer, target: &Target, limit: Duration, deadline: Instant) -> Verdict {
    let end = Instant::now() + limit;
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
    let end = end.max(Instant::now() + TLS_TIME).min(deadline);
    match tokio::time::timeout_at(end, tls::shake_hands(stream, &target.host)).await {
        Ok(Handshake::Tls) => Verdict::Good,
        Ok(Handshake::NotTls) => Verdict::NoTls { port: target.port },
        Ok(Handshake::Unfinished) | Err(_) => Verdict::Unfinished { port: target.port },
    }
}
