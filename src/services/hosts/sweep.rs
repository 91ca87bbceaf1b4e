//! Hosts that may have forwards which the shop does not know: a backup was restored, and what was sold after it
//! stands on the host still. The hosts' scripts keep a forward that is there and report it as theirs, so a port sold
//! again would lead its buyer to somebody else's service. Until the operator has swept such a host, each port is tried
//! before it is given out ([`crate::services::products::ports`]), and aliases, which can't be tried, are not sold on it.

use crate::domain::alert::AlertTopic;
use crate::domain::host::Host;
use crate::domain::time::Timestamp;
use crate::services::{Error, Tx};
use crate::store::{Connection, alerts, hosts, products, reservations};

/// So many ports are named in an alert.
const PORTS_NAMED: usize = 20;

/// A backup was restored: no host is known to have only what the database has.
pub(in crate::services) fn doubt_all(db: &Connection, now: Timestamp) -> Result<(), Error> {
    products::mark_all_shown(db, now)?;
    for host in hosts::list(db, None)? {
        doubt(db, &host, now)?;
    }
    Ok(())
}

/// This host may have more than the database knows.
pub(in crate::services) fn doubt(db: &Connection, host: &Host, now: Timestamp) -> Result<(), Error> {
    hosts::set_unswept(db, host.id, Some(now))?;
    tell(db, host, "", now)
}

/// Tells the operator what is known of an unswept host; `trouble` is what happened to it just now.
pub(in crate::services) fn tell(db: &Connection, host: &Host, trouble: &str, now: Timestamp) -> Result<(), Error> {
    let aside = reservations::set_aside(db, host)?;
    let mut named: Vec<String> = aside.iter().take(PORTS_NAMED).map(u16::to_string).collect();
    if aside.len() > PORTS_NAMED {
        named.push(format!("{} more", aside.len() - PORTS_NAMED));
    }
    let found = match named.as_slice() {
        [] => String::new(),
        ports => format!(" Something answers at ports that are free here: {}; they are set aside.", ports.join(", ")),
    };
    let text = format!(
        "Host {name} ({ip}) may have forwards of bridges that were sold after the restored backup was made.{found}{trouble} \
         Remove what `bridge list --host {id}` does not know (see \"Hosts after a restore\" in the manual), then say so: \
         `host set {id} --swept`. Until then each port is tried before it is sold, and no alias is.",
        name = host.name,
        ip = host.ip,
        id = host.id,
    );
    alerts::raise(db, AlertTopic::HostNotSwept, &host.id.to_string(), &text, now)?;
    Ok(())
}

/// The operator has swept a host: it has only what the database knows. Returns what changed.
pub(in crate::services) fn swept(tx: &Tx<'_>, host: &Host) -> Result<Option<String>, Error> {
    let db = tx.db;
    if host.unswept_since.is_none() {
        return Ok(None);
    }
    let freed = reservations::free_set_aside(db, host)?;
    hosts::set_unswept(db, host.id, None)?;
    alerts::close(db, AlertTopic::HostNotSwept, &host.id.to_string(), tx.now)?;
    Ok(Some(format!("swept; {freed} ports that were set aside are free again")))
}
