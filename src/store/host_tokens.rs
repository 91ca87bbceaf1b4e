//! Whose a host's token is, and for how long one that was replaced goes on to work.

use rusqlite::{Connection, OptionalExtension, params};

use super::audit_log::Author;
use super::db::StoreError;
use crate::domain::id::HostId;
use crate::domain::time::Timestamp;

/// A token that was replaced works for so long, if the newest one is not used before. Seconds.
const FORMER_SECS: i64 = 86_400;
/// So many of the last tokens that were replaced are kept, besides the first one, which the host had.
const KEPT: i64 = 3;

pub(super) const BY_FORMER: &str = "SELECT f.host_id, f.replaced_at FROM former_token f JOIN host h ON h.id = f.host_id \
    WHERE f.hash = ? AND h.deleted_at IS NULL";

/// Whose token it is.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenOwner {
    pub host: HostId,
    /// Whether it is the present token of a host that has former ones.
    pub ends_former: bool,
}

/// The host that owns the token with this SHA-256, present or former.
pub fn owner(db: &Connection, hash: &[u8; 32], now: Timestamp) -> Result<Option<TokenOwner>, StoreError> {
    let sql = "SELECT id, EXISTS (SELECT 1 FROM former_token WHERE host_id = host.id) FROM host \
               WHERE token_hash = ? AND deleted_at IS NULL";
    let present = db
        .prepare_cached(sql)?
        .query_row([hash.as_slice()], |row| Ok(TokenOwner { host: row.get(0)?, ends_former: row.get(1)? }))
        .optional()?;
    if present.is_some() {
        return Ok(present);
    }
    let former = db
        .prepare_cached(BY_FORMER)?
        .query_row([hash.as_slice()], |row| Ok((row.get(0)?, row.get::<_, Timestamp>(1)?)))
        .optional()?;
    let works = |at: Timestamp| at.is_within(FORMER_SECS, now);
    Ok(former.filter(|(_, at)| works(*at)).map(|(host, _)| TokenOwner { host, ends_former: false }))
}

/// Replaces the token. Which one the host has by now nobody knows: the one that it had, or any that was made since.
pub fn replace(db: &Connection, host: HostId, hash: &[u8; 32], author: Author<'_>) -> Result<(), StoreError> {
    let now = author.at();
    let over = now.plus_secs(-FORMER_SECS);
    db.execute("DELETE FROM former_token WHERE host_id = ? AND replaced_at <= ?", params![host, over])?;
    db.execute(
        "INSERT INTO former_token (hash, host_id, replaced_at) SELECT token_hash, id, ?2 FROM host WHERE id = ?1",
        params![host, now],
    )?;
    db.execute(
        "DELETE FROM former_token WHERE host_id = ?1 AND seq > (SELECT min(seq) FROM former_token WHERE host_id = ?1) \
         AND seq NOT IN (SELECT seq FROM former_token WHERE host_id = ?1 ORDER BY seq DESC LIMIT ?2)",
        params![host, KEPT],
    )?;
    let sql = "UPDATE host SET token_hash = ?2, modified_at = ?3 WHERE id = ?1";
    db.execute(sql, params![host, hash.as_slice(), now])?;
    Ok(())
}

/// From here on only the present token works.
pub fn end_former(db: &Connection, host: HostId) -> Result<(), StoreError> {
    db.execute("DELETE FROM former_token WHERE host_id = ?", [host])?;
    Ok(())
}
