//! What the tests of the HTTP interface share: a shop with the hosts of `tests/fixtures/fixture.json`
//! on a temporary database, a clock that is moved by hand, and requests without a network.
#![allow(dead_code, reason = "each test binary uses its own part")]

pub mod admin;
pub mod bolt11;
pub mod fixture;
pub mod listen;
pub mod request;
pub mod seed;
pub mod steps;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use ip2tor_shop::domain::id::{HostId, NodeId, OperatorId, Random, SystemRandom};
use ip2tor_shop::domain::operator::Role;
use ip2tor_shop::domain::time::{Clock, ManualClock};
use ip2tor_shop::http::{self, App, Limits};
use ip2tor_shop::services::{Settings, Shop, operators};
use ip2tor_shop::store::{Db, StoreError};
use poem::EndpointExt;
use poem::endpoint::BoxEndpoint;
use tempfile::TempDir;

pub use seed::START;
use seed::{Seed, SeedNode};

/// A valid version 3 onion address.
pub const ONION: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
/// A valid Nostr public key, and the same as hosts read it.
pub const PUBLIC_KEY_HEX: &str = "7e7e9c42a91bfef19fa929e5fda1b72e0ebc1a4c1141673e2794234d86addf4e";
pub const PUBLIC_KEY: &str = "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg";
/// The password of every operator in the tests.
pub const PASSWORD: &str = "correct horse";

/// A shop behind its HTTP interface.
pub struct TestShop {
    /// The folder of the database.
    pub dir: TempDir,
    /// Its clock.
    pub clock: Arc<ManualClock>,
    /// Its services.
    pub shop: Shop,
    /// Its HTTP interface.
    pub app: Arc<BoxEndpoint<'static, poem::Response>>,
    /// Ids and tokens of its hosts, by name.
    pub hosts: BTreeMap<String, (HostId, String)>,
    /// The node on the main network.
    pub node: NodeId,
}

impl TestShop {
    /// A shop with the hosts of the fixture, all checked in, and a living node on each network.
    pub fn new() -> Self {
        Self::with(Limits::default())
    }

    /// The same with other limits. Requests from 10.0.0.0/8 come from the operator's proxy.
    pub fn with(limits: Limits) -> Self {
        Self::advertising(limits, None)
    }

    /// The same, whose pages on clearnet name an onion address.
    pub fn advertising(limits: Limits, onion: Option<String>) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(ManualClock::new(START));
        let db = Db::open(&dir.path().join("shop.sqlite3")).expect("a database");
        let shop = Shop::new(db, clock.clone(), Arc::new(SystemRandom), Settings::default()).expect("a shop");
        let node = NodeId(SystemRandom.uuid());
        let (seed, hosts) = fixture::with_hosts(people_and_nodes(node));
        seed.store(&shop.db);
        let is_trusted = |address: IpAddr| matches!(address, IpAddr::V4(v4) if v4.octets()[0] == 10);
        let app = Arc::new(http::app(App::new(shop.clone(), limits, Box::new(is_trusted)).advertising(onion)).boxed());
        Self { dir, clock, shop, app, hosts, node }
    }

    /// The id of a host.
    pub fn host(&self, name: &str) -> HostId {
        self.hosts[name].0
    }

    /// The value of `Authorization` for a host.
    pub fn token(&self, name: &str) -> String {
        format!("Token {}", self.hosts[name].1)
    }

    /// What its clock says, in seconds.
    pub fn clock_secs(&self) -> i64 {
        self.clock.now().secs()
    }

    /// Lets all hosts check in.
    pub fn check_in_all(&self) {
        let now = self.clock.now();
        self.sql(&format!("UPDATE host SET ci_date = {}, ci_status = 0, ci_message = ''", now.0));
    }

    /// One more operator, with the password of all.
    pub fn add_operator(&self, id: i64, name: &'static str) {
        Seed::default().person(id, name, Role::Operator, password_hash()).store(&self.shop.db);
    }

    /// One more node of the operator, that nobody has reached yet.
    pub fn add_node(&self, name: &str, priority: i64) {
        let id = NodeId(SystemRandom.uuid());
        let node = SeedNode { priority, ..SeedNode::new(id, OperatorId(2), name) };
        Seed::default().node(node).store(&self.shop.db);
    }

    /// Changes the database behind the services' back.
    pub fn sql(&self, sql: &str) {
        let sql = sql.to_owned();
        let changed = self.shop.db.write_blocking(move |db| db.execute_batch(&sql).map_err(StoreError::from));
        changed.expect("the statement runs");
    }
}

/// Hashing costs time on purpose, so it is done once.
fn password_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| operators::passwords::hash(PASSWORD, &SystemRandom).expect("a good password"))
}

fn people_and_nodes(node: NodeId) -> Seed {
    let living = |id, network| SeedNode {
        network: Some(network),
        pubkey: Some("02aa"),
        ..SeedNode::new(id, OperatorId(2), network)
    };
    Seed::default()
        .person(1, "admin", Role::Administrator, password_hash())
        .person(2, "operator", Role::Operator, password_hash())
        .node(living(node, "mainnet"))
        .node(living(NodeId(SystemRandom.uuid()), "testnet"))
}
