//! Whose products and orders somebody may look through.

use std::collections::HashMap;

use crate::domain::host::Host;
use crate::domain::id::HostId;
use crate::services::{Error, ReadTx, authz};
use crate::store::hosts;

/// The hosts whose things the one who asks may see, or of them only `host`; `None` is everybody's.
///
/// # Errors
/// [`Error::NotFound`] for a host of somebody else.
pub fn hosts_of(tx: &ReadTx<'_>, host: Option<HostId>) -> Result<Option<Vec<HostId>>, Error> {
    let owner = authz::visible_owner(tx.actor)?;
    if let Some(id) = host {
        let host = hosts::get_any(tx.db, id)?.ok_or(Error::NotFound)?;
        authz::needs_owner(tx.actor, host.owner_id)?;
        return Ok(Some(vec![id]));
    }
    Ok(owner.map(|owner| hosts::ids_of(tx.db, owner)).transpose()?)
}

/// The hosts that a list names, each read once, removed ones included.
#[derive(Default)]
pub struct Named(HashMap<HostId, Host>);

impl Named {
    /// One of them.
    ///
    /// # Errors
    /// [`Error::NotFound`] for one that never was.
    pub fn get(&mut self, tx: &ReadTx<'_>, id: HostId) -> Result<Host, Error> {
        if let Some(known) = self.0.get(&id) {
            return Ok(known.clone());
        }
        let host = hosts::get_any(tx.db, id)?.ok_or(Error::NotFound)?;
        self.0.insert(id, host.clone());
        Ok(host)
    }
}
