//! Claims: what is owed comes back to buyers without asking anybody. A buyer gives a payment request over the debt; a
//! node pays it under the rules of [`super::refunds`], through `background::claims`, or it waits for the operator.

use std::fmt::Write;

use super::refund_nodes;
use super::refunds::{Bill, default_fee_limit};
use crate::domain::alert::AlertTopic;
use crate::domain::id::OrderId;
use crate::domain::lightning::Network;
use crate::domain::money::Msat;
use crate::domain::purchase::{OrderStatus, Purchase};
use crate::domain::texts::{Message, Reason};
use crate::domain::time::Timestamp;
use crate::services::shop::Shop;
use crate::services::{Error, Principal, Tx};
use crate::store::claims;
use crate::store::refunds::{self, RefundState};
use crate::store::{Connection, alerts, audit_log, deals, hosts, products};

pub use crate::store::claims::{Claim, ClaimState};

/// A payment request must be payable for so long. Seconds.
const MIN_VALID_SECS: i64 = 60;
/// While the outcome of a payment is not known, its node is asked again after so many seconds.
const ASK_AGAIN_SECS: i64 = 30;
/// After so many payments for one order that came to nothing, its claims wait for the operator: each is work for the
/// node, and a stranger can make as many payment requests as they like.
const MOST_FAILURES: u32 = 5;
/// The limit of what is paid back by itself is one of so many seconds.
const DAY_SECS: i64 = 86_400;

/// Why nothing is paid by itself for an order.
enum Way {
    /// A node may pay.
    ByNode,
    /// The operator has to, and is told why.
    ByOperator(String),
}

/// Takes a buyer's payment request over what an order owes; `order` is the buyer's secret. A request that is there
/// already is not taken twice.
///
/// # Errors
/// [`Error::NotFound`], or [`Error::Refused`] with what is wrong with the request.
pub async fn claim(shop: &Shop, order: OrderId, bill: Bill) -> Result<Claim, Error> {
    let inner = shop.clone();
    shop.tx(&Principal::Buyer, move |tx| {
        let (purchase, _) = deals::purchase(tx.db, order)?.ok_or(Error::NotFound)?;
        let former = claims::get(tx.db, order)?;
        if let Some(same) = former.as_ref().filter(|former| former.state == ClaimState::Open) {
            return if same.hash == bill.hash { Ok(same.clone()) } else { Err(Error::Refused(Message::ClaimUnderWay)) };
        }
        check(&inner, tx.db, &purchase, &bill)?;
        let failures = former.map_or(0, |former| former.failures);
        let way = way(&inner, tx.db, &purchase, failures, &bill.bolt11)?;
        let claim = new_claim(&purchase, bill, &way, failures, tx.now);
        claims::put(tx.db, &claim)?;
        let change = format!("{} claimed with payment hash {}: {}", claim.amount, claim.hash, claim.state.name());
        audit_log::record_order(tx.db, tx.author(), order, &change)?;
        match way {
            Way::ByNode => tx.after.claims = true,
            Way::ByOperator(why) => tell(tx, &claim, &why)?,
        }
        Ok(claim)
    })
    .await
}

fn new_claim(purchase: &Purchase, bill: Bill, way: &Way, failures: u32, now: Timestamp) -> Claim {
    Claim {
        order: purchase.id,
        hash: bill.hash,
        names_amount: bill.amount.is_some(),
        bolt11: bill.bolt11,
        amount: purchase.owed,
        fee_limit: fee_limit(purchase),
        expires_at: bill.expires_at,
        state: if matches!(way, Way::ByNode) { ClaimState::Open } else { ClaimState::Waiting },
        failures,
        next_try_at: now,
        created_at: now,
        modified_at: now,
    }
}

/// The most that the route may cost. Anybody can pay more than was asked and sit on the route themselves: a surplus
/// comes back for a hundredth, and at least 1 sat.
fn fee_limit(purchase: &Purchase) -> Msat {
    match purchase.status {
        OrderStatus::NeedsRefund => default_fee_limit(purchase.owed),
        _ => Msat((purchase.owed.0 / 100).max(1000)),
    }
}

fn check(shop: &Shop, db: &Connection, purchase: &Purchase, bill: &Bill) -> Result<(), Error> {
    let refused = |message| Err(Error::Refused(message));
    if purchase.owed == Msat(0) {
        return refused(Message::NothingOwed);
    }
    if refunds::open_of(db, purchase.id)?.is_some() {
        return refused(Message::ClaimUnderWay);
    }
    let is_used = |used: refunds::Refund| used.order != purchase.id || used.state == RefundState::Succeeded;
    if refunds::get(db, bill.hash)?.is_some_and(is_used) {
        return refused(Message::RequestUsed);
    }
    if bill.expires_at <= shop.now().plus_secs(MIN_VALID_SECS) {
        return refused(Message::RequestExpired);
    }
    if bill.amount.is_some_and(|asked| asked != purchase.owed) {
        return refused(Message::RequestAmount { owed: purchase.owed });
    }
    let network = Network::of_payment_request(&bill.bolt11);
    if !shop.settings.network_fits(network, is_testnet(db, purchase.id)?) {
        return refused(Message::RequestNetwork);
    }
    Ok(())
}

fn is_testnet(db: &Connection, order: OrderId) -> Result<bool, Error> {
    let (_, product) = deals::purchase(db, order)?.ok_or(Error::NotFound)?;
    let product = products::get(db, product)?.ok_or(Error::NotFound)?;
    Ok(hosts::get_any(db, product.host_id)?.ok_or(Error::NotFound)?.is_testnet)
}

/// Whether a node may pay what is owed without anybody's word.
fn way(shop: &Shop, db: &Connection, purchase: &Purchase, failures: u32, bolt11: &str) -> Result<Way, Error> {
    if deals::is_restored(db, purchase.id)? {
        return Ok(Way::ByOperator(Reason::RestoredDebt.to_string()));
    }
    if failures >= MOST_FAILURES {
        return Ok(Way::ByOperator(format!("{failures} payments for this order have failed.")));
    }
    let since = shop.now().plus_secs(-DAY_SECS);
    let others = refunds::amount_since(db, since)?.0.saturating_add(claims::open_amount(db, purchase.id)?.0);
    let limit = shop.settings.refunds_per_day;
    if others.saturating_add(purchase.owed.0) > limit.0 {
        return Ok(Way::ByOperator(format!(
            "It is more than is paid back by itself within a day ({limit}, `refunds.automatic_sat_per_day`)."
        )));
    }
    let network = Network::of_payment_request(bolt11);
    match refund_nodes::choose(db, purchase.invoice.node_id, purchase.id, network) {
        Ok(_) => Ok(Way::ByNode),
        Err(Error::Refused(advice)) => Ok(Way::ByOperator(advice.to_string())),
        Err(error) => Err(error),
    }
}

/// Tells the operator, with the command that pays.
fn tell(tx: &Tx<'_>, claim: &Claim, why: &str) -> Result<(), Error> {
    let Claim { order, amount, bolt11, .. } = claim;
    let mut text = format!("The buyer of order {order} asks for the {amount} that are owed to them. {why} To pay: ");
    let _ = write!(text, "`order refund {order} {bolt11}");
    if !claim.names_amount {
        let _ = write!(text, " --amount {}", amount.0);
    }
    text.push('`');
    alerts::raise(tx.db, AlertTopic::RefundClaimed, &order.to_string(), &text, tx.now)?;
    Ok(())
}

/// The latest claim of an order.
pub fn of(shop: &Shop, order: OrderId) -> Result<Option<Claim>, Error> {
    shop.db.read(|db| Ok(claims::get(db, order)?))
}

/// Claims that a node is to pay now.
pub fn due(shop: &Shop) -> Result<Vec<Claim>, Error> {
    shop.db.read(|db| Ok(claims::due(db, shop.now())?))
}

/// What asking a node to pay a claim has led to.
pub enum Outcome {
    /// The buyer has the money.
    Paid,
    /// Nothing is known yet.
    NotKnown,
    /// Nothing was paid, for a reason that the operator is told.
    NotPaid(String),
}

/// Records what a node has done about a claim. One that took its place meanwhile is left alone.
pub async fn conclude(shop: &Shop, claim: &Claim, outcome: Outcome) -> Result<(), Error> {
    let (inner, claim) = (shop.clone(), claim.clone());
    shop.tx(&Principal::Shop, move |tx| {
        let current = claims::get(tx.db, claim.order)?;
        if current.is_none_or(|current| current.hash != claim.hash || current.state != ClaimState::Open) {
            return Ok(());
        }
        let now = tx.now;
        let again = Claim { next_try_at: now.plus_secs(ASK_AGAIN_SECS), ..claim.clone() };
        let ended = |state| Claim { state, modified_at: now, ..claim.clone() };
        let next = match outcome {
            Outcome::Paid => ended(ClaimState::Paid),
            Outcome::NotKnown => again,
            // Somebody else's payment for the same order is under way.
            Outcome::NotPaid(_) if refunds::open_of(tx.db, claim.order)?.is_some() => again,
            Outcome::NotPaid(why) => not_paid(&inner, tx, &claim, &why)?,
        };
        Ok(claims::put(tx.db, &next)?)
    })
    .await
}

/// A claim that was not paid waits for the operator, or for another one of its buyer.
fn not_paid(shop: &Shop, tx: &Tx<'_>, claim: &Claim, why: &str) -> Result<Claim, Error> {
    let (purchase, _) = deals::purchase(tx.db, claim.order)?.ok_or(Error::NotFound)?;
    let failures = claim.failures.saturating_add(1);
    let ended = |state| Claim { state, failures, modified_at: tx.now, ..claim.clone() };
    if purchase.owed == Msat(0) {
        // Delivered after all, or paid back by other means.
        return Ok(ended(ClaimState::Failed));
    }
    let change = format!("claim with payment hash {} not paid: {why}", claim.hash);
    audit_log::record_order(tx.db, tx.author(), claim.order, &change)?;
    match way(shop, tx.db, &purchase, failures, &claim.bolt11)? {
        Way::ByOperator(also) if purchase.owed == claim.amount => {
            tell(tx, claim, &format!("{why} {also}"))?;
            Ok(ended(ClaimState::Waiting))
        }
        _ => {
            tell(tx, claim, why)?;
            Ok(ended(ClaimState::Failed))
        }
    }
}

/// What shows that a code to claim with was made by this shop, for what the order owes now.
pub fn ticket(shop: &Shop, purchase: &Purchase) -> String {
    let (owed, refunded) = (purchase.owed.0.to_be_bytes(), purchase.refunded.0.to_be_bytes());
    shop.derived_token(b"the ticket of a claim", &[purchase.id.0.as_bytes(), &owed, &refunded])
}
