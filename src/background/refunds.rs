//! Pays what an order owes back to its buyer, through a node. Runs in the process of the command
//! line, beside a running shop, and in the shop for what buyers claim ([`super::claims`]).

use crate::domain::id::OrderId;
use crate::domain::lightning::{PaymentHash, PaymentState};
use crate::domain::money::Msat;
use crate::domain::node::Node;
use crate::domain::purchase::OrderStatus;
use crate::domain::texts::Reason;
use crate::lightning::bolt11;
use crate::lightning::dial::Dial;
use crate::services::payments;
use crate::services::payments::refunds::{BY_HAND, Bill, Late, Request, Stated};
use crate::services::{Error, Principal, Shop, nodes};
use crate::store::refunds::Refund;

use super::nodes::connect::connect;
use super::nodes::entry::Entry;
use super::nodes::health;
use super::nodes::payer::{nothing_paid, payer};

/// What the operator asks for.
#[derive(Clone, Debug)]
pub struct RefundOrder {
    /// The order that owes.
    pub order: OrderId,
    /// The buyer's payment request.
    pub bolt11: String,
    /// The amount, for a payment request without one.
    pub amount: Option<Msat>,
    /// The most that the route may cost; `None` takes a small share of the amount.
    pub fee_limit: Option<Msat>,
    /// The operator has made sure that it was not paid back between a backup and its restore.
    pub not_paid_since_backup: bool,
}

/// A refund that has been paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refunded {
    /// Names the buyer's invoice that was paid.
    pub hash: PaymentHash,
    /// Whether that is the one of the request at hand, and not of an earlier one.
    pub is_this_request: bool,
    /// What the buyer got.
    pub amount: Msat,
    /// What the route cost.
    pub fee: Msat,
    /// The order's state now.
    pub status: OrderStatus,
    /// What the order still owes: its debt may have grown meanwhile.
    pub owed: Msat,
}

/// Pays what the order owes. Asked again after a crash or a lost answer it learns what became of the
/// first payment and never pays twice.
///
/// # Errors
/// [`Error::Invalid`], [`Error::Refused`], [`Error::Conflict`] when nothing was paid, with the reason;
/// [`Error::Unavailable`] when the outcome is not known yet: run it again.
pub async fn refund(shop: &Shop, dial: &Dial, wanted: RefundOrder, by: &Principal) -> Result<Refunded, Error> {
    pay_back(shop, dial, wanted, by, Late::TakenBack).await
}

/// The same, begun by the shop itself for what the order owes now: what was delivered late is not taken back for it.
///
/// # Errors
/// As [`refund`].
pub async fn refund_debt(shop: &Shop, dial: &Dial, wanted: RefundOrder) -> Result<Refunded, Error> {
    pay_back(shop, dial, wanted, &Principal::Shop, Late::Stays).await
}

async fn pay_back(
    shop: &Shop,
    dial: &Dial,
    wanted: RefundOrder,
    by: &Principal,
    late: Late,
) -> Result<Refunded, Error> {
    let bill = read(&wanted.bolt11)?;
    if let Some(open) = payments::refunds::open_of(shop, by, wanted.order)? {
        let node = payments::refunds::node_of(shop, &open)?;
        if let Some(refunded) = learn(shop, dial, &node, &open, by).await? {
            return Ok(Refunded { is_this_request: refunded.hash == bill.hash, ..refunded });
        }
    }
    let RefundOrder { order, amount, fee_limit, not_paid_since_backup, .. } = wanted;
    let request = Request { order, bill, amount, fee_limit, not_paid_since_backup };
    let (refund, node) = payments::refunds::intend_with(shop, request, by, late).await?;
    let payer = match payer(&node, dial) {
        Ok(payer) => payer,
        Err(error) => return nothing_sent(shop, &refund, error, by).await,
    };
    match payer.pay(&refund.bolt11, refund.fee_limit, amount_to_name(&refund)?).await {
        Ok(state) => conclude(shop, &refund, state, by).await,
        Err(error) if error.may_have_happened() => Err(not_known(&error.to_string())),
        Err(error) => nothing_sent(shop, &refund, nothing_paid(&node, &error), by).await,
    }
}

fn read(request: &str) -> Result<Bill, Error> {
    let read = bolt11::read(request).map_err(|error| Error::field("bolt11", error.to_string()))?;
    Ok(Bill { bolt11: request.trim().to_owned(), hash: read.hash, amount: read.amount, expires_at: read.expires_at })
}

/// The amount is named only where the request does not.
fn amount_to_name(refund: &Refund) -> Result<Option<Msat>, Error> {
    Ok(read(&refund.bolt11)?.amount.is_none().then_some(refund.amount))
}

/// What became of an earlier payment; `None` when it did not take place and another may be tried.
async fn learn(
    shop: &Shop,
    dial: &Dial,
    node: &Node,
    open: &Refund,
    by: &Principal,
) -> Result<Option<Refunded>, Error> {
    let payer = payer(node, dial)?;
    let state = payer.track(open.hash).await.map_err(|error| not_known(&error.to_string()))?;
    match state {
        // A failure may be the one of an earlier try, and this one just about to begin.
        PaymentState::Unknown | PaymentState::Failed { .. } if !payments::refunds::is_abandoned(shop, open) => {
            Err(not_known("it was begun moments ago, perhaps by another command that is still running"))
        }
        PaymentState::Unknown => {
            needs_same_wallet(shop, dial, node, open).await?;
            needs_memory(shop, node, open)?;
            payments::refunds::failed(shop, open, "the node was never asked", by).await?;
            Ok(None)
        }
        PaymentState::Failed { reason } => {
            needs_same_wallet(shop, dial, node, open).await?;
            payments::refunds::failed(shop, open, &reason, by).await?;
            Ok(None)
        }
        state => conclude(shop, open, state, by).await.map(Some),
    }
}

/// That a payment did not take place is believed only of the wallet that was asked for it: another one, reached in
/// the meantime by the same record, knows nothing of it.
async fn needs_same_wallet(shop: &Shop, dial: &Dial, node: &Node, open: &Refund) -> Result<(), Error> {
    let Some(asked) = &open.node_pubkey else { return Ok(()) };
    let spec = nodes::manage::spec(node);
    let connection = connect(&spec, dial).map_err(|error| not_known(&error.to_string()))?;
    let info = health::ask(shop, &Entry::new(spec, connection)).await.map_err(|error| not_known(&error.to_string()))?;
    match info.pubkey {
        Some(told) if told == *asked => Ok(()),
        Some(told) => {
            let text = format!(
                "It is not known whether the refund was paid: wallet {asked} was asked for it, and {told} answers now. Point \
                 the node to the former one (`node set {} --moved …`), and run the same command again. {BY_HAND}",
                node.id
            );
            Err(Error::Refused(text.into()))
        }
        None => Err(not_known("the node does not tell its public key")),
    }
}

/// Nodes forget payments: that one knows nothing of a payment that was begun long ago says nothing about it.
fn needs_memory(shop: &Shop, node: &Node, open: &Refund) -> Result<(), Error> {
    if payments::refunds::is_remembered(shop, open) {
        return Ok(());
    }
    let (name, hash, begun, order) = (&node.name, open.hash, open.modified_at.to_wire(), open.order);
    Err(Error::Refused(format!(
        "It is not known whether the refund was paid: node {name} knows nothing of payment {hash}, which was begun at {begun}, \
         and may have forgotten it (`autoclean`, `deletepayments`). Ask the buyer whether the money has come, and state the \
         outcome: `order resolve {order} --refund-outcome paid` or `… failed`."
    )
    .into()))
}

/// Records what a person says became of a refund, unless its node itself can tell.
///
/// # Errors
/// [`Error::Conflict`] when no outcome is open, or the node knows of the payment.
pub async fn state_outcome(
    shop: &Shop,
    dial: &Dial,
    order: OrderId,
    stated: Stated,
    by: &Principal,
    note: &str,
) -> Result<Refund, Error> {
    if let Some(open) = payments::refunds::open_of(shop, by, order)?
        && let Ok(payer) = payments::refunds::node_of(shop, &open).and_then(|node| payer(&node, dial))
        && let Ok(PaymentState::Succeeded { .. } | PaymentState::InFlight) = payer.track(open.hash).await
    {
        return Err(Error::Conflict(Reason::RefundKnown.into()));
    }
    payments::refunds::state_outcome(shop, order, stated, by, note).await
}

async fn conclude(shop: &Shop, refund: &Refund, state: PaymentState, by: &Principal) -> Result<Refunded, Error> {
    match state {
        PaymentState::Succeeded { fee } => {
            let (status, owed) = payments::refunds::succeeded(shop, refund, fee, by).await?;
            Ok(Refunded { hash: refund.hash, is_this_request: true, amount: refund.amount, fee, status, owed })
        }
        PaymentState::Failed { reason } => {
            payments::refunds::failed(shop, refund, &reason, by).await?;
            Err(Error::Refused(Reason::PaymentFailed { why: reason }.into()))
        }
        PaymentState::InFlight | PaymentState::Unknown => Err(not_known("the payment is on its way")),
    }
}

/// The node was certainly not asked, or said no.
async fn nothing_sent(shop: &Shop, refund: &Refund, error: Error, by: &Principal) -> Result<Refunded, Error> {
    payments::refunds::failed(shop, refund, &error.to_string(), by).await?;
    Err(error)
}

fn not_known(why: &str) -> Error {
    let detail = format!("It is not known yet whether the refund was paid ({why}). Run the same command again.");
    Error::Unavailable { detail: detail.into(), retry_after_secs: 60 }
}
