//! The figures of the whole shop at one moment, for those who draw curves of them.

use super::dashboard::{self, Dashboard};
use super::outbox::{self, Queue};
use super::own_channels::{self, ChannelState};
use super::reports::{self, Total};
use super::{Error, ReadTx, authz};
use crate::domain::alert::{AlertTopic, Severity};
use crate::store::alerts;

/// What is known of the whole shop.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug)]
pub struct Figures {
    pub dashboard: Dashboard,
    /// What ever came and went, by currency.
    pub ever: Vec<Total>,
    pub queue: Queue,
    /// Open alerts of each severity.
    pub alerts: Vec<(Severity, u64)>,
    /// Open alerts of each topic that has any.
    pub topics: Vec<(AlertTopic, u64)>,
    /// The channels of the configuration on which alerts leave the shop.
    pub channels: Vec<ChannelState>,
    /// Those of operators' own, which are not named.
    pub own_channels: OwnChannels,
}

/// Operators' own channels together.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnChannels {
    pub count: u64,
    /// Those whose receivers want no more.
    pub off: u64,
    /// What they have not taken yet.
    pub waiting: u64,
}

/// The figures now.
///
/// # Errors
/// [`Error::NotFound`] for anybody but an administrator.
pub fn collect(tx: &ReadTx<'_>) -> Result<Figures, Error> {
    authz::needs_administrator(tx.actor)?;
    let (own, channels): (Vec<_>, Vec<_>) = own_channels::list(tx)?.into_iter().partition(|state| state.own.is_some());
    let own_channels = OwnChannels {
        count: own.len() as u64,
        off: own.iter().filter(|state| state.off_at.is_some()).count() as u64,
        waiting: own.iter().map(|state| u64::from(state.waiting)).sum(),
    };
    let open = alerts::list(tx.db, false)?;
    let count = |severity| open.iter().filter(|alert| alert.severity == severity).count() as u64;
    Ok(Figures {
        dashboard: dashboard::look(tx)?,
        ever: by_currency(reports::by_month(tx, None)?),
        queue: outbox::queue(tx)?,
        topics: AlertTopic::ALL
            .into_iter()
            .map(|topic| (topic, open.iter().filter(|alert| alert.topic == topic).count() as u64))
            .filter(|(_, count)| *count > 0)
            .collect(),
        alerts: Severity::ALL.into_iter().map(|severity| (severity, count(severity))).collect(),
        channels,
        own_channels,
    })
}

fn by_currency(months: Vec<Total>) -> Vec<Total> {
    let mut sums: Vec<Total> = Vec::new();
    for month in months {
        match sums.iter_mut().find(|sum| sum.currency == month.currency) {
            Some(sum) => {
                sum.sold += month.sold;
                sum.extended += month.extended;
                sum.received += month.received;
                sum.fiat += month.fiat;
                sum.refunded += month.refunded;
                sum.fiat_refunded += month.fiat_refunded;
                sum.fees += month.fees;
                sum.fiat_fees += month.fiat_fees;
            }
            None => sums.push(month),
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_of_one_currency_are_one_sum() {
        let month = |day, currency: &str, sold| Total { day, currency: currency.to_owned(), sold, ..Total::default() };
        let sums = by_currency(vec![month(1, "EUR", 1), month(1, "", 5), month(32, "EUR", 2)]);
        let sums: Vec<_> = sums.iter().map(|sum| (sum.currency.as_str(), sum.sold)).collect();
        assert_eq!(sums, [("EUR", 3), ("", 5)]);
    }
}
