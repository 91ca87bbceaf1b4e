//! Deny lists, as operators keep them; what they mean for an order is in [`super::orders::deny`].

use super::{Error, ReadTx, Tx, authz};
use crate::domain::deny_list::{DenyEntry, DenyKind, DenyStatus, new_value, normalize};
use crate::domain::text::is_plain_text;
use crate::domain::texts::Message;
use crate::store::deny_list;

/// The longest comment.
const MAX_COMMENT: usize = 140;

/// Puts a value on a list, or changes the status and comment of one that is there.
///
/// # Errors
/// [`Error::Invalid`] under the name of the kind or `comment`.
pub fn add(tx: &Tx<'_>, kind: DenyKind, value: &str, status: DenyStatus, comment: &str) -> Result<DenyEntry, Error> {
    let db = tx.db;
    authz::needs_administrator(tx.actor)?;
    let value = new_value(kind, value).map_err(|messages| Error::Invalid(vec![(kind.name(), messages)]))?;
    if comment.chars().count() > MAX_COMMENT {
        return Err(Error::field("comment", Message::TooLong { max: MAX_COMMENT }));
    }
    if !is_plain_text(comment) {
        return Err(Error::field("comment", Message::NotPlain));
    }
    deny_list::put(db, kind, &value, status, comment, tx.author())?;
    tx.record("deny_entry", &value, &format!("status {}", status.name()))?;
    deny_list::get(db, kind, &value)?.ok_or(Error::NotFound)
}

/// All entries, newest first.
pub fn list(tx: &ReadTx<'_>) -> Result<Vec<DenyEntry>, Error> {
    let db = tx.db;
    authz::needs_administrator(tx.actor)?;
    Ok(deny_list::list(db)?)
}

/// So many entries at most, the newest first, of those with smaller numbers than `before`.
pub fn page(tx: &ReadTx<'_>, before: i64, limit: u32) -> Result<Vec<DenyEntry>, Error> {
    authz::needs_administrator(tx.actor)?;
    Ok(deny_list::page(tx.db, before, limit)?)
}

/// Takes a value off its list.
///
/// # Errors
/// [`Error::NotFound`].
pub fn remove(tx: &Tx<'_>, kind: DenyKind, value: &str) -> Result<(), Error> {
    let db = tx.db;
    authz::needs_administrator(tx.actor)?;
    let value = normalize(kind, value).map_err(|message| Error::field(kind.name(), message))?;
    let entry = deny_list::get(db, kind, &value)?.ok_or(Error::NotFound)?;
    deny_list::remove(db, entry.id, tx.author())?;
    tx.record("deny_entry", &value, "removed")
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{administrator, database};
    use super::*;
    use crate::domain::principal::Principal;
    use crate::store::audit_log::Author;
    use crate::store::{Connection, Db};

    macro_rules! address {
        () => {
            "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
        };
    }

    fn put(db: &Db, kind: DenyKind, value: &'static str, status: DenyStatus) {
        let session = administrator();
        session.write(db, move |tx| add(tx, kind, value, status, "")).unwrap();
    }

    fn is_denied(db: &Db, target: &str, ip: &str) -> bool {
        let look = |db: &Connection| {
            Ok::<_, Error>(deny_list::is_target_denied(db, target)? || deny_list::is_ip_denied(db, ip)?)
        };
        db.read(look).unwrap()
    }

    #[test]
    fn a_denied_target_is_denied_on_all_ports_or_on_the_named_one() {
        let (_dir, db) = database();
        put(&db, DenyKind::Target, concat!(address!(), ":80"), DenyStatus::Recommended);
        assert!(is_denied(&db, concat!(address!(), ":80"), ""));
        assert!(!is_denied(&db, concat!(address!(), ":81"), ""));
        put(&db, DenyKind::Target, address!(), DenyStatus::Denied);
        assert!(is_denied(&db, concat!(address!(), ":81"), ""));
    }

    #[test]
    fn entries_deny_exactly_in_the_states_that_say_so() {
        let (_dir, db) = database();
        for status in DenyStatus::ALL {
            put(&db, DenyKind::Target, address!(), status);
            assert_eq!(is_denied(&db, concat!(address!(), ":80"), ""), status.denies(), "{status:?}");
        }
    }

    #[test]
    fn a_network_is_denied_with_every_address_in_it() {
        let (_dir, db) = database();
        put(&db, DenyKind::Ip, "203.0.113.0/24", DenyStatus::Denied);
        put(&db, DenyKind::Ip, "2001:db8:1::/48", DenyStatus::Recommended);
        put(&db, DenyKind::Ip, "2001:db8:2::/48", DenyStatus::Neutral);
        for (ip, denied) in [
            ("203.0.113.9", true),
            ("::ffff:203.0.113.9", true),
            ("203.0.114.9", false),
            ("2001:db8:1:ffff::1", true),
            ("2001:db8:2::1", false),
            ("2001:db8:3::1", false),
        ] {
            assert_eq!(is_denied(&db, "abc.onion:80", ip), denied, "{ip}");
        }
    }

    #[test]
    fn a_denied_ipv6_client_stays_denied_with_another_address_of_its_network() {
        let (_dir, db) = database();
        put(&db, DenyKind::Ip, "2001:db8::1", DenyStatus::Denied);
        assert!(is_denied(&db, "abc.onion:80", "2001:db8::dead:beef"));
        assert!(!is_denied(&db, "abc.onion:80", "2001:db8:0:1::1"));
    }

    #[test]
    fn entries_of_an_older_version_deny_the_whole_network_as_well() {
        let (_dir, db) = database();
        let old = |db: &Connection| {
            let author = Author::new(&Principal::Shop, administrator().now);
            for value in ["2001:db8::1", "2001:db8::2", "192.0.2.1"] {
                deny_list::put(db, DenyKind::Ip, value, DenyStatus::Denied, "", author)?;
            }
            deny_list::respell(db)?;
            deny_list::respell(db)
        };
        db.write_blocking(move |db| old(db).map_err(Error::from)).unwrap();
        assert!(is_denied(&db, "abc.onion:80", "2001:db8::3") && is_denied(&db, "abc.onion:80", "192.0.2.1"));
        assert_eq!(administrator().read(&db, list).unwrap().len(), 2);
    }

    #[test]
    fn of_two_entries_that_become_one_the_stricter_counts_whichever_came_first() {
        use DenyStatus::{Denied, Neutral, Proposed, Recommended};
        for (first, second, kept) in [
            (Neutral, Denied, Denied),
            (Denied, Neutral, Denied),
            (Recommended, Denied, Denied),
            (Proposed, Recommended, Recommended),
        ] {
            // Two addresses of one network, and an address beside the network.
            for values in
                [["2001:db8::1", "2001:db8::2"], ["2001:db8::1", "2001:db8::/64"], ["2001:db8::/64", "2001:db8::1"]]
            {
                let (_dir, db) = database();
                let respell = move |db: &Connection| {
                    for (value, status) in values.into_iter().zip([first, second]) {
                        deny_list::put(
                            db,
                            DenyKind::Ip,
                            value,
                            status,
                            status.name(),
                            Author::new(&Principal::Shop, administrator().now),
                        )?;
                    }
                    deny_list::respell(db)
                };
                db.write_blocking(move |db| respell(db).map_err(Error::from)).unwrap();
                let left = administrator().read(&db, list).unwrap();
                let left: Vec<_> =
                    left.iter().map(|entry| (entry.value.as_str(), entry.status, entry.comment.as_str())).collect();
                assert_eq!(left, [("2001:db8::/64", kept, kept.name())], "{values:?}: {first:?}, {second:?}");
            }
        }
    }

    #[test]
    fn a_denied_address_gets_nothing_until_it_is_removed() {
        let (_dir, db) = database();
        put(&db, DenyKind::Ip, "192.0.2.1", DenyStatus::Denied);
        assert!(is_denied(&db, "abc.onion:80", "192.0.2.1"));
        assert!(!is_denied(&db, "abc.onion:80", "192.0.2.2"));
        let session = administrator();
        session.write(&db, move |tx| remove(tx, DenyKind::Ip, "192.0.2.1")).unwrap();
        assert!(!is_denied(&db, "abc.onion:80", "192.0.2.1"));
    }
}
