//! Hours of the day in which only what can't wait is told.

use std::fmt;

use crate::time::Timestamp;

/// Minutes of a day.
const DAY: i64 = 1440;

/// From one time of the day (UTC) to another; over midnight where the second is the earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// The first minute of the day that is quiet.
    from: i64,
    /// The first minute of the day that is not quiet any more.
    until: i64,
}

impl QuietHours {
    /// Reads `HH:MM-HH:MM`.
    pub fn parse(text: &str) -> Option<Self> {
        let (from, until) = text.split_once('-')?;
        let (from, until) = (minute(from.trim())?, minute(until.trim())?);
        (from != until).then_some(Self { from, until })
    }

    /// Whether it is quiet at `now`.
    pub const fn contains(self, now: Timestamp) -> bool {
        let minute = now.secs().div_euclid(60).rem_euclid(DAY);
        if self.from < self.until {
            minute >= self.from && minute < self.until
        } else {
            minute >= self.from || minute < self.until
        }
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, until } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, until / 60, until % 60)
    }
}

fn minute(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str, below: i64| -> Option<i64> {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|number| is_number && *number < below)
    };
    Some(number(hour, 24)? * 60 + number(minute, 60)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds of a day at a time.
    fn at(hour: i64, minute: i64) -> Timestamp {
        Timestamp::from_secs(1_795_046_400 / 86_400 * 86_400 + hour * 3600 + minute * 60)
    }

    #[test]
    fn hours_over_midnight_are_quiet_on_both_sides_of_it() {
        let night = QuietHours::parse("22:00-07:30").unwrap();
        for (time, is_quiet) in
            [(at(21, 59), false), (at(22, 0), true), (at(0, 0), true), (at(7, 29), true), (at(7, 30), false)]
        {
            assert_eq!(night.contains(time), is_quiet, "{time}");
        }
        let noon = QuietHours::parse("12:00-13:00").unwrap();
        assert!(noon.contains(at(12, 0)) && !noon.contains(at(13, 0)) && !noon.contains(at(3, 0)));
        assert_eq!(night.to_string(), "22:00-07:30");
    }

    #[test]
    fn what_is_no_pair_of_times_is_refused() {
        for text in ["", "22:00", "22-7", "24:00-07:00", "22:60-07:00", "7:00-8:00", "07:00-07:00", "+1:00-02:00"] {
            assert_eq!(QuietHours::parse(text), None, "{text}");
        }
    }
}
