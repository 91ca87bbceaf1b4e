//! The places for circuits of one service: who has one, and who has to give it to a newcomer.
//! Pure but for the lock: times come in.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A circuit keeps its place for so long without a stream, also when all places are taken: its client
/// has only just come and will ask, or has had an answer and asks the next thing.
const SETTLING: Duration = Duration::from_secs(3);
/// The operator hears at most so often that clients are turned away.
const WARN_AGAIN: Duration = Duration::from_secs(60);

/// The places of one service.
pub(super) struct CircuitSlots {
    limit: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// By the number of the circuit.
    taken: HashMap<u64, Slot>,
    /// Streams that wait for a seat at the HTTP server.
    waiting: usize,
    /// When a newcomer was last turned away.
    refused: Option<Instant>,
    warned: Option<Instant>,
}

struct Slot {
    streams: usize,
    /// When the circuit was let in, or its last stream ended.
    idle_since: Instant,
    leave: CancellationToken,
}

/// A circuit's place; given back when dropped.
pub(super) struct Circuit {
    number: u64,
    slots: Arc<CircuitSlots>,
    leave: CancellationToken,
}

/// A stream on a circuit: as long as it is open the circuit may stay.
pub(super) struct InUse {
    circuit: Arc<Circuit>,
    is_waiting: bool,
}

impl CircuitSlots {
    /// So many places.
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, inner: Mutex::default() })
    }

    /// Lets a circuit in. When all places are taken the one that has had no stream for longest must
    /// leave; when none can, there is no place.
    pub(super) fn enter(self: &Arc<Self>, now: Instant) -> Option<Arc<Circuit>> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut inner = self.lock();
        if inner.taken.len() >= self.limit {
            let Some(idle) = inner.longest_idle(now) else {
                inner.refuse(now);
                return None;
            };
            if let Some(slot) = inner.taken.remove(&idle) {
                slot.leave.cancel();
            }
        }
        let (number, leave) = (NEXT.fetch_add(1, Ordering::Relaxed), CancellationToken::new());
        inner.taken.insert(number, Slot { streams: 0, idle_since: now, leave: leave.clone() });
        Some(Arc::new(Circuit { number, slots: Arc::clone(self), leave }))
    }

    /// Whether a client that came at `since` or later may have had no answer because others had taken
    /// all places, or all seats of the HTTP server.
    pub(super) fn were_full(&self, since: Instant, now: Instant) -> bool {
        let inner = self.lock();
        let full_now = inner.taken.len() >= self.limit && inner.longest_idle(now).is_none();
        full_now || inner.waiting > 0 || inner.refused.is_some_and(|refused| refused >= since)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock()
    }
}

impl Inner {
    fn longest_idle(&self, now: Instant) -> Option<u64> {
        let settled = |slot: &Slot| now.saturating_duration_since(slot.idle_since) >= SETTLING;
        let idle = self.taken.iter().filter(|(_, slot)| slot.streams == 0 && settled(slot));
        idle.min_by_key(|(_, slot)| slot.idle_since).map(|(number, _)| *number)
    }

    fn refuse(&mut self, now: Instant) {
        self.refused = Some(now);
        if self.warned.is_none_or(|at| now.saturating_duration_since(at) >= WARN_AGAIN) {
            self.warned = Some(now);
            tracing::warn!("all onion circuits are in use (onion.max_circuits): new clients are not answered");
        }
    }
}

impl Circuit {
    /// Unlike that of any other circuit in this process.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// Ready when the circuit has to leave for a newcomer.
    pub(super) fn must_leave(&self) -> impl Future<Output = ()> + Send + use<> {
        self.leave.clone().cancelled_owned()
    }

    /// Whether no stream is open.
    pub(super) fn is_idle(&self) -> bool {
        self.slots.lock().taken.get(&self.number).is_none_or(|slot| slot.streams == 0)
    }

    /// For a new stream; `None` when the circuit has to leave.
    pub(super) fn begin(self: &Arc<Self>) -> Option<InUse> {
        self.slots.lock().taken.get_mut(&self.number)?.streams += 1;
        Some(InUse { circuit: Arc::clone(self), is_waiting: false })
    }
}

impl Drop for Circuit {
    fn drop(&mut self) {
        self.slots.lock().taken.remove(&self.number);
    }
}

impl InUse {
    /// See [`Circuit::number`].
    pub(super) fn number(&self) -> u64 {
        self.circuit.number
    }

    /// The stream waits for a seat at the HTTP server from here on, or has got it.
    pub(super) fn set_waiting(&mut self, is_waiting: bool) {
        if is_waiting != self.is_waiting {
            self.is_waiting = is_waiting;
            let mut inner = self.circuit.slots.lock();
            inner.waiting = if is_waiting { inner.waiting + 1 } else { inner.waiting.saturating_sub(1) };
        }
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.set_waiting(false);
        if let Some(slot) = self.circuit.slots.lock().taken.get_mut(&self.circuit.number) {
            slot.streams = slot.streams.saturating_sub(1);
            slot.idle_since = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn has_to_leave(circuit: &Circuit) -> bool {
        circuit.must_leave().now_or_never().is_some()
    }

    #[test]
    fn a_newcomer_gets_the_place_of_the_circuit_that_has_been_idle_for_longest() {
        let (slots, now) = (CircuitSlots::new(3), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        let busy = slots.enter(now).unwrap();
        let _stream = busy.begin().unwrap();
        let (longest, shorter) = (slots.enter(at(1)).unwrap(), slots.enter(at(2)).unwrap());
        let newcomer = slots.enter(at(10)).unwrap();
        assert!(has_to_leave(&longest), "and no stream is opened on it any more");
        assert!(longest.begin().is_none());
        assert!(![&busy, &shorter, &newcomer].into_iter().any(|circuit| has_to_leave(circuit)));
        drop(longest);
        assert_eq!(slots.lock().taken.len(), 3, "its place was given away already");
    }

    #[test]
    fn a_circuit_in_use_or_just_let_in_is_never_closed_for_a_newcomer() {
        let (slots, now) = (CircuitSlots::new(2), Instant::now());
        let busy = slots.enter(now).unwrap();
        let stream = busy.begin().unwrap();
        let late = now + Duration::from_secs(100);
        let settling = slots.enter(late).unwrap();
        assert!(slots.enter(late + SETTLING / 2).is_none());
        assert!(!has_to_leave(&busy) && !has_to_leave(&settling) && !busy.is_idle());
        drop(stream);
        drop(busy);
        assert!(slots.enter(late + SETTLING / 2).is_some(), "a place that was given back");
    }

    #[test]
    fn the_places_were_full_for_whoever_came_while_someone_was_turned_away() {
        let (slots, now) = (CircuitSlots::new(1), Instant::now());
        let at = |seconds| now + Duration::from_secs(seconds);
        let busy = slots.enter(now).unwrap();
        let stream = busy.begin().unwrap();
        assert!(slots.were_full(at(0), at(0)), "they are full now");
        assert!(slots.enter(at(5)).is_none());
        drop((stream, busy));
        assert!(slots.were_full(at(4), at(9)));
        assert!(!slots.were_full(at(6), at(9)));
    }

    #[test]
    fn a_stream_that_waits_for_the_server_says_that_it_is_full() {
        let (slots, now) = (CircuitSlots::new(9), Instant::now());
        let mut stream = slots.enter(now).unwrap().begin().unwrap();
        assert!(!slots.were_full(now, now));
        stream.set_waiting(true);
        assert!(slots.were_full(now, now));
        stream.set_waiting(false);
        assert!(!slots.were_full(now, now));
        stream.set_waiting(true);
        drop(stream);
        assert!(!slots.were_full(now, now), "it waits no longer");
    }

    #[test]
    fn idle_circuits_fill_no_places() {
        let (slots, now) = (CircuitSlots::new(1), Instant::now());
        let _idle = slots.enter(now).unwrap();
        assert!(!slots.were_full(now, now + SETTLING));
    }

    #[test]
    fn one_warning_in_a_minute_is_enough() {
        let (mut inner, now) = (Inner::default(), Instant::now());
        let warned_at = |inner: &mut Inner, seconds| {
            inner.refuse(now + Duration::from_secs(seconds));
            inner.warned.unwrap().duration_since(now).as_secs()
        };
        assert_eq!([0, 1, 59, 60, 61].map(|seconds| warned_at(&mut inner, seconds)), [0, 0, 0, 60, 60]);
    }
}
