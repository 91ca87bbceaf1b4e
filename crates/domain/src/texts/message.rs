//! What is wrong, for whoever asked for something: keys with what belongs to them. The texts are in `en.rs` and `de.rs`.

use super::{Language, Reason};
use crate::account::PasswordFault;
use crate::money::Msat;

/// Why something was refused. What each says stands in `en.rs` under its name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the texts are the documentation, and each is written once in every language")]
pub enum Message {
    // Of every request.
    NotAuthenticated,
    Forbidden,
    NotFound,
    NotAcceptable,
    MethodNotAllowed {
        method: String,
    },
    Internal {
        id: String,
    },
    Throttled {
        secs: u32,
    },
    NotUnderstood,
    TookTooLong,
    OneHostLine,
    /// The body is sent in another way than whole or in chunks.
    OnlyChunked,
    SocketOnly,
    ForeignSite,
    MustPost,
    StorageDown,
    ChangedMeanwhile {
        what: &'static str,
    },
    // Of who calls.
    InvalidToken,
    WrongPassword,
    NoBasicCredentials,
    SpacesInBasic,
    NoToken,
    SpacesInToken,
    CharactersInToken,
    TooManyPasswords,
    PasswordsBusy,
    // Of those who run the shop.
    SecondFactorNeeded,
    WrongCode,
    /// Codes of the second factor can't be checked.
    ClockForCodes,
    CsrfTokenMissing,
    TokenMayNot,
    NotWithToken,
    WrongOldPassword,
    WeakPassword(PasswordFault),
    LastAdministrator,
    NotFromAfar,
    SetupLinkOver,
    HasAdministrator,
    TooManyTokens {
        most: usize,
    },
    // Of a body as a whole.
    NoData,
    NoDictionary {
        kind: &'static str,
    },
    NoJson {
        problem: String,
        line: usize,
        column: usize,
    },
    UnsupportedMediaType {
        name: String,
    },
    HasEncoding,
    BodyUnreadable,
    BodyTooLarge {
        limit: usize,
    },
    BodiesBusy,
    TooManyValues {
        most: usize,
    },
    BodyLate,
    FormUnreadable,
    NoBoundary,
    // Of a field.
    Required,
    Null,
    Blank,
    NoString,
    NullCharacters,
    NotPlain,
    TooLong {
        max: usize,
    },
    NoBoolean,
    NoInteger,
    NumberTooLong,
    AtMost {
        max: i64,
    },
    AtLeast {
        min: i64,
    },
    NoDate,
    NoChoice {
        value: String,
    },
    NoneOfChoices {
        text: String,
    },
    NotAvailable,
    NoUuid,
    NotUuid {
        text: String,
    },
    EnterUuid,
    EnterAddress,
    NoPort,
    // Of a target.
    NoOnion,
    NoPortLast,
    PortOfDigits {
        port: String,
        guess: String,
    },
    PortOutOfRange {
        port: String,
    },
    // Of an alias.
    NoSlug,
    AliasReserved,
    NoNostrKey,
    NobodysKey,
    // Of an order.
    HostUnknown {
        id: String,
    },
    HostDisabled,
    HostDraining,
    HostSilent,
    NoPayments,
    ShopBusy,
    NotOffered {
        product: &'static str,
    },
    AliasesPaused,
    AliasTaken {
        alias: String,
    },
    NeedsAliasAndKey,
    NeedsTarget,
    MustAcceptTerms {
        terms: String,
    },
    NoFreePorts,
    /// More periods at once than the host sells.
    TooManyPeriods {
        most: u16,
    },
    Denied,
    // Of an extension.
    NotPaidYet,
    SwitchedOff,
    NeverDelivered,
    NeverEnds,
    StillHeld,
    /// A renewal code was to be paid with another amount than its price.
    OnePriceOnly {
        price: Msat,
    },
    HostDown,
    OnTestHost,
    // Of what a buyer asks to be paid back.
    NothingOwed,
    ClaimUnderWay,
    NoPaymentRequest,
    RequestUsed,
    RequestExpired,
    /// The request asks for another amount than is owed, in msat.
    RequestAmount {
        owed: Msat,
    },
    RequestNetwork,
    /// The code to claim with was made before the debt changed.
    StaleCode,
    // Of what hosts report and change.
    BeingPaidBack,
    OnlyUsedUp {
        left: i64,
    },
    NotPaidAnyMore {
        from: &'static str,
        to: &'static str,
    },
    OnlyPendingFails {
        from: &'static str,
        to: &'static str,
    },
    NoSuchMove {
        from: &'static str,
        to: &'static str,
    },
    OwedToBuyer,
    StillPayable,
    DebtRemains,
    HostOwesProducts,
    HostOwesMoney,
    OnlyOperator,
    SiteIsFixed,
    HostsByOperator,
    NoUnderscores,
    NameReserved,
    ProductHostIsFixed,
    TargetIsFixed,
    AliasIsFixed,
    KeyIsFixed,
    EndIsFixed,
    ProductsFromOrders,
    // Of what operators do to products and orders.
    OnlyActiveSuspends,
    ResolveOrderFirst,
    SuspendFirst,
    ExtendFirst,
    NothingToResume,
    MoveOnlySuspended,
    OnlyLateReturns,
    OnlyPaidRetries,
    /// What is wrong with the onion address of a target, and what was probably meant.
    WrongOnion(OnionFault, Option<String>),
    /// Of what those who run the shop do: with its texts in `reason.rs`.
    Reason(Reason),
    /// What only an operator reads: in English.
    Operator(String),
}

/// What is wrong with an onion address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnionFault {
    /// Only one port may follow the .onion address.
    OnePort,
    /// Must not contain a protocol such as http://.
    HasProtocol,
    /// Must not contain a public key or user name before an @.
    HasUser,
    /// This is a version 2 onion address. These no longer exist; use the version 3 address.
    Version2,
    /// A version 3 onion address has 56 characters before .onion.
    WrongLength,
    /// An onion address has only the characters a-z and 2-7.
    WrongCharacters,
    /// The onion address has a typing error: its checksum is wrong.
    WrongChecksum,
}

impl Message {
    /// The language that [`Message::text`] really has.
    pub const fn language(&self, wanted: Language) -> Language {
        match self {
            Self::Operator(_) => Language::English,
            _ => wanted,
        }
    }
}

impl From<Reason> for Message {
    fn from(reason: Reason) -> Self {
        Self::Reason(reason)
    }
}

impl From<String> for Message {
    fn from(text: String) -> Self {
        Self::Operator(text)
    }
}

impl From<&str> for Message {
    fn from(text: &str) -> Self {
        Self::Operator(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_its_own_words_and_what_is_only_english_says_so() {
        for message in [
            Message::Required,
            Message::TooLong { max: 42 },
            Message::Throttled { secs: 3 },
            Message::NoChoice { value: "Q".to_owned() },
            Message::WrongOnion(OnionFault::Version2, None),
            Message::WrongOnion(OnionFault::HasProtocol, Some("a.onion:80".to_owned())),
        ] {
            assert_ne!(message.text(Language::English), message.text(Language::German), "{message:?}");
            assert_eq!(message.language(Language::German), Language::German);
        }
        let told = Message::from("Add an operator first.");
        assert_eq!(
            (told.text(Language::German), told.language(Language::German)),
            (told.to_string(), Language::English)
        );
    }
}
