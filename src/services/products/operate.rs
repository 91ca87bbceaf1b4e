//! What operators do to products that were sold: suspend, bring back, extend for nothing, switch off for good, release,
//! delete.

use crate::domain::deal::{Deal, Refusal};
use crate::domain::deny_list::{DenyKind, DenyStatus};
use crate::domain::id::ProductId;
use crate::domain::product::{Product, ProductStatus, Subject};
use crate::domain::texts::{Message, Reason};
use crate::domain::time::Timestamp;
use crate::services::deals::change_product;
use crate::services::shop::Shop;
use crate::services::{Error, Principal, Tx, authz, deny_list};
use crate::store::{audit_log, product_lists, products};

/// The longest gift, and the shortest. Seconds.
const GIFT_SECS: std::ops::RangeInclusive<i64> = 60..=10 * 366 * 86_400;

/// What an operator can do to a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperatorAction {
    /// Suspend it; an extension brings it back.
    Suspend,
    /// Bring it back while it has time left: its host is to activate it.
    Resume,
    /// Give it so many seconds for nothing, or without them a whole period of what was agreed.
    Extend(Option<i64>),
    /// Switch it off for good; what was paid and not delivered is owed.
    Kill,
    /// Give its port back without waiting for the host.
    Release,
    /// Delete what owes nothing to anybody; a tombstone stays.
    Delete,
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
/// [`Error::Refused`] for the target of a product that has none; [`Error::Invalid`] for a time that can't be given.
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
        act(&inner, tx, id, action)?;
        if let Some(reason) = reason {
            audit_log::record_product(db, tx.author(), id, &format!("reason: {reason}"))?;
        }
        products::get(db, id)?.ok_or(Error::NotFound)
    })
    .await
}

fn act(shop: &Shop, tx: &mut Tx<'_>, id: ProductId, action: OperatorAction) -> Result<(), Error> {
    if let OperatorAction::Extend(Some(secs)) = action
        && !GIFT_SECS.contains(&secs)
    {
        let (least, most) = (*GIFT_SECS.start(), *GIFT_SECS.end());
        return Err(Error::field("secs", Reason::GiftSpan { least, most }));
    }
    let given = change_product(shop, tx, id, |deal, now| {
        step(deal, action, now).map_err(|refusal| Error::Conflict(refusal.0))
    })?;
    if let Some((secs, bytes)) = given {
        product_lists::note_gift(tx.db, id, (secs, bytes), tx.now)?;
        let change = format!("given for nothing: {secs} s, {bytes} bytes");
        audit_log::record_product(tx.db, tx.author(), id, &change)?;
    }
    let comes_back = matches!(action, OperatorAction::Resume | OperatorAction::Extend(_));
    let after = products::get(tx.db, id)?.ok_or(Error::NotFound)?.status;
    if comes_back && !matches!(after, ProductStatus::NeedsActivate | ProductStatus::Active) {
        return Err(Error::Conflict(Message::NoFreePorts));
    }
    Ok(())
}

/// One step of the deal; returns what was given for nothing.
fn step(deal: &mut Deal, action: OperatorAction, now: Timestamp) -> Result<Option<(i64, i64)>, Refusal> {
    match action {
        OperatorAction::Suspend => deal.operator_suspends(now)?,
        OperatorAction::Resume => deal.operator_resumes(now)?,
        OperatorAction::Extend(secs) => return deal.operator_extends(secs, now).map(Some),
        OperatorAction::Kill => deal.operator_kills(now),
        OperatorAction::Release => deal.operator_releases(now)?,
        OperatorAction::Delete => deal.delete(now)?,
    }
    Ok(None)
}

/// The onion service that a bridge leads to, whatever the port.
fn onion_of(product: &Product) -> Result<&str, Error> {
    match &product.subject {
        Subject::Target(target) => Ok(target.rsplit_once(':').map_or(target.as_str(), |(onion, _)| onion)),
        Subject::Alias { .. } => Err(Error::Refused(Reason::OnlyBridgesHaveTargets.into())),
    }
}
