//! Paying back what an order owes, through a node: the rules and the records. The intent is on disk
//! before the node is asked; the same payment request is never paid twice, and while the outcome of
//! one is not known, no other is begun. `background::refunds` talks to the node.

use crate::store::Connection;

use super::apply::record_refund;
use super::doubt::tell_of_doubt;
use super::{refund_nodes, return_late};
use crate::domain::id::OrderId;
use crate::domain::lightning::{Network, PaymentHash};
use crate::domain::money::Msat;
use crate::domain::node::Node;
use crate::domain::purchase::OrderStatus;
use crate::domain::texts::{Message, Reason};
use crate::domain::time::Timestamp;
use crate::services::shop::Shop;
use crate::services::{Error, Principal, ReadTx, authz};
use crate::store::deals;
use crate::store::deals::Search;
use crate::store::refunds;
pub use crate::store::refunds::{Refund, RefundState};
use crate::store::{audit_log, hosts, nodes, products};

/// An intent that the node knows nothing of, or only an earlier failure, is given up after this time:
/// whoever stored it has long asked the node, or never will. Longer than a payment takes to begin. Seconds.
const GIVE_UP_SECS: i64 = 180;

/// After this time a node that knows nothing of a payment may also have forgotten it: Core Lightning's `autoclean`
/// deletes finished payments, and each node has a command for it. No cleaning is due sooner than this. Seconds.
const MAY_FORGET_SECS: i64 = 3600;

/// The way out when the wallet that can tell a refund's outcome is lost.
pub const BY_HAND: &str = "If that wallet is lost, ask the buyer whether the money has come, and state the outcome: `order \
    resolve ID --refund-outcome paid` or `… failed`.";

/// What the buyer's payment request says.
#[derive(Clone, Debug)]
pub struct Bill {
    /// The request itself.
    pub bolt11: String,
    /// Names it.
    pub hash: PaymentHash,
    /// What it asks; `None` leaves it to the payer.
    pub amount: Option<Msat>,
    /// When it can no longer be paid.
    pub expires_at: Timestamp,
}

/// What is to be paid back, and how.
#[derive(Clone, Debug)]
pub struct Request {
    /// The order that owes.
    pub order: OrderId,
    /// The buyer's payment request.
    pub bill: Bill,
    /// The amount, for a payment request without one.
    pub amount: Option<Msat>,
    /// The most that the route may cost; `None` takes [`default_fee_limit`].
    pub fee_limit: Option<Msat>,
    /// The operator has made sure that it was not paid back between a backup and its restore.
    pub not_paid_since_backup: bool,
}

/// A hundredth of the amount, and at least 10 sat, since small payments pay mostly base fees.
pub const fn default_fee_limit(amount: Msat) -> Msat {
    let share = amount.0 / 100;
    Msat(if share < 10_000 { 10_000 } else { share })
}

/// The refund of an order whose outcome is not known.
///
/// # Errors
/// [`Error::NotFound`] for an order at somebody else's host.
pub fn open_of(shop: &Shop, by: &Principal, order: OrderId) -> Result<Option<Refund>, Error> {
    shop.read(by, |tx| {
        authz::needs_order(tx, order)?;
        Ok(refunds::open_of(tx.db, order)?)
    })
}

/// All refunds of an order, oldest first.
///
/// # Errors
/// [`Error::NotFound`] for an order at somebody else's host.
pub fn all_of(tx: &ReadTx<'_>, order: OrderId) -> Result<Vec<Refund>, Error> {
    authz::needs_order(tx, order)?;
    Ok(refunds::of_order(tx.db, order)?)
}

/// The node of a refund, to ask what became of it.
pub fn node_of(shop: &Shop, refund: &Refund) -> Result<Node, Error> {
    let missing = || {
        let text = format!("The node that was to pay this refund has been removed, so nobody can be asked. {BY_HAND}");
        Error::Refused(text.into())
    };
    shop.db.read(|db| nodes::get(db, refund.node)?.ok_or_else(missing))
}

/// Checks everything and writes the intent down. Returns it with the node that is to pay.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Conflict`] when nothing is owed or the request was used before,
/// [`Error::Invalid`] or [`Error::Refused`] with what is wrong.
pub async fn intend(shop: &Shop, request: Request, by: &Principal) -> Result<(Refund, Node), Error> {
    intend_with(shop, request, by, Late::TakenBack).await
}

/// What becomes of an order that owes nothing, since it was delivered, but late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// From now on it owes its price: the operator says so.
    TakenBack,
    /// It owes nothing.
    Stays,
}

/// [`intend`], saying what becomes of what was delivered late.
///
/// # Errors
/// As [`intend`].
pub async fn intend_with(shop: &Shop, request: Request, by: &Principal, late: Late) -> Result<(Refund, Node), Error> {
    let inner = shop.clone();
    shop.tx(by, move |tx| {
        let db = tx.db;
        authz::needs_order(tx, request.order)?;
        if late == Late::TakenBack {
            return_late::owe_instead(&inner, tx, request.order)?;
        }
        let refund = checked(&inner, db, &request)?;
        let node = nodes::get(db, refund.node)?.ok_or(Error::NotFound)?;
        refunds::intend(db, &refund)?;
        let change = format!("refund intended: {} to payment hash {}", refund.amount, refund.hash);
        audit_log::record_order(db, tx.author(), refund.order, &change)?;
        Ok((refund, node))
    })
    .await
}

fn checked(shop: &Shop, db: &Connection, request: &Request) -> Result<Refund, Error> {
    let (purchase, product) = deals::purchase(db, request.order)?.ok_or(Error::NotFound)?;
    if purchase.owed == Msat(0) {
        return Err(Error::Conflict(Message::NothingOwed));
    }
    if !request.not_paid_since_backup && deals::is_restored(db, request.order)? {
        return Err(Error::Refused(Reason::RestoredDebt.into()));
    }
    let bill = &request.bill;
    match refunds::get(db, bill.hash)? {
        Some(used) if used.order != request.order || used.state == RefundState::Succeeded => {
            return Err(Error::Conflict(Reason::RequestPaid { order: used.order }.into()));
        }
        _ => {}
    }
    if refunds::open_of(db, request.order)?.is_some() {
        return Err(Error::Conflict(Reason::RefundUnderWay.into()));
    }
    if bill.expires_at <= shop.now() {
        return Err(Error::field("bolt11", Reason::RequestOver));
    }
    check_amount(bill.amount, request.amount, purchase.owed)?;
    let product = products::get(db, product)?.ok_or(Error::NotFound)?;
    let host = hosts::get_any(db, product.host_id)?.ok_or(Error::NotFound)?;
    let network = Network::of_payment_request(&bill.bolt11);
    if !shop.settings.network_fits(network, host.is_testnet) {
        return Err(Error::field("bolt11", Reason::RequestOtherNetwork));
    }
    let node = refund_nodes::choose(db, purchase.invoice.node_id, request.order, network)?;
    Ok(Refund {
        hash: bill.hash,
        order: request.order,
        node: node.id,
        node_pubkey: node.pubkey,
        bolt11: bill.bolt11.clone(),
        amount: purchase.owed,
        fee_limit: request.fee_limit.unwrap_or_else(|| default_fee_limit(purchase.owed)),
        state: RefundState::Intended,
        modified_at: shop.now(),
    })
}

fn check_amount(asked: Option<Msat>, given: Option<Msat>, owed: Msat) -> Result<(), Error> {
    match (asked, given) {
        (Some(asked), None) if asked == owed => Ok(()),
        (Some(asked), given) if given.is_none_or(|given| given == asked) && asked != owed => {
            Err(Error::field("bolt11", Reason::AsksOther { asked, owed }))
        }
        (Some(asked), Some(given)) if asked == given => Ok(()),
        (Some(asked), _) => Err(Error::field("amount", Reason::AmountTwice { asked })),
        (None, Some(given)) if given == owed => Ok(()),
        (None, _) => Err(Error::field("amount", Reason::AmountMissing { owed })),
    }
}

/// The buyer has the money: the order owes so much less. Returns what it owes now, and its state.
pub async fn succeeded(shop: &Shop, refund: &Refund, fee: Msat, by: &Principal) -> Result<(OrderStatus, Msat), Error> {
    let (inner, refund) = (shop.clone(), refund.clone());
    shop.tx(by, move |tx| {
        let db = tx.db;
        if refunds::succeeded(db, refund.hash, Some(fee), tx.now)? {
            let note = format!("paid by node {} to payment hash {}, fee {fee}", refund.node, refund.hash);
            record_refund(&inner, tx, refund.order, refund.amount, &note)?;
        }
        let (purchase, _) = deals::purchase(db, refund.order)?.ok_or(Error::NotFound)?;
        Ok((purchase.status, purchase.owed))
    })
    .await
}

/// Nothing was paid; the order still owes.
pub async fn failed(shop: &Shop, refund: &Refund, reason: &str, by: &Principal) -> Result<(), Error> {
    let refund = refund.clone();
    let change = format!("refund to payment hash {} failed: {reason}", refund.hash);
    shop.tx(by, move |tx| {
        let db = tx.db;
        if refunds::failed(db, &refund, tx.now)? {
            audit_log::record_order(db, tx.author(), refund.order, &change)?;
        }
        Ok(())
    })
    .await
}

/// What a person says became of a refund whose wallet can't tell any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stated {
    /// The buyer has the money.
    Paid,
    /// Nothing was paid, and nothing will be.
    Failed,
}

/// Records what a person says became of the open refund of an order. Returns it.
///
/// # Errors
/// [`Error::Conflict`] when none is open, or when it is too early to say that it failed.
pub async fn state_outcome(
    shop: &Shop,
    order: OrderId,
    stated: Stated,
    by: &Principal,
    note: &str,
) -> Result<Refund, Error> {
    let (inner, note) = (shop.clone(), note.to_owned());
    shop.tx(by, move |tx| {
        let db = tx.db;
        authz::needs_order(tx, order)?;
        let none = || Error::Conflict(Reason::NoOpenRefund.into());
        let open = refunds::open_of(db, order)?.ok_or_else(none)?;
        let now = tx.now;
        match stated {
            Stated::Paid => {
                refunds::succeeded(db, open.hash, None, now)?;
                let note = format!("by payment hash {}, as stated by hand: {note}", open.hash);
                record_refund(&inner, tx, order, open.amount, &note)?;
            }
            Stated::Failed if !is_abandoned(&inner, &open) => {
                return Err(Error::Conflict(Reason::RefundTooYoung.into()));
            }
            Stated::Failed => {
                refunds::failed(db, &open, now)?;
                let change = format!("refund to payment hash {} failed, as stated by hand: {note}", open.hash);
                audit_log::record_order(db, tx.author(), order, &change)?;
            }
        }
        Ok(open)
    })
    .await
}

/// After a restore: what is owed, or will be, may have been paid back since the backup. The operator is told of
/// each order that owes already; returns them.
pub(in crate::services) fn doubt(db: &Connection, now: Timestamp) -> Result<Vec<OrderId>, Error> {
    deals::mark_as_restored(db)?;
    let owing = deals::search(db, Search { owed: true, limit: u32::MAX, ..Search::default() })?;
    for (purchase, _) in &owing {
        tell_of_doubt(db, purchase, now)?;
    }
    Ok(owing.into_iter().map(|(purchase, _)| purchase.id).collect())
}

/// Whether an intent that its node has not paid can be given up.
pub fn is_abandoned(shop: &Shop, refund: &Refund) -> bool {
    refund.modified_at.plus_secs(GIVE_UP_SECS) <= shop.now()
}

/// Whether that a node knows nothing of a payment still means that it never tried it.
pub fn is_remembered(shop: &Shop, refund: &Refund) -> bool {
    shop.now() < refund.modified_at.plus_secs(MAY_FORGET_SECS)
}
