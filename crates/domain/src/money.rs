//! Amounts of money. Everything is an integer number of millisatoshi; there are no floats.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

/// An amount in millisatoshi (1/1000 satoshi).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Msat(pub u64);

impl Msat {
    /// The sum, or `None` on overflow.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// What is left after taking `other` away; zero when `other` is more.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The number of satoshi, with what is left of one: `1.5`.
    pub fn in_sats(self) -> String {
        let (whole, rest) = (self.0 / 1000, format!(".{:03}", self.0 % 1000));
        format!("{whole}{}", rest.trim_end_matches('0').trim_end_matches('.'))
    }

    /// The amount as SQLite stores it. Amounts beyond 2^63-1 msat do not exist (that is more than
    /// there will ever be), so they are capped.
    pub fn to_db(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// The amount that SQLite stored; negative values (excluded by CHECKs) become zero.
    pub fn from_db(value: i64) -> Self {
        Self(u64::try_from(value).unwrap_or(0))
    }
}

impl FromStr for Msat {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Msat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} msat", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn satoshi_are_written_with_what_is_left_of_one() {
        for (amount, text) in [(0, "0"), (25_000, "25"), (1500, "1.5"), (7, "0.007"), (10_010, "10.01")] {
            assert_eq!(Msat(amount).in_sats(), text);
        }
    }
}
