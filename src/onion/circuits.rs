//! The circuits of one service: each is answered in a task of its own, and so is each stream on
//! it, since both do network I/O and no client may hold up another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tor_cell::relaycell::msg::Connected;
use tor_hsservice::{RendRequest, StreamRequest};
use tor_proto::stream::IncomingStreamRequest;

use super::acceptor::OnionStream;

/// What clients may do.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// The one port that is answered.
    pub(super) port: u16,
    /// Circuits at once.
    pub(super) circuits: usize,
    /// A circuit without an open stream is closed after this long.
    pub(super) idle: Duration,
}

/// Answers the circuits of one service.
#[derive(Clone)]
pub(super) struct Circuits {
    limits: Limits,
    slots: Arc<Semaphore>,
    /// Whether the last client found no slot: only the first such client is worth a warning.
    full: Arc<AtomicBool>,
    streams: mpsc::Sender<OnionStream>,
}

/// One client's circuit, as long as it or one of its streams is open.
#[derive(Debug)]
pub(super) struct Circuit {
    /// Unlike that of any other circuit in this process.
    pub(super) number: u64,
    _slot: OwnedSemaphorePermit,
}

impl Circuits {
    /// For circuits within `limits`, whose streams go to `streams`.
    pub(super) fn new(limits: Limits, streams: mpsc::Sender<OnionStream>) -> Self {
        let slots = Arc::new(Semaphore::new(limits.circuits.min(Semaphore::MAX_PERMITS)));
        Self { limits, slots, full: Arc::default(), streams }
    }

    /// Answers a client that asks for a circuit, in the background. Over the limit it gets no
    /// answer: Tor has no way to tell it why.
    pub(super) fn serve(&self, request: RendRequest) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let Ok(slot) = self.slots.clone().try_acquire_owned() else {
            if !self.full.swap(true, Ordering::Relaxed) {
                tracing::warn!("all onion circuits are in use (onion.max_circuits): clients are not answered");
            }
            return;
        };
        self.full.store(false, Ordering::Relaxed);
        let circuit = Arc::new(Circuit { number: NEXT.fetch_add(1, Ordering::Relaxed), _slot: slot });
        let circuits = self.clone();
        tokio::spawn(async move {
            match request.accept().await {
                Ok(requests) => circuits.run(circuit, requests).await,
                Err(error) => tracing::debug!("onion circuit {}: {error}", circuit.number),
            }
        });
    }

    /// Hands out the streams of `circuit` until it closes, or is closed for a wrong port or for
    /// being idle.
    async fn run(&self, circuit: Arc<Circuit>, mut requests: impl Stream<Item = StreamRequest> + Unpin) {
        loop {
            match tokio::time::timeout(self.limits.idle, requests.next()).await {
                Ok(Some(request)) if is_begin(request.request(), self.limits.port) => {
                    tokio::spawn(hand_over(request, circuit.clone(), self.streams.clone()));
                }
                // As C-tor does: a client that tries other ports is looking for something else.
                Ok(Some(request)) => {
                    if let Err(error) = request.shutdown_circuit() {
                        tracing::warn!("closing onion circuit {}: {error}", circuit.number);
                    }
                    return;
                }
                Ok(None) => return,
                Err(_) if Arc::strong_count(&circuit) == 1 => return,
                Err(_) => {}
            }
        }
    }
}

fn is_begin(request: &IncomingStreamRequest, port: u16) -> bool {
    matches!(request, IncomingStreamRequest::Begin(begin) if begin.port() == port)
}

/// Accepts a stream when the HTTP server has room for it, and not before: what waits here waits at
/// the client.
async fn hand_over(request: StreamRequest, circuit: Arc<Circuit>, streams: mpsc::Sender<OnionStream>) {
    let Ok(place) = streams.reserve_owned().await else { return };
    match request.accept(Connected::new_empty()).await {
        Ok(stream) => drop(place.send(OnionStream::new(stream, circuit))),
        Err(error) => tracing::debug!("a stream on onion circuit {}: {error}", circuit.number),
    }
}
