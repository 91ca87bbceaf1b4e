//! Failed logins make the next ones wait, longer each time: those for the same name, and those from the same client.

use std::hash::{BuildHasher, RandomState};

use crate::domain::recent::Recent;
use crate::domain::time::Timestamp;
use crate::services::operators::failures::Failures;

/// So many logins in a row may fail without anybody having to wait.
const FREE: u32 = 3;
/// The longest that a name has to wait, in seconds: whoever guesses must not lock its owner out for long.
const MOST_SECS_OF_NAME: u32 = 60;
/// The longest that a client has to wait, in seconds.
const MOST_SECS_OF_CLIENT: u32 = 900;
/// Names and clients that are remembered; when there are more, the oldest are forgotten.
const MOST: usize = 1_700;
/// What strangers can make the delays hold, in bytes: of names and clients only a hash is kept.
pub const MOST_BYTES: usize = Recent::<Failures>::most_bytes(MOST);

/// Who has to wait.
pub struct Delays {
    hasher: RandomState,
    failures: Recent<Failures>,
}

impl Default for Delays {
    fn default() -> Self {
        Self { hasher: RandomState::new(), failures: Recent::new(MOST, |failures| failures.last().0) }
    }
}

impl Delays {
    /// Lets a login be tried, which counts as failed until [`Delays::succeeded`] says otherwise: many at once are no
    /// way around. Or says in how many seconds to try again.
    pub fn begin(&mut self, name: &str, client: &str, now: Timestamp) -> Result<(), u32> {
        let keys = self.keys(name, client);
        let wait = keys.iter().map(|(key, most)| self.wait_secs(*key, *most, now)).max().unwrap_or(0);
        if wait > 0 {
            return Err(wait);
        }
        for (key, _) in keys {
            self.failures.entry(key, || Failures::none(now)).add(now);
        }
        Ok(())
    }

    /// The attempt that was begun is neither a failure nor enough: what failed before goes on to count.
    pub fn take_back(&mut self, name: &str, client: &str) {
        for (key, _) in self.keys(name, client) {
            if let Some(failures) = self.failures.get_mut(key) {
                failures.take_back();
            }
        }
    }

    /// Somebody has shown who they are: what failed before is forgotten.
    pub fn succeeded(&mut self, name: &str, client: &str) {
        for (key, _) in self.keys(name, client) {
            self.failures.remove(key);
        }
    }

    fn wait_secs(&self, key: u64, most: u32, now: Timestamp) -> u32 {
        self.failures.get(key).map_or(0, |failures| failures.wait_secs(FREE, most, now))
    }

    fn keys(&self, name: &str, client: &str) -> [(u64, u32); 2] {
        let hash = |kind: &str, text: &str| self.hasher.hash_one((kind, text));
        [(hash("name", name), MOST_SECS_OF_NAME), (hash("client", client), MOST_SECS_OF_CLIENT)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_800_000_000);

    /// How long each of so many failures in a row has to wait.
    fn waits(count: usize, name: impl Fn(usize) -> String, client: impl Fn(usize) -> String) -> Vec<u32> {
        let (mut delays, mut now) = (Delays::default(), START);
        let mut waits = Vec::new();
        for number in 0..count {
            let (name, client) = (name(number), client(number));
            let wait = delays.begin(&name, &client, now).err().unwrap_or(0);
            if wait > 0 {
                now = now.plus_secs(wait.into());
                assert_eq!(delays.begin(&name, &client, now), Ok(()), "as long as was said");
            }
            waits.push(wait);
        }
        waits
    }

    #[test]
    fn each_failure_waits_longer_and_a_name_no_more_than_a_minute() {
        let of_name = waits(12, |_| "anna".to_owned(), |number| number.to_string());
        assert_eq!(of_name, [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        let of_client = waits(15, |number| number.to_string(), |_| "here".to_owned());
        assert_eq!(of_client[9..], [64, 128, 256, 512, 900, 900]);
    }

    #[test]
    fn logins_at_once_are_no_way_around_and_a_good_one_ends_the_delay() {
        let mut delays = Delays::default();
        let at_once: Vec<bool> = (0..5).map(|_| delays.begin("anna", "here", START).is_ok()).collect();
        assert_eq!(at_once, [true, true, true, false, false]);
        assert!(delays.begin("bert", "here", START).is_err() && delays.begin("bert", "there", START).is_ok());
        delays.succeeded("anna", "here");
        assert!(delays.begin("anna", "here", START).is_ok());
    }

    #[test]
    fn a_right_password_without_a_code_does_not_make_up_for_wrong_codes() {
        let mut delays = Delays::default();
        for _ in 0..3 {
            assert!(delays.begin("anna", "here", START).is_ok());
        }
        let later = START.plus_secs(1);
        assert!(delays.begin("anna", "here", later).is_ok());
        delays.take_back("anna", "here");
        assert!(delays.begin("anna", "here", later).is_err());
    }

    #[test]
    fn failures_are_forgotten_and_a_clock_that_is_put_back_locks_nobody_out() {
        let mut delays = Delays::default();
        for _ in 0..3 {
            assert!(delays.begin("anna", "here", START).is_ok());
        }
        assert!(delays.begin("anna", "here", START.plus_secs(-7200)).is_ok());
    }
}
