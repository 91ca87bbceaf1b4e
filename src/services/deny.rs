//! The deny list's effect on a new order: it is rejected with a message, and its place is free again.

use crate::store::Connection;

use super::Error;
use super::deals::change_order;
use super::shop::{Aftermath, Shop};
use crate::domain::id::OrderId;
use crate::domain::product::{Product, Subject};
use crate::store::deny_list;

/// What a denied order says.
pub const DENIED_MESSAGE: &str =
    "This target (or your address) is on the deny list of this shop. Please contact the operator if this is a mistake.";

/// Rejects the order when its target or the buyer's address is denied; whether it is.
pub(super) fn refuse_if_denied(
    shop: &Shop,
    db: &Connection,
    after: &mut Aftermath,
    order: OrderId,
    product: &Product,
    client_ip: Option<&str>,
) -> Result<bool, Error> {
    let target = match &product.subject {
        Subject::Target(target) => Some(target.as_str()),
        Subject::Alias { .. } => None,
    };
    if !deny_list::is_denied(db, target, client_ip)? {
        return Ok(false);
    }
    change_order(shop, db, after, order, "shop", |deal, i, now| {
        deal.refuse(i, DENIED_MESSAGE, now);
        Ok(true)
    })
}
