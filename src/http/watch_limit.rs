//! How many may follow their orders by a stream at a time. All of them are strangers: none may have the places of the
//! others, and all of them together leave most connections to those who ask.

use std::sync::Arc;

use parking_lot::Mutex;

use super::server::client::Client;
use crate::domain::id::OrderId;

/// In all: less than a third of the connections that there are.
const MOST: usize = 32;
/// Of one client; this machine stands for many, and is not counted.
const MOST_PER_CLIENT: usize = 4;
/// Of one order: somebody's phone and desktop, or a page that was loaded anew.
const MOST_PER_ORDER: usize = 2;
/// What strangers can make all of them hold beside their connections, in bytes: what each was told, its timer, its place
/// here.
pub const MOST_BYTES: usize = MOST * 4096;

/// Those who follow an order now.
#[derive(Clone, Default)]
pub struct Watchers(Arc<Mutex<Vec<Watcher>>>);

struct Watcher {
    number: u64,
    order: OrderId,
    /// `None` for this machine.
    client: Option<String>,
}

/// The place of one of them; given back when dropped.
pub struct Seat {
    watchers: Watchers,
    number: u64,
}

impl Watchers {
    /// A place, if one is free for this client and this order.
    pub fn take(&self, order: OrderId, client: &Client) -> Option<Seat> {
        let client = (!client.is_loopback()).then(|| client.label());
        let mut taken = self.0.lock();
        let of_client = taken.iter().filter(|other| client.is_some() && other.client == client).count();
        let of_order = taken.iter().filter(|other| other.order == order).count();
        if taken.len() >= MOST || of_client >= MOST_PER_CLIENT || of_order >= MOST_PER_ORDER {
            return None;
        }
        let number = taken.last().map_or(0, |newest| newest.number + 1);
        taken.push(Watcher { number, order, client });
        Some(Seat { watchers: self.clone(), number })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.watchers.0.lock().retain(|other| other.number != self.number);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn order(number: usize) -> OrderId {
        OrderId(Uuid::from_u128(number as u128))
    }

    fn circuit(number: usize) -> Client {
        Client::Circuit(number.to_string())
    }

    #[test]
    fn there_are_so_many_places_in_all_and_one_that_is_left_can_be_taken_again() {
        let watchers = Watchers::default();
        let mut seats: Vec<_> = (0..MOST).filter_map(|n| watchers.take(order(n), &circuit(n))).collect();
        assert_eq!(seats.len(), MOST);
        assert!(watchers.take(order(MOST), &circuit(MOST)).is_none());
        seats.remove(3);
        let again = watchers.take(order(MOST), &circuit(MOST)).expect("a place");
        assert!(watchers.take(order(3), &circuit(3)).is_none());
        drop((seats, again));
        assert!(watchers.0.lock().is_empty());
    }

    #[test]
    fn a_client_and_an_order_have_a_few_each_and_this_machine_stands_for_many() {
        let watchers = Watchers::default();
        let one: Vec<_> = (0..MOST).filter_map(|n| watchers.take(order(n), &circuit(1))).collect();
        assert_eq!(one.len(), MOST_PER_CLIENT);
        let popular: Vec<_> = (2..9).filter_map(|n| watchers.take(order(100), &circuit(n))).collect();
        assert_eq!(popular.len(), MOST_PER_ORDER);
        let here = Client::Ip([127, 0, 0, 1].into());
        let own: Vec<_> = (200..210).filter_map(|n| watchers.take(order(n), &here)).collect();
        assert_eq!(own.len(), 10);
    }
}
