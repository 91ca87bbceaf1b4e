//! The figures of the whole shop at one moment, for those who draw curves of them.

use super::alert_messages::ChannelState;
use super::dashboard::{self, Dashboard};
use super::outbox::{self, Queue};
use super::reports::{self, Total};
use super::{Error, ReadTx, authz};
use crate::domain::alert::Severity;
use crate::store::{alert_channels, alerts};

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
    /// The channels on which alerts leave the shop.
    pub channels: Vec<ChannelState>,
}

/// The figures now.
///
/// # Errors
/// [`Error::NotFound`] for anybody but an administrator.
pub fn collect(tx: &ReadTx<'_>) -> Result<Figures, Error> {
    authz::needs_administrator(tx.actor)?;
    let open = alerts::list(tx.db, false)?;
    let count = |severity| open.iter().filter(|alert| alert.severity == severity).count() as u64;
    Ok(Figures {
        dashboard: dashboard::look(tx)?,
        ever: by_currency(reports::by_month(tx, None)?),
        queue: outbox::queue(tx)?,
        alerts: Severity::ALL.into_iter().map(|severity| (severity, count(severity))).collect(),
        channels: alert_channels::list(tx.db)?,
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
