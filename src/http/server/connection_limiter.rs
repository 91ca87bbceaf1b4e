//! The places for connections, shared by all listeners that strangers reach: who has one, and who gives way
//! when there are no more. Whoever keeps the shop waiting goes first: an answered connection that waits for
//! its next request at once, one whose request does not come or whose answer is not taken a little later. A
//! connection that the shop works for is never closed for another one, and no client has more than its share.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use poem::Addr;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::client::{Client, IsTrusted, ONION_CIRCUIT};
use super::connection_state;
use super::connection_state::{ConnectionState, Now, Turn};
use super::limits::{ConnectionLimits, DEFAULT_PLACES};

/// So long whoever has not asked yet, or does not take an answer, keeps the place while others wait for
/// one: over Tor a request may be as late.
const PATIENCE: Duration = Duration::from_secs(3);
/// What waits for a place looks again so often: by then somebody's time may be up.
const POLL_INTERVAL: Duration = Duration::from_millis(250);
/// What strangers can make so many connections hold, in bytes.
pub const MOST_BYTES: usize = DEFAULT_PLACES * connection_state::MOST_BYTES;

/// The places.
pub struct ConnectionLimiter {
    limits: ConnectionLimits,
    /// Connections of one client, except of a proxy, which may stand for many.
    most: usize,
    is_proxy: Box<IsTrusted>,
    hasher: RandomState,
    now: Now,
    inner: Mutex<Inner>,
    /// Somebody waits for a place.
    is_scarce: AtomicBool,
    /// Somebody who waits for a place should look again.
    changed: Notify,
}

#[derive(Default)]
struct Inner {
    next: u64,
    taken: HashMap<u64, Arc<ConnectionState>>,
    /// How many each client has.
    by_client: HashMap<u64, usize>,
}

/// A taken place; given back when dropped.
pub struct ConnectionPermit {
    limiter: Arc<ConnectionLimiter>,
    number: u64,
    state: Arc<ConnectionState>,
}

impl ConnectionLimiter {
    /// Places within these limits: one client gets a quarter of them.
    pub fn new(limits: ConnectionLimits) -> Arc<Self> {
        Self::behind(limits, Box::new(|_| false))
    }

    /// The same behind proxies of the operator, which may have any number, as this machine may.
    pub fn behind(limits: ConnectionLimits, is_proxy: Box<IsTrusted>) -> Arc<Self> {
        Self::at(limits, is_proxy, Arc::new(Instant::now))
    }

    fn at(limits: ConnectionLimits, is_proxy: Box<IsTrusted>, now: Now) -> Arc<Self> {
        Arc::new(Self {
            most: (limits.max_connections / 4).max(8),
            limits,
            is_proxy,
            hasher: RandomState::new(),
            now,
            inner: Mutex::default(),
            is_scarce: AtomicBool::default(),
            changed: Notify::new(),
        })
    }

    /// Ready when there is a place; until then connections are made to give way.
    pub async fn room(&self) {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if self.has_room() {
                return;
            }
            let _ = timeout(POLL_INTERVAL, changed).await;
        }
    }

    fn has_room(&self) -> bool {
        let inner = self.lock();
        let is_full = inner.taken.len() >= self.limits.max_connections;
        self.is_scarce.store(is_full, Ordering::Release);
        // One at a time: it is on its way out.
        if is_full && !inner.taken.values().any(|state| state.turn() == Turn::Leaving) {
            inner.make_room((self.now)());
        }
        !is_full
    }

    /// Gives a connection its place; `None` when its client has its share, and keeps the shop busy with all of
    /// it.
    pub fn admit(self: &Arc<Self>, peer: &Addr) -> Option<ConnectionPermit> {
        let (client, is_counted) = match peer {
            Addr::SocketAddr(address) => {
                let address = address.ip().to_canonical();
                (Client::Ip(address), !address.is_loopback() && !(self.is_proxy)(address))
            }
            Addr::Custom(ONION_CIRCUIT, circuit) => (Client::Circuit(circuit.clone().into_owned()), true),
            _ => (Client::Unknown, false),
        };
        let key = self.hasher.hash_one(client.label());
        let mut inner = self.lock();
        let has_share = inner.by_client.get(&key).is_some_and(|count| *count >= self.most);
        if has_share && is_counted && !inner.let_own_idle_go(key) {
            return None;
        }
        *inner.by_client.entry(key).or_default() += 1;
        inner.next += 1;
        let (number, state) = (inner.next, Arc::new(ConnectionState::new(key, self.limits, Arc::clone(&self.now))));
        inner.taken.insert(number, Arc::clone(&state));
        Some(ConnectionPermit { limiter: Arc::clone(self), number, state })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock()
    }
}

impl Inner {
    /// The connection that has kept the shop waiting for longest has to leave, of the client that has most.
    fn make_room(&self, now: Instant) {
        let of = |turn: Turn, patience: Duration| {
            let waits = self.taken.values().filter_map(move |state| {
                let since = state.is_at(turn)?;
                (now.saturating_duration_since(since) >= patience).then_some((state, since))
            });
            waits.max_by_key(|(state, since)| (self.by_client.get(&state.client).copied(), std::cmp::Reverse(*since)))
        };
        let longest = of(Turn::Idle, Duration::ZERO).or_else(|| of(Turn::Client, PATIENCE));
        if let Some((state, _)) = longest {
            state.make_leave();
        }
    }

    /// An idle connection of the same client leaves; false when there is none, or one is leaving already.
    fn let_own_idle_go(&self, client: u64) -> bool {
        let own = || self.taken.values().filter(|state| state.client == client);
        if own().any(|state| state.turn() == Turn::Leaving) {
            return false;
        }
        let idle = own().filter_map(|state| Some((state, state.is_at(Turn::Idle)?)));
        idle.min_by_key(|(_, since)| *since).is_some_and(|(state, _)| state.make_leave())
    }
}

impl ConnectionPermit {
    /// Where its connection is.
    pub fn state(&self) -> &Arc<ConnectionState> {
        &self.state
    }

    /// The answer has been sent: the connection waits for its next request.
    pub fn flushed(&self) {
        if self.state.flushed() && self.limiter.is_scarce.load(Ordering::Acquire) {
            self.limiter.changed.notify_waiters();
        }
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut inner = self.limiter.lock();
        inner.taken.remove(&self.number);
        if let Some(count) = inner.by_client.get_mut(&self.state.client) {
            *count -= 1;
            if *count == 0 {
                inner.by_client.remove(&self.state.client);
            }
        }
        drop(inner);
        self.limiter.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
