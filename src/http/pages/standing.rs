//! How an order stands: what its page and the stream beside it have in common.

use super::stage::Stage;
use crate::domain::texts::Language;
use crate::domain::time::Timestamp;
use crate::services::orders::follow::Followed;

/// While a surplus is being paid back, the page looks again after so many seconds.
const PAYING_BACK_SECS: u32 = 8;

/// An order at a moment.
pub struct Standing {
    /// Its step.
    pub stage: Stage,
    /// After how many seconds a browser without JavaScript looks again; `None` where nothing changes by itself.
    pub refresh: Option<u32>,
    /// Changes with whatever is shown.
    pub version: String,
    /// When the step is over without anything that happens.
    ends: Option<Timestamp>,
}

impl Standing {
    /// As it is now, for somebody who reads a language.
    pub fn of(followed: &Followed, language: Language, now: Timestamp) -> Self {
        let (purchase, product) = (&followed.view.purchase, &followed.view.product);
        let stage = Stage::of(purchase, product, followed.is_being_paid_back, now);
        let claimed_at = followed.claim.as_ref().map_or(0, |claim| claim.modified_at.0);
        let (ordered_at, made_at) = (purchase.modified_at.0, product.modified_at.0);
        Self {
            stage,
            refresh: stage.refresh_secs().or_else(|| followed.is_being_paid_back.then_some(PAYING_BACK_SECS)),
            version: format!("{}-{ordered_at}-{made_at}-{claimed_at}-{}", stage.name(), language.tag()),
            ends: purchase.invoice.expires_at.filter(|_| stage == Stage::ToPay),
        }
    }

    /// Whether something happens without the buyer's doing anything here.
    pub fn changes_by_itself(&self) -> bool {
        self.refresh.is_some()
    }

    /// Whether the time of the step is over.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.ends.is_some_and(|end| end <= now)
    }
}
