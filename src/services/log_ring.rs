//! The last warnings of the log, kept in memory: what an administrator sees without a shell.

use std::collections::VecDeque;

use parking_lot::Mutex;

use super::{Error, Principal, authz};
use crate::domain::time::Timestamp;

/// So many lines are kept at most…
const LINES: usize = 200;
/// …each of at most so many bytes.
const LINE_BYTES: usize = 1000;
/// What they take at most, in bytes.
pub const MOST_BYTES: usize = LINES * (LINE_BYTES + 128);

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number, counted from the start of the process.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// Whether it is an error, not only a warning.
    pub is_error: bool,
    /// Where in the program.
    pub target: String,
    /// What it says.
    pub text: String,
}

/// The last lines.
#[derive(Debug, Default)]
pub struct Ring {
    kept: Mutex<(u64, VecDeque<Line>)>,
}

/// The ring of this process: a log is there before anything else is.
static RING: Ring = Ring { kept: Mutex::new((0, VecDeque::new())) };

/// The ring of this process.
pub fn ring() -> &'static Ring {
    &RING
}

impl Ring {
    /// Keeps a line; the oldest goes when there are too many.
    pub fn push(&self, at: Timestamp, is_error: bool, target: &str, text: &str) {
        let mut end = text.len().min(LINE_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let (target, text) = (target.chars().take(100).collect(), text[..end].to_owned());
        let mut kept = self.kept.lock();
        kept.0 += 1;
        let number = kept.0;
        if kept.1.len() >= LINES {
            kept.1.pop_front();
        }
        kept.1.push_back(Line { number, at, is_error, target, text });
    }

    /// The lines behind a number, oldest first.
    pub fn after(&self, number: u64) -> Vec<Line> {
        self.kept.lock().1.iter().filter(|line| line.number > number).cloned().collect()
    }

    /// The number of the last line.
    pub fn newest(&self) -> u64 {
        self.kept.lock().0
    }
}

/// The last warnings of this process's log.
///
/// # Errors
/// [`Error::NotFound`] for anybody but an administrator.
pub fn lines(by: &Principal, after: u64) -> Result<Vec<Line>, Error> {
    authz::needs_administrator(by)?;
    Ok(ring().after(after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_keeps_the_last_lines_and_cuts_long_ones() {
        let ring = Ring::default();
        for number in 0..LINES + 5 {
            ring.push(Timestamp(0), false, "x", &format!("{number}{}", "ä".repeat(LINE_BYTES)));
        }
        let lines = ring.after(0);
        assert_eq!((lines.len(), lines[0].number, ring.newest()), (LINES, 6, LINES as u64 + 5));
        assert!(lines.iter().all(|line| line.text.len() <= LINE_BYTES && line.text.ends_with('ä')));
        assert_eq!(ring.after(ring.newest()), []);
    }
}
