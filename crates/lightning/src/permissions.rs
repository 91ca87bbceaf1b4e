//! Which macaroons the shop uses for which purpose. Whoever takes over the shop's machine gets its
//! macaroons, so the one for invoices must not be able to spend.

use super::macaroon::Macaroon;
use super::pasted;
use ip2tor_domain::lightning::{NodeError, NodeErrorKind};
use ip2tor_domain::node::PAYMENT_BAKE_COMMAND;

/// The command that makes the right macaroon, for error messages and help texts.
pub const BAKE_COMMAND: &str =
    "lncli bakemacaroon invoices:read invoices:write info:read --save_to=ip2tor-shop.macaroon";

/// Permissions of LND that move money, or make macaroons and signatures that do.
const SPENDING: [(&str, &str); 6] = [
    ("offchain", "write"),
    ("onchain", "write"),
    ("macaroon", "generate"),
    ("macaroon", "write"),
    ("signer", "generate"),
    ("signer", "write"),
];

/// Beginnings of single calls (entity `uri`) that can't spend.
const HARMLESS_CALLS: [&str; 13] = [
    "/invoicesrpc.Invoices/",
    "/lnrpc.Lightning/AddInvoice",
    "/lnrpc.Lightning/ChannelBalance",
    "/lnrpc.Lightning/Decode",
    "/lnrpc.Lightning/FeeReport",
    "/lnrpc.Lightning/Get",
    "/lnrpc.Lightning/List",
    "/lnrpc.Lightning/Lookup",
    "/lnrpc.Lightning/PendingChannels",
    "/lnrpc.Lightning/Subscribe",
    "/lnrpc.Lightning/WalletBalance",
    "/lnrpc.State/",
    "/verrpc.Versioner/",
];

/// Decides whether a macaroon (its bytes) may be used.
pub type Check = fn(&[u8]) -> Result<(), NodeError>;

/// The check for the macaroon that makes invoices. What it lacks for that is told by
/// [`super::rights`]: with less, what was sold before can still be followed.
pub const fn invoice_check(allow_powerful: bool) -> Check {
    if allow_powerful { require_readable } else { refuse_spending }
}

/// The check for the macaroon that only reads details of the node.
pub const fn details_check(allow_powerful: bool) -> Check {
    if allow_powerful { accept } else { refuse_spending }
}

/// The check for the payment macaroon: it must be able to pay.
pub const fn payment_check() -> Check {
    require_paying
}

/// The binary form of a macaroon that somebody gives for invoices, however it was pasted. One that can spend is not taken.
///
/// # Errors
/// What is wrong, for people.
pub fn invoice_macaroon(given: &[u8]) -> Result<Vec<u8>, String> {
    let bytes = pasted::macaroon(given).map_err(|error| error.to_string())?;
    refuse_spending(&bytes).map_err(|_| "it can spend".to_owned())?;
    Ok(bytes)
}

const fn accept(_: &[u8]) -> Result<(), NodeError> {
    Ok(())
}

fn parse(bytes: &[u8]) -> Result<Macaroon, NodeError> {
    Macaroon::parse(bytes)
        .map_err(|error| NodeError::new(NodeErrorKind::BadCredentials, format!("bad credentials: {error}")))
}

fn require_paying(bytes: &[u8]) -> Result<(), NodeError> {
    let macaroon = parse(bytes)?;
    let permitted = |action| macaroon.permits("offchain", action);
    // Permissions for single calls are left to the node.
    if permitted("read") && permitted("write") || macaroon.permissions().iter().any(|(entity, _)| entity == "uri") {
        return Ok(());
    }
    let detail = format!("wrong macaroon: it can't pay; bake one for refunds: {PAYMENT_BAKE_COMMAND}");
    Err(NodeError::new(NodeErrorKind::WrongMacaroon, detail))
}

fn require_readable(bytes: &[u8]) -> Result<(), NodeError> {
    parse(bytes).map(drop)
}

fn refuse_spending(bytes: &[u8]) -> Result<(), NodeError> {
    let macaroon = parse(bytes)?;
    match macaroon.permissions().iter().find(|(entity, action)| can_spend(entity, action)) {
        None => Ok(()),
        Some((entity, action)) => Err(NodeError::new(
            NodeErrorKind::TooPowerfulMacaroon,
            format!(
                "too powerful macaroon: it grants {entity}:{action}, so it could spend, and was not used; bake one \
                 that only makes invoices: {BAKE_COMMAND}"
            ),
        )),
    }
}

fn can_spend(entity: &str, action: &str) -> bool {
    if entity == "uri" {
        return !HARMLESS_CALLS.iter().any(|harmless| action.starts_with(harmless));
    }
    SPENDING.contains(&(entity, action))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(permissions: &[(&str, &str)]) -> Result<(), NodeErrorKind> {
        let bytes = Macaroon::mint(b"root", b"0", [1; 16], permissions).encode();
        invoice_check(false)(&bytes).map_err(|error| error.kind)
    }

    #[test]
    fn the_stock_invoice_macaroon_and_the_baked_one_are_accepted() {
        let invoices = [("invoices", "read"), ("invoices", "write")];
        let stock = [&[("address", "read"), ("address", "write"), ("onchain", "read")], &invoices[..]].concat();
        assert_eq!(judge(&stock), Ok(()));
        assert_eq!(judge(&[("invoices", "read"), ("invoices", "write"), ("info", "read")]), Ok(()));
        assert_eq!(judge(&[("uri", "/lnrpc.Lightning/AddInvoice")]), Ok(()));
    }

    #[test]
    fn whatever_could_spend_is_refused_with_the_command_for_a_better_one() {
        for (entity, action) in SPENDING {
            assert_eq!(judge(&[("invoices", "read"), (entity, action)]), Err(NodeErrorKind::TooPowerfulMacaroon));
        }
        assert_eq!(judge(&[("uri", "/routerrpc.Router/SendPaymentV2")]), Err(NodeErrorKind::TooPowerfulMacaroon));
        let bytes = Macaroon::mint(b"root", b"0", [1; 16], &[("offchain", "write")]).encode();
        assert!(invoice_check(false)(&bytes).unwrap_err().detail.contains("lncli bakemacaroon"));
        let admin = [("invoices", "read"), ("invoices", "write"), ("offchain", "write")];
        assert!(invoice_check(true)(&Macaroon::mint(b"root", b"0", [1; 16], &admin).encode()).is_ok());
        assert!(details_check(true)(&bytes).is_ok());
        assert_eq!(details_check(false)(&bytes).unwrap_err().kind, NodeErrorKind::TooPowerfulMacaroon);
    }

    #[test]
    fn what_is_pasted_for_invoices_is_taken_in_hex_and_not_if_it_can_spend_or_is_damaged() {
        let hex = |permissions| hex::encode(Macaroon::mint(b"root", b"0", [1; 16], permissions).encode());
        let good = hex(&[("invoices", "read"), ("invoices", "write")]);
        assert_eq!(invoice_macaroon(format!(" {good}\n").as_bytes()), Ok(hex::decode(&good).unwrap()));
        let admin = hex(&[("invoices", "write"), ("offchain", "write")]);
        assert_eq!(invoice_macaroon(admin.as_bytes()), Err("it can spend".to_owned()));
        for damaged in ["0201036c6e64", &good[..good.len() - 8], "nonsense"] {
            assert!(invoice_macaroon(damaged.as_bytes()).is_err(), "{damaged}");
        }
    }

    #[test]
    fn balances_may_be_asked_for_and_nothing_that_moves_money() {
        assert_eq!(judge(&[("uri", "/lnrpc.Lightning/ChannelBalance")]), Ok(()));
        assert_eq!(judge(&[("uri", "/lnrpc.Lightning/WalletBalance")]), Ok(()));
        for path in ["SendCoins", "SendPaymentSync", "OpenChannel", "CloseChannel", "BakeMacaroon", "SignMessage"] {
            let path = format!("/lnrpc.Lightning/{path}");
            assert_eq!(judge(&[("uri", &path)]), Err(NodeErrorKind::TooPowerfulMacaroon), "{path}");
        }
    }

    #[test]
    fn the_macaroon_for_refunds_must_be_able_to_pay() {
        let check = |permissions: &[(&str, &str)]| {
            payment_check()(&Macaroon::mint(b"root", b"0", [1; 16], permissions).encode())
        };
        assert!(check(&[("offchain", "read"), ("offchain", "write")]).is_ok());
        let error = check(&[("invoices", "read"), ("invoices", "write")]).unwrap_err();
        assert_eq!(error.kind, NodeErrorKind::WrongMacaroon);
        assert!(error.detail.contains("offchain:read offchain:write"), "{error}");
    }

    #[test]
    fn a_macaroon_whose_permissions_cannot_be_read_is_not_used() {
        assert_eq!(invoice_check(false)(b"nonsense").unwrap_err().kind, NodeErrorKind::BadCredentials);
    }
}
