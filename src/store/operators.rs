//! Operators and the hashes of their passwords.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::audit_log::Author;
use super::db::StoreError;
use super::row::named;
use crate::domain::id::OperatorId;
use crate::domain::operator::{Operator, Role};
use crate::domain::time::Timestamp;

fn from_row(row: &Row<'_>) -> rusqlite::Result<Operator> {
    Ok(Operator {
        id: row.get("id")?,
        name: row.get("name")?,
        role: named(row, "role", Role::parse)?,
        disabled_at: row.get("disabled_at")?,
        has_second_factor: row.get_ref("totp_secret")? != ValueRef::Null,
        created_at: row.get("created_at")?,
        modified_at: row.get("modified_at")?,
    })
}

/// All operators, in the order in which they were added.
pub fn list(db: &Connection) -> Result<Vec<Operator>, StoreError> {
    let mut statement = db.prepare_cached("SELECT * FROM operator ORDER BY id")?;
    let rows = statement.query_map([], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Those who own a host or a node.
pub fn sellers(db: &Connection) -> Result<Vec<OperatorId>, StoreError> {
    let mut statement = db.prepare_cached("SELECT owner_id FROM host UNION SELECT operator_id FROM node")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The operator with this number.
pub fn get(db: &Connection, id: OperatorId) -> Result<Option<Operator>, StoreError> {
    Ok(db.prepare_cached("SELECT * FROM operator WHERE id = ?")?.query_row([id], from_row).optional()?)
}

/// The operator with this name.
pub fn by_name(db: &Connection, name: &str) -> Result<Option<Operator>, StoreError> {
    Ok(db.prepare_cached("SELECT * FROM operator WHERE name = ?")?.query_row([name], from_row).optional()?)
}

/// The operator with this name and the hash of their password.
pub fn with_password_hash(db: &Connection, name: &str) -> Result<Option<(Operator, String)>, StoreError> {
    let mut statement = db.prepare_cached("SELECT * FROM operator WHERE name = ?")?;
    let found = statement.query_row([name], |row| Ok((from_row(row)?, row.get("password_hash")?)));
    Ok(found.optional()?)
}

/// Stores a new operator.
pub fn insert(
    db: &Connection,
    name: &str,
    role: Role,
    password_hash: &str,
    author: Author<'_>,
) -> Result<OperatorId, StoreError> {
    db.execute(
        "INSERT INTO operator (name, role, password_hash, created_at, modified_at) VALUES (?1, ?2, ?3, ?4, ?4)",
        params![name, role.name(), password_hash, author.at()],
    )?;
    Ok(OperatorId(db.last_insert_rowid()))
}

/// Stores an operator of another shop under the number and since the time that they had there.
pub fn insert_as(
    db: &Connection,
    (id, name): (OperatorId, &str),
    role: Role,
    password_hash: &str,
    created_at: Timestamp,
    author: Author<'_>,
) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO operator (id, name, role, password_hash, created_at, modified_at) VALUES (?, ?, ?, ?, ?, ?)",
        params![id, name, role.name(), password_hash, created_at, author.at()],
    )?;
    Ok(())
}

/// Replaces the hash of a password.
pub fn set_password_hash(db: &Connection, id: OperatorId, hash: &str, author: Author<'_>) -> Result<(), StoreError> {
    db.execute(
        "UPDATE operator SET password_hash = ?2, modified_at = ?3 WHERE id = ?1",
        params![id, hash, author.at()],
    )?;
    Ok(())
}

/// Changes the role.
pub fn set_role(db: &Connection, id: OperatorId, role: Role, author: Author<'_>) -> Result<(), StoreError> {
    db.execute("UPDATE operator SET role = ?2, modified_at = ?3 WHERE id = ?1", params![id, role.name(), author.at()])?;
    Ok(())
}

/// Lets an operator sign in, or no longer.
pub fn set_enabled(db: &Connection, id: OperatorId, is_enabled: bool, author: Author<'_>) -> Result<(), StoreError> {
    let disabled_at = (!is_enabled).then_some(author.at());
    db.execute(
        "UPDATE operator SET disabled_at = ?2, modified_at = ?3 WHERE id = ?1",
        params![id, disabled_at, author.at()],
    )?;
    Ok(())
}

/// Whether there is an administrator who may sign in.
pub fn has_administrator(db: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM operator WHERE role = 'administrator' AND disabled_at IS NULL)";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}
