//! Who may call what: the permissions that LND asks for, and LND's words for a refusal.

use tonic::{Code, Status};

use ip2tor_domain::time::Timestamp;
use ip2tor_lightning::macaroon::{DEFAULT_ROOT_KEY_ID, Macaroon, MacaroonError};

/// What a bearer reads who lacks the permission.
const DENIED: &str = "permission denied";

/// The permission that LND wants for a call; `None` for calls that the simulator does not have.
pub fn required(path: &str) -> Option<(&'static str, &'static str)> {
    let permission = match path {
        "/lnrpc.Lightning/GetInfo" => ("info", "read"),
        "/lnrpc.Lightning/AddInvoice" => ("invoices", "write"),
        "/lnrpc.Lightning/LookupInvoice"
        | "/lnrpc.Lightning/ListInvoices"
        | "/lnrpc.Lightning/SubscribeInvoices"
        | "/invoicesrpc.Invoices/SubscribeSingleInvoice" => ("invoices", "read"),
        // A look-up by the second version needs to write: an oddity of LND.
        "/invoicesrpc.Invoices/AddHoldInvoice"
        | "/invoicesrpc.Invoices/SettleInvoice"
        | "/invoicesrpc.Invoices/CancelInvoice"
        | "/invoicesrpc.Invoices/LookupInvoiceV2" => ("invoices", "write"),
        "/lnrpc.Lightning/DecodePayReq" | "/lnrpc.Lightning/ChannelBalance" | "/routerrpc.Router/TrackPaymentV2" => {
            ("offchain", "read")
        }
        "/lnrpc.Lightning/SendPaymentSync" | "/routerrpc.Router/SendPaymentV2" => ("offchain", "write"),
        _ => return None,
    };
    Some(permission)
}

/// Checks the macaroon headers (hex) of a call.
pub fn check<'a>(
    macaroons: impl Iterator<Item = &'a [u8]>,
    root_key: &[u8; 32],
    path: &str,
    now: Timestamp,
) -> Result<(), Status> {
    let headers: Vec<&[u8]> = macaroons.collect();
    let [header] = headers.as_slice() else {
        return Err(unknown(format!("expected 1 macaroon, got {}", headers.len())));
    };
    let bytes = hex::decode(header).map_err(|error| unknown(format!("encoding/hex: {error}")))?;
    let macaroon = Macaroon::parse(&bytes).map_err(|error| match error {
        MacaroonError::ForeignId => unknown("invalid ID".to_owned()),
        _ => unknown("cannot unmarshal macaroon".to_owned()),
    })?;
    verify(&macaroon, root_key, now)?;
    let (entity, action) = required(path).ok_or_else(|| unimplemented(path))?;
    if macaroon.permits(entity, action) || macaroon.permits("uri", path) {
        Ok(())
    } else {
        Err(unknown(DENIED.to_owned()))
    }
}

/// Whether the refusal is for want of a permission.
pub fn is_denial(status: &Status) -> bool {
    status.message() == DENIED
}

fn verify(macaroon: &Macaroon, root_key: &[u8; 32], now: Timestamp) -> Result<(), Status> {
    if macaroon.root_key_id() != DEFAULT_ROOT_KEY_ID {
        let id = String::from_utf8_lossy(macaroon.root_key_id());
        return Err(unknown(format!(
            "cannot retrieve macaroon: cannot get macaroon: root key with id {id} doesn't exist"
        )));
    }
    if !macaroon.is_signed_by(root_key) {
        return Err(unknown("verification failed: signature mismatch after caveat verification".to_owned()));
    }
    match macaroon.caveats().find(|caveat| !satisfied(caveat, now)) {
        None => Ok(()),
        Some(caveat) => {
            let caveat = String::from_utf8_lossy(caveat);
            let reason =
                if caveat.starts_with("time-before ") { "macaroon has expired" } else { "caveat not recognized" };
            Err(unknown(format!("caveat {caveat:?} not satisfied: {reason}")))
        }
    }
}

fn satisfied(caveat: &[u8], now: Timestamp) -> bool {
    let end = std::str::from_utf8(caveat).ok().and_then(|text| text.strip_prefix("time-before "));
    end.and_then(Timestamp::parse_lenient).is_some_and(|end| now < end)
}

/// The answer to a call that does not exist here.
pub fn unimplemented(path: &str) -> Status {
    let (service, method) = path.trim_start_matches('/').rsplit_once('/').unwrap_or((path, ""));
    if service == "lnrpc.Lightning" {
        return Status::unimplemented(format!("unknown method {method} for service {service}"));
    }
    Status::unimplemented(format!("unknown service {service}"))
}

/// LND answers most errors as Go's plain errors, which gRPC calls unknown.
pub fn unknown(message: String) -> Status {
    Status::new(Code::Unknown, message)
}
