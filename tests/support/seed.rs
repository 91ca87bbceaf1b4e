//! What every world of the tests begins with, in a new database: people, Lightning nodes, and hosts that have checked in. Whatever
//! is added later goes through it as well.

use ip2tor_shop::domain::host::{Host, PortKind, PortRange};
use ip2tor_shop::domain::id::{HostId, NodeId, OperatorId};
use ip2tor_shop::domain::node::NodeKind;
use ip2tor_shop::domain::operator::Role;
use ip2tor_shop::domain::time::Timestamp;
use ip2tor_shop::services::Principal;
use ip2tor_shop::store::audit_log::Author;
use ip2tor_shop::store::{Connection, Db, StoreError, hosts, operators};

/// Where the tests' time begins.
pub const START: Timestamp = Timestamp::from_secs(1_795_000_000);

/// A host's port range: what for, the first and the last.
pub type Span = (PortKind, u16, u16);

/// What a database begins with.
#[derive(Default)]
pub struct Seed {
    people: Vec<(OperatorId, &'static str, Role, String)>,
    nodes: Vec<SeedNode>,
    hosts: Vec<(Host, [u8; 32], Vec<Span>)>,
}

/// A node as it is stored at the beginning.
pub struct SeedNode {
    pub id: NodeId,
    pub owner: OperatorId,
    pub kind: NodeKind,
    pub name: String,
    pub host: String,
    pub port: u16,
    pub certificate_file: Option<String>,
    pub macaroon_file: Option<String>,
    /// What refunds are paid with: a node that has it may pay them by itself.
    pub payment_macaroon_file: Option<String>,
    pub priority: i64,
    /// The network that it has said it is on: then it counts as alive.
    pub network: Option<&'static str>,
    pub pubkey: Option<&'static str>,
}

/// A host of the first operator that sells bridges by the day, and aliases.
pub fn selling(id: HostId, name: impl Into<String>) -> Host {
    Host {
        ip: "192.0.2.1".to_owned(),
        name: name.into(),
        offers_tor_bridges: true,
        offers_nostr_aliases: true,
        ..Host::new(id, OperatorId(1), START)
    }
}

impl SeedNode {
    /// A node that nobody has reached yet.
    pub fn new(id: NodeId, owner: OperatorId, name: impl Into<String>) -> Self {
        Self {
            id,
            owner,
            kind: NodeKind::LndGrpc,
            name: name.into(),
            host: "127.0.0.1".to_owned(),
            port: 1,
            certificate_file: None,
            macaroon_file: None,
            payment_macaroon_file: None,
            priority: 0,
            network: None,
            pubkey: None,
        }
    }

    fn store(&self, db: &Connection) -> Result<(), StoreError> {
        db.execute(
            "INSERT INTO node (id, operator_id, kind, name, host, port, priority, created_at, modified_at) \
             VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0)",
            (self.id, self.owner, self.kind.name(), &self.name, &self.host, self.port, self.priority),
        )?;
        let pays = self.payment_macaroon_file.is_some();
        db.execute(
            "UPDATE node SET certificate_file = ?2, macaroon_file = ?3, payment_macaroon_file = ?4, pays_refunds = ?5 \
             WHERE id = ?1",
            (self.id, &self.certificate_file, &self.macaroon_file, &self.payment_macaroon_file, pays),
        )?;
        if let Some(network) = self.network {
            let alive = "UPDATE node SET is_alive = 1, network = ?2, pubkey = ?3 WHERE id = ?1";
            db.execute(alive, (self.id, network, self.pubkey))?;
        }
        Ok(())
    }
}

impl Seed {
    /// The same with a person; `hash` is that of the password.
    pub fn person(mut self, id: i64, name: &'static str, role: Role, hash: &str) -> Self {
        self.people.push((OperatorId(id), name, role, hash.to_owned()));
        self
    }

    /// The same with a node.
    pub fn node(mut self, node: SeedNode) -> Self {
        self.nodes.push(node);
        self
    }

    /// The same with a host that checks in at [`START`].
    pub fn host(mut self, host: Host, token_hash: [u8; 32], spans: &[Span]) -> Self {
        self.hosts.push((host, token_hash, spans.to_vec()));
        self
    }

    /// Stores all of it.
    pub fn store(self, db: &Db) {
        let write = move |db: &Connection| {
            let actor = Principal::CommandLine(None);
            let author = Author::new(&actor, START);
            for (id, name, role, hash) in &self.people {
                operators::insert_as(db, (*id, name), *role, hash, Timestamp(0), author)?;
            }
            self.nodes.iter().try_for_each(|node| node.store(db))?;
            for (host, token_hash, spans) in &self.hosts {
                hosts::insert(db, host, token_hash, author)?;
                hosts::check_in(db, host.id, 0, "", START)?;
                for &(kind, first, last) in spans {
                    hosts::add_range(db, &PortRange { id: 0, host_id: host.id, kind, first, last, used: 0 })?;
                }
            }
            Ok(())
        };
        db.write_blocking::<(), StoreError, _>(write).expect("the database is seeded");
    }
}
