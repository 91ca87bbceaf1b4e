//! Hosts as buyers and the hosts themselves see them: the public list, check-ins, and the little
//! that a host may change of its own record.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::domain::alert::AlertTopic;
use crate::domain::host::{Host, PortKind};
use crate::domain::host_rules;
use crate::domain::id::{HostId, OperatorId};
use crate::domain::texts::Message;
use crate::domain::time::Timestamp;
use crate::services::authz::{self, Reach};
use crate::services::invoices::choose_node;
use crate::services::shop::Shop;
use crate::services::{Error, Principal, ReadTx, Tx};
use crate::store::{Connection, alerts, deals, hosts, meta, operators, products, reservations};

/// The shop as a web site.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its domain, shown with every host.
    pub domain: String,
    pub name: String,
}

/// The site as stored, with the predecessor's defaults.
pub fn site(db: &Connection) -> Result<Site, Error> {
    let domain = meta::text(db, "site_domain")?.unwrap_or_else(|| "127.0.0.1".to_owned());
    let name = meta::text(db, "site_name")?.unwrap_or_else(|| "IP2TOR SHOP SITE".to_owned());
    Ok(Site { domain, name })
}

/// A host as buyers see it.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicHost {
    pub host: Host,
    /// How many bridges could be ordered now.
    pub free_bridge_ports: u32,
    /// Whether it has ports for tunnels.
    pub has_tunnel_ports: bool,
    /// Whether a node of its owner can take the payment for the cheapest that it sells.
    pub can_be_paid: bool,
}

/// Everything that the public host list is made of, as of one state of the database.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Debug, PartialEq, Eq)]
pub struct Catalog {
    /// The state of the database; each has another number.
    pub version: i64,
    pub site: Site,
    /// All hosts in the order of their IP addresses.
    pub hosts: Vec<PublicHost>,
}

/// The catalog of the newest state of the database. Kept until any process commits a change.
#[derive(Default)]
pub struct CatalogCache(Mutex<Option<Arc<Catalog>>>);

impl CatalogCache {
    /// The catalog; read again only when the database has changed.
    pub fn get(&self, shop: &Shop) -> Result<Arc<Catalog>, Error> {
        let version = shop.db.version()?;
        let mut kept = self.0.lock();
        if let Some(catalog) = kept.as_ref().filter(|catalog| catalog.version == version) {
            return Ok(Arc::clone(catalog));
        }
        let catalog = Arc::new(shop.db.read(|db| load_catalog(shop, db, version))?);
        *kept = Some(Arc::clone(&catalog));
        Ok(catalog)
    }
}

fn load_catalog(shop: &Shop, db: &Connection, version: i64) -> Result<Catalog, Error> {
    let mut list = Vec::new();
    for host in hosts::list(db, None)? {
        list.push(PublicHost {
            free_bridge_ports: reservations::free_ports(db, &host, PortKind::TorBridge)?,
            has_tunnel_ports: reservations::free_ports(db, &host, PortKind::RsshTunnel)? > 0,
            can_be_paid: choose_node::choose_node(shop, db, &host, &[], host.lowest_price())?.is_some(),
            host,
        });
    }
    Ok(Catalog { version, site: site(db)?, hosts: list })
}

impl PublicHost {
    /// Whether buyers see it: enabled and not drained, alive, and somebody can take the payment.
    pub fn is_public(&self, now: Timestamp) -> bool {
        self.host.is_enabled && !self.host.is_draining && self.can_be_paid && self.host.is_alive(now)
    }
}

/// Hosts that the caller may see ([`authz::compatible`]).
pub fn list(shop: &Shop, by: &Principal) -> Result<Vec<Host>, Error> {
    shop.db.read(|db| match authz::compatible(by) {
        Reach::Everything => Ok(hosts::list(db, None)?),
        Reach::Host(id) => Ok(hosts::get(db, id)?.into_iter().collect()),
        Reach::Operator(_) | Reach::Nothing => Ok(Vec::new()),
    })
}

/// One host, if the caller may see it.
pub fn get(shop: &Shop, by: &Principal, id: HostId) -> Result<Host, Error> {
    shop.read(by, |tx| visible(tx, id))
}

fn visible(tx: &ReadTx<'_>, id: HostId) -> Result<Host, Error> {
    hosts::get(tx.db, id)?.filter(|host| authz::compatible(tx.actor).includes(host)).ok_or(Error::NotFound)
}

/// The name of a host's operator; empty when there is none any more.
pub fn owner_name(shop: &Shop, owner: OperatorId) -> Result<String, Error> {
    shop.db.read(|db| Ok(operators::get(db, owner)?.map(|operator| operator.name).unwrap_or_default()))
}

/// Changes a host's name, the one thing that it may change of its own record. `None` leaves it.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] for a name that the operator's own commands would refuse.
pub async fn rename(shop: &Shop, by: &Principal, id: HostId, name: Option<String>) -> Result<Host, Error> {
    shop.tx(by, move |tx| {
        let (db, now) = (tx.db, tx.now);
        let mut host = visible(tx, id)?;
        if let Some(name) = name.filter(|name| *name != host.name) {
            let errors = host_rules::name_errors(&name);
            if !errors.is_empty() {
                return Err(Error::Invalid(vec![("name", errors)]));
            }
            let change = format!("name {} -> {name}", host.name);
            host.name = name;
            host.modified_at = now;
            hosts::update(db, &host, tx.author())?;
            tx.record("host", id, &change)?;
        }
        Ok(host)
    })
    .await
}

/// Deletes a host that owes nothing to anybody; a tombstone stays.
pub async fn delete(shop: &Shop, by: &Principal, id: HostId) -> Result<(), Error> {
    shop.tx(by, move |tx| bury(tx, &visible(tx, id)?)).await
}

/// Leaves a tombstone of a host that owes nothing to anybody.
///
/// # Errors
/// [`Error::Conflict`] while it has products that are not deleted, or owes money.
pub(super) fn bury(tx: &Tx<'_>, host: &Host) -> Result<(), Error> {
    let (db, id) = (tx.db, host.id);
    if products::any_on_host(db, id)? {
        return Err(Error::Conflict(Message::HostOwesProducts));
    }
    if deals::owes_on_host(db, id)? {
        return Err(Error::Conflict(Message::HostOwesMoney));
    }
    reservations::free_set_aside(db, host)?;
    use AlertTopic::{FewPorts, HostDead, HostNotSwept, NoInvoices};
    for topic in [HostDead, NoInvoices, FewPorts, HostNotSwept] {
        // Nobody looks whether its reason is there still.
        alerts::close(db, topic, &id.to_string(), tx.now)?;
    }
    Ok(hosts::delete(db, id, tx.author())?)
}
