//! How many periods are bought at once: the choices of a form, each with its price.

use super::form::Form;
use super::format;
use super::texts::Texts;
use crate::domain::money::Msat;

/// What is offered to choose from, as far as the host sells it at once.
const COUNTS: [u16; 8] = [1, 2, 3, 7, 14, 30, 90, 180];

/// A choice.
#[derive(Debug, PartialEq, Eq)]
pub struct Choice {
    /// How many periods.
    pub count: u16,
    /// What it is, and what it costs: `7 days: 145 sats`.
    pub label: String,
    /// Whether it is the one that was chosen.
    pub is_chosen: bool,
}

/// The choices, none where there is nothing to choose: at most `most` periods of `secs` each, for what `price` says.
pub fn choices(t: &'static Texts, most: u16, secs: i64, chosen: u32, price: impl Fn(u32) -> Msat) -> Vec<Choice> {
    if most <= 1 || secs == 0 {
        return Vec::new();
    }
    let counts = COUNTS.into_iter().filter(|count| *count < most).chain([most]);
    counts
        .map(|count| Choice {
            count,
            label: format!(
                "{}: {}",
                format::duration(t, secs.saturating_mul(i64::from(count))),
                format::sats(price(u32::from(count)))
            ),
            is_chosen: u32::from(count) == chosen,
        })
        .collect()
}

/// What was chosen: one period where nothing was, and 0, which nobody sells, for what is no number.
pub fn chosen(form: &Form) -> u32 {
    match form.get("periods") {
        "" => 1,
        typed => typed.parse().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::texts::Language;

    #[test]
    fn what_a_host_sells_at_once_is_offered_with_its_price_and_nothing_beyond() {
        let t = Texts::of(Language::English);
        let offered = choices(t, 30, 86_400, 7, |count| Msat(5000 + 20_000 * u64::from(count)));
        let counts: Vec<u16> = offered.iter().map(|choice| choice.count).collect();
        assert_eq!(counts, [1, 2, 3, 7, 14, 30]);
        let week = &offered[3];
        assert!(week.is_chosen && week.label == "7 days: 145\u{a0}sats", "{week:?}");
        assert_eq!(offered.iter().filter(|choice| choice.is_chosen).count(), 1);
        assert_eq!(choices(t, 366, 86_400, 1, |_| Msat(1)).last().unwrap().count, 366);
    }

    #[test]
    fn where_there_is_nothing_to_choose_nothing_is_asked() {
        let t = Texts::of(Language::English);
        assert!(choices(t, 1, 86_400, 1, |_| Msat(1)).is_empty());
        assert!(choices(t, 30, 0, 1, |_| Msat(1)).is_empty(), "what never ends is bought once");
    }

    #[test]
    fn a_form_without_a_choice_is_for_one_period() {
        for (sent, count) in [("a=b", 1), ("periods=", 1), ("periods=30", 30), ("periods=-1", 0), ("periods=x", 0)] {
            assert_eq!(chosen(&Form::parse(sent.as_bytes()).unwrap()), count, "{sent}");
        }
    }
}
