//! Names with too many wrong passwords have to wait.

use std::collections::HashMap;

use crate::domain::time::Timestamp;

/// So many wrong passwords are allowed…
const MOST_BAD: u32 = 5;
/// …within so many seconds from the first one.
const WINDOW_SECS: i64 = 60;

/// Wrong passwords by name. Only names of operators get in here, so it stays small.
#[derive(Default)]
pub struct Throttle(HashMap<String, Window>);

struct Window {
    bad: u32,
    until: Timestamp,
}

impl Throttle {
    /// Seconds that this name has to wait; 0 when it may try.
    pub fn wait_secs(&self, name: &str, now: Timestamp) -> u32 {
        match self.0.get(name) {
            Some(window) if window.bad >= MOST_BAD && window.until > now => {
                let millis = window.until.millis_since(now);
                u32::try_from(millis.unsigned_abs().div_ceil(1000)).unwrap_or(u32::MAX)
            }
            _ => 0,
        }
    }

    /// Counts a wrong password.
    pub fn note_bad(&mut self, name: &str, now: Timestamp) {
        let fresh = || Window { bad: 0, until: now.plus_secs(WINDOW_SECS) };
        let window = self.0.entry(name.to_owned()).or_insert_with(fresh);
        if window.until <= now {
            *window = fresh();
        }
        window.bad += 1;
    }

    /// After a right password.
    pub fn forget(&mut self, name: &str) {
        self.0.remove(name);
    }
}
