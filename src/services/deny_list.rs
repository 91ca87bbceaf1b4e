//! Deny lists, as operators keep them; what they mean for an order is in [`super::deny`].

use super::{Act, Error};
use crate::domain::deny_list::{DenyEntry, DenyKind, DenyStatus, new_value, normalize};
use crate::store::{Connection, deny_list};

/// The longest comment.
const MAX_COMMENT: usize = 140;

/// Puts a value on a list, or changes the status and comment of one that is there.
///
/// # Errors
/// [`Error::Invalid`] under the name of the kind or `comment`.
pub fn add(
    db: &Connection,
    act: &Act,
    kind: DenyKind,
    value: &str,
    status: DenyStatus,
    comment: &str,
) -> Result<DenyEntry, Error> {
    act.needs_administrator()?;
    let value = new_value(kind, value).map_err(|message| Error::field(kind.name(), message))?;
    if comment.chars().count() > MAX_COMMENT {
        return Err(Error::field("comment", format!("Ensure this field has no more than {MAX_COMMENT} characters.")));
    }
    deny_list::put(db, kind, &value, status, comment, act.now)?;
    act.record(db, "deny_entry", &value, &format!("status {}", status.name()))?;
    deny_list::get(db, kind, &value)?.ok_or(Error::NotFound)
}

/// All entries, newest first.
pub fn list(db: &Connection, act: &Act) -> Result<Vec<DenyEntry>, Error> {
    act.needs_administrator()?;
    Ok(deny_list::list(db)?)
}

/// Takes a value off its list.
///
/// # Errors
/// [`Error::NotFound`].
pub fn remove(db: &Connection, act: &Act, kind: DenyKind, value: &str) -> Result<(), Error> {
    act.needs_administrator()?;
    let value = normalize(kind, value).map_err(|message| Error::field(kind.name(), message))?;
    let entry = deny_list::get(db, kind, &value)?.ok_or(Error::NotFound)?;
    deny_list::remove(db, entry.id)?;
    act.record(db, "deny_entry", &value, "removed")
}

#[cfg(test)]
mod tests {
    use super::super::test_support::{administrator, database};
    use super::*;
    use crate::store::Db;

    macro_rules! address {
        () => {
            "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
        };
    }

    fn put(db: &Db, kind: DenyKind, value: &'static str, status: DenyStatus) {
        let act = administrator();
        db.write_blocking(move |db| add(db, &act, kind, value, status, "")).unwrap();
    }

    fn is_denied(db: &Db, target: &str, ip: &str) -> bool {
        db.read(|db| deny_list::is_denied(db, Some(target), Some(ip))).unwrap()
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
    fn a_denied_address_gets_nothing_until_it_is_removed() {
        let (_dir, db) = database();
        put(&db, DenyKind::Ip, "192.0.2.1", DenyStatus::Denied);
        assert!(is_denied(&db, "abc.onion:80", "192.0.2.1"));
        assert!(!is_denied(&db, "abc.onion:80", "192.0.2.2"));
        let act = administrator();
        db.write_blocking(move |db| remove(db, &act, DenyKind::Ip, "192.0.2.1")).unwrap();
        assert!(!is_denied(&db, "abc.onion:80", "192.0.2.1"));
    }
}
