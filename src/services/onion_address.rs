//! The addresses of the shop's onion services, as the database remembers them. A key can be lost (another
//! nickname, another folder, a copied database): then the shop must not become another address without a word.

use super::{Error, Tx, authz};
use crate::store::{Connection, StoreError, meta};

/// One of the shop's onion services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The shop's own, for buyers and hosts.
    Public,
    /// The operators' own.
    Operators,
}

impl Service {
    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "the shop's onion service",
            Self::Operators => "the operators' onion service",
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::Public => "onion_address",
            Self::Operators => "onion_admin_address",
        }
    }
}

/// The address that the service has had since its first start: `<56 characters>.onion`.
pub fn remembered(db: &Connection, service: Service) -> Result<Option<String>, StoreError> {
    meta::text(db, service.key())
}

/// Remembers the address of a service that has none yet.
pub fn remember(tx: &Tx<'_>, service: Service, address: &str) -> Result<(), Error> {
    let db = tx.db;
    meta::set_text(db, service.key(), address)?;
    tx.record("onion", "onion", &format!("the address of {} is {address}", service.name()))
}

/// Forgets the address, so that the next start may make another one.
///
/// # Errors
/// [`Error::NotFound`] for anybody but an administrator.
pub fn forget(tx: &Tx<'_>, service: Service) -> Result<(), Error> {
    let db = tx.db;
    authz::needs_administrator(tx.actor)?;
    let Some(address) = remembered(db, service)? else { return Ok(()) };
    meta::remove(db, service.key())?;
    tx.record("onion", "onion", &format!("the address of {} is given up: {address}", service.name()))
}
