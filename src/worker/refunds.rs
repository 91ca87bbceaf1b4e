//! Pays what an order owes back to its buyer, through a node. Runs in the process of the command
//! line, beside a running shop.

use std::path::PathBuf;

use crate::domain::id::OrderId;
use crate::domain::lightning::{NodeError, PaymentState};
use crate::domain::money::Msat;
use crate::domain::node::Node;
use crate::domain::purchase::OrderStatus;
use crate::lightning::bolt11;
use crate::lightning::connector::NodeAddress;
use crate::lightning::credentials::Source;
use crate::lightning::dial::Dial;
use crate::lightning::paying::{LndPayer, PayingNode, PaymentCredentials};
use crate::lightning::policy::Policy;
use crate::services::refunds::{self, Bill, Request};
use crate::services::{Error, Shop};
use crate::store::refunds::Refund;

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
pub async fn refund(shop: &Shop, dial: &Dial, wanted: RefundOrder, actor: &str) -> Result<Refunded, Error> {
    let bill = read(&wanted.bolt11)?;
    if let Some(open) = refunds::open_of(shop, wanted.order)? {
        let payer = payer(&refunds::node_of(shop, &open)?, dial)?;
        if let Some(refunded) = learn(shop, &payer, &open, actor).await? {
            return Ok(refunded);
        }
    }
    let RefundOrder { order, amount, fee_limit, not_paid_since_backup, .. } = wanted;
    let request = Request { order, bill, amount, fee_limit, not_paid_since_backup };
    let (refund, node) = refunds::intend(shop, request, actor).await?;
    let payer = match payer(&node, dial) {
        Ok(payer) => payer,
        Err(error) => return nothing_sent(shop, &refund, error, actor).await,
    };
    match payer.pay(&refund.bolt11, refund.fee_limit, amount_to_name(&refund)?).await {
        Ok(state) => conclude(shop, &refund, state, actor).await,
        Err(error) if error.may_have_happened() => Err(not_known(&error.to_string())),
        Err(error) => nothing_sent(shop, &refund, refused(&error), actor).await,
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

fn payer(node: &Node, dial: &Dial) -> Result<LndPayer, Error> {
    let file = node.payment_macaroon_file.clone().ok_or_else(|| {
        let text = format!("Node {} has no macaroon for payments any more; set it again.", node.name);
        Error::Refused(text)
    })?;
    let certificate = match (&node.certificate_file, &node.certificate) {
        (Some(file), _) => Some(Source::File(PathBuf::from(file))),
        (None, stored) => stored.clone().map(Source::Memory),
    };
    let credentials = PaymentCredentials { certificate, macaroon: Source::File(PathBuf::from(file)) };
    let address = NodeAddress { host: node.host.clone(), port: node.port };
    let policy = if node.host.ends_with(".onion") { Policy::default().patient() } else { Policy::default() };
    LndPayer::new(address, credentials, policy, dial.clone()).map_err(|error| refused(&error))
}

/// What became of an earlier payment; `None` when it did not take place and another may be tried.
async fn learn(shop: &Shop, payer: &LndPayer, open: &Refund, actor: &str) -> Result<Option<Refunded>, Error> {
    let state = payer.track(open.hash).await.map_err(|error| not_known(&error.to_string()))?;
    match state {
        // A failure may be the one of an earlier try, and this one just about to begin.
        PaymentState::Unknown | PaymentState::Failed { .. } if !refunds::is_abandoned(shop, open) => {
            Err(not_known("it was begun moments ago, perhaps by another command that is still running"))
        }
        PaymentState::Unknown => {
            refunds::failed(shop, open, "the node was never asked", actor).await?;
            Ok(None)
        }
        PaymentState::Failed { reason } => {
            refunds::failed(shop, open, &reason, actor).await?;
            Ok(None)
        }
        state => conclude(shop, open, state, actor).await.map(Some),
    }
}

async fn conclude(shop: &Shop, refund: &Refund, state: PaymentState, actor: &str) -> Result<Refunded, Error> {
    match state {
        PaymentState::Succeeded { fee } => {
            let (status, owed) = refunds::succeeded(shop, refund, fee, actor).await?;
            Ok(Refunded { amount: refund.amount, fee, status, owed })
        }
        PaymentState::Failed { reason } => {
            refunds::failed(shop, refund, &reason, actor).await?;
            Err(Error::Refused(format!("The payment failed, nothing was paid: {reason}.")))
        }
        PaymentState::InFlight | PaymentState::Unknown => Err(not_known("the payment is on its way")),
    }
}

/// The node was certainly not asked, or said no.
async fn nothing_sent(shop: &Shop, refund: &Refund, error: Error, actor: &str) -> Result<Refunded, Error> {
    refunds::failed(shop, refund, &error.to_string(), actor).await?;
    Err(error)
}

fn refused(error: &NodeError) -> Error {
    Error::Refused(format!("Nothing was paid: {error}"))
}

fn not_known(why: &str) -> Error {
    let detail = format!("It is not known yet whether the refund was paid ({why}). Run the same command again.");
    Error::Unavailable { detail, retry_after_secs: 60 }
}
