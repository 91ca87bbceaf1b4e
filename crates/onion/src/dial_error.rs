//! Why a connection could not be made, and how arti says so.

use std::error::Error as StdError;
use std::time::Duration;

use arti_client::{ErrorKind, HasKind};

use super::error::with_causes;

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
