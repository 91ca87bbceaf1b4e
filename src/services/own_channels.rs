//! Channels of an operator's own, on which they are told of what concerns them. Their secrets are stored, and shown to
//! nobody.

use super::{Error, ReadTx, Tx, authz};
use crate::domain::alert_channel::{ChannelRules, OwnChannel};
use crate::domain::id::OperatorId;
use crate::domain::principal::Principal;
use crate::domain::texts::Reason;
use crate::services::operators::authenticate;
use crate::store::alert_channels::{self, Own};
use crate::store::operators;

pub use crate::store::alert_channels::ChannelState;

/// So many may one operator have.
const MOST: usize = 5;
/// An operator tries a channel no more often: each try goes to a server that they have chosen. Seconds.
const TEST_PAUSE_SECS: i64 = 30;

/// Where messages of an operator's own channel are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The channel.
    pub channel: OwnChannel,
    /// Whether its owner is an administrator, who may name servers in the shop's own network.
    pub is_administrators: bool,
}

/// Adds a channel, which whoever runs beside the answers has found good.
///
/// # Errors
/// [`Error::NotFound`] for another operator's, [`Error::Conflict`] with too many.
pub fn add(tx: &Tx<'_>, owner: OperatorId, channel: &OwnChannel, rules: ChannelRules) -> Result<ChannelState, Error> {
    authz::needs_owner(tx.actor, owner)?;
    let is_theirs = |state: &ChannelState| state.own.as_ref().is_some_and(|own| own.owner == owner);
    if alert_channels::list(tx.db)?.iter().filter(|state| is_theirs(state)).count() >= MOST {
        return Err(Error::Conflict(Reason::TooManyChannels { most: MOST }.into()));
    }
    let name = alert_channels::add_own(tx.db, owner, channel, rules, tx.author())?;
    tx.record("alert_channel", &name, &format!("added: {} to {}", channel.kind.name(), channel.place()))?;
    find(tx, &name)
}

/// Removes a channel: an administrator anybody's, an operator their own.
///
/// # Errors
/// [`Error::NotFound`], also for one of the configuration.
pub fn remove(tx: &Tx<'_>, name: &str) -> Result<(), Error> {
    let state = find(tx, name)?;
    state.own.ok_or(Error::NotFound)?;
    alert_channels::remove_own(tx.db, name, tx.author())?;
    tx.record("alert_channel", name, "removed")
}

/// A channel: administrators find all, operators their own.
///
/// # Errors
/// [`Error::NotFound`].
pub fn find(tx: &ReadTx<'_>, name: &str) -> Result<ChannelState, Error> {
    let state = alert_channels::get(tx.db, name)?.ok_or(Error::NotFound)?;
    match &state.own {
        Some(own) => authz::needs_owner(tx.actor, own.owner)?,
        None => authz::needs_administrator(tx.actor)?,
    }
    Ok(state)
}

/// Channels: an administrator sees everybody's and those of the configuration, an operator their own.
///
/// # Errors
/// [`Error::NotFound`] for others.
pub fn list(tx: &ReadTx<'_>) -> Result<Vec<ChannelState>, Error> {
    let mut all = alert_channels::list(tx.db)?;
    if let Some(owner) = authz::visible_owner(tx.actor)? {
        all.retain(|state| state.own.as_ref().is_some_and(|own| own.owner == owner));
    }
    Ok(all)
}

/// Where a test of a channel goes, `None` for one of the configuration.
///
/// # Errors
/// [`Error::NotFound`] for one of somebody else; [`Error::Conflict`] for an operator who has just tried it.
pub fn to_test(tx: &ReadTx<'_>, name: &str) -> Result<Option<Destination>, Error> {
    if alert_channels::get(tx.db, name)?.is_none() {
        // The shop has not been started since it was configured.
        return authz::needs_administrator(tx.actor).map(|()| None);
    }
    let state = find(tx, name)?;
    let Some(own) = &state.own else { return Ok(None) };
    let is_recent = [state.sent_at, state.failed_at].iter().flatten().any(|at| at.is_within(TEST_PAUSE_SECS, tx.now));
    if is_recent && authz::needs_administrator(tx.actor).is_err() {
        return Err(Error::Conflict(Reason::JustTried { secs: TEST_PAUSE_SECS }.into()));
    }
    destination(tx, own)?.map(Some).ok_or(Error::NotFound)
}

/// Where messages go, `None` while the owner may not sign in.
///
/// # Errors
/// Those of the database.
pub fn destination(tx: &ReadTx<'_>, own: &Own) -> Result<Option<Destination>, Error> {
    let owner = owner(tx, own)?;
    Ok(owner.map(|owner| Destination {
        channel: own.channel.clone(),
        is_administrators: authz::needs_administrator(&owner).is_ok(),
    }))
}

/// Whose a channel is, as what they may see and change; `None` while they may not sign in.
///
/// # Errors
/// Those of the database.
pub fn owner(tx: &ReadTx<'_>, own: &Own) -> Result<Option<Principal>, Error> {
    let operator = operators::get(tx.db, own.owner)?.filter(|operator| operator.disabled_at.is_none());
    Ok(operator.as_ref().map(authenticate::principal))
}

/// A channel in words, for those who read of it.
///
/// # Errors
/// Those of the database.
pub fn label(tx: &ReadTx<'_>, name: &str) -> Result<String, Error> {
    let Some(own) = alert_channels::get(tx.db, name)?.and_then(|state| state.own) else { return Ok(name.to_owned()) };
    let operator = operators::get(tx.db, own.owner)?.map_or_else(|| "nobody".to_owned(), |operator| operator.name);
    Ok(format!("{name} ({} of {operator})", own.channel.kind.name()))
}

#[cfg(test)]
mod tests;
