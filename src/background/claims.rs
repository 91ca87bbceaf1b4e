//! Pays what buyers claim: each claim is a refund under the rules of [`super::refunds`], begun by the shop itself.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;

use super::failure::log_failure;
use super::refunds::{self, RefundOrder};
use crate::lightning::dial::Dial;
use crate::services::payments::claims::{self, Claim, Outcome};
use crate::services::{Error, Shop};

/// The longest sleep when nothing rings: some wait to be asked about again.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// Claims that are paid at the same time: one whose payment is stuck does not hold up the others.
const AT_ONCE: usize = 4;

/// Runs until dropped.
pub async fn run(shop: Shop, dial: Dial) {
    loop {
        let rung = shop.claim_bell.notified();
        log_failure("paying claims", pay_due(&shop, &dial).await);
        let _ = tokio::time::timeout(POLL_INTERVAL, rung).await;
    }
}

/// Pays what is due, and returns when nothing of it is left to be asked now.
///
/// # Errors
/// Those of the database.
pub async fn pay_due(shop: &Shop, dial: &Dial) -> Result<(), Error> {
    let due = claims::due(shop)?;
    let paid = stream::iter(due).map(|claim| async move { pay(shop, dial, &claim).await }).buffer_unordered(AT_ONCE);
    paid.fold(Ok(()), |all, one| async move { all.and(one) }).await
}

async fn pay(shop: &Shop, dial: &Dial, claim: &Claim) -> Result<(), Error> {
    let wanted = RefundOrder {
        order: claim.order,
        bolt11: claim.bolt11.clone(),
        amount: (!claim.names_amount).then_some(claim.amount),
        fee_limit: Some(claim.fee_limit),
        not_paid_since_backup: false,
    };
    let outcome = match refunds::refund_debt(shop, dial, wanted).await {
        Ok(refunded) if refunded.is_this_request => Outcome::Paid,
        Ok(refunded) => Outcome::NotPaid(format!("An earlier request, {}, has been paid meanwhile.", refunded.hash)),
        Err(Error::Unavailable { detail, .. }) => {
            tracing::info!(order = %claim.order, %detail, "a claim is not paid yet");
            Outcome::NotKnown
        }
        Err(error @ (Error::Internal(_) | Error::RuleBroken(_))) => return Err(error),
        Err(error) => Outcome::NotPaid(error.to_string()),
    };
    claims::conclude(shop, claim, outcome).await
}
