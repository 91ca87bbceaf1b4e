//! Debts that may have been paid between a backup and its restore.

use crate::domain::alert::AlertTopic;
use crate::domain::purchase::Purchase;
use crate::domain::texts::Reason;
use crate::domain::time::Timestamp;
use crate::services::Error;
use crate::store::{Connection, alerts, deals};

/// What has come to be owed for an order out of a restored backup may have been paid back before the restore.
pub(in crate::services) fn doubt_new_debt(
    db: &Connection,
    old: &Purchase,
    new: &Purchase,
    now: Timestamp,
) -> Result<(), Error> {
    if new.owed > old.owed && deals::is_restored(db, new.id)? {
        tell_of_doubt(db, new, now)?;
    }
    Ok(())
}

/// Tells the operator of such a debt.
pub fn tell_of_doubt(db: &Connection, purchase: &Purchase, now: Timestamp) -> Result<(), Error> {
    let text = format!("{} is owed. {}", purchase.owed, Reason::RestoredDebt);
    alerts::raise(db, AlertTopic::RefundMayBeDone, &purchase.id.to_string(), &text, now)?;
    Ok(())
}
