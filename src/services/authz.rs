//! Who sees and may change what: the one place that says it, for the API, the command line, and whatever comes.
//!
//! There are two rules, since the API of the predecessor shows operators nothing of what is theirs.
//!
//! | | [`compatible`] (the API of the predecessor) | [`administrative`] (command line, administration) |
//! |---|---|---|
//! | administrator, command line, the shop | everything | everything |
//! | operator | nothing | their own hosts and nodes, and the products and orders of those hosts |
//! | host | itself and its products | nothing |
//! | buyer, news of a node | nothing | nothing |
//!
//! What somebody may not see is not found: that it exists is nobody's business.
//!
//! Where the shop's own machine connects to is the word of administrators alone ([`may_choose_addresses`]): it stands in a
//! network with a node, a router and a person's other devices, and whoever could name an address would have it ask them,
//! or find by its answers what is there. What they may name, and what not:
//!
//! | address | who names it |
//! |---|---|
//! | the shop's mail server, heartbeat, exchange rates, proxies | the configuration file |
//! | a Lightning node | administrators; one that an operator adds is not connected to before an administrator enables it, and stays where it is then |
//! | files and sockets of the machine | administrators |
//! | a host's `ip`, an onion target | whoever has the host, buyers: both are tried over Tor alone, which leads into no private network |

use super::{Error, ReadTx};
use crate::domain::host::Host;
use crate::domain::id::{HostId, OperatorId, OrderId, ProductId};
use crate::domain::principal::Principal;
use crate::store::{deals, hosts, products};

/// How far somebody sees, and may change things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Everything.
    Everything,
    /// What is an operator's.
    Operator(OperatorId),
    /// A host and its products.
    Host(HostId),
    /// Nothing at all.
    Nothing,
}

impl Reach {
    /// Whether a host and its products are within reach.
    pub fn includes(self, host: &Host) -> bool {
        match self {
            Self::Host(own) => own == host.id,
            _ => self.includes_things_of(host.owner_id),
        }
    }

    /// Whether what is an operator's is within reach.
    fn includes_things_of(self, owner: OperatorId) -> bool {
        match self {
            Self::Everything => true,
            Self::Operator(own) => own == owner,
            Self::Host(_) | Self::Nothing => false,
        }
    }
}

/// What somebody reaches through the API of the predecessor.
pub const fn compatible(who: &Principal) -> Reach {
    match who {
        Principal::Administrator(_) | Principal::CommandLine(_) | Principal::Shop => Reach::Everything,
        Principal::Host(id) => Reach::Host(*id),
        Principal::Operator(..) | Principal::Buyer | Principal::Node(_) => Reach::Nothing,
    }
}

/// What somebody reaches who runs the shop or a part of it.
pub const fn administrative(who: &Principal) -> Reach {
    match who {
        Principal::Administrator(_) | Principal::CommandLine(_) | Principal::Shop => Reach::Everything,
        Principal::Operator(id, _) => Reach::Operator(*id),
        Principal::Host(_) | Principal::Buyer | Principal::Node(_) => Reach::Nothing,
    }
}

/// Whether somebody is among those who run the shop, and so may use what is made for them.
pub const fn is_staff(who: &Principal) -> bool {
    !matches!(administrative(who), Reach::Nothing)
}

/// Whose things somebody who runs the shop sees: everybody's (`None`) or one operator's.
///
/// # Errors
/// [`Error::NotFound`] for others.
pub fn visible_owner(who: &Principal) -> Result<Option<OperatorId>, Error> {
    match administrative(who) {
        Reach::Everything => Ok(None),
        Reach::Operator(own) => Ok(Some(own)),
        Reach::Host(_) | Reach::Nothing => Err(Error::NotFound),
    }
}

/// Refuses what is an operator's to everybody else but administrators.
///
/// # Errors
/// [`Error::NotFound`] then.
pub fn needs_owner(who: &Principal, owner: OperatorId) -> Result<(), Error> {
    if administrative(who).includes_things_of(owner) { Ok(()) } else { Err(Error::NotFound) }
}

/// Refuses what only administrators may do.
///
/// # Errors
/// [`Error::NotFound`] for everybody else.
pub fn needs_administrator(who: &Principal) -> Result<(), Error> {
    if administrative(who) == Reach::Everything { Ok(()) } else { Err(Error::NotFound) }
}

/// Whether somebody may say where the shop's machine itself connects to.
pub const fn may_choose_addresses(who: &Principal) -> bool {
    matches!(administrative(who), Reach::Everything)
}

/// Refuses a product of somebody else's host, removed ones included.
///
/// # Errors
/// [`Error::NotFound`] then.
pub fn needs_product(tx: &ReadTx<'_>, id: ProductId) -> Result<(), Error> {
    if administrative(tx.actor) == Reach::Everything {
        return Ok(());
    }
    let product = products::get(tx.db, id)?.ok_or(Error::NotFound)?;
    let host = hosts::get_any(tx.db, product.host_id)?.ok_or(Error::NotFound)?;
    needs_owner(tx.actor, host.owner_id)
}

/// Refuses an order at somebody else's host.
///
/// # Errors
/// [`Error::NotFound`] then.
pub fn needs_order(tx: &ReadTx<'_>, id: OrderId) -> Result<(), Error> {
    if administrative(tx.actor) == Reach::Everything {
        return Ok(());
    }
    let (_, product) = deals::purchase(tx.db, id)?.ok_or(Error::NotFound)?;
    needs_product(tx, product)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::NodeId;

    const OWN: OperatorId = OperatorId(1);
    const OTHER: OperatorId = OperatorId(2);

    /// Everybody, with what they reach through the API of the predecessor, and as those who run the shop.
    fn table() -> Vec<(Principal, Reach, Reach)> {
        let host = HostId(uuid::Uuid::from_u128(1));
        let node = NodeId(uuid::Uuid::from_u128(2));
        vec![
            (Principal::Administrator("root".to_owned()), Reach::Everything, Reach::Everything),
            (Principal::CommandLine(Some("pi".to_owned())), Reach::Everything, Reach::Everything),
            (Principal::Shop, Reach::Everything, Reach::Everything),
            (Principal::Operator(OWN, "anna".to_owned()), Reach::Nothing, Reach::Operator(OWN)),
            (Principal::Host(host), Reach::Host(host), Reach::Nothing),
            (Principal::Buyer, Reach::Nothing, Reach::Nothing),
            (Principal::Node(node), Reach::Nothing, Reach::Nothing),
        ]
    }

    #[test]
    fn everybody_reaches_what_the_table_says() {
        for (who, through_the_api, as_staff) in table() {
            assert_eq!((compatible(&who), administrative(&who)), (through_the_api, as_staff), "{who:?}");
        }
    }

    #[test]
    fn administrators_do_everything_operators_what_concerns_their_own_and_others_nothing() {
        for (who, _, reach) in table() {
            let may_everything = reach == Reach::Everything;
            let may_own = may_everything || reach == Reach::Operator(OWN);
            assert_eq!(needs_administrator(&who).is_ok(), may_everything, "{who:?}");
            assert_eq!(may_choose_addresses(&who), may_everything, "{who:?}");
            assert_eq!(needs_owner(&who, OWN).is_ok(), may_own, "{who:?}");
            assert_eq!(needs_owner(&who, OTHER).is_ok(), may_everything, "{who:?}");
            assert_eq!(is_staff(&who), may_own, "{who:?}");
            let seen = if may_everything {
                Ok(None)
            } else if may_own {
                Ok(Some(OWN))
            } else {
                Err(Error::NotFound)
            };
            assert_eq!(visible_owner(&who), seen, "{who:?}");
        }
    }
}
