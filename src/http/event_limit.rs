//! How many may listen to what changes at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many at most: those who run a shop are few, and each has a few windows.
const MOST: usize = 16;

/// Those who listen now.
#[derive(Clone, Default)]
pub struct Listeners(Arc<AtomicUsize>);

/// The place of one of them.
pub struct Seat(Listeners);

impl Listeners {
    /// A place, if one is free.
    pub fn take(&self) -> Option<Seat> {
        let one_more = |count: usize| (count < MOST).then_some(count + 1);
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        taken.is_ok().then(|| Seat(self.clone()))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_listener_has_gone() {
        let listeners = Listeners::default();
        let mut seats: Vec<_> = (0..MOST).map(|_| listeners.take().expect("a place")).collect();
        assert!(listeners.take().is_none());
        seats.pop();
        assert!(listeners.take().is_some());
    }
}
