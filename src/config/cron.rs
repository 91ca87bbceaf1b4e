//! A schedule as a cron expression of six fields: second, minute, hour, day of the month, month, day
//! of the week; in UTC.

use std::fmt;

use chrono::DateTime;
use croner::parser::{CronParser, Seconds, Year};

use crate::domain::time::Timestamp;

/// Where the search for the first time of an expression begins: 2026-01-01.
const SOME_TIME: i64 = 1_767_225_600;

/// A checked cron expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronExpression(String);

impl CronExpression {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = |why: &str| {
            format!("{text:?} is not a cron expression of six fields (second minute hour day month weekday): {why}")
        };
        parser().parse(text).map_err(|error| wrong(&error.to_string()))?;
        let expression = Self(text.to_owned());
        // From a fixed time on, whatever the clock says: without years an expression comes again and again, or never.
        if expression.next_after(Timestamp::from_secs(SOME_TIME)).is_none() {
            return Err(wrong("there is no such time, it never comes"));
        }
        Ok(expression)
    }

    /// A default, known to be right (a test parses them all).
    pub(super) fn known(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The first time after `now` that the expression names.
    pub fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        let cron = parser().parse(&self.0).ok()?;
        let next = cron.find_next_occurrence(&DateTime::from_timestamp_millis(now.0)?, false).ok()?;
        Some(Timestamp(next.timestamp_millis()))
    }

    /// The expression as the scheduler takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn parser() -> CronParser {
    CronParser::builder().seconds(Seconds::Required).year(Year::Disallowed).dom_and_dow(true).build()
}

impl fmt::Display for CronExpression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_time_is_after_now() {
        let nightly = CronExpression::parse("0 42 3 * * *").expect("a good expression");
        let next = nightly.next_after(Timestamp::from_secs(1_795_447_293)).expect("it comes again");
        assert_eq!(next.to_wire(), "2026-11-24T03:42:00Z");
        assert_eq!(nightly.next_after(next).map(Timestamp::to_wire).as_deref(), Some("2026-11-25T03:42:00Z"));
    }

    #[test]
    fn an_expression_needs_six_fields() {
        assert!(CronExpression::parse("0 */5 * * * *").is_ok());
        let message = CronExpression::parse("*/5 * * * *").unwrap_err();
        assert!(message.contains("six fields"), "{message}");
        assert!(CronExpression::parse("0 99 * * * *").is_err());
        assert!(CronExpression::parse("every day").is_err());
        assert!(CronExpression::parse("0 42 3 * * * 2020").is_err(), "years are over one day");
    }

    #[test]
    fn a_time_that_never_comes_is_refused_and_a_rare_one_is_not() {
        for never in ["0 0 0 30 2 *", "0 0 0 31 4,6,9,11 *", "0 0 0 31 2 1"] {
            let message = CronExpression::parse(never).unwrap_err();
            assert!(message.contains("never comes"), "{never}: {message}");
        }
        assert!(CronExpression::parse("0 0 0 29 2 *").is_ok());
        assert!(CronExpression::parse(" 0 0 0 29 2 1 ").is_ok(), "a Monday, in 2044");
    }
}
