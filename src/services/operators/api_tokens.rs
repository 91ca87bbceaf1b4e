//! API tokens: what programs show instead of a name and a password. Each has a scope and an end.

use super::keys;
use crate::domain::account::{ApiToken, Scope, USE_STAMP_SECS};
use crate::domain::id::{OperatorId, Random};
use crate::domain::operator::Operator;
use crate::domain::text::is_plain_name;
use crate::domain::texts::Message;
use crate::services::{Error, ReadTx, Shop, Tx, authz};
use crate::store::{api_tokens, operators};

/// What they begin with, so that they are known for what they are where somebody has left one.
const PREFIX: &str = "ip2tor_";
/// Tokens of one operator.
const MOST: usize = 50;
/// The longest name, in characters.
const NAME_CHARS: usize = 100;
/// The longest life. Days.
pub const MOST_DAYS: u32 = 3650;

/// Makes a token of whoever acts; the text is told this once.
///
/// # Errors
/// [`Error::Invalid`] for a name or a number of days that can't be, [`Error::Conflict`] with too many.
pub fn make(
    tx: &Tx<'_>,
    random: &dyn Random,
    operator: OperatorId,
    (name, scope): (&str, Scope),
    days: u32,
) -> Result<(ApiToken, String), Error> {
    authz::needs_owner(tx.actor, operator)?;
    let length = name.chars().count();
    if length == 0 || length > NAME_CHARS || !is_plain_name(name) {
        return Err(Error::field("name", Message::TooLong { max: NAME_CHARS }));
    }
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Error::field("days", Message::AtMost { max: MOST_DAYS.into() }));
    }
    if api_tokens::list(tx.db, Some(operator))?.len() >= MOST {
        return Err(Error::Conflict(Message::TooManyTokens { most: MOST }));
    }
    let text = format!("{PREFIX}{}", keys::generate(random));
    let expires_at = tx.now.plus_secs(i64::from(days) * 86_400);
    let id = api_tokens::insert(tx.db, &keys::hash(&text), operator, (name, scope), expires_at, tx.author())?;
    tx.record("api token", id, &format!("made for {}: {name}", scope.name()))?;
    let token = api_tokens::get(tx.db, id)?.ok_or(Error::NotFound)?;
    Ok((token, text))
}

/// Whose this token is and what it may do, if it has not ended and they still may sign in.
///
/// # Errors
/// Those of the database.
pub async fn find(shop: &Shop, text: &str) -> Result<Option<(ApiToken, Operator)>, Error> {
    let (hash, now) = (keys::hash(text), shop.now());
    let found = shop.db.read(|db| {
        let Some(token) = api_tokens::by_hash(db, &hash)?.filter(|token| token.is_open(now)) else {
            return Ok::<_, Error>(None);
        };
        let operator = operators::get(db, token.operator)?.filter(|operator| operator.disabled_at.is_none());
        Ok(operator.map(|operator| (token, operator)))
    })?;
    if let Some((token, _)) = &found
        && !token.used_at.is_some_and(|used| used.is_within(USE_STAMP_SECS, now))
    {
        let id = token.id;
        shop.db.write(move |db| Ok::<_, Error>(api_tokens::stamp(db, id, now)?)).await?;
    }
    Ok(found)
}

/// Tokens, newest first: an administrator sees everybody's, an operator their own. Those that have ended are among them.
///
/// # Errors
/// [`Error::NotFound`] for others.
pub fn list(tx: &ReadTx<'_>) -> Result<Vec<ApiToken>, Error> {
    Ok(api_tokens::list(tx.db, authz::visible_owner(tx.actor)?)?)
}

/// Revokes a token: an administrator anybody's, an operator their own.
///
/// # Errors
/// [`Error::NotFound`].
pub fn revoke(tx: &Tx<'_>, id: i64) -> Result<(), Error> {
    let token = api_tokens::get(tx.db, id)?.ok_or(Error::NotFound)?;
    authz::needs_owner(tx.actor, token.operator)?;
    api_tokens::delete(tx.db, id, tx.author())?;
    tx.record("api token", id, "revoked")
}
