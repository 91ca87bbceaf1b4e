//! One connection's place: whose turn it is, and until when. The connection tells what happens on it, and
//! leaves when it has to.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use parking_lot::{Mutex, MutexGuard};
use tokio::time::{Instant, Sleep, sleep_until};

use super::bodies::SMALL_BODY;
use super::limits::{ConnectionLimits, HEAD_BYTES};

/// So much later than a request is given up its connection is.
const CLOSE_DELAY: Duration = Duration::from_secs(5);
/// What one connection costs at most, in bytes: a buffer of hyper's with the head of the request that is worked on,
/// another one for what follows, a small body; and, as measured at a process whose places were all taken by half a
/// body after half a head, 64 KiB for its task and for what the allocator does not give back in between.
pub const MOST_BYTES: usize = 2 * HEAD_BYTES + 2 * SMALL_BODY + 64 * 1024;

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The client's: to ask, to send the rest of its request, or to take its answer.
    Client,
    /// The shop's: it works.
    Shop,
    /// Nobody's: everything that was asked is answered.
    Idle,
    /// The connection is upgraded, and has limits of its own.
    Upgraded,
    /// The connection has to go.
    Leaving,
}

/// What time it is.
pub type Now = Arc<dyn Fn() -> Instant + Send + Sync>;

/// A connection's place.
pub struct ConnectionState {
    /// A number that tells clients apart.
    pub client: u64,
    limits: ConnectionLimits,
    now: Now,
    state: Mutex<State>,
    waker: AtomicWaker,
}

struct State {
    turn: Turn,
    since: Instant,
    deadline: Instant,
    /// Whether an answer is on its way, and whether the last of it has been made.
    answer: Option<bool>,
}

impl ConnectionState {
    /// For a new connection: its first request has to come.
    pub fn new(client: u64, limits: ConnectionLimits, now: Now) -> Self {
        let since = now();
        let deadline = since + limits.header_time;
        let state = Mutex::new(State { turn: Turn::Client, since, deadline, answer: None });
        Self { client, limits, now, state, waker: AtomicWaker::new() }
    }

    /// Whose turn it is.
    pub fn turn(&self) -> Turn {
        self.lock().turn
    }

    /// When the connection ends unless something happens on it.
    pub fn deadline(&self) -> Instant {
        self.lock().deadline
    }

    /// Since when it is this turn, if it is.
    pub fn is_at(&self, turn: Turn) -> Option<Instant> {
        let state = self.lock();
        (state.turn == turn).then_some(state.since)
    }

    /// The client has sent something: if nothing was going on, a request begins.
    pub fn heard(&self) {
        let mut state = self.lock();
        if state.turn == Turn::Idle {
            state.pass(Turn::Client, (self.now)(), Some(self.limits.header_time));
        }
    }

    /// A whole head has come: its request is worked on.
    pub fn begins(&self) {
        let mut state = self.lock();
        // The end of an earlier answer may still be on its way.
        state.answer = None;
        state.pass(Turn::Shop, (self.now)(), Some(self.limits.request_time + CLOSE_DELAY));
    }

    /// The request's body is waited for, or has come.
    pub fn waits_for_body(&self, waits: bool) {
        self.lock().pass(if waits { Turn::Client } else { Turn::Shop }, (self.now)(), None);
    }

    /// An answer is on its way.
    pub fn answers(&self) {
        let mut state = self.lock();
        state.answer = Some(false);
        state.pass(Turn::Client, (self.now)(), Some(self.limits.idle_time));
    }

    /// The connection is no longer one of HTTP.
    pub fn upgrades(&self) {
        self.lock().pass(Turn::Upgraded, (self.now)(), None);
    }

    /// The client has taken something of an answer.
    pub fn took(&self) {
        let mut state = self.lock();
        if state.answer.is_some() {
            state.pass(Turn::Client, (self.now)(), Some(self.limits.idle_time));
        }
    }

    /// The last of an answer has been made.
    pub fn answered(&self) {
        if let Some(is_whole) = &mut self.lock().answer {
            *is_whole = true;
        }
    }

    /// Everything that was made has been sent. True when that is the whole answer.
    pub fn flushed(&self) -> bool {
        let mut state = self.lock();
        let is_idle = state.answer == Some(true);
        if is_idle {
            state.answer = None;
            state.pass(Turn::Idle, (self.now)(), Some(self.limits.idle_time));
        }
        is_idle
    }

    /// Makes the connection leave; false when it is the shop's turn by now.
    pub fn make_leave(&self) -> bool {
        let mut state = self.lock();
        let leaves = matches!(state.turn, Turn::Client | Turn::Idle);
        if leaves {
            state.turn = Turn::Leaving;
            self.waker.wake();
        }
        leaves
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    /// It is the turn of somebody else from now on, for so long; without a time the deadline stays. Whoever has to leave
    /// leaves, and an upgrade is for good.
    fn pass(&mut self, turn: Turn, now: Instant, time: Option<Duration>) {
        if matches!(self.turn, Turn::Leaving | Turn::Upgraded) {
            return;
        }
        (self.turn, self.since) = (turn, now);
        if let Some(time) = time {
            self.deadline = now + time;
        }
    }
}

/// Ready when a connection has to end: its time is up, or it gives way to another one. To be polled whenever
/// something has happened on the connection.
pub struct End {
    state: Arc<ConnectionState>,
    armed: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl End {
    /// The end of this connection.
    pub fn of(state: Arc<ConnectionState>) -> Self {
        let armed = state.deadline();
        Self { state, armed, sleep: Box::pin(sleep_until(armed)) }
    }
}

impl Future for End {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.state.waker.register(context.waker());
        let (turn, deadline) = {
            let state = this.state.lock();
            (state.turn, state.deadline)
        };
        match turn {
            Turn::Leaving => return Poll::Ready(()),
            Turn::Upgraded => return Poll::Pending,
            _ => {}
        }
        // A deadline that moved away costs nothing until the old one has come.
        loop {
            if deadline < this.armed {
                this.armed = deadline;
                this.sleep.as_mut().reset(deadline);
            }
            match this.sleep.as_mut().poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) if this.armed == deadline => return Poll::Ready(()),
                Poll::Ready(()) => {
                    this.armed = deadline;
                    this.sleep.as_mut().reset(deadline);
                }
            }
        }
    }
}
