//! What is said of each step of an order, and under which address what was bought is found.

use super::format;
use super::stage::Stage;
use super::texts::Texts;
use crate::domain::host::Host;
use crate::domain::product::{Product, Subject};
use crate::domain::purchase::Purchase;

/// What is said of a step.
pub struct Words {
    /// In a few words.
    pub heading: String,
    /// How it is shown: `good`, `warn`, `bad` or nothing.
    pub tone: &'static str,
    /// What it means.
    pub lead: &'static str,
    /// What to do or to expect.
    pub next: Vec<&'static str>,
}

/// The words for a step of an order.
pub fn of(t: &'static Texts, stage: Stage, purchase: &Purchase, address: Option<&str>) -> Words {
    let (heading, tone, lead) = match stage {
        Stage::Making => (t.making_title, "", t.making),
        Stage::ToPay => (t.to_pay_title, "", t.to_pay),
        Stage::Expiring => (t.expiring_title, "warn", t.expiring),
        Stage::Held => (t.held_title, "", t.held),
        Stage::Settling => (t.settling_title, "good", t.settling),
        Stage::Closing => (t.closing_title, "warn", t.closing),
        Stage::Expired => (t.expired_title, "warn", t.refused),
        Stage::Refused => (t.refused_title, "bad", t.refused),
        Stage::Returned => (t.returned_title, "warn", t.returned),
        Stage::Doubtful => (t.doubtful_title, "warn", t.doubtful),
        Stage::Ended => (t.ended_title, "warn", t.refused),
        Stage::Waiting => (t.waiting_title, "", t.waiting),
        Stage::Active => (t.paid_title, "good", t.delivered),
        Stage::Extended => (t.extended_title, "good", t.delivered),
        Stage::Over => (t.paid_title, "", t.over),
        Stage::Owed => (t.owed_title, "bad", t.owed),
        Stage::PayingBack => (t.returning_title, "", t.returning),
        Stage::Refunded => (t.refunded_title, "good", t.refunded),
    };
    let heading = match (stage, address) {
        (Stage::Active, Some(address)) => (t.active_at)(address),
        _ => heading.to_owned(),
    };
    let next = match stage {
        Stage::ToPay if purchase.invoice.is_hold => vec![t.to_pay_hold],
        Stage::Waiting => vec![t.late_hint],
        _ => Vec::new(),
    };
    Words { heading, tone, lead, next }
}

/// What a buyer has filled in: where a bridge leads, or an alias with its key, and the note.
pub fn ordered(t: &'static Texts, product: &Product) -> Vec<(&'static str, String)> {
    let mut facts = match &product.subject {
        Subject::Target(target) => vec![(t.target, target.clone())],
        Subject::Alias { alias, public_key } => {
            vec![(t.alias_label, alias.clone()), (t.name_and_key, public_key.clone())]
        }
    };
    facts.extend(product.comment.clone().filter(|note| !note.is_empty()).map(|note| (t.note, note)));
    facts
}

/// Where anybody finds what was bought: of a bridge the public address and port, of an alias the name.
pub fn address(product: &Product, host: &Host) -> Option<String> {
    let port = product.public_port()?;
    Some(match &product.subject {
        Subject::Target(_) => format::address(&host.ip, port),
        Subject::Alias { alias, .. } => format!("{alias}@{}", format::address(&host.ip, port)),
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::texts::Language;
    use crate::http::pages::sample::sample;

    #[test]
    fn every_step_is_said_in_every_language_and_each_in_its_own_words() {
        let (purchase, _) = sample(Uuid::nil());
        for stage in Stage::ALL {
            let words = |language| of(Texts::of(language), stage, &purchase, Some("203.0.113.7:1"));
            let (english, german) = (words(Language::English), words(Language::German));
            assert!(english.heading != german.heading && english.lead != german.lead, "{stage:?}");
        }
    }

    #[test]
    fn who_pays_with_a_hold_invoice_is_told_what_the_wallet_will_say() {
        let (mut purchase, _) = sample(Uuid::nil());
        let t = Texts::of(Language::English);
        assert_eq!(of(t, Stage::ToPay, &purchase, None).next, [t.to_pay_hold]);
        purchase.invoice.is_hold = false;
        assert!(of(t, Stage::ToPay, &purchase, None).next.is_empty());
    }
}
