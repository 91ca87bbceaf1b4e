//! A schedule as a cron expression of six fields: second, minute, hour, day of the month, month, day
//! of the week; in UTC.

use std::fmt;

use croner::parser::{CronParser, Seconds};

/// A checked cron expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronExpression(String);

impl CronExpression {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Required).dom_and_dow(true).build();
        match parser.parse(text) {
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

    /// The expression as the scheduler takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
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
    fn an_expression_needs_six_fields() {
        assert!(CronExpression::parse("0 */5 * * * *").is_ok());
        let message = CronExpression::parse("*/5 * * * *").unwrap_err();
        assert!(message.contains("six fields"), "{message}");
        assert!(CronExpression::parse("0 99 * * * *").is_err());
        assert!(CronExpression::parse("every day").is_err());
    }
}
