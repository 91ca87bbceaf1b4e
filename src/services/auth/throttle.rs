//! Clients with too many wrong passwords have to wait: for one name soon, for all names together a
//! little later. Clients that can come as somebody else at no cost have to wait for each other, too:
//! checking passwords must not keep the machine busy.

use std::collections::HashMap;

use crate::domain::time::Timestamp;

/// So many wrong passwords are allowed for one name…
const MOST_BAD: u32 = 5;
/// …and for all names together…
const MOST_BAD_OF_CLIENT: u32 = 20;
/// …and for all clients of a crowd together…
const MOST_BAD_OF_CROWD: u32 = 30;
/// The crowd, among the clients; no client is called so.
const CROWD: &str = "*";
/// …within so many seconds from the first one.
const WINDOW_SECS: i64 = 60;
/// Windows that are remembered; when there are more, those that are over are forgotten, then all.
const MOST_WINDOWS: usize = 10_000;

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
#[derive(Default)]
pub struct Throttle(HashMap<Key, Window>);

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

impl Throttle {
    /// Seconds that this caller has to wait; 0 when they may try.
    pub fn wait_secs(&self, caller: Caller<'_>, now: Timestamp) -> u32 {
        let wait = |(key, most): (Key, u32)| match self.0.get(&key) {
            Some(window) if window.bad >= most && window.is_open(now) => {
                let millis = window.since.plus_secs(WINDOW_SECS).millis_since(now);
                u32::try_from(millis.unsigned_abs().div_ceil(1000)).unwrap_or(u32::MAX)
            }
            _ => 0,
        };
        keys(caller).chain(crowd(caller)).map(wait).max().unwrap_or(0)
    }

    /// Counts a wrong password.
    pub fn note_bad(&mut self, caller: Caller<'_>, now: Timestamp) {
        if self.0.len() >= MOST_WINDOWS {
            self.0.retain(|_, window| window.is_open(now));
        }
        if self.0.len() >= MOST_WINDOWS {
            self.0.clear();
        }
        let fresh = || Window { bad: 0, since: now };
        for (key, _) in keys(caller).chain(crowd(caller)) {
            let window = self.0.entry(key).or_insert_with(fresh);
            if !window.is_open(now) {
                *window = fresh();
            }
            window.bad += 1;
        }
    }

    /// After a right password.
    pub fn forget(&mut self, caller: Caller<'_>) {
        for (key, _) in keys(caller) {
            self.0.remove(&key);
        }
    }
}

type Key = (String, Option<String>);

fn keys(caller: Caller<'_>) -> impl Iterator<Item = (Key, u32)> {
    let client = caller.source.client.to_owned();
    let of_name = ((client.clone(), Some(caller.name.to_owned())), MOST_BAD);
    [of_name, ((client, None), MOST_BAD_OF_CLIENT)].into_iter()
}

fn crowd(caller: Caller<'_>) -> Option<(Key, u32)> {
    caller.source.is_of_crowd.then(|| ((CROWD.to_owned(), None), MOST_BAD_OF_CROWD))
}
