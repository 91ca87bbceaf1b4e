//! Clients with too many wrong passwords have to wait: for one name soon, for all names together a
//! little later. Clients that can come as somebody else at no cost have to wait for each other, too:
//! checking passwords must not keep the machine busy. And for one name all clients together wait, longer
//! after each wrong password, so that many addresses guess no faster than one: but for those that have
//! lately shown its right password, since strangers must lock no program of an operator out.

use std::hash::{BuildHasher, RandomState};

use crate::domain::recent::Recent;
use crate::domain::time::Timestamp;
use crate::services::operators::failures::Failures;

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
/// So many wrong passwords for one name, from whomever, let nobody wait who has not had too many of their own…
const FREE_OF_NAME: u32 = 10;
/// …and after more no client waits for longer than this. Seconds.
const MOST_SECS_OF_NAME: u32 = 60;
/// Names that are remembered for it; when there are more, those that were guessed at longest ago are forgotten.
const MOST_NAMES: usize = 1_700;
/// How long a client that has shown the right password for a name waits for nobody else's guesses. Seconds.
const KNOWN_SECS: i64 = 7 * 86_400;
/// Clients that are known so; only right passwords add to them.
const MOST_KNOWN: usize = 200;
/// What strangers can make all of this hold, in bytes: of names and clients only a hash is kept.
pub const MOST_BYTES: usize = Recent::<Window>::most_bytes(MOST_WINDOWS)
    + Recent::<Failures>::most_bytes(MOST_NAMES)
    + Recent::<Timestamp>::most_bytes(MOST_KNOWN);

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

/// Wrong passwords by client and name, by client alone, and by name alone.
pub struct Throttle {
    hasher: RandomState,
    windows: Recent<Window>,
    /// By name.
    failures: Recent<Failures>,
    /// When a client has last shown the right password for a name.
    known: Recent<Timestamp>,
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
        Self {
            hasher: RandomState::new(),
            windows: Recent::new(MOST_WINDOWS, |window| window.since.0),
            failures: Recent::new(MOST_NAMES, |failures| failures.last().0),
            known: Recent::new(MOST_KNOWN, |since| since.0),
        }
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
        let of_client = self.own(caller).into_iter().chain(self.crowd(caller)).map(wait).max().unwrap_or(0);
        of_client.max(self.wait_for_name(caller, now))
    }

    /// The same for names that nobody has: otherwise it would tell them apart.
    fn wait_for_name(&self, caller: Caller<'_>, now: Timestamp) -> u32 {
        let shown = self.known.get(self.pair(caller));
        if shown.is_some_and(|shown| shown.is_within(KNOWN_SECS, now)) {
            return 0;
        }
        let failures = self.failures.get(self.name(caller));
        failures.map_or(0, |failures| failures.wait_secs(FREE_OF_NAME, MOST_SECS_OF_NAME, now))
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
        self.failures.entry(self.name(caller), || Failures::none(now)).add(now);
    }

    /// After a right password. What others have tried goes on to count: whoever guesses does not begin anew because
    /// a program of the operator's works.
    pub fn note_good(&mut self, caller: Caller<'_>, now: Timestamp) {
        for (key, _) in self.own(caller) {
            self.windows.remove(key);
        }
        *self.known.entry(self.pair(caller), || now) = now;
    }

    fn own(&self, caller: Caller<'_>) -> [(u64, u32); 2] {
        let of_client = self.hasher.hash_one((caller.source.client, None::<&str>));
        [(self.pair(caller), MOST_BAD), (of_client, MOST_BAD_OF_CLIENT)]
    }

    fn pair(&self, caller: Caller<'_>) -> u64 {
        self.hasher.hash_one((caller.source.client, Some(caller.name)))
    }

    fn name(&self, caller: Caller<'_>) -> u64 {
        self.hasher.hash_one(caller.name)
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
        assert!(throttle.windows.len() <= MOST_WINDOWS && throttle.failures.len() <= MOST_NAMES);
        assert!(throttle.wait_secs(caller(&long, "greedy"), start.plus_secs(10)) > 0);
    }

    #[test]
    fn many_clients_guess_at_a_name_no_faster_than_one_and_whoever_has_shown_its_password_waits_for_none() {
        let mut throttle = Throttle::default();
        let mut now = Timestamp::from_secs(1_800_000_000);
        throttle.note_good(caller("anna", "a program of hers"), now);
        let mut waits = Vec::new();
        for number in 0..20 {
            let client = format!("client {number}");
            let wait = throttle.wait_secs(caller("anna", &client), now);
            now = now.plus_secs(wait.into());
            assert_eq!(throttle.wait_secs(caller("anna", &client), now), 0, "as long as was said");
            throttle.note_bad(caller("anna", &client), now);
            waits.push(wait);
        }
        assert_eq!(waits[..18], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(throttle.wait_secs(caller("anna", "a program of hers"), now), 0);
        assert_eq!(throttle.wait_secs(caller("bert", "client 1"), now), 0, "another name");
        assert_eq!(
            throttle.wait_secs(caller("anna", "a new client"), now.plus_secs(-7200)),
            0,
            "the clock was put back"
        );
        assert_eq!(throttle.wait_secs(caller("anna", "a new client"), now.plus_secs(3601)), 0, "forgotten");
        now = now.plus_secs(KNOWN_SECS);
        for number in 0..11 {
            throttle.note_bad(caller("anna", &format!("client {number}")), now);
        }
        assert_eq!(throttle.wait_secs(caller("anna", "a program of hers"), now), 2, "known no longer");
    }

    #[test]
    fn a_right_password_makes_up_for_the_wrong_ones_of_its_client_alone() {
        let mut throttle = Throttle::default();
        let now = Timestamp::from_secs(1_800_000_000);
        for number in 0..12 {
            throttle.note_bad(caller("anna", &format!("client {number}")), now);
        }
        (0..5).for_each(|_| throttle.note_bad(caller("anna", "hers"), now));
        throttle.note_good(caller("anna", "hers"), now);
        assert_eq!(throttle.wait_secs(caller("anna", "hers"), now), 0);
        assert!(throttle.wait_secs(caller("anna", "a new client"), now) > 0);
    }
}
