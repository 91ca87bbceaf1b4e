//! What an order says about its state: keys, kept in the database by name.

use strum::EnumCount;

use super::Language;

/// How an order ends without a sale, whose invoice its node has to cancel. Until the node has confirmed that, nobody
/// can promise that no money moves: the order says [`OrderMessage::Cancelling`] first, [`OrderMessage::Ended`] then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumCount)]
pub enum Ending {
    /// It was not paid in time.
    Expired,
    /// A newer order has taken its place.
    Replaced,
    /// The operator switched the product off before it was paid.
    SwitchedOff,
    /// The operator switched the product off while its payment was held.
    SwitchedOffHeld,
    /// The host did not deliver while the payment was held.
    Returned,
    /// The host reported a failure while the payment was held.
    HoldFailed,
    /// A held payment could not be accepted.
    HoldRefused,
    /// A held payment came for what can't be delivered any more.
    HoldHopeless,
    /// A held payment came, and no port or name is free for the product.
    HoldUnplaced,
}

impl Ending {
    /// Every ending.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Expired,
        Self::Replaced,
        Self::SwitchedOff,
        Self::SwitchedOffHeld,
        Self::Returned,
        Self::HoldFailed,
        Self::HoldRefused,
        Self::HoldHopeless,
        Self::HoldUnplaced,
    ];

    /// Its names in the database: until the node has confirmed, and then.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Expired => ("expiring", "expired"),
            Self::Replaced => ("being_replaced", "replaced"),
            Self::SwitchedOff => ("switching_off", "switched_off"),
            Self::SwitchedOffHeld => ("switching_off_held", "switched_off_held"),
            Self::Returned => ("returning", "returned"),
            Self::HoldFailed => ("hold_failing", "hold_failed"),
            Self::HoldRefused => ("hold_being_refused", "hold_refused"),
            Self::HoldHopeless => ("hold_becoming_hopeless", "hold_hopeless"),
            Self::HoldUnplaced => ("hold_being_unplaced", "hold_unplaced"),
        }
    }
}

/// What an order says about its state.
#[derive(Clone, Debug, PartialEq, Eq, EnumCount)]
pub enum OrderMessage {
    /// Its target is being probed.
    Probing,
    /// The host's port is being tried.
    PortTrial,
    /// Its payment is held.
    Held,
    /// It has ended, and its node is being asked to cancel the invoice.
    Cancelling(Ending),
    /// It has ended, and its invoice can't be paid any more.
    Ended(Ending),
    /// Its invoice was cancelled before its time, and not by the shop.
    CancelledElsewhere,
    /// Its payment was held and given back, and not by the shop.
    HoldLost,
    /// Its invoice is gone, and nobody knows whether it was paid.
    Vanished,
    /// No node could make its invoice.
    NoInvoice,
    /// Its target or its buyer's address is on the deny list.
    Denied,
    /// Every port that its host has left is in use there.
    NoPorts,
    /// The host's ports could not be tried.
    PortsUnchecked,
    /// It was paid but not delivered.
    Undelivered,
    /// Less was received than asked.
    Underpaid,
    /// It was paid but can't be delivered any more.
    Undeliverable,
    /// It was paid twice and can't be delivered, or was refunded before.
    PaidAgain,
    /// It was delivered too late, and its buyer gets the money back instead.
    LateReturned,
    /// The debt was paid back.
    Refunded,
    /// It was delivered so many seconds after it was paid.
    DeliveredLate(i64),
    /// Its target failed the probe, in the probe's words; the order goes on.
    TargetWarned(String),
    /// Its target failed the probe, in the probe's words; the order was rejected.
    TargetRefused(String),
    /// A text without a key, as shops before had them.
    Free(String),
}

/// Those that a name alone says.
const PLAIN: [OrderMessage; OrderMessage::COUNT - 6] = [
    OrderMessage::Probing,
    OrderMessage::PortTrial,
    OrderMessage::Held,
    OrderMessage::CancelledElsewhere,
    OrderMessage::HoldLost,
    OrderMessage::Vanished,
    OrderMessage::NoInvoice,
    OrderMessage::Denied,
    OrderMessage::NoPorts,
    OrderMessage::PortsUnchecked,
    OrderMessage::Undelivered,
    OrderMessage::Underpaid,
    OrderMessage::Undeliverable,
    OrderMessage::PaidAgain,
    OrderMessage::LateReturned,
    OrderMessage::Refunded,
];

impl OrderMessage {
    /// Its name in the database, with what belongs to it behind a colon.
    pub fn stored(&self) -> String {
        let name = match self {
            Self::Probing => "probing",
            Self::PortTrial => "port_trial",
            Self::Held => "held",
            Self::Cancelling(ending) => ending.names().0,
            Self::Ended(ending) => ending.names().1,
            Self::CancelledElsewhere => "cancelled_elsewhere",
            Self::HoldLost => "hold_lost",
            Self::Vanished => "vanished",
            Self::NoInvoice => "no_invoice",
            Self::Denied => "denied",
            Self::NoPorts => "no_ports",
            Self::PortsUnchecked => "ports_unchecked",
            Self::Undelivered => "undelivered",
            Self::Underpaid => "underpaid",
            Self::Undeliverable => "undeliverable",
            Self::PaidAgain => "paid_again",
            Self::LateReturned => "late_returned",
            Self::Refunded => "refunded",
            Self::DeliveredLate(secs) => return format!("delivered_late: {secs}"),
            Self::TargetWarned(verdict) => return format!("target_warned: {verdict}"),
            Self::TargetRefused(verdict) => return format!("target_refused: {verdict}"),
            Self::Free(text) => text,
        };
        name.to_owned()
    }

    /// Reads [`OrderMessage::stored`]; whatever is no name is a free text.
    pub fn parse(stored: &str) -> Self {
        let with_value = stored.split_once(": ").and_then(|(name, value)| match name {
            "delivered_late" => value.parse().ok().map(Self::DeliveredLate),
            "target_warned" => Some(Self::TargetWarned(value.to_owned())),
            "target_refused" => Some(Self::TargetRefused(value.to_owned())),
            _ => None,
        });
        let endings = Ending::ALL.into_iter().flat_map(|ending| [Self::Cancelling(ending), Self::Ended(ending)]);
        let named = || PLAIN.into_iter().chain(endings).find(|message| message.stored() == stored);
        with_value.or_else(named).unwrap_or_else(|| Self::Free(stored.to_owned()))
    }

    /// The language that [`OrderMessage::text`] really has: what a probe found is only known in English, and so
    /// are free texts.
    pub const fn language(&self, wanted: Language) -> Language {
        match self {
            Self::TargetWarned(_) | Self::TargetRefused(_) | Self::Free(_) => Language::English,
            _ => wanted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every() -> impl Iterator<Item = OrderMessage> {
        let endings = Ending::ALL.into_iter().flat_map(|end| [OrderMessage::Cancelling(end), OrderMessage::Ended(end)]);
        let verdict = || "The target does not answer".to_owned();
        let with_values = [
            OrderMessage::DeliveredLate(361),
            OrderMessage::TargetWarned(verdict()),
            OrderMessage::TargetRefused(verdict()),
            OrderMessage::Free("Warning: something of old.".to_owned()),
        ];
        PLAIN.into_iter().chain(endings).chain(with_values)
    }

    #[test]
    fn a_message_is_read_again_as_what_was_stored_and_no_name_stands_for_two() {
        let mut names: Vec<String> = every().map(|message| message.stored()).collect();
        for message in every() {
            assert_eq!(OrderMessage::parse(&message.stored()), message);
        }
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn what_is_said_to_be_german_is_not_the_english_text() {
        for message in every() {
            let differs = message.text(Language::English) != message.text(Language::German);
            assert_eq!(differs, message.language(Language::German) == Language::German, "{message:?}");
        }
    }

    #[test]
    fn what_buyers_read_is_as_it_was_looked_through() {
        let texts = every().map(|message| {
            let [english, german] = Language::ALL.map(|language| message.text(language));
            format!("{}\n  {english}\n  {german}\n", message.stored())
        });
        insta::assert_snapshot!("order_messages", texts.collect::<String>());
    }

    #[test]
    fn nothing_is_said_to_be_over_before_it_is() {
        let over = ["was cancelled", "has been cancelled", "back in your wallet", "Nothing was charged"];
        let over_german = ["storniert worden", "wieder in der Wallet", "Es wurde nichts berechnet"];
        for ending in Ending::ALL {
            let (until, end) = (OrderMessage::Cancelling(ending), OrderMessage::Ended(ending));
            let (english, german) = (until.text(Language::English), until.text(Language::German));
            assert!(english.contains("is being ") && !end.text(Language::English).contains("is being "), "{english}");
            assert!(german.contains("wird ") && !end.text(Language::German).contains("wird gerade"), "{german}");
            assert!(over.iter().all(|words| !english.contains(words)), "{english}");
            assert!(over_german.iter().all(|words| !german.contains(words)), "{german}");
        }
    }
}
