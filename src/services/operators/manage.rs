//! The people who run the shop or own hosts and nodes in it.

use crate::domain::id::OperatorId;
use crate::domain::operator::{Operator, Role, name_error};
use crate::services::{Act, Error};
use crate::store::{Connection, operators};

/// Adds an operator; `password_hash` comes from [`super::passwords::hash`].
///
/// # Errors
/// [`Error::Invalid`] for a name that can't be one or is taken.
pub fn add(db: &Connection, act: &Act, name: &str, role: Role, password_hash: &str) -> Result<OperatorId, Error> {
    act.needs_administrator()?;
    if let Some(message) = name_error(name) {
        return Err(Error::field("name", message));
    }
    // Who reads a log must not take one for the other; those who are there already go on as they are.
    let is_like = |operator: &Operator| operator.name.to_lowercase() == name.to_lowercase();
    if let Some(like) = operators::list(db)?.into_iter().find(is_like) {
        return Err(Error::field("name", format!("There is already an operator {:?}.", like.name)));
    }
    let id = operators::insert(db, name, role, password_hash, act.now)?;
    act.record(db, "operator", name, &format!("added as {}", role.name()))?;
    Ok(id)
}

/// All operators; an operator who is no administrator sees only themselves.
pub fn list(db: &Connection, act: &Act) -> Result<Vec<Operator>, Error> {
    let mut all = operators::list(db)?;
    if let Some(own) = act.sees()? {
        all.retain(|operator| operator.id == own);
    }
    Ok(all)
}

/// Replaces a password: an administrator anybody's, an operator their own.
///
/// # Errors
/// [`Error::NotFound`].
pub fn set_password(db: &Connection, act: &Act, name: &str, password_hash: &str) -> Result<(), Error> {
    let operator = find(db, act, name)?;
    operators::set_password_hash(db, operator.id, password_hash, act.now)?;
    act.record(db, "operator", name, "password set")
}

fn find(db: &Connection, act: &Act, name: &str) -> Result<Operator, Error> {
    let operator = operators::by_name(db, name)?.ok_or(Error::NotFound)?;
    if act.sees()?.is_none_or(|own| own == operator.id) { Ok(operator) } else { Err(Error::NotFound) }
}

/// Whose a new host or node is: the named operator; without a name the one who acts, or for an
/// administrator the only operator that there is, or else the only administrator.
///
/// # Errors
/// [`Error::Invalid`] under `owner`, saying what to do.
pub fn owner(db: &Connection, act: &Act, name: Option<&str>) -> Result<OperatorId, Error> {
    if let Some(name) = name {
        let unknown = || Error::field("owner", format!("There is no operator {name:?}: see `operator list`."));
        return find(db, act, name).map(|operator| operator.id).map_err(|_| unknown());
    }
    if let Some(own) = act.sees()? {
        return Ok(own);
    }
    let all = operators::list(db)?;
    let administrators: Vec<_> = all.iter().filter(|operator| operator.role == Role::Administrator).collect();
    match (all.as_slice(), administrators.as_slice()) {
        ([], _) => Err(Error::field("owner", "Add an operator first: `operator add NAME --role administrator`.")),
        ([only], _) | (_, &[only]) => Ok(only.id),
        _ => Err(Error::field("owner", "There are several operators: name the owner.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::test_support::{administrator, database, operator};

    #[test]
    fn an_operator_is_added_once_and_with_a_proper_name() {
        let (_dir, db) = database();
        let act = administrator();
        let add = |name: &'static str| {
            let act = act.clone();
            db.write_blocking(move |db| super::add(db, &act, name, Role::Operator, "hash"))
        };
        add("anna").unwrap();
        for name in ["anna", "Anna", "ANNA", "an\u{200b}na", "CLI", "", "an:na", "cli", "a b"] {
            assert!(matches!(add(name), Err(Error::Invalid(_))), "{name:?}");
        }
        let names: Vec<_> = db.read(|db| list(db, &act)).unwrap().into_iter().map(|operator| operator.name).collect();
        assert_eq!(names, ["anna"]);
    }

    #[test]
    fn the_only_operator_owns_what_is_added_and_several_must_be_named() {
        let (_dir, db) = database();
        let act = administrator();
        assert!(db.read(|db| owner(db, &act, None)).is_err());
        let anna = operator(&db, "anna");
        assert_eq!(db.read(|db| owner(db, &act, None)), Ok(anna));
        let bert = operator(&db, "bert");
        assert!(db.read(|db| owner(db, &act, None)).is_err());
        assert_eq!(db.read(|db| owner(db, &act, Some("bert"))), Ok(bert));
        assert!(db.read(|db| owner(db, &act, Some("carl"))).is_err());
    }

    #[test]
    fn an_operator_changes_no_password_but_their_own() {
        let (_dir, db) = database();
        let anna = operator(&db, "anna");
        operator(&db, "bert");
        let act = Act { by: crate::services::Scope::Operator(anna, "anna".to_owned()), now: administrator().now };
        let set = |name: &'static str| {
            let act = act.clone();
            db.write_blocking(move |db| set_password(db, &act, name, "new"))
        };
        assert_eq!(set("anna"), Ok(()));
        assert_eq!(set("bert"), Err(Error::NotFound));
        assert_eq!(db.read(|db| list(db, &act)).unwrap().len(), 1);
    }
}
