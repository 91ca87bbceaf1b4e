//! Sessions: what a browser shows instead of a name and a password once somebody has signed in.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::keys;
use crate::domain::account::{Session, USE_STAMP_SECS};
use crate::domain::id::{OperatorId, Random};
use crate::domain::operator::Operator;
use crate::domain::text::for_line;
use crate::services::{Error, ReadTx, Shop, Tx, authz};
use crate::store::{operators, sessions};

/// Sessions of one operator; with more the oldest ends.
const MOST: u32 = 20;
/// What is kept of how a browser calls itself, in characters.
const AGENT_CHARS: usize = 200;

/// A session that has just begun.
#[derive(Debug)]
pub struct NewSession {
    /// Its number.
    pub id: i64,
    /// What the browser shows; not stored, and never told again.
    pub key: String,
}

/// From where somebody signs in.
#[derive(Clone, Debug)]
pub struct Place {
    /// Address or circuit.
    pub client: String,
    /// What the browser calls itself.
    pub agent: String,
}

/// Begins a session of somebody who has shown who they are.
///
/// # Errors
/// Those of the database.
pub fn begin(tx: &Tx<'_>, random: &dyn Random, operator: OperatorId, place: &Place) -> Result<NewSession, Error> {
    sessions::delete_ended(tx.db, tx.now)?;
    let key = keys::generate(random);
    let agent: String = for_line(&place.agent).chars().take(AGENT_CHARS).collect();
    let id = sessions::insert(tx.db, &keys::hash(&key), operator, (&place.client, &agent), tx.now, MOST)?;
    Ok(NewSession { id, key })
}

/// Who has signed in with this key, if its session is open and they still may.
///
/// # Errors
/// Those of the database.
pub async fn find(shop: &Shop, key: &str) -> Result<Option<(Session, Operator)>, Error> {
    let (hash, now) = (keys::hash(key), shop.now());
    let found = shop.db.read(|db| {
        let Some(session) = sessions::by_hash(db, &hash)?.filter(|session| session.is_open(now)) else {
            return Ok::<_, Error>(None);
        };
        let operator = operators::get(db, session.operator)?.filter(|operator| operator.disabled_at.is_none());
        Ok(operator.map(|operator| (session, operator)))
    })?;
    if let Some((session, _)) = &found
        && !session.used_at.is_within(USE_STAMP_SECS, now)
    {
        let id = session.id;
        shop.db.write(move |db| Ok::<_, Error>(sessions::stamp(db, id, now)?)).await?;
    }
    Ok(found)
}

/// What a page shows with each change, beside the cookie, which browsers add by themselves.
pub fn csrf_token(key: &str) -> String {
    let digest = Sha256::new_with_prefix(b"csrf ").chain_update(key).finalize();
    HEXLOWER.encode(&digest[..16])
}

/// Open sessions, newest first: an administrator sees everybody's, an operator their own.
///
/// # Errors
/// [`Error::NotFound`] for others.
pub fn list(tx: &ReadTx<'_>) -> Result<Vec<Session>, Error> {
    let mut all = sessions::list(tx.db, authz::visible_owner(tx.actor)?)?;
    all.retain(|session| session.is_open(tx.now));
    Ok(all)
}

/// Ends a session: an administrator anybody's, an operator their own.
///
/// # Errors
/// [`Error::NotFound`].
pub fn end(tx: &Tx<'_>, id: i64) -> Result<(), Error> {
    let session = sessions::get(tx.db, id)?.ok_or(Error::NotFound)?;
    authz::needs_owner(tx.actor, session.operator)?;
    Ok(sessions::delete(tx.db, id)?)
}

/// Ends the session with this key, if there is one: whoever has it may.
///
/// # Errors
/// Those of the database.
pub fn end_with_key(tx: &Tx<'_>, key: &str) -> Result<(), Error> {
    match sessions::by_hash(tx.db, &keys::hash(key))? {
        Some(session) => Ok(sessions::delete(tx.db, session.id)?),
        None => Ok(()),
    }
}

/// Ends all sessions of an operator but one; how many there were.
///
/// # Errors
/// [`Error::NotFound`] where they are somebody else's.
pub fn end_all(tx: &Tx<'_>, operator: OperatorId, but: Option<i64>) -> Result<usize, Error> {
    authz::needs_owner(tx.actor, operator)?;
    Ok(sessions::delete_of(tx.db, operator, but)?)
}
