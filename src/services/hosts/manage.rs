//! What operators do with their hosts: add, change, list, and give them new tokens.

mod ranges;

use sha2::{Digest, Sha256};

pub use ranges::Span;

use super::{catalog, sweep};
use crate::domain::host::{Host, PortRange};
use crate::domain::host_rules;
use crate::domain::host_rules::HostChange;
use crate::domain::id::{HostId, Random};
use crate::domain::texts::Reason;
use crate::services::operators::manage;
use crate::services::{Error, ReadTx, Tx, authz};
use crate::store::audit_log;
use crate::store::audit_log::Entry;
pub use crate::store::presence::Change;
use crate::store::{Connection, deals, host_tokens, hosts, presence, reservations};

/// So many changes of whether a host is there are shown.
const MOST_CHANGES: u32 = 200;

/// A host to be added.
#[derive(Clone, Default)]
pub struct NewHost {
    /// Its settings; what is not given has its default.
    pub change: HostChange,
    /// Its ports.
    pub ranges: Vec<Span>,
    /// The name of its operator; see [`manage::owner`].
    pub owner: Option<String>,
    /// The id that it had in an old shop.
    pub id: Option<HostId>,
    /// The token that it had in an old shop.
    pub token: Option<String>,
}

/// A host as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostView {
    /// Its record.
    pub host: Host,
    /// Its ports.
    pub ranges: Vec<PortRange>,
    /// The name of its operator.
    pub owner: String,
    /// Ports that are set aside, since something answers there that is not in the database.
    pub set_aside: Vec<u16>,
}

/// A host that was just added.
pub struct Added {
    /// Its record.
    pub host: Host,
    /// Its token: the only time that it can be seen.
    pub token: String,
    /// What keeps buyers away from it.
    pub warnings: Vec<String>,
}

/// Adds a host.
///
/// # Errors
/// [`Error::Invalid`] by field; overlapping ranges under `port_range`.
pub fn add(tx: &Tx<'_>, random: &dyn Random, new: NewHost) -> Result<Added, Error> {
    let db = tx.db;
    let owner_id = manage::owner(tx, new.owner.as_deref())?;
    let mut host = Host::new(new.id.unwrap_or_else(|| HostId(random.uuid())), owner_id, tx.now);
    new.change.apply(&mut host);
    check(&host)?;
    if hosts::exists(db, host.id)? {
        return Err(Error::field("id", Reason::HostKnown { id: host.id.to_string() }));
    }
    let token = match new.token {
        Some(token) => checked_token(token)?,
        None => new_token(random),
    };
    let token_hash = hash_token(&token);
    if host_tokens::owner(db, &token_hash, tx.now)?.is_some() {
        return Err(Error::field("token", Reason::TokenKnown));
    }
    hosts::insert(db, &host, &token_hash, tx.author())?;
    ranges::replace(db, &host, &new.ranges)?;
    if new.id.is_some() && deals::any_restored(db)? {
        // The backup was made before it was added for the first time: what it sold is not known.
        sweep::doubt(db, &host, tx.now)?;
        host.unswept_since = Some(tx.now);
    }
    tx.record("host", host.id, &format!("added: {} at {}", host.name, host.ip))?;
    let warnings = host_rules::warnings(&host, &hosts::ranges(db, host.id)?);
    Ok(Added { host, token, warnings })
}

/// Changes a host. `spans` replaces the ranges of the kinds that occur in it; ports in use stay in
/// use. Returns what changed and what keeps buyers away.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] by field.
pub fn set(
    tx: &Tx<'_>,
    id: HostId,
    change: HostChange,
    spans: &[Span],
    owner: Option<&str>,
) -> Result<(Vec<String>, Vec<String>), Error> {
    let db = tx.db;
    let before = visible(tx, id)?;
    let mut host = Host { modified_at: tx.now, ..before.clone() };
    let mut changed = change.apply(&mut host);
    if let Some(name) = owner {
        host.owner_id = manage::owner(tx, Some(name))?;
        if host.owner_id != before.owner_id {
            changed.push(format!("owner {}->{}", before.owner_id.0, host.owner_id.0));
        }
    }
    check(&host)?;
    hosts::update(db, &host, tx.author())?;
    if host.ip != before.ip {
        ranges::move_ports(db, &host, &before.ip)?;
    }
    changed.extend(ranges::replace(db, &host, spans)?);
    for change in &changed {
        tx.record("host", id, change)?;
    }
    Ok((changed, host_rules::warnings(&host, &hosts::ranges(db, id)?)))
}

/// Gives a host to another operator: from then on its orders are paid to their nodes. For administrators.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] under `owner`.
pub fn give(tx: &Tx<'_>, id: HostId, owner: &str) -> Result<HostView, Error> {
    authz::needs_administrator(tx.actor)?;
    set(tx, id, HostChange::default(), &[], Some(owner))?;
    show(tx, id)
}

/// Removes a host; its record stays, since what it has sold names it.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] while something stands on it that is not deleted, or money is owed: it is
/// drained first.
pub fn remove(tx: &Tx<'_>, id: HostId) -> Result<(), Error> {
    catalog::bury(tx, &visible(tx, id)?)
}

/// Gives a host one more range of ports, and returns the host.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for a range that is none or overlaps another on the address.
pub fn add_range(tx: &Tx<'_>, id: HostId, span: Span) -> Result<HostView, Error> {
    let host = visible(tx, id)?;
    tx.record("host", id, &ranges::add(tx.db, &host, span)?)?;
    view(tx.db, host)
}

/// Takes a range of ports from a host, and returns the host; ports in use in it stay in use.
///
/// # Errors
/// [`Error::NotFound`].
pub fn remove_range(tx: &Tx<'_>, id: HostId, range: i64) -> Result<HostView, Error> {
    let host = visible(tx, id)?;
    tx.record("host", id, &ranges::remove(tx.db, &host, range)?)?;
    view(tx.db, host)
}

/// When a host came and went, newest first, as far as it is stored.
///
/// # Errors
/// [`Error::NotFound`].
pub fn presence(tx: &ReadTx<'_>, id: HostId) -> Result<Vec<Change>, Error> {
    let host = visible(tx, id)?;
    Ok(presence::of(tx.db, host.id, MOST_CHANGES)?)
}

/// What the host's scripts are to be told, to be pasted into their file; without a token, where it is to stand.
///
/// # Errors
/// [`Error::NotFound`].
pub fn block(tx: &ReadTx<'_>, id: HostId, token: Option<&str>) -> Result<String, Error> {
    let host = visible(tx, id)?;
    let site = catalog::site(tx.db)?;
    let is_plain = site.domain.ends_with(".onion") || site.domain.contains(':') || site.domain.starts_with("127.");
    let scheme = if is_plain { "http" } else { "https" };
    let token = token.unwrap_or("(the token was shown once; make a new one if it is lost)");
    Ok(format!("IP2TOR_SHOP_URL={scheme}://{}\nIP2TOR_HOST_ID={}\nIP2TOR_HOST_TOKEN={token}\n", site.domain, host.id))
}

/// Its operator has swept the host: no forward stands on it that the shop does not know. Returns what changed.
///
/// # Errors
/// [`Error::NotFound`].
pub fn swept(tx: &Tx<'_>, id: HostId) -> Result<Option<String>, Error> {
    let host = visible(tx, id)?;
    let changed = sweep::swept(tx, &host)?;
    if let Some(change) = &changed {
        tx.record("host", id, change)?;
    }
    Ok(changed)
}

/// The hosts that the one who asks may see, in the order of their addresses.
pub fn list(tx: &ReadTx<'_>) -> Result<Vec<HostView>, Error> {
    let db = tx.db;
    hosts::list(db, authz::visible_owner(tx.actor)?)?.into_iter().map(|host| view(db, host)).collect()
}

/// A page of [`list`]: the hosts behind the one of this id, so many at most.
pub fn page(tx: &ReadTx<'_>, after: Option<HostId>, limit: u32) -> Result<Vec<HostView>, Error> {
    let found = hosts::page(tx.db, authz::visible_owner(tx.actor)?, after, limit)?;
    found.into_iter().map(|host| view(tx.db, host)).collect()
}

/// One host.
///
/// # Errors
/// [`Error::NotFound`].
pub fn show(tx: &ReadTx<'_>, id: HostId) -> Result<HostView, Error> {
    let db = tx.db;
    view(db, visible(tx, id)?)
}

/// What happened to a host, oldest first.
///
/// # Errors
/// [`Error::NotFound`].
pub fn history(tx: &ReadTx<'_>, id: HostId) -> Result<Vec<Entry>, Error> {
    let db = tx.db;
    let host = visible(tx, id)?;
    Ok(audit_log::of(db, &host.id.to_string())?)
}

/// Gives a host a new token. The old ones work until the newest was used, each for a day at most after it was replaced:
/// scripts that are refused in between may take everything down. With `at_once` they end here.
///
/// # Errors
/// [`Error::NotFound`].
pub fn rotate_token(tx: &Tx<'_>, random: &dyn Random, id: HostId, at_once: bool) -> Result<String, Error> {
    let db = tx.db;
    visible(tx, id)?;
    let token = new_token(random);
    host_tokens::replace(db, id, &hash_token(&token), tx.author())?;
    if at_once {
        host_tokens::end_former(db, id)?;
    }
    tx.record("host", id, if at_once { "token replaced at once" } else { "token replaced" })?;
    Ok(token)
}

/// How tokens are stored: 160 random bits need no salt and no slow hash.
pub fn hash_token(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn visible(tx: &ReadTx<'_>, id: HostId) -> Result<Host, Error> {
    let db = tx.db;
    let host = hosts::get(db, id)?.ok_or(Error::NotFound)?;
    authz::needs_owner(tx.actor, host.owner_id)?;
    Ok(host)
}

fn view(db: &Connection, host: Host) -> Result<HostView, Error> {
    let owner = crate::store::operators::get(db, host.owner_id)?.map_or_else(String::new, |owner| owner.name);
    Ok(HostView { ranges: hosts::ranges(db, host.id)?, set_aside: reservations::set_aside(db, &host)?, owner, host })
}

fn check(host: &Host) -> Result<(), Error> {
    let errors = host_rules::errors(host);
    if errors.is_empty() {
        return Ok(());
    }
    Err(Error::Invalid(errors))
}

fn new_token(random: &dyn Random) -> String {
    let mut bytes = [0; 20];
    random.fill(&mut bytes);
    hex::encode(bytes)
}

fn checked_token(token: String) -> Result<String, Error> {
    let fits = token.len() == 40 && token.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'));
    if fits { Ok(token) } else { Err(Error::field("token", Reason::NoHostToken)) }
}

#[cfg(test)]
mod tests;
