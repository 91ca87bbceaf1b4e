//! Passwords that were found right a short while ago, as keyed hashes.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::domain::id::Random;
use crate::domain::time::Timestamp;

/// How long a good password is remembered. Seconds.
const REMEMBERED_SECS: i64 = 600;
/// How many are; with more the oldest is checked again, which only costs time.
const MAX_REMEMBERED: usize = 64;
/// What is held of them at most, in bytes: operators' passwords only, so that no stranger adds to them.
pub const MOST_BYTES: usize = MAX_REMEMBERED * 512;

/// Remembered passwords. The key is random and never leaves the process, so that the hashes say
/// nothing to anybody else.
pub struct VerifiedPasswordCache {
    key: [u8; 32],
    entries: HashMap<[u8; 32], Entry>,
}

struct Entry {
    /// The stored hash that the password was right for: another one means another password.
    stored: String,
    since: Timestamp,
}

impl VerifiedPasswordCache {
    /// Nothing remembered.
    pub fn new(random: &dyn Random) -> Self {
        let mut key = [0; 32];
        random.fill(&mut key);
        Self { key, entries: HashMap::new() }
    }

    /// Whether this password is remembered as right for this stored hash.
    pub fn knows(&self, name: &str, password: &str, stored: &str, now: Timestamp) -> bool {
        let entry = self.entries.get(&self.digest(name, password));
        entry.is_some_and(|entry| entry.stored == stored && entry.since.is_within(REMEMBERED_SECS, now))
    }

    /// Remembers a password.
    pub fn remember(&mut self, name: &str, password: &str, stored: &str, now: Timestamp) {
        self.entries.retain(|_, entry| entry.since.is_within(REMEMBERED_SECS, now));
        if self.entries.len() >= MAX_REMEMBERED
            && let Some(oldest) = self.entries.iter().min_by_key(|(_, entry)| entry.since).map(|(key, _)| *key)
        {
            self.entries.remove(&oldest);
        }
        let entry = Entry { stored: stored.to_owned(), since: now };
        self.entries.insert(self.digest(name, password), entry);
    }

    fn digest(&self, name: &str, password: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.key);
        // A name holds no colon, so that no two pairs read the same.
        hash.update(name.as_bytes());
        hash.update(b":");
        hash.update(password.as_bytes());
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::SystemRandom;

    #[test]
    fn only_the_latest_passwords_are_remembered() {
        let mut cache = VerifiedPasswordCache::new(&SystemRandom);
        let at = |number: usize| Timestamp::from_secs(1_800_000_000).plus_secs(i64::try_from(number).unwrap());
        for number in 0..=MAX_REMEMBERED {
            cache.remember("anna", &number.to_string(), "hash", at(number));
        }
        assert_eq!(cache.entries.len(), MAX_REMEMBERED);
        let knows = |number: usize| cache.knows("anna", &number.to_string(), "hash", at(MAX_REMEMBERED));
        assert!(!knows(0) && knows(1) && knows(MAX_REMEMBERED));
    }
}
