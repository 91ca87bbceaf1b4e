//! Debts that may have been paid between a backup and its restore.

use crate::domain::alert::AlertTopic;
use crate::domain::purchase::Purchase;
use crate::domain::time::Timestamp;
use crate::services::Error;
use crate::store::{Connection, alerts, deals};

/// Why the debt of an order that came out of a backup is not simply paid, also one that arose since the restore:
/// the shop may be living through it for the second time.
pub const DOUBTFUL: &str = "This order came out of a backup that was restored. It may have been paid back between that backup and \
    the restore, which the shop then does not know: look through the node's payments. If it was not paid, say so with \
    --not-paid-since-the-backup; if it was, note it with `order resolve`.";

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
    let text = format!("{} is owed. {DOUBTFUL}", purchase.owed);
    alerts::raise(db, AlertTopic::RefundMayBeDone, &purchase.id.to_string(), &text, now)?;
    Ok(())
}
