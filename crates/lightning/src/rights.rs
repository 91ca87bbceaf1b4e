//! What a macaroon lets its bearer ask of LND, call by call. Nothing is asked that it does not permit: LND
//! writes each denied call into its log as an error, and what is missing is told before it is needed.

use super::macaroon::Macaroon;
use super::permissions::BAKE_COMMAND;
use ip2tor_domain::lightning::{NodeError, NodeErrorKind};

/// A call that the shop makes with its macaroons for invoices and for details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    AddInvoice,
    LookupInvoice,
    ListInvoices,
    SubscribeInvoices,
    CancelInvoice,
    AddHoldInvoice,
    SettleInvoice,
    SubscribeSingleInvoice,
    GetInfo,
    ChannelBalance,
}

/// Without all of these no invoice may be made: it could not be ended, or its payment would not be noticed.
pub const MAKING: [Call; 5] =
    [Call::AddInvoice, Call::CancelInvoice, Call::LookupInvoice, Call::ListInvoices, Call::SubscribeInvoices];

/// Without all of these no payment can be held.
pub const HOLDING: [Call; 3] = [Call::AddHoldInvoice, Call::SettleInvoice, Call::SubscribeSingleInvoice];

impl Call {
    /// The path, as a macaroon of the entity `uri` names it.
    const fn path(self) -> &'static str {
        match self {
            Self::AddInvoice => "/lnrpc.Lightning/AddInvoice",
            Self::LookupInvoice => "/lnrpc.Lightning/LookupInvoice",
            Self::ListInvoices => "/lnrpc.Lightning/ListInvoices",
            Self::SubscribeInvoices => "/lnrpc.Lightning/SubscribeInvoices",
            Self::CancelInvoice => "/invoicesrpc.Invoices/CancelInvoice",
            Self::AddHoldInvoice => "/invoicesrpc.Invoices/AddHoldInvoice",
            Self::SettleInvoice => "/invoicesrpc.Invoices/SettleInvoice",
            Self::SubscribeSingleInvoice => "/invoicesrpc.Invoices/SubscribeSingleInvoice",
            Self::GetInfo => "/lnrpc.Lightning/GetInfo",
            Self::ChannelBalance => "/lnrpc.Lightning/ChannelBalance",
        }
    }

    /// Entity and action that permit it.
    const fn permission(self) -> (&'static str, &'static str) {
        match self {
            Self::AddInvoice | Self::CancelInvoice | Self::AddHoldInvoice | Self::SettleInvoice => {
                ("invoices", "write")
            }
            Self::LookupInvoice | Self::ListInvoices | Self::SubscribeInvoices | Self::SubscribeSingleInvoice => {
                ("invoices", "read")
            }
            Self::GetInfo => ("info", "read"),
            Self::ChannelBalance => ("offchain", "read"),
        }
    }
}

/// Whether LND lets the bearer of `macaroon` make this call.
pub fn permits(macaroon: &Macaroon, call: Call) -> bool {
    let (entity, action) = call.permission();
    macaroon.permits(entity, action) || macaroon.permits("uri", call.path())
}

/// What `macaroon` lacks for `calls`, in the form in which it grants the others: `invoices:write`, or
/// `uri:/invoicesrpc.Invoices/CancelInvoice`. Empty when it permits them all.
pub fn lacking(macaroon: &Macaroon, calls: &[Call]) -> Vec<String> {
    let by_call = macaroon.permissions().iter().any(|(entity, _)| entity == "uri");
    let name = |call: &Call| match call.permission() {
        _ if by_call => format!("uri:{}", call.path()),
        (entity, action) => format!("{entity}:{action}"),
    };
    let mut names: Vec<String> = calls.iter().filter(|call| !permits(macaroon, **call)).map(name).collect();
    names.dedup();
    names
}

/// The error for a macaroon that lacks these rights.
pub fn lack(names: &[String]) -> NodeError {
    let detail =
        format!("wrong macaroon: it lacks {}; bake one that makes invoices: {BAKE_COMMAND}", names.join(" and "));
    NodeError::new(NodeErrorKind::WrongMacaroon, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baked(permissions: &[(&str, &str)]) -> Macaroon {
        Macaroon::mint(b"root", b"0", [1; 16], permissions)
    }

    #[test]
    fn rights_are_granted_as_a_whole_or_for_single_calls() {
        let stock = baked(&[("invoices", "read"), ("invoices", "write")]);
        assert!(lacking(&stock, &MAKING).is_empty() && lacking(&stock, &HOLDING).is_empty());
        assert!(!permits(&stock, Call::GetInfo) && !permits(&stock, Call::ChannelBalance));
        let single: Vec<_> = MAKING.iter().map(|call| ("uri", call.path())).collect();
        assert!(lacking(&baked(&single), &MAKING).is_empty());
        assert_eq!(lacking(&baked(&single), &HOLDING).len(), 3);
    }

    #[test]
    fn what_is_lacking_is_named_in_the_form_in_which_the_rest_is_granted() {
        let readonly = baked(&[("info", "read"), ("invoices", "read")]);
        assert_eq!(lacking(&readonly, &MAKING), ["invoices:write"]);
        let single: Vec<_> = MAKING.iter().map(|call| ("uri", call.path())).collect();
        let without = baked(&single.into_iter().filter(|(_, path)| !path.contains("Cancel")).collect::<Vec<_>>());
        assert_eq!(lacking(&without, &MAKING), ["uri:/invoicesrpc.Invoices/CancelInvoice"]);
        let text = lack(&lacking(&without, &MAKING)).detail;
        assert!(text.contains("CancelInvoice") && text.contains(BAKE_COMMAND), "{text}");
    }
}
