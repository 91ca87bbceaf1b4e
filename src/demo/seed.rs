//! What the demo makes on its first start and remembers for the next: an administrator, a site, a
//! node and a host.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::folder::{self, broken};
use crate::app::StartError;
use crate::domain::host::PortKind;
use crate::domain::host_rules::HostChange;
use crate::domain::id::{NodeId, SystemRandom};
use crate::domain::money::Msat;
use crate::domain::node::NodeKind;
use crate::domain::operator::Role;
use crate::domain::time::{Clock, SystemClock};
use crate::services::hosts::manage::NewHost;
use crate::services::nodes::manage::NodeChange;
use crate::services::{Error, Session, Tx, hosts, nodes, operators, site};
use crate::store::Db;

/// By this file a folder is known as the demo's.
pub const FILE: &str = "demo.json";
const ADMIN: &str = "admin";
const HOST_NAME: &str = "demo-host";
const HOST_IP: &str = "127.0.0.1";

/// What the demo remembers, readable by its owner alone.
#[derive(Serialize, Deserialize)]
pub struct Memory {
    pub admin: String,
    pub password: String,
    pub host_id: String,
    pub token: String,
    pub host_name: String,
    pub host_ip: String,
    pub node_id: String,
    pub lnd_port: u16,
}

impl Memory {
    /// What an earlier start left; `None` on the first, and after a first one that was cut short.
    pub fn load(dir: &Path) -> Result<Option<Self>, StartError> {
        let file = dir.join(FILE);
        match std::fs::read_to_string(&file) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| broken(&file, &error)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(broken(&file, &error)),
        }
    }

    fn save(&self, dir: &Path) -> Result<(), StartError> {
        let text = serde_json::to_string_pretty(self).map_err(|error| broken(&dir.join(FILE), &error))?;
        folder::put(dir, FILE, &text)
    }

    /// The same after a restart: the database is told where the simulated node is now. Its port may
    /// have changed, and the demo's folder may have been moved.
    pub fn at(mut self, db: &Db, dir: &Path, lnd: &Path, port: u16) -> Result<Self, StartError> {
        let node = NodeId::parse(&self.node_id).ok_or_else(|| broken(&dir.join(FILE), &"a wrong node id"))?;
        let change = NodeChange { has_moved: true, ..place(lnd, port) };
        write(db, move |tx| nodes::manage::set(tx, node, change, None).map(drop))?;
        if self.lnd_port != port {
            self.lnd_port = port;
            self.save(dir)?;
        }
        Ok(self)
    }
}

/// Where the simulated node is.
fn place(lnd: &Path, port: u16) -> NodeChange {
    let file = |name: &str| Some(lnd.join(name).display().to_string());
    NodeChange {
        port: Some(port),
        certificate_file: file("tls.cert"),
        macaroon_file: file("shop.macaroon"),
        ..NodeChange::default()
    }
}

fn write<T: Send + 'static>(
    db: &Db,
    change: impl FnOnce(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
) -> Result<T, StartError> {
    Ok(Session::on_command_line(SystemClock.now()).write(db, change)?)
}

/// Fills an empty database.
pub fn seed(db: &Db, dir: &Path, lnd: &Path, port: u16, with_agent: bool) -> Result<Memory, StartError> {
    let password = operators::passwords::generate(&SystemRandom);
    let hash = operators::passwords::hash_new(ADMIN, &password, &SystemRandom)?;
    let node =
        NodeChange { name: Some("simulated".to_owned()), host: Some("127.0.0.1".to_owned()), ..place(lnd, port) };
    let (node_id, added) = write(db, move |tx| {
        operators::manage::add(tx, ADMIN, Role::Administrator, &hash)?;
        site::set(tx, None, Some(SITE_NAME))?;
        let node = nodes::manage::add(tx, &SystemRandom, NodeKind::LndGrpc, node, None)?;
        Ok((node.id, hosts::manage::add(tx, &SystemRandom, new_host(with_agent))?))
    })?;
    let memory = Memory {
        admin: ADMIN.to_owned(),
        password,
        host_id: added.host.id.to_string(),
        token: added.token,
        host_name: added.host.name,
        host_ip: added.host.ip,
        node_id: node_id.to_string(),
        lnd_port: port,
    };
    memory.save(dir)?;
    Ok(memory)
}

/// What the pages are headed with.
const SITE_NAME: &str = "IP2Tor Shop demo";

fn new_host(with_agent: bool) -> NewHost {
    let change = HostChange {
        name: Some(HOST_NAME.to_owned()),
        ip: Some(HOST_IP.to_owned()),
        description: Some("A host to try the shop with".to_owned()),
        offers_tor_bridges: Some(true),
        tor_bridge_duration: Some(86_400),
        tor_bridge_price_initial: Some(Msat(25_000)),
        tor_bridge_price_extension: Some(Msat(20_000)),
        offers_nostr_aliases: Some(true),
        nostr_alias_price_initial: Some(Msat(100_000)),
        nostr_alias_price_extension: Some(Msat(80_000)),
        // Without the agent you are the host, and need longer than a payment may be held.
        use_holds: Some(with_agent),
        ..HostChange::default()
    };
    NewHost { change, ranges: vec![(PortKind::TorBridge, 20_000, 20_099)], ..NewHost::default() }
}
