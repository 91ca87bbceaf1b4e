//! What LND's failures mean. gRPC and REST carry the same codes and texts; several refusals come
//! with the code "unknown" and are told apart only by their text.

use std::error::Error;

use tonic::{Code, Status};

use super::permissions::BAKE_COMMAND;
use ip2tor_domain::lightning::{NodeError, NodeErrorKind};

/// Longest part of a node's own words in our messages.
const MAX_QUOTE: usize = 200;

/// Texts of LND that mean: this macaroon is not valid here, or lacks a permission.
const MACAROON_TEXTS: [&str; 7] = [
    UNKNOWN_ROOT_KEY,
    "permission denied",
    "verification failed",
    "cannot get macaroon",
    "expected 1 macaroon",
    "cannot determine data format",
    "caveat",
];

/// The one reason for "cannot retrieve macaroon" that does not pass: its key was deleted at the node.
const UNKNOWN_ROOT_KEY: &str = "root key with id";

/// Texts of LND while it starts or waits for its password: nothing works, all may work soon. Macaroons are checked
/// before their store is open, so that some of these speak of macaroons that are good.
const STARTING_TEXTS: [&str; 8] = [
    "waiting to start",
    "rpc services not available",
    "wallet locked",
    "wallet not created",
    "starting up",
    "process of starting",
    "macaroon store is locked",
    "cannot retrieve macaroon",
];

/// Texts for an invoice that the node does not have.
const UNKNOWN_INVOICE_TEXTS: [&str; 3] =
    ["unable to locate invoice", "there are no existing invoices", "invoice not found"];

/// What a failed gRPC call means.
pub fn from_status(status: &Status) -> NodeError {
    match status.source() {
        // A source means that the failure is of our own side's making: the connection.
        Some(source) => from_transport(source),
        None => from_answer(status.code(), status.message()),
    }
}

/// What a failure of the connection means: one of the connector (nothing sent), or a broken one.
pub fn from_transport(error: &(dyn Error + 'static)) -> NodeError {
    let mut next = Some(error);
    let mut last = error;
    while let Some(cause) = next {
        if let Some(ours) = cause.downcast_ref::<NodeError>() {
            return ours.clone();
        }
        last = cause;
        next = cause.source();
    }
    let detail = format!("the connection with the node broke ({}); it may be restarting", quote(&last.to_string()));
    NodeError::new(NodeErrorKind::Unavailable, detail)
}

/// What the answer of a node means that did not do as asked.
pub fn from_answer(code: Code, message: &str) -> NodeError {
    let kind = kind_of(code, &message.to_ascii_lowercase());
    let said = quote(message);
    let detail = match kind {
        NodeErrorKind::WrongMacaroon => format!(
            "wrong macaroon: the node says {said:?}; use a macaroon of this very node with the needed permissions, \
             such as: {BAKE_COMMAND}"
        ),
        NodeErrorKind::NotSynced => format!("not synced: the node says {said:?}; wait until it has caught up"),
        NodeErrorKind::NotServed => format!(
            "not served: the node says {said:?}; it was built without this service (LND: invoicesrpc), or something \
             before it lets only a part of its calls through"
        ),
        NodeErrorKind::TimedOut => format!("time-out: the node says {said:?}"),
        NodeErrorKind::Unavailable => {
            format!("the node can't answer now: {said:?}; it may be starting, or is its wallet locked?")
        }
        _ => format!("the node refuses: {said:?}"),
    };
    NodeError::new(kind, detail)
}

fn kind_of(code: Code, lower: &str) -> NodeErrorKind {
    let says = |texts: &[&str]| texts.iter().any(|text| lower.contains(text));
    match code {
        _ if says(&STARTING_TEXTS) && !lower.contains(UNKNOWN_ROOT_KEY) => NodeErrorKind::Unavailable,
        Code::Unauthenticated | Code::PermissionDenied => NodeErrorKind::WrongMacaroon,
        Code::DeadlineExceeded => NodeErrorKind::TimedOut,
        _ if says(&MACAROON_TEXTS) => NodeErrorKind::WrongMacaroon,
        _ if lower.contains("syncing") || lower.contains("not synced") => NodeErrorKind::NotSynced,
        Code::Unavailable | Code::Cancelled | Code::Aborted => NodeErrorKind::Unavailable,
        // Who does not know an invoice says so with its own text, which was looked for before.
        Code::Unimplemented | Code::NotFound if !is_unknown_invoice(lower) => NodeErrorKind::NotServed,
        _ => NodeErrorKind::Rejected,
    }
}

/// Whether the answer says that the node has no such invoice. The code alone would not do: the gateway
/// of an LND without the called service says "not found" as well.
pub fn is_unknown_invoice(message: &str) -> bool {
    let lower = message.to_ascii_lowercase();
    UNKNOWN_INVOICE_TEXTS.iter().any(|text| lower.contains(text))
}

/// A node's own words in one line of bounded length.
fn quote(message: &str) -> String {
    message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_QUOTE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_macaroon_is_told_by_its_text_although_its_code_is_unknown() {
        for text in ["verification failed: signature mismatch after caveat verification", "permission denied"] {
            assert_eq!(from_answer(Code::Unknown, text).kind, NodeErrorKind::WrongMacaroon, "{text}");
        }
    }

    #[test]
    fn what_lnd_says_while_it_starts_is_an_outage_and_no_fault_of_the_macaroon() {
        for text in [
            "waiting to start, RPC services not available",
            "wallet not created, create one to enable full RPC access",
            "wallet locked, unlock it to enable full RPC access",
            "the RPC server is in the process of starting up, but not yet ready to accept calls",
            "cannot retrieve macaroon: cannot get macaroon: macaroon store is locked",
            "macaroon store is locked",
        ] {
            for code in [Code::Unknown, Code::Unauthenticated, Code::Unavailable] {
                let error = from_answer(code, text);
                assert_eq!(error.kind, NodeErrorKind::Unavailable, "{text}");
                assert!(error.is_absence() && !error.detail.contains("bakemacaroon"), "{error}");
            }
        }
        let deleted = "cannot retrieve macaroon: cannot get macaroon: root key with id 7 doesn't exist";
        assert_eq!(from_answer(Code::Unknown, deleted).kind, NodeErrorKind::WrongMacaroon);
    }

    #[test]
    fn an_answer_that_says_no_is_certain_but_a_broken_connection_is_not() {
        assert!(!from_answer(Code::Unknown, "amount too large").may_have_happened());
        assert!(from_transport(&std::io::Error::other("reset")).may_have_happened());
        assert!(from_answer(Code::Unavailable, "transport is closing").may_have_happened());
    }

    #[test]
    fn a_call_that_the_node_does_not_have_is_told_from_one_that_it_refuses() {
        let unknown_service = "unknown service invoicesrpc.Invoices";
        assert_eq!(from_answer(Code::Unimplemented, unknown_service).kind, NodeErrorKind::NotServed);
        assert_eq!(from_answer(Code::NotFound, "Not Found").kind, NodeErrorKind::NotServed);
        assert_eq!(from_answer(Code::NotFound, "unable to locate invoice").kind, NodeErrorKind::Rejected);
        assert!(!from_answer(Code::NotFound, "Not Found").may_have_happened());
    }

    #[test]
    fn an_error_of_the_connector_comes_through_unchanged() {
        let ours = NodeError::new(NodeErrorKind::ExpiredCertificate, "expired");
        let mut status = Status::unknown("client error");
        status.set_source(std::sync::Arc::new(ours));
        assert_eq!(from_status(&status).kind, NodeErrorKind::ExpiredCertificate);
    }

    #[test]
    fn a_locked_wallet_is_an_outage_and_a_missing_invoice_is_none() {
        let locked = "wallet locked, unlock it to enable full RPC access";
        assert_eq!(from_answer(Code::Unknown, locked).kind, NodeErrorKind::Unavailable);
        assert!(is_unknown_invoice("unable to locate invoice"));
        assert!(!is_unknown_invoice(locked) && !is_unknown_invoice("Not Found"));
    }
}
