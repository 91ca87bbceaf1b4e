//! Points in time and spans, in the two forms the shop needs: Unix milliseconds inside, the
//! contract's `YYYY-MM-DDTHH:MM:SSZ` outside. Nothing here reads a clock; see [`Clock`].

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};

use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime};

/// A point in time: milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A clock that is put back by no more than this was corrected, not wrong. Seconds.
pub const CLOCK_TOLERANCE_SECS: i64 = 60;

/// What was seen "just now", again and again, is stored anew only once what is stored is this old: each
/// write wears the memory card, and a crash loses no more than this of it. Seconds.
pub const STAMP_SECS: i64 = 600;

/// The same for what no rule looks at and only people read: that a job has run as always, that a node is still there.
/// Seconds.
pub const ROUTINE_SECS: i64 = 3600;

/// The wire value for "never", as the predecessor wrote it.
pub const NEVER_WIRE: &str = "9999-12-31T23:59:59Z";

impl Timestamp {
    /// The point in time `seconds` after the Unix epoch.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds * 1000)
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This point plus `seconds` (which may be negative), saturating at the ends of time.
    pub const fn plus_secs(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// Milliseconds from `earlier` to `self`; negative when `earlier` is later.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whether this was stamped by a clock that has been put back since: nobody knows how long ago.
    pub const fn is_from_the_future(self, now: Self) -> bool {
        self.millis_since(now) > CLOCK_TOLERANCE_SECS * 1000
    }

    /// Whether fewer than `seconds` have passed since, at `now`. What a wrong clock stamped in the
    /// future is not fresh, or it would be until that time.
    pub const fn is_within(self, seconds: i64, now: Self) -> bool {
        now.millis_since(self) < seconds.saturating_mul(1000) && !self.is_from_the_future(now)
    }

    /// `YYYY-MM-DDTHH:MM:SSZ`, sub-seconds cut: the contract's format for every date.
    pub fn to_wire(self) -> String {
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
        OffsetDateTime::from_unix_timestamp(self.secs())
            .ok()
            .and_then(|date| date.format(&format).ok())
            .unwrap_or_else(|| NEVER_WIRE.to_owned())
    }

    /// Reads what API clients may send: RFC 3339, the same with a blank instead of `T` or without
    /// seconds or offset (then UTC), or a plain date (then midnight UTC).
    pub fn parse_lenient(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(date) = OffsetDateTime::parse(text, &Rfc3339) {
            return Some(Self::from_secs(date.unix_timestamp()));
        }
        let day = format_description!("[year]-[month]-[day]");
        if let Ok(date) = Date::parse(text, &day) {
            return Some(Self::from_secs(date.midnight().assume_utc().unix_timestamp()));
        }
        let naive = text.replacen(' ', "T", 1);
        let with_seconds = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
        let without = format_description!("[year]-[month]-[day]T[hour]:[minute]");
        PrimitiveDateTime::parse(&naive, &with_seconds)
            .or_else(|_| PrimitiveDateTime::parse(&naive, &without))
            .ok()
            .map(|date| Self::from_secs(date.assume_utc().unix_timestamp()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_wire())
    }
}

/// Where "now" comes from. Everything that depends on time takes a clock or a [`Timestamp`], so
/// that tests move time instead of waiting for it.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp(since.map_or(0, |span| i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `start`.
    pub const fn new(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.0))
    }

    /// Moves the clock by `seconds`; negative moves it back.
    pub fn advance_secs(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Moves the clock forward by `millis` milliseconds.
    pub fn advance_millis(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_format_cuts_sub_seconds_and_is_utc() {
        assert_eq!(Timestamp(1_795_447_293_999).to_wire(), "2026-11-23T15:21:33Z");
    }

    #[test]
    fn a_stamp_from_the_future_is_not_fresh_unless_the_clock_was_only_corrected() {
        let now = Timestamp::from_secs(1_800_000_000);
        let is_fresh = |age: i64| now.plus_secs(-age).is_within(300, now);
        assert!(is_fresh(0) && is_fresh(299) && is_fresh(-CLOCK_TOLERANCE_SECS));
        assert!(!is_fresh(300) && !is_fresh(-CLOCK_TOLERANCE_SECS - 1) && !is_fresh(-10 * 365 * 86_400));
        assert!(Timestamp(i64::MAX).is_from_the_future(now), "and the ends of time are no trap");
        assert!(!Timestamp(i64::MIN).is_within(300, Timestamp(i64::MAX)));
    }

    #[test]
    fn lenient_parsing_reads_what_the_predecessor_read() {
        let midnight = Timestamp::parse_lenient("2030-01-01");
        assert_eq!(midnight, Some(Timestamp::from_secs(1_893_456_000)));
        assert_eq!(Timestamp::parse_lenient("2030-01-01 00:00"), midnight);
        assert_eq!(Timestamp::parse_lenient("2030-01-01T02:00:00+02:00"), midnight);
        assert_eq!(Timestamp::parse_lenient("tomorrow"), None);
    }
}
