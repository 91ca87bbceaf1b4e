//! What can't be handled is left out of its work, so that it holds up nothing else: it is told to the operator once,
//! and the alert is closed when it works after all.

use std::fmt::Display;

use super::shop::Shop;
use super::{Error, Principal, Tx};
use crate::domain::alert::AlertTopic;
use crate::store::alerts;

/// Tells the operator of `subject` (an order, a product, a payment hash), for which `what` failed.
pub async fn tell(shop: &Shop, subject: impl Display, what: &str, error: &Error) {
    let subject = subject.to_string();
    tracing::debug!(subject, %error, "{what} failed; it is left out");
    let text = format!(
        "{what} failed for {subject} and is left out, everything else goes on. {error}. This is a defect: please report it \
         with the log, and look after the buyer meanwhile"
    );
    let now = shop.now();
    let raised =
        shop.tx(&Principal::Shop, move |tx| Ok(alerts::raise(tx.db, AlertTopic::LeftOut, &subject, &text, now)?)).await;
    if let Err(failure) = raised {
        tracing::error!(%error, %failure, "{what} failed, and nobody could be told");
    }
}

/// They work: their alerts are closed, where there are any.
pub(super) fn forget<T: Display>(tx: &Tx<'_>, subjects: impl IntoIterator<Item = T>) -> Result<(), Error> {
    if !alerts::any_open(tx.db, AlertTopic::LeftOut)? {
        return Ok(());
    }
    for subject in subjects {
        alerts::close(tx.db, AlertTopic::LeftOut, &subject.to_string(), tx.now)?;
    }
    Ok(())
}

/// Whether a failure is that of the one thing that was to be changed, and not of the disk.
pub const fn is_its_own(error: &Error) -> bool {
    !matches!(error, Error::Unavailable { .. })
}
