//! Connections by client: one address can't take all places of a listener, and when there are no more,
//! connections on which no request has come give way.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Context;

use futures_util::task::AtomicWaker;
use poem::Addr;

use super::client::{Client, ONION_CIRCUIT};

/// The visitors of a listener.
pub struct Visitors {
    /// Connections of one client, except from this machine, where a proxy may stand for many.
    most: usize,
    /// Connections of one client on which no request has come yet, while places are scarce.
    most_silent: usize,
    by_client: Mutex<HashMap<String, Connections>>,
}

#[derive(Default)]
struct Connections {
    count: usize,
    /// Oldest first; some have spoken or ended since.
    silent: VecDeque<Weak<Silence>>,
}

/// Whether a first request has come on a connection.
#[derive(Default)]
struct Silence {
    state: AtomicU8,
    waker: AtomicWaker,
}

const SILENT: u8 = 0;
const SPOKEN: u8 = 1;
const CUT: u8 = 2;

/// One connection; counted until it is dropped.
pub struct Visitor {
    visitors: Arc<Visitors>,
    client: String,
    silence: Arc<Silence>,
}

impl Visitors {
    /// For a listener with so many places: one client gets a quarter of them.
    pub fn new(places: usize) -> Arc<Self> {
        Arc::new(Self { most: (places / 4).max(8), most_silent: (places / 8).max(8), by_client: Mutex::default() })
    }

    /// Lets a connection in; `None` when its client has too many.
    pub fn admit(self: &Arc<Self>, peer: &Addr) -> Option<Visitor> {
        let (client, is_counted) = match peer {
            Addr::SocketAddr(address) => (Client::Ip(address.ip().to_canonical()), true),
            Addr::Custom(ONION_CIRCUIT, circuit) => (Client::Circuit(circuit.clone().into_owned()), true),
            _ => (Client::Unknown, false),
        };
        let label = client.label();
        let mut by_client = self.by_client.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = by_client.entry(label.clone()).or_default();
        if is_counted && !client.is_loopback() && connections.count >= self.most {
            return None;
        }
        connections.count += 1;
        connections.forget_spoken();
        let silence = Arc::new(Silence::default());
        connections.silent.push_back(Arc::downgrade(&silence));
        Some(Visitor { visitors: Arc::clone(self), client: label, silence })
    }

    /// There is no place left: the oldest silent connection ends, of the client that has most of them, if
    /// they are many.
    pub fn make_room(&self) {
        let mut by_client = self.by_client.lock().unwrap_or_else(PoisonError::into_inner);
        by_client.values_mut().for_each(Connections::forget_spoken);
        let greediest = by_client.values_mut().max_by_key(|connections| connections.silent.len());
        if let Some(connections) = greediest.filter(|connections| connections.silent.len() >= self.most_silent) {
            let oldest = connections.silent.pop_front().and_then(|silence| silence.upgrade());
            oldest.iter().for_each(|silence| silence.cut());
        }
    }
}

impl Connections {
    fn forget_spoken(&mut self) {
        self.silent.retain(|silence| silence.upgrade().is_some_and(|silence| silence.is_kept()));
    }
}

impl Silence {
    fn is_kept(&self) -> bool {
        self.state.load(Ordering::Acquire) == SILENT
    }

    /// Ends the connection, unless a request has come by now.
    fn cut(&self) {
        if self.state.compare_exchange(SILENT, CUT, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.waker.wake();
        }
    }
}

impl Visitor {
    /// A whole request head has come.
    pub fn has_spoken(&self) {
        let _ = self.silence.state.compare_exchange(SILENT, SPOKEN, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Whether the connection has to give way; if not, `context` is woken when it has to.
    pub fn gives_way(&self, context: &Context<'_>) -> bool {
        self.silence.waker.register(context.waker());
        self.silence.state.load(Ordering::Acquire) == CUT
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        let mut by_client = self.visitors.by_client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connections) = by_client.get_mut(&self.client) {
            connections.count -= 1;
            if connections.count == 0 {
                by_client.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(address: &str) -> Addr {
        Addr::SocketAddr(address.parse().unwrap())
    }

    #[test]
    fn one_address_gets_a_quarter_of_the_places_and_this_machine_any_number() {
        let visitors = Visitors::new(64);
        let admit = |address: &str| visitors.admit(&peer(address));
        let mut here: Vec<_> = (0..20).map_while(|_| admit("203.0.113.1:5")).collect();
        assert_eq!(here.len(), 16);
        assert!(admit("203.0.113.2:5").is_some(), "another address has its own");
        here.pop();
        assert!(admit("203.0.113.1:6").is_some(), "one has left");
        let network: Vec<_> = (0..20).map_while(|host| admit(&format!("[2001:db8::{host}]:5"))).collect();
        assert_eq!(network.len(), 16, "an IPv6 network is one client");
        let local: Vec<_> = (0..60).map_while(|_| admit("127.0.0.1:5")).collect();
        assert_eq!(local.len(), 60);
        drop((here, network, local));
        assert!(visitors.by_client.lock().unwrap().is_empty(), "nothing is remembered of who has left");
    }

    #[test]
    fn when_there_is_no_place_the_oldest_silent_connection_gives_way() {
        let visitors = Visitors::new(64);
        let admit = || visitors.admit(&peer("127.0.0.1:5")).unwrap();
        let context = Context::from_waker(std::task::Waker::noop());
        let spoken = admit();
        spoken.has_spoken();
        let silent: Vec<_> = (0..8).map(|_| admit()).collect();
        assert!(silent.iter().all(|visitor| !visitor.gives_way(&context)));
        let newest = admit();
        assert!(!silent[0].gives_way(&context), "not while there are places");
        visitors.make_room();
        let cut: Vec<_> = silent.iter().map(|visitor| visitor.gives_way(&context)).collect();
        assert_eq!(cut, [true, false, false, false, false, false, false, false]);
        assert!(!newest.gives_way(&context) && !spoken.gives_way(&context));
    }
}
