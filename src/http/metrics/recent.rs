//! What the last days have brought, in the spans of the dashboard: today, and the last 7 and 30 days (UTC).

use std::collections::BTreeMap;

use super::text::Text;
use crate::domain::time::Timestamp;
use crate::services::reports::Total;

/// Days up to today, as the label has them.
const SPANS: [(i64, &str); 3] = [(1, "1"), (7, "7"), (30, "30")];

/// Name and meaning of a figure, and what it is of a day.
type Figure = (&'static str, &'static str, fn(&Total) -> i64);

const COUNTED: [Figure; 5] = [
    ("recent_sold", "First purchases that were paid in the last days.", |total| total.sold),
    ("recent_extended", "Extensions that were paid in the last days.", |total| total.extended),
    ("recent_received_msat", "What came in the last days, in millisatoshi.", |total| total.received),
    ("recent_refunded_msat", "What was paid back in the last days, in millisatoshi.", |total| total.refunded),
    ("recent_refund_fees_msat", "What that cost, in millisatoshi.", |total| total.fees),
];

const PRICED: [Figure; 3] = [
    ("recent_received_fiat", "What came in the last days, at the rates of the invoices.", |total| total.fiat),
    ("recent_refunded_fiat", "What was paid back, at the rates of the invoices.", |total| total.fiat_refunded),
    ("recent_refund_fees_fiat", "What that cost, at the rates of the invoices.", |total| total.fiat_fees),
];

/// The sums of `days`.
pub fn write(text: &mut Text, days: &[Total], now: Timestamp) {
    let today = now.secs().div_euclid(86_400);
    let within = |span: i64| days.iter().filter(move |total| total.day > today - span);
    for (name, about, of) in COUNTED {
        let sums = SPANS.map(|(span, label)| (vec![("days", label)], within(span).map(of).sum::<i64>()));
        text.family(name, "gauge", about, sums);
    }
    for (name, about, of) in PRICED {
        let mut sums = Vec::new();
        for (span, label) in SPANS {
            let mut by_currency = BTreeMap::<&str, i64>::new();
            for total in within(span).filter(|total| !total.currency.is_empty()) {
                *by_currency.entry(&total.currency).or_default() += of(total);
            }
            let money = |hundredths: i64| hundredths as f64 / 10_000.0;
            sums.extend(
                by_currency
                    .into_iter()
                    .map(|(currency, sum)| (vec![("days", label), ("currency", currency)], money(sum))),
            );
        }
        text.family(name, "gauge", about, sums);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_span_ends_today_and_currencies_stay_apart() {
        let day = |day, currency: &str, received| Total {
            day,
            currency: currency.to_owned(),
            received,
            fiat: 10_000 * received,
            ..Total::default()
        };
        let days = [day(70, "EUR", 1), day(94, "EUR", 10), day(100, "EUR", 100), day(100, "USD", 1000), day(71, "", 7)];
        let mut text = Text::default();
        write(&mut text, &days, Timestamp::from_secs(100 * 86_400 + 5));
        let text = text.into_string();
        for line in [
            "ip2tor_recent_received_msat{days=\"1\"} 1100\n",
            "ip2tor_recent_received_msat{days=\"7\"} 1110\n",
            "ip2tor_recent_received_msat{days=\"30\"} 1117\n",
            "ip2tor_recent_received_fiat{days=\"1\",currency=\"EUR\"} 100\n",
            "ip2tor_recent_received_fiat{days=\"7\",currency=\"EUR\"} 110\n",
            "ip2tor_recent_received_fiat{days=\"30\",currency=\"USD\"} 1000\n",
            "ip2tor_recent_sold{days=\"30\"} 0\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
