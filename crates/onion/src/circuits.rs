//! The circuits of one service: each is answered in a task of its own, and so is each stream on
//! it, since both do network I/O and no client may hold up another.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tor_cell::relaycell::msg::Connected;
use tor_hsservice::{RendRequest, StreamRequest};
use tor_proto::stream::IncomingStreamRequest;

use super::circuit_slots::{Circuit, CircuitSlots, InUse};
use super::onion_stream::OnionStream;

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
    slots: Arc<CircuitSlots>,
    streams: mpsc::Sender<OnionStream>,
}

impl Circuits {
    /// For circuits within `limits`, whose streams go to `streams`.
    pub(super) fn new(limits: Limits, streams: mpsc::Sender<OnionStream>) -> Self {
        Self { limits, slots: CircuitSlots::new(limits.circuits), streams }
    }

    /// Answers a client that asks for a circuit, in the background. Over the limit it gets no
    /// answer: Tor has no way to tell it why.
    pub(super) fn serve(&self, request: RendRequest) {
        let Some(circuit) = self.slots.enter(Instant::now()) else { return };
        let circuits = self.clone();
        tokio::spawn(async move {
            let left = circuit.must_leave();
            tokio::select! {
                () = left => {}
                () = circuits.answer(circuit, request) => {}
            }
        });
    }

    /// The places of its circuits.
    pub(super) fn slots(&self) -> Arc<CircuitSlots> {
        Arc::clone(&self.slots)
    }

    async fn answer(&self, circuit: Arc<Circuit>, request: RendRequest) {
        match request.accept().await {
            Ok(requests) => self.run(circuit, requests).await,
            Err(error) => tracing::debug!("onion circuit {}: {error}", circuit.number()),
        }
    }

    /// Hands out the streams of `circuit` until it closes, or is closed for a wrong port or for
    /// being idle.
    async fn run(&self, circuit: Arc<Circuit>, mut requests: impl Stream<Item = StreamRequest> + Unpin) {
        loop {
            match tokio::time::timeout(self.limits.idle, requests.next()).await {
                Ok(Some(request)) if is_begin(request.request(), self.limits.port) => {
                    let Some(in_use) = circuit.begin() else { return };
                    tokio::spawn(hand_over(request, in_use, self.streams.clone()));
                }
                // As C-tor does: a client that tries other ports is looking for something else.
                Ok(Some(request)) => {
                    if let Err(error) = request.shutdown_circuit() {
                        tracing::warn!("closing onion circuit {}: {error}", circuit.number());
                    }
                    return;
                }
                Ok(None) => return,
                Err(_) if circuit.is_idle() => return,
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
async fn hand_over(request: StreamRequest, in_use: InUse, streams: mpsc::Sender<OnionStream>) {
    let Ok(slot) = streams.reserve_owned().await else { return };
    match request.accept(Connected::new_empty()).await {
        Ok(stream) => drop(slot.send(OnionStream::new(stream, in_use))),
        Err(error) => tracing::debug!("a stream on onion circuit {}: {error}", in_use.number()),
    }
}
