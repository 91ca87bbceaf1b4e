//! Amounts, spans and addresses as people read them.

use super::texts::Texts;
use crate::domain::fiat::Rate;
use crate::domain::money::Msat;
use crate::domain::time::Timestamp;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// An amount in satoshi: `25 000 sats`, `1.5 sats`.
pub fn sats(amount: Msat) -> String {
    let (whole, rest) = (amount.0 / 1000, amount.0 % 1000);
    let digits = whole.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push('\u{a0}');
        }
        grouped.push(digit);
    }
    let fraction = format!(".{rest:03}");
    let fraction = if rest == 0 { "" } else { fraction.trim_end_matches('0') };
    format!("{grouped}{fraction}\u{a0}sats")
}

/// What an amount is worth; `None` where no rate is fresh, or it is worth nothing that could be shown.
pub fn fiat(rate: Option<Rate>, amount: Msat) -> Option<String> {
    let rate = rate?;
    let cents = rate.cents_of(amount);
    (cents > 0).then(|| rate.currency.write(cents))
}

/// How long something runs: in the largest unit in which it is a whole number.
pub fn duration(t: &Texts, secs: i64) -> String {
    match secs {
        0 => t.never_ends.to_owned(),
        _ if secs % DAY == 0 => (t.days)(secs / DAY),
        _ if secs % HOUR == 0 => (t.hours)(secs / HOUR),
        _ if secs % MINUTE == 0 => (t.minutes)(secs / MINUTE),
        _ => (t.seconds)(secs),
    }
}

/// How much time has passed, or is left: roughly, as people say it.
pub fn span(t: &Texts, secs: i64) -> String {
    match secs.max(0) {
        secs if secs >= 2 * DAY => (t.days)(secs / DAY),
        secs if secs >= 2 * HOUR => (t.hours)(secs / HOUR),
        secs if secs >= MINUTE => (t.minutes)(secs / MINUTE),
        secs => (t.seconds)(secs),
    }
}

/// `2026-11-30 06:40 UTC`
pub fn date(at: Timestamp) -> String {
    let wire = at.to_wire();
    format!("{} UTC", wire.get(..16).unwrap_or(&wire).replace('T', " "))
}

/// A public address and port; an IPv6 address stands in brackets.
pub fn address(ip: &str, port: u16) -> String {
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}

/// The minutes and seconds that are left: `14:05`.
pub fn clock(secs: i64) -> String {
    let secs = secs.max(0);
    format!("{}:{:02}", secs / MINUTE, secs % MINUTE)
}

/// Bytes in the unit in which they are a small number.
pub fn bytes(count: i64) -> String {
    let count = count.max(0);
    let mut unit = 0;
    let mut size = count;
    while size >= 10_000 && unit < 4 {
        size /= 1000;
        unit += 1;
    }
    format!("{size}\u{a0}{}", ["B", "kB", "MB", "GB", "TB"][unit])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::texts::Language;

    #[test]
    fn amounts_are_grouped_and_keep_what_is_less_than_a_satoshi() {
        for (msat, text) in
            [(0, "0"), (1_500, "1.5"), (25_000, "25"), (999_999, "999.999"), (1_234_567_000, "1 234 567")]
        {
            assert_eq!(sats(Msat(msat)), format!("{text} sats").replace(' ', "\u{a0}"));
        }
    }

    #[test]
    fn spans_are_said_as_people_say_them() {
        let t = Texts::of(Language::English);
        for (secs, text) in
            [(0, "without end"), (86_400, "1 day"), (90_000, "25 hours"), (60, "1 minute"), (61, "61 seconds")]
        {
            assert_eq!(duration(t, secs), text);
        }
        for (secs, text) in
            [(-1, "0 seconds"), (59, "59 seconds"), (7199, "119 minutes"), (100_000, "27 hours"), (200_000, "2 days")]
        {
            assert_eq!(span(t, secs), text);
        }
    }

    #[test]
    fn addresses_of_both_kinds_can_be_told_from_their_ports() {
        assert_eq!(
            (address("203.0.113.7", 1), address("2001:db8::7", 2)),
            ("203.0.113.7:1".into(), "[2001:db8::7]:2".into())
        );
    }

    #[test]
    fn bytes_are_small_numbers() {
        for (count, text) in [(-5, "0 B"), (9_999, "9999 B"), (10_000, "10 kB"), (12_345_678_901, "12 GB")] {
            assert_eq!(bytes(count), text.replace(' ', "\u{a0}"));
        }
    }
}
