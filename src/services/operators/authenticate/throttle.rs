//! Clients with too many wrong passwords have to wait: for one name soon, for all names together a
//! little later. Clients that can come as somebody else at no cost have to wait for each other, too:
//! checking passwords must not keep the machine busy.

use std::hash::{BuildHasher, RandomState};

use crate::domain::recent::Recent;
use crate::domain::time::Timestamp;

/// So many wrong passwords are allowed for one name…
const MOST_BAD: u32 = 5;
/// …and for all names together…
const MOST_BAD_OF_CLIENT: u32 = 20;
/// …and for all clients of a crowd together…
const MOST_BAD_OF_CROWD: u32 = 30;
/// …within so many seconds from the first one.
const WINDOW_SECS: i64 = 60;
/// Windows that are remembered; when there are more, the oldest are forgotten.
const MOST_WINDOWS: usize = 7_000;
/// What strangers can make the windows hold, in bytes: of names and clients only a hash is kept.
pub const MOST_BYTES: usize = Recent::<Window>::most_bytes(MOST_WINDOWS);

/// Whose password is tried, and from where.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The name, of an operator or of nobody.
    pub name: &'a str,
    /// The client.
    pub source: Source<'a>,
}

/// Where a password comes from.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The client, in any form that tells clients apart.
    pub client: &'a str,
    /// Whether it is one of a crowd in which everybody may have many names, as circuits are.
    pub is_of_crowd: bool,
}

/// Wrong passwords by client and name, and by client alone.
pub struct Throttle {
    hasher: RandomState,
    windows: Recent<Window>,
}

struct Window {
    bad: u32,
    since: Timestamp,
}

impl Window {
    /// Not with a start in the future: a clock that was put back must not lock anybody out.
    fn is_open(&self, now: Timestamp) -> bool {
        self.since.is_within(WINDOW_SECS, now)
    }
}

impl Default for Throttle {
    fn default() -> Self {
        Self { hasher: RandomState::new(), windows: Recent::new(MOST_WINDOWS, |window| window.since.0) }
    }
}

impl Throttle {
    /// Seconds that this caller has to wait; 0 when they may try.
    pub fn wait_secs(&self, caller: Caller<'_>, now: Timestamp) -> u32 {
        let wait = |(key, most): (u64, u32)| match self.windows.get(key) {
            Some(window) if window.bad >= most && window.is_open(now) => {
                let millis = window.since.plus_secs(WINDOW_SECS).millis_since(now);
                u32::try_from(millis.unsigned_abs().div_ceil(1000)).unwrap_or(u32::MAX)
            }
            _ => 0,
        };
        self.own(caller).into_iter().chain(self.crowd(caller)).map(wait).max().unwrap_or(0)
    }

    /// Counts a wrong password.
    pub fn note_bad(&mut self, caller: Caller<'_>, now: Timestamp) {
        let fresh = || Window { bad: 0, since: now };
        for (key, _) in self.own(caller).into_iter().chain(self.crowd(caller)) {
            let window = self.windows.entry(key, fresh);
            if !window.is_open(now) {
                *window = fresh();
            }
            window.bad += 1;
        }
    }

    /// After a right password.
    pub fn forget(&mut self, caller: Caller<'_>) {
        for (key, _) in self.own(caller) {
            self.windows.remove(key);
        }
    }

    fn own(&self, caller: Caller<'_>) -> [(u64, u32); 2] {
        let client = caller.source.client;
        let of_name = self.hasher.hash_one((client, Some(caller.name)));
        [(of_name, MOST_BAD), (self.hasher.hash_one((client, None::<&str>)), MOST_BAD_OF_CLIENT)]
    }

    fn crowd(&self, caller: Caller<'_>) -> Option<(u64, u32)> {
        caller.source.is_of_crowd.then(|| (self.hasher.hash_one(()), MOST_BAD_OF_CROWD))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller<'a>(name: &'a str, client: &'a str) -> Caller<'a> {
        Caller { name, source: Source { client, is_of_crowd: false } }
    }

    #[test]
    fn names_by_the_million_are_bounded_and_free_nobody() {
        let mut throttle = Throttle::default();
        let start = Timestamp::from_secs(1_800_000_000);
        let long = "n".repeat(16 << 10);
        for number in 0..200_000_i64 {
            let (name, client) = (format!("{number}"), format!("client {}", number / 20));
            let now = start.plus_secs(number / 20_000);
            throttle.note_bad(caller(&name, &client), now);
            if number > 199_900 {
                throttle.note_bad(caller(&long, "greedy"), now);
            }
        }
        assert!(throttle.windows.len() <= MOST_WINDOWS);
        assert!(throttle.wait_secs(caller(&long, "greedy"), start.plus_secs(10)) > 0);
    }
}
