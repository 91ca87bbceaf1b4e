//! The onion service as poem sees it: a listener whose connections are Tor streams.
//!
//! Tor hides who connects. The one thing that tells clients apart is the circuit, so the remote
//! address is `onion-circuit://<number>`: equal for all connections of one circuit, unlike any
//! other circuit's since the process started. Rate limits go by that.

use std::io;

use http::uri::Scheme;
use poem::Addr;
use poem::listener::{Acceptor, Listener};
use poem::web::{LocalAddr, RemoteAddr};
use tokio::sync::mpsc;

use super::handle::ServiceHandle;
use super::onion_stream::OnionStream;

/// The scheme of an onion client's remote address; what follows is the number of its circuit.
pub const CIRCUIT_SCHEME: &str = "onion-circuit";
/// The scheme of an onion service's local address; what follows is `<address>.onion:<port>`.
pub const ONION_SCHEME: &str = "onion";

/// Gives poem the connections of one onion service. Never fails and never ends: while the service
/// is away it waits, since poem asks again at once after an error.
pub struct OnionAcceptor {
    local: LocalAddr,
    streams: mpsc::Receiver<OnionStream>,
    /// Keeps the service running as long as its streams are wanted.
    _service: ServiceHandle,
}

impl OnionAcceptor {
    pub(super) fn new(address: String, streams: mpsc::Receiver<OnionStream>, service: ServiceHandle) -> Self {
        Self { local: LocalAddr(Addr::custom(ONION_SCHEME, address)), streams, _service: service }
    }
}

impl Acceptor for OnionAcceptor {
    type Io = OnionStream;

    fn local_addr(&self) -> Vec<LocalAddr> {
        vec![self.local.clone()]
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        match self.streams.recv().await {
            Some(mut stream) => {
                stream.in_use.set_waiting(false);
                let peer = Addr::custom(CIRCUIT_SCHEME, stream.in_use.number().to_string());
                Ok((stream, self.local.clone(), RemoteAddr(peer), Scheme::HTTP))
            }
            None => std::future::pending().await,
        }
    }
}

impl Listener for OnionAcceptor {
    type Acceptor = Self;

    async fn into_acceptor(self) -> io::Result<Self> {
        Ok(self)
    }
}
