//! The first administrator, made in a browser: behind a link that works once, for a while, as long as there is none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::sessions::{self, NewSession, Place};
use super::{keys, manage};
use crate::domain::account::SETUP_SECS;
use crate::domain::id::Random;
use crate::domain::operator::{Operator, Role};
use crate::domain::texts::Message;
use crate::services::{Error, ReadTx, Tx, authz};
use crate::store::{operators, setup_links};

/// Whether there is no administrator who may sign in.
///
/// # Errors
/// Those of the database.
pub fn is_needed(tx: &ReadTx<'_>) -> Result<bool, Error> {
    Ok(!operators::has_administrator(tx.db)?)
}

/// Makes the key of a new link, in place of any other; `None` once there is an administrator.
///
/// # Errors
/// [`Error::NotFound`] for anybody but the command line and the shop itself.
pub fn new_link(tx: &Tx<'_>, random: &dyn Random) -> Result<Option<String>, Error> {
    authz::needs_administrator(tx.actor)?;
    if !is_needed(tx)? {
        setup_links::clear(tx.db)?;
        return Ok(None);
    }
    let key = keys::generate(random);
    setup_links::replace(tx.db, &keys::hash(&key), tx.now)?;
    Ok(Some(key))
}

/// The link to the page behind which the first administrator is made. The key stands where browsers send it to nobody.
pub fn link(admin: SocketAddr, key: &str) -> String {
    // What listens everywhere is asked on this machine.
    let host = match admin.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    format!("http://{}/admin/#setup={key}", SocketAddr::new(host, admin.port()))
}

/// From where the link can be opened, for people: a machine without a screen is reached through ssh.
pub fn from_where(admin: SocketAddr) -> String {
    if admin.ip().is_loopback() {
        let port = admin.port();
        format!(
            "on this machine (from another one: ssh -L {port}:127.0.0.1:{port} USER@THIS-MACHINE, and open it there)"
        )
    } else {
        "on this machine or from its local network".to_owned()
    }
}

/// Refuses a key that is none, or none any more.
///
/// # Errors
/// [`Error::Refused`] saying what to do.
pub fn check(tx: &ReadTx<'_>, key: &str) -> Result<(), Error> {
    if !is_needed(tx)? {
        return Err(Error::Refused(Message::HasAdministrator));
    }
    let made_at = setup_links::made_at(tx.db, &keys::hash(key))?;
    if made_at.is_some_and(|made| made.is_within(SETUP_SECS, tx.now)) {
        Ok(())
    } else {
        Err(Error::Refused(Message::SetupLinkOver))
    }
}

/// Makes the administrator and signs them in; the link is used up. `password_hash` comes from
/// [`super::passwords::hash_new`].
///
/// # Errors
/// As [`check`]; [`Error::Invalid`] for a name that can't be one.
pub fn make_administrator(
    tx: &mut Tx<'_>,
    random: &dyn Random,
    key: &str,
    (name, password_hash): (&str, &str),
    place: &Place,
) -> Result<(Operator, NewSession), Error> {
    check(tx, key)?;
    // Whoever has the link acts for the shop, which has printed it.
    let tx = tx.as_shop();
    let id = manage::add(&tx, name, Role::Administrator, password_hash)?;
    setup_links::clear(tx.db)?;
    let operator = operators::get(tx.db, id)?.ok_or(Error::NotFound)?;
    Ok((operator, sessions::begin(&tx, random, id, place)?))
}
