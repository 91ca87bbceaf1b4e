//! What operators do to products that were sold: suspend, switch off for good, release.

use crate::domain::deny_list::{DenyKind, DenyStatus};
use crate::domain::id::ProductId;
use crate::domain::product::{Product, Subject};
use crate::services::deals::change_product;
use crate::services::shop::Shop;
use crate::services::{Error, Principal, authz, deny_list};
use crate::store::{audit_log, products};

/// What an operator can do to a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorAction {
    /// Suspend it; an extension brings it back.
    Suspend,
    /// Switch it off for good; what was paid and not delivered is owed.
    Kill,
    /// Give its port back without waiting for the host.
    Release,
}

/// An action, and what goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// What is done.
    pub action: OperatorAction,
    /// Why, for the change log.
    pub reason: Option<String>,
    /// Whether the bridge's target is put on the deny list as well, which only administrators may.
    pub denies_target: bool,
}

impl From<OperatorAction> for Operation {
    fn from(action: OperatorAction) -> Self {
        Self { action, reason: None, denies_target: false }
    }
}

/// Carries out an operator's action on a product of any kind: all of it or nothing.
///
/// # Errors
/// [`Error::NotFound`] for a product of somebody else's host; [`Error::Conflict`] for what can't be done in its state;
/// [`Error::Refused`] for the target of a product that has none.
pub async fn operate(
    shop: &Shop,
    by: &Principal,
    id: ProductId,
    operation: impl Into<Operation>,
) -> Result<Product, Error> {
    let Operation { action, reason, denies_target } = operation.into();
    let inner = shop.clone();
    shop.tx(by, move |tx| {
        let db = tx.db;
        authz::needs_product(tx, id)?;
        let product = products::get(db, id)?.ok_or(Error::NotFound)?;
        if denies_target {
            let comment = reason.as_deref().unwrap_or_default();
            deny_list::add(tx, DenyKind::Target, onion_of(&product)?, DenyStatus::Denied, comment)?;
        }
        change_product(&inner, tx, id, |deal, now| {
            let done = match action {
                OperatorAction::Suspend => deal.operator_suspends(now),
                OperatorAction::Release => deal.operator_releases(now),
                OperatorAction::Kill => {
                    deal.operator_kills(now);
                    Ok(())
                }
            };
            done.map_err(|refusal| Error::Conflict(refusal.0))
        })?;
        if let Some(reason) = reason {
            audit_log::record_product(db, tx.author(), id, &format!("reason: {reason}"))?;
        }
        products::get(db, id)?.ok_or(Error::NotFound)
    })
    .await
}

/// The onion service that a bridge leads to, whatever the port.
fn onion_of(product: &Product) -> Result<&str, Error> {
    match &product.subject {
        Subject::Target(target) => Ok(target.rsplit_once(':').map_or(target.as_str(), |(onion, _)| onion)),
        Subject::Alias { .. } => Err(Error::Refused("Only a bridge has a target to deny.".into())),
    }
}
