//! Alerts as those who run the shop see them. They are raised where the reason is found, in the same
//! transaction, by [`crate::store::alerts::raise`].

use super::{Error, ReadTx, Tx, authz, dashboard};
use crate::store::alerts;

pub use crate::store::alerts::Alert;

/// So many are looked through for an operator, newest first.
const LOOKED_THROUGH: usize = 1000;

/// Open alerts, or all, newest first; an operator's are those that concern them.
///
/// # Errors
/// [`Error::NotFound`] for those who run nothing.
pub fn list(tx: &ReadTx<'_>, closed_too: bool) -> Result<Vec<Alert>, Error> {
    let mut all = alerts::list(tx.db, closed_too)?;
    if authz::visible_owner(tx.actor)?.is_some() {
        all.truncate(LOOKED_THROUGH);
        let concerns = |alert: &Alert| dashboard::concerns(tx, alert.topic, &alert.subject);
        let kept = all.into_iter().map(|alert| Ok(concerns(&alert)?.then_some(alert)));
        return kept.filter_map(Result::transpose).collect();
    }
    Ok(all)
}

/// Closes an alert by hand; it comes back when its reason does.
///
/// # Errors
/// [`Error::NotFound`] when no such alert is open.
pub fn close(tx: &Tx<'_>, id: i64) -> Result<(), Error> {
    let db = tx.db;
    authz::needs_administrator(tx.actor)?;
    if !alerts::close_by_id(db, id, tx.now)? {
        return Err(Error::NotFound);
    }
    tx.record("alert", id, "closed by hand")
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{administrator, database};
    use super::*;
    use crate::domain::alert::AlertTopic;
    use crate::domain::time::Timestamp;
    use crate::store::Connection;
    use crate::store::StoreError;

    #[test]
    fn operators_can_read_what_each_alert_means() {
        let guide = include_str!("../../docs/OPERATING.md");
        for topic in AlertTopic::ALL {
            let row = format!("| `{}` | {} |", topic.name(), topic.severity().name());
            assert!(guide.contains(&row), "docs/OPERATING.md lacks {row}");
        }
    }

    #[test]
    fn a_stranger_cannot_flood_the_list() {
        let (_dir, db) = database();
        let now = administrator().now;
        let topic = AlertTopic::TargetUnreachable;
        let open = || administrator().read(&db, |tx| list(tx, false)).unwrap();
        let change = |change: fn(&Connection, u32, Timestamp) -> Result<(), StoreError>| {
            let all = move |db: &Connection| (0..110).try_for_each(|n| change(db, n, now)).map_err(Error::from);
            db.write_blocking(all).unwrap();
        };
        change(|db, n, now| alerts::raise(db, AlertTopic::TargetUnreachable, &n.to_string(), "dead", now).map(|_| ()));
        let most = usize::try_from(topic.most_open().unwrap()).unwrap();
        assert_eq!(open().len(), most + 1);
        let others = open().into_iter().find(|alert| alert.subject.is_empty()).unwrap();
        assert_eq!(others.occurrences as usize, 110 - most);
        change(|db, n, now| alerts::close(db, AlertTopic::TargetUnreachable, &n.to_string(), now));
        assert_eq!(open(), [], "with their reasons they all go");
    }

    #[test]
    fn an_alert_closed_by_hand_comes_back_with_its_reason() {
        let (_dir, db) = database();
        let now = administrator().now;
        let raise = || {
            let result: Result<bool, Error> =
                db.write_blocking(move |db| Ok(alerts::raise(db, AlertTopic::HostDead, "x", "dead", now)?));
            result.unwrap()
        };
        assert!(raise());
        let version = db.version().unwrap();
        assert!(!raise(), "not new");
        assert_eq!(db.version().unwrap(), version, "looked at again within ten minutes: nothing is written");
        let open = administrator().read(&db, |tx| list(tx, false)).unwrap();
        assert_eq!((open.len(), open[0].occurrences), (1, 1));
        let id = open[0].id;
        administrator().write(&db, move |tx| close(tx, id)).unwrap();
        assert_eq!(administrator().write(&db, move |tx| close(tx, id)), Err(Error::NotFound));
        assert!(raise());
        assert_eq!(administrator().read(&db, |tx| list(tx, true)).unwrap().len(), 2);
    }
}
