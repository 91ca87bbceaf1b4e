//! The people who run the shop or own hosts and nodes in it.

use super::{second_factor, sessions};
use crate::domain::id::OperatorId;
use crate::domain::operator::{Operator, Role, name_error};
use crate::domain::texts::{Message, Reason};
use crate::services::{Error, ReadTx, Tx, authz};
use crate::store::operators;

/// Adds an operator; `password_hash` comes from [`super::passwords::hash`].
///
/// # Errors
/// [`Error::Invalid`] for a name that can't be one or is taken.
pub fn add(tx: &Tx<'_>, name: &str, role: Role, password_hash: &str) -> Result<OperatorId, Error> {
    let db = tx.db;
    authz::needs_administrator(tx.actor)?;
    if let Some(message) = name_error(name) {
        return Err(Error::field("name", message));
    }
    // Who reads a log must not take one for the other; those who are there already go on as they are.
    let is_like = |operator: &Operator| operator.name.to_lowercase() == name.to_lowercase();
    if let Some(like) = operators::list(db)?.into_iter().find(is_like) {
        return Err(Error::field("name", Reason::NameTaken { name: like.name }));
    }
    let id = operators::insert(db, name, role, password_hash, tx.author())?;
    tx.record("operator", name, &format!("added as {}", role.name()))?;
    Ok(id)
}

/// All operators; an operator who is no administrator sees only themselves.
pub fn list(tx: &ReadTx<'_>) -> Result<Vec<Operator>, Error> {
    let db = tx.db;
    let mut all = operators::list(db)?;
    if let Some(own) = authz::visible_owner(tx.actor)? {
        all.retain(|operator| operator.id == own);
    }
    Ok(all)
}

/// Replaces a password: an administrator anybody's, an operator their own. All sessions end but `kept`.
///
/// # Errors
/// [`Error::NotFound`].
pub fn set_password(tx: &Tx<'_>, name: &str, password_hash: &str, kept: Option<i64>) -> Result<(), Error> {
    let db = tx.db;
    let operator = find(tx, name)?;
    operators::set_password_hash(db, operator.id, password_hash, tx.author())?;
    sessions::end_all(tx, operator.id, kept)?;
    tx.record("operator", name, "password set")
}

/// The operator with this number: an administrator finds everybody, an operator themselves.
///
/// # Errors
/// [`Error::NotFound`].
pub fn get(tx: &ReadTx<'_>, id: OperatorId) -> Result<Operator, Error> {
    authz::needs_owner(tx.actor, id)?;
    operators::get(tx.db, id)?.ok_or(Error::NotFound)
}

/// Takes the second factor of an operator away who has lost it, by name.
///
/// # Errors
/// [`Error::NotFound`].
pub fn reset_second_factor(tx: &Tx<'_>, name: &str) -> Result<(), Error> {
    let operator = find(tx, name)?;
    second_factor::remove(tx, operator.id)
}

/// Changes what an operator may do. There is always an administrator left who may sign in.
///
/// # Errors
/// [`Error::NotFound`] for anybody but administrators, [`Error::Conflict`] for the last of them.
pub fn set_role(tx: &Tx<'_>, id: OperatorId, role: Role) -> Result<(), Error> {
    authz::needs_administrator(tx.actor)?;
    let operator = get(tx, id)?;
    operators::set_role(tx.db, id, role, tx.author())?;
    needs_some_administrator(tx)?;
    tx.record("operator", &operator.name, &format!("role {} -> {}", operator.role.name(), role.name()))
}

/// Lets an operator sign in, or no longer: then all their sessions end, and their API tokens rest. What is theirs goes on.
///
/// # Errors
/// As [`set_role`].
pub fn set_enabled(tx: &Tx<'_>, id: OperatorId, is_enabled: bool) -> Result<(), Error> {
    authz::needs_administrator(tx.actor)?;
    let operator = get(tx, id)?;
    operators::set_enabled(tx.db, id, is_enabled, tx.author())?;
    if !is_enabled {
        needs_some_administrator(tx)?;
        sessions::end_all(tx, id, None)?;
    }
    tx.record("operator", &operator.name, if is_enabled { "enabled" } else { "disabled" })
}

/// What was changed is undone where this fails.
fn needs_some_administrator(tx: &ReadTx<'_>) -> Result<(), Error> {
    if operators::has_administrator(tx.db)? { Ok(()) } else { Err(Error::Conflict(Message::LastAdministrator)) }
}

fn find(tx: &ReadTx<'_>, name: &str) -> Result<Operator, Error> {
    let db = tx.db;
    let operator = operators::by_name(db, name)?.ok_or(Error::NotFound)?;
    authz::needs_owner(tx.actor, operator.id)?;
    Ok(operator)
}

/// Whose a new host or node is: the named operator; without a name the one who acts, or for an administrator the operator
/// whose all hosts and nodes are so far (a host is sold by its owner's nodes alone), the only operator that there is, or else
/// the only administrator.
///
/// # Errors
/// [`Error::Invalid`] under `owner`, saying what to do.
pub fn owner(tx: &ReadTx<'_>, name: Option<&str>) -> Result<OperatorId, Error> {
    let db = tx.db;
    if let Some(name) = name {
        let unknown = || Error::field("owner", Reason::OperatorUnknown { name: name.to_owned() });
        return find(tx, name).map(|operator| operator.id).map_err(|_| unknown());
    }
    if let Some(own) = authz::visible_owner(tx.actor)? {
        return Ok(own);
    }
    if let [seller] = operators::sellers(db)?.as_slice() {
        return Ok(*seller);
    }
    let all = operators::list(db)?;
    let administrators: Vec<_> = all.iter().filter(|operator| operator.role == Role::Administrator).collect();
    match (all.as_slice(), administrators.as_slice()) {
        ([], _) => Err(Error::field("owner", Reason::NoOperators)),
        ([only], _) | (_, &[only]) => Ok(only.id),
        _ => Err(Error::field("owner", Reason::WhichOwner)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::test_support::{administrator, database, host, operator};
    use crate::services::{Principal, Session};

    #[test]
    fn an_operator_is_added_once_and_with_a_proper_name() {
        let (_dir, db) = database();
        let session = administrator();
        let add = |name: &'static str| session.write(&db, move |tx| super::add(tx, name, Role::Operator, "hash"));
        add("anna").unwrap();
        for name in ["anna", "Anna", "ANNA", "an\u{200b}na", "CLI", "", "an:na", "cli", "a b"] {
            assert!(matches!(add(name), Err(Error::Invalid(_))), "{name:?}");
        }
        let names: Vec<_> = session.read(&db, list).unwrap().into_iter().map(|operator| operator.name).collect();
        assert_eq!(names, ["anna"]);
    }

    #[test]
    fn the_only_operator_owns_what_is_added_and_several_must_be_named() {
        let (_dir, db) = database();
        let session = administrator();
        assert!(session.read(&db, |tx| owner(tx, None)).is_err());
        let anna = operator(&db, "anna");
        assert_eq!(session.read(&db, |tx| owner(tx, None)), Ok(anna));
        let bert = operator(&db, "bert");
        assert!(session.read(&db, |tx| owner(tx, None)).is_err());
        assert_eq!(session.read(&db, |tx| owner(tx, Some("bert"))), Ok(bert));
        assert!(session.read(&db, |tx| owner(tx, Some("carl"))).is_err());
    }

    #[test]
    fn what_an_administrator_adds_belongs_to_the_one_whose_hosts_it_is_to_sell() {
        let (_dir, db) = database();
        let session = administrator();
        session.write(&db, |tx| add(tx, "boss", Role::Administrator, "hash")).unwrap();
        let anna = operator(&db, "anna");
        assert_ne!(session.read(&db, |tx| owner(tx, None)), Ok(anna));
        host(&db, "anna", "203.0.113.7", &[]);
        assert_eq!(session.read(&db, |tx| owner(tx, None)), Ok(anna));
        operator(&db, "bert");
        host(&db, "bert", "203.0.113.8", &[]);
        assert_ne!(session.read(&db, |tx| owner(tx, None)), Ok(anna));
    }

    #[test]
    fn an_operator_changes_no_password_but_their_own() {
        let (_dir, db) = database();
        let anna = operator(&db, "anna");
        operator(&db, "bert");
        let session = Session { by: Principal::Operator(anna, "anna".to_owned()), now: administrator().now };
        let set = |name: &'static str| session.write(&db, move |tx| set_password(tx, name, "new", None));
        assert_eq!(set("anna"), Ok(()));
        assert_eq!(set("bert"), Err(Error::NotFound));
        assert_eq!(session.read(&db, list).unwrap().len(), 1);
    }
}
