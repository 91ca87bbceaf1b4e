//! The English texts.

use super::{Ending, Language, Message, OnionFault, OrderMessage};
use crate::account::{MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS, PasswordFault};

/// What an order says.
pub(super) fn order(message: &OrderMessage) -> String {
    let text = match message {
        OrderMessage::Probing => "Checking whether the target can be reached; the invoice follows.",
        OrderMessage::PortTrial => "Checking whether the host's port is free; the invoice follows.",
        OrderMessage::Held => "Paid, waiting for the host. The payment is only taken once the host has delivered.",
        OrderMessage::Cancelling(ending) => cancelling(*ending),
        OrderMessage::Ended(ending) => ended(*ending),
        OrderMessage::CancelledElsewhere => {
            "The invoice was cancelled at the shop's Lightning node before it was paid. Nothing was charged."
        }
        OrderMessage::HoldLost => {
            "The payment was cancelled at the shop's Lightning node before it could be taken. That was not the host's \
             doing. The money is back in your wallet."
        }
        OrderMessage::Vanished => {
            "The shop's Lightning node no longer knows this invoice, so it is not known whether it was paid. The \
             operator has been told. If you have paid, ask for a refund."
        }
        OrderMessage::NoInvoice => {
            "The shop's Lightning node could not make an invoice. Nothing was charged; please try again later."
        }
        OrderMessage::Denied => DENIED,
        OrderMessage::NoPorts => "The current host does not have any Tor bridge ports available. Nothing was charged.",
        OrderMessage::PortsUnchecked => {
            "The host's ports can't be checked at the moment. Nothing was charged; please try again later."
        }
        OrderMessage::Undelivered => {
            "Paid, but the host has not delivered. The operator has been told and owes you a refund; a late delivery \
             is still possible."
        }
        OrderMessage::Underpaid => "Less was received than asked. The operator has been told and owes you a refund.",
        OrderMessage::Undeliverable => {
            "Paid, but the product can't be delivered any more. The operator has been told and owes you a refund."
        }
        OrderMessage::PaidAgain => {
            "It was paid more than once. The operator has been told and owes you a refund of what was not paid back \
             yet."
        }
        OrderMessage::LateReturned => "Delivered too late. The operator takes it back and owes you a refund.",
        OrderMessage::Refunded => "The payment was refunded.",
        OrderMessage::DeliveredLate(secs) => return format!("Delivered {secs} seconds after it was paid."),
        OrderMessage::TargetWarned(verdict) => return format!("Warning: {verdict}."),
        OrderMessage::TargetRefused(verdict) => return format!("{verdict}. Nothing was charged."),
        OrderMessage::Free(text) => text,
    };
    text.to_owned()
}

const DENIED: &str = "This target (or your address) is on the deny list of this shop. Please contact the operator if this \
                      is a mistake.";

const fn cancelling(ending: Ending) -> &'static str {
    match ending {
        Ending::Expired => "The invoice was not paid in time and is being cancelled.",
        Ending::Replaced => "A newer order has taken the place of this one, whose invoice is being cancelled.",
        Ending::SwitchedOff => "The operator has switched this product off. The invoice is being cancelled.",
        Ending::SwitchedOffHeld => "The operator has switched this product off. The payment is being given back.",
        Ending::Returned => "The host did not deliver in time. The payment is being given back.",
        Ending::HoldFailed => "The host has reported that it can't deliver. The payment is being given back.",
        Ending::HoldRefused => {
            "The payment could not be accepted (too little, or too close to its deadline). It is being given back."
        }
        Ending::HoldHopeless => "The product can't be delivered any more. The payment is being given back.",
        Ending::HoldUnplaced => "The host has nothing free for it any more. The payment is being given back.",
    }
}

const fn ended(ending: Ending) -> &'static str {
    match ending {
        Ending::Expired => "The invoice was not paid in time and has been cancelled. Nothing was charged.",
        Ending::Replaced => "A newer order has taken the place of this one. Nothing was charged.",
        Ending::SwitchedOff => "The operator has switched this product off. Nothing was charged.",
        Ending::SwitchedOffHeld => {
            "The operator has switched this product off. The payment was cancelled, the money is back in your wallet."
        }
        Ending::Returned => {
            "The host did not deliver in time. The payment was cancelled, the money is back in your wallet."
        }
        Ending::HoldFailed => {
            "The host has reported that it can't deliver. The payment was cancelled, the money is back in your wallet."
        }
        Ending::HoldRefused => {
            "The payment could not be accepted (too little, or too close to its deadline). It was cancelled, the \
             money is back in your wallet."
        }
        Ending::HoldHopeless => {
            "The product can't be delivered any more. The payment was cancelled, the money is back in your wallet."
        }
        Ending::HoldUnplaced => {
            "The host has nothing free for it any more. The payment was cancelled, the money is back in your wallet."
        }
    }
}

/// What is wrong.
pub(super) fn message(message: &Message) -> String {
    let text = match message {
        Message::NotAuthenticated => "Authentication credentials were not provided.",
        Message::Forbidden => "You do not have permission to perform this action.",
        Message::NotFound => "Not found.",
        Message::NotAcceptable => "Could not satisfy the request Accept header.",
        Message::MethodNotAllowed { method } => {
            return format!("Method \"{method}\" not allowed.");
        }
        Message::Internal { id } => {
            return format!("Internal error. The operator finds it as {id}.");
        }
        Message::Throttled { secs } => {
            return format!("Request was throttled. Expected available in {secs} seconds.");
        }
        Message::NotUnderstood => "The request is not understood here.",
        Message::TookTooLong => "This took too long. Please try again.",
        Message::OneHostLine => "A request needs exactly one Host line, with a host name or an IP address.",
        Message::OnlyChunked => "Bodies are read as they are: the only Transfer-Encoding is chunked.",
        Message::SocketOnly => "This address speaks WebSocket only.",
        Message::ForeignSite => {
            "This request comes from another web site and was not carried out. Behind a proxy, X-Forwarded-Host \
             must be the address that the browser shows."
        }
        Message::MustPost => "With a name and a password this is taken as POST alone.",
        Message::StorageDown => "The shop can't store anything at the moment. Please try again later.",
        Message::ChangedMeanwhile { what } => {
            return format!("{what} was changed at the same time; try again.");
        }
        Message::InvalidToken => "Invalid token.",
        Message::WrongPassword => "Invalid username/password.",
        Message::NoBasicCredentials => "Invalid basic header. No credentials provided.",
        Message::SpacesInBasic => "Invalid basic header. Credentials string should not contain spaces.",
        Message::NoToken => "Invalid token header. No credentials provided.",
        Message::SpacesInToken => "Invalid token header. Token string should not contain spaces.",
        Message::CharactersInToken => "Invalid token header. Token string should not contain invalid characters.",
        Message::TooManyPasswords => "Too many wrong passwords. Please try again later.",
        Message::PasswordsBusy => "Too many passwords are being checked at the moment. Please try again.",
        Message::SecondFactorNeeded => {
            "This account has a second factor, so the password alone is not taken. Sign in with a browser, or use an API \
             token."
        }
        Message::WrongCode => "This code is wrong, or it has been used before.",
        Message::ClockForCodes => {
            "The clock of the shop is wrong, so codes can't be checked. Use a recovery code, and set the clock."
        }
        Message::CsrfTokenMissing => "The header X-CSRF-Token is missing or wrong. Load the page again.",
        Message::TokenMayNot => "This API token may not do that: its scope is too small.",
        Message::NotWithToken => "Accounts are not changed with an API token. Sign in with name and password.",
        Message::WrongOldPassword => "This is not your present password.",
        Message::WeakPassword(fault) => return weak_password(*fault),
        Message::LastAdministrator => "This is the last administrator who can sign in. Make another one first.",
        Message::NotFromAfar => {
            "The first administrator is made from this machine or its local network alone, not from this address."
        }
        Message::SetupLinkOver => {
            "This link was used, or is older than 15 minutes. A new one: `ip2tor-shop operator first-run-link`."
        }
        Message::HasAdministrator => "There is an administrator already. Sign in.",
        Message::TooManyTokens { most } => return format!("There are {most} API tokens already. Revoke one first."),
        Message::NoData => "No data provided",
        Message::NoDictionary { kind } => {
            return format!("Invalid data. Expected a dictionary, but got {kind}.");
        }
        Message::NoJson { problem, .. } => {
            return format!("JSON parse error - {problem}");
        }
        Message::UnsupportedMediaType { name } => {
            return format!("Unsupported media type \"{name}\" in request.");
        }
        Message::HasEncoding => "Bodies are read as they are: the request must not have a Content-Encoding.",
        Message::BodyUnreadable => "The body could not be read.",
        Message::BodyTooLarge { limit } => {
            return format!("The body is larger than {limit} bytes.");
        }
        Message::BodiesBusy => "Too many large requests are being read at the moment. Please try again.",
        Message::TooManyValues { most } => {
            return format!("The body has more than {most} values.");
        }
        Message::BodyLate => "The body did not come in time.",
        Message::FormUnreadable => "The form could not be read.",
        Message::NoBoundary => "Multipart form parse error - the Content-Type needs a boundary of 1 to 70 characters.",
        Message::Required => "This field is required.",
        Message::Null => "This field may not be null.",
        Message::Blank => "This field may not be blank.",
        Message::NoString => "Not a valid string.",
        Message::NullCharacters => "Null characters are not allowed.",
        Message::NotPlain => {
            "Control characters, marks that change the direction of writing and characters that can't be seen are not allowed."
        }
        Message::TooLong { max } => {
            return format!("Ensure this field has no more than {max} characters.");
        }
        Message::NoBoolean => "Must be a valid boolean.",
        Message::NoInteger => "A valid integer is required.",
        Message::NumberTooLong => "String value too large.",
        Message::AtMost { max } => {
            return format!("Ensure this value is less than or equal to {max}.");
        }
        Message::AtLeast { min } => {
            return format!("Ensure this value is greater than or equal to {min}.");
        }
        Message::NoDate => {
            "Datetime has wrong format. Use one of these formats instead: \
             YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
        }
        Message::NoChoice { value } => {
            return format!("\"{value}\" is not a valid choice.");
        }
        Message::NoneOfChoices { text } => {
            return format!("Select a valid choice. {text} is not one of the available choices.");
        }
        Message::NotAvailable => "Select a valid choice. That choice is not one of the available choices.",
        Message::NoUuid => "Must be a valid UUID.",
        Message::NotUuid { text } => return format!("\u{201c}{text}\u{201d} is not a valid UUID."),
        Message::EnterUuid => "Enter a valid UUID.",
        Message::EnterAddress => "Enter a valid IPv4 or IPv6 address.",
        Message::NoPort => "A valid port is required.",
        Message::NoOnion => "Must be an .onion address followed by a port.",
        Message::NoPortLast => "Must include a port as last part.",
        Message::PortOfDigits { port, guess } => {
            return format!("{port:?} is no port: digits only. Did you mean {guess}?");
        }
        Message::PortOutOfRange { port } => {
            return format!("{port} is no port: it must be between 1 and 65535.");
        }
        Message::NoSlug => "Enter a valid \u{201c}slug\u{201d} consisting of letters, numbers, underscores or hyphens.",
        Message::AliasReserved => "The selected alias is taken. Try another one...",
        Message::NoNostrKey => {
            "Must be a Nostr public key: npub1\u{2026} (with a valid checksum) or 64 hexadecimal digits."
        }
        Message::NobodysKey => "This is nobody's public key: it is no point on the curve. Please copy it again.",
        Message::HostUnknown { id } => {
            return format!("No host exists with ID: {id}.");
        }
        Message::HostDisabled => "This host is disabled at the moment.",
        Message::HostDraining => "This host takes no new orders. What it has sold goes on and can be extended.",
        Message::HostSilent => "This host does not respond at the moment. Please try again later.",
        Message::NoPayments => "This host can't take payments at the moment. Please try again later.",
        Message::ShopBusy => "The shop is busy making invoices. Please try again in a moment.",
        Message::NotOffered { product } => {
            return format!("Sorry, this host does not offer the product '{product}' at the moment.");
        }
        Message::AliasesPaused => {
            "Sorry, this host can't take orders of aliases at the moment. Please try again later."
        }
        Message::AliasTaken { alias } => {
            return format!("Sorry, the alias '{alias}' is taken. Try another one.");
        }
        Message::NeedsAliasAndKey => "Product 'nostr_alias' requires 'alias' and 'public_key'",
        Message::NeedsTarget => "Product 'tor_bridge' requires 'target'",
        Message::MustAcceptTerms { terms } => {
            return format!("Must accept Terms of Service (ToS): {terms}");
        }
        Message::NoFreePorts => "The current host does not have any Tor bridge ports available.",
        Message::TooManyPeriods { most } => {
            return format!("This host sells from 1 to {most} periods at once.");
        }
        Message::OnePriceOnly { price } => {
            return format!("This code takes exactly {} sat for one period.", price.in_sats());
        }
        Message::Denied => DENIED,
        Message::NotPaidYet => "It has not been paid for yet, so it can't be extended.",
        Message::SwitchedOff => "The operator has switched this product off.",
        Message::NeverDelivered => "It was never delivered, so it can't be extended. Please order a new one.",
        Message::NeverEnds => "It never ends, so it can't be extended.",
        Message::StillHeld => {
            "Its payment is still held until the host has activated it. Please try again in a minute."
        }
        Message::HostDown => "The host does not respond at the moment. Please try again later.",
        Message::OnTestHost => {
            "This bridge is in a test host and therefore cannot be extended. Try creating a completely new one \
             from scratch."
        }
        Message::NothingOwed => "Nothing is owed for this order.",
        Message::ClaimUnderWay => "A request for this money is being paid already. Please look again in a minute.",
        Message::NoPaymentRequest => {
            "This is not a Lightning payment request. Make an invoice in your wallet and copy it whole: it begins with lnbc."
        }
        Message::RequestUsed => "This payment request was used before. Please make a new one in your wallet.",
        Message::RequestExpired => "This payment request has expired, or will in a minute. Please make a new one.",
        Message::RequestAmount { owed } => {
            return format!("The payment request must be over exactly {} sat, which is what is owed.", owed.in_sats());
        }
        Message::RequestNetwork => "The payment request is for another network than the one you have paid on.",
        Message::StaleCode => "What is owed has changed since this code was shown. Please open the order's page again.",
        Message::BeingPaidBack => "It was not delivered in time, and its buyer is being paid back at this moment.",
        Message::OnlyUsedUp { left } => {
            return format!("Ensure this value is less than or equal to {left}: bandwidth can only be used up.");
        }
        Message::NotPaidAnyMore { from, to } => {
            return format!(
                "Can't change status from {from} to {to}: nothing is paid for it any more (a payment \
                that was held has gone back to the buyer)."
            );
        }
        Message::OnlyPendingFails { from, to } => {
            return format!(
                "Can't change status from {from} to {to}: only a product in status P can be reported as \
                failed."
            );
        }
        Message::NoSuchMove { from, to } => {
            return format!("Can't change status from {from} to {to}: a host may change P to A, P to F, and S to H.");
        }
        Message::OwedToBuyer => "It is owed to a buyer and can't be deleted now.",
        Message::StillPayable => "An invoice for it can still be paid; it can be deleted once that has expired.",
        Message::DebtRemains => "Money is owed to its buyer; it can be deleted once the operator has paid that back.",
        Message::HostOwesProducts => "The host has products that are owed to buyers.",
        Message::HostOwesMoney => "Money is owed to buyers of this host; it can be deleted once that was paid back.",
        Message::OnlyOperator => "Only the operator can change this.",
        Message::SiteIsFixed => "The shop's site can't be changed here.",
        Message::HostsByOperator => "Hosts are added and changed by the operator.",
        Message::NoUnderscores => "Underscores are not allowed.",
        Message::NameReserved => "Must not be one of: www, shop",
        Message::ProductHostIsFixed => "A product's host can't be changed.",
        Message::TargetIsFixed => "The buyer's target can't be changed.",
        Message::AliasIsFixed => "The buyer's alias can't be changed.",
        Message::KeyIsFixed => "The buyer's key can't be changed.",
        Message::EndIsFixed => "It follows from what was paid and can't be changed.",
        Message::ProductsFromOrders => "Products come from orders; report changes with PATCH.",
        Message::OnlyActiveSuspends => "Only an active product can be suspended.",
        Message::ResolveOrderFirst => "Somebody has paid for it; resolve the order first.",
        Message::ExtendFirst => "It has no time or bandwidth left: extend it, which brings it back.",
        Message::NothingToResume => "Only a product that was delivered and is suspended can come back.",
        Message::MoveOnlySuspended => {
            "Only a bridge whose host has taken it down (state H) can get another port: suspend it, and wait for that."
        }
        Message::SuspendFirst => "Only a suspended product can be released; suspend it first.",
        Message::OnlyLateReturns => "Only what was delivered late is taken back for its price.",
        Message::OnlyPaidRetries => "Only an order in state N that was paid in full can be delivered again.",
        Message::WrongOnion(fault, None) => onion(*fault),
        Message::WrongOnion(fault, Some(guess)) => return format!("{} Did you mean {guess}?", onion(*fault)),
        Message::Reason(reason) => return reason.text(Language::English),
        Message::Operator(text) => text,
    };
    text.to_owned()
}

fn weak_password(fault: PasswordFault) -> String {
    match fault {
        PasswordFault::TooShort => format!("A password has at least {MIN_PASSWORD_CHARS} characters."),
        PasswordFault::TooLong => format!("A password has at most {MAX_PASSWORD_BYTES} bytes."),
        PasswordFault::LikeTheName => "This password is little more than the name. Choose another one.".to_owned(),
        PasswordFault::Common => {
            "This password is among the first that others would try. Some words that have nothing to do with each other \
             make a good one."
                .to_owned()
        }
    }
}

const fn onion(fault: OnionFault) -> &'static str {
    match fault {
        OnionFault::OnePort => "Only one port may follow the .onion address.",
        OnionFault::HasProtocol => "Must not contain a protocol such as http://.",
        OnionFault::HasUser => "Must not contain a public key or user name before an @.",
        OnionFault::Version2 => "This is a version 2 onion address. These no longer exist; use the version 3 address.",
        OnionFault::WrongLength => "A version 3 onion address has 56 characters before .onion.",
        OnionFault::WrongCharacters => "An onion address has only the characters a-z and 2-7.",
        OnionFault::WrongChecksum => "The onion address has a typing error: its checksum is wrong.",
    }
}
