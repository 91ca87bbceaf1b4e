//! Second factors of operators: the secret that codes are made from, and recovery codes.

use rusqlite::{Connection, params};

use super::audit_log::Author;
use super::db::StoreError;
use crate::domain::id::OperatorId;

/// The second factor of an operator, as it is stored.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
pub struct SecondFactor {
    /// What codes are made from; `None` without a second factor.
    pub secret: Option<Vec<u8>>,
    /// A new one, of which no code was shown yet.
    pub asked: Option<Vec<u8>>,
    /// The last step of time whose code was used.
    pub last_step: i64,
}

/// That of an operator who is there.
pub fn get(db: &Connection, operator: OperatorId) -> Result<SecondFactor, StoreError> {
    let mut statement = db.prepare_cached("SELECT totp_secret, totp_asked, totp_step FROM operator WHERE id = ?")?;
    Ok(statement.query_row([operator], |row| {
        Ok(SecondFactor { secret: row.get(0)?, asked: row.get(1)?, last_step: row.get(2)? })
    })?)
}

/// Keeps a new secret until a code of it is shown.
pub fn ask(db: &Connection, operator: OperatorId, secret: &[u8], _author: Author<'_>) -> Result<(), StoreError> {
    db.execute("UPDATE operator SET totp_asked = ?2 WHERE id = ?1", params![operator, secret])?;
    Ok(())
}

/// The secret that was asked for is the one from here on, with these recovery codes; `step` is used.
pub fn enable(
    db: &Connection,
    operator: OperatorId,
    step: i64,
    recovery: &[[u8; 32]],
    author: Author<'_>,
) -> Result<(), StoreError> {
    let sql = "UPDATE operator SET totp_secret = totp_asked, totp_asked = NULL, totp_step = ?2, modified_at = ?3 \
               WHERE id = ?1 AND totp_asked IS NOT NULL";
    db.execute(sql, params![operator, step, author.at()])?;
    db.execute("DELETE FROM recovery_code WHERE operator_id = ?", [operator])?;
    let mut statement = db.prepare_cached("INSERT INTO recovery_code (hash, operator_id) VALUES (?, ?)")?;
    for hash in recovery {
        statement.execute(params![hash.as_slice(), operator])?;
    }
    Ok(())
}

/// Takes the second factor away.
pub fn disable(db: &Connection, operator: OperatorId, author: Author<'_>) -> Result<(), StoreError> {
    let sql = "UPDATE operator SET totp_secret = NULL, totp_asked = NULL, modified_at = ?2 WHERE id = ?1";
    db.execute(sql, params![operator, author.at()])?;
    db.execute("DELETE FROM recovery_code WHERE operator_id = ?", [operator])?;
    Ok(())
}

/// Notes that the code of a step was used: it is not taken again.
pub fn use_step(db: &Connection, operator: OperatorId, step: i64) -> Result<(), StoreError> {
    db.execute("UPDATE operator SET totp_step = ?2 WHERE id = ?1", params![operator, step])?;
    Ok(())
}

/// Uses a recovery code up; whether there was one.
pub fn use_recovery_code(db: &Connection, operator: OperatorId, hash: &[u8; 32]) -> Result<bool, StoreError> {
    let sql = "DELETE FROM recovery_code WHERE hash = ?2 AND operator_id = ?1";
    Ok(db.execute(sql, params![operator, hash.as_slice()])? == 1)
}

/// How many recovery codes are left.
pub fn recovery_codes(db: &Connection, operator: OperatorId) -> Result<u32, StoreError> {
    let mut statement = db.prepare_cached("SELECT count(*) FROM recovery_code WHERE operator_id = ?")?;
    Ok(statement.query_row([operator], |row| row.get(0))?)
}
