//! A schedule as a cron expression of six fields: second, minute, hour, day of the month, month, day
//! of the week; in UTC.

use std::fmt;

use chrono::DateTime;
use croner::parser::{CronParser, Seconds};

use crate::domain::time::Timestamp;

/// A checked cron expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronExpression(String);

impl CronExpression {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        match parser().parse(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(error) => Err(format!(
                "{text:?} is not a cron expression of six fields (second minute hour day month weekday): {error}"
            )),
        }
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
    CronParser::builder().seconds(Seconds::Required).dom_and_dow(true).build()
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
    }
}
