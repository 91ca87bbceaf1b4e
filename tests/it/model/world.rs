//! Everything that a run is made of: the shop on its own database, two nodes, two hosts that share a
//! public address, two clocks, and what an observer remembers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ip2tor_shop::background::Tasks;
use ip2tor_shop::background::nodes::entry::Entry;
use ip2tor_shop::background::nodes::follow::Strangers;
use ip2tor_shop::background::nodes::registry::Registry;
use ip2tor_shop::background::outbox::{Pauses, Runner};
use ip2tor_shop::domain::host::{Host, PortKind};
use ip2tor_shop::domain::id::{HostId, NodeId, OperatorId, OrderId, ProductId, Random};
use ip2tor_shop::domain::lightning::{NodeError, NodeErrorKind, NodeInvoice};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::domain::operator::Role;
use ip2tor_shop::domain::time::{Clock, ManualClock, Timestamp};
use ip2tor_shop::services::orders::place::OrderRequest;
use ip2tor_shop::services::payments::apply::StreamPosition;
use ip2tor_shop::services::{Error, ProbePolicy, Settings, Shop};
use ip2tor_shop::store::refunds::Refund;
use ip2tor_shop::store::{Db, node_state};

use super::host::Script;
use super::node::Node;
use super::pages::{self, Pages};
use super::snapshot::Snapshot;
pub use crate::support::START;
use crate::support::seed::{Seed, SeedNode, selling};

/// How long the hosts may take while a payment is held.
pub const HOLD_LIMIT_SECS: i64 = 90;

/// What went wrong, in one line.
pub type Outcome = Result<(), String>;

/// Randomness from a seed.
pub struct Seeded(Mutex<fastrand::Rng>);

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }
}

impl Random for Seeded {
    fn fill(&self, buffer: &mut [u8]) {
        self.0.lock().unwrap().fill(buffer);
    }
}

/// A node and how far its stream was read.
pub struct Seat {
    pub id: NodeId,
    pub node: Arc<Node>,
    pub entry: Entry,
    /// The settle index that the open stream is at; `None` while there is no stream.
    pub stream: Option<u64>,
    /// How far the open stream was applied.
    pub read: StreamPosition,
    /// The greatest settle index that the stream told and the shop stored.
    pub told: u64,
}

/// What was seen so far, for rules about the past.
#[derive(Default)]
pub struct Memory {
    /// Payment requests as first shown.
    pub shown: BTreeMap<OrderId, String>,
    /// What the hosts' scripts have and are about to do.
    pub scripts: BTreeMap<HostId, Script>,
    /// Products that a host was told of, or reported, and may have something of.
    pub seen: BTreeSet<ProductId>,
    /// Bytes reported as used since the last look.
    pub used: BTreeMap<ProductId, i64>,
    /// Payment hashes of settlements that the operator must be told of.
    pub foreign: Vec<String>,
    /// Refunds that were begun, and whether the node paid; nobody has looked yet.
    pub paying: Vec<(Refund, bool)>,
    /// Forms that were sent, each with its random part, and the order that came of it.
    pub forms: Vec<(uuid::Uuid, OrderRequest, OrderId)>,
    /// What really went back to the buyer of an order.
    pub paid_back: BTreeMap<OrderId, u64>,
    /// Scheduled jobs that wait at the operator's word, by their number.
    pub paused: BTreeSet<u32>,
}

/// A run.
pub struct World {
    pub luck: fastrand::Rng,
    pub clock: Arc<ManualClock>,
    pub true_clock: Arc<ManualClock>,
    pub random: Arc<Seeded>,
    pub settings: Settings,
    pub path: PathBuf,
    pub shop: Shop,
    /// Through which some buyers buy, in some worlds.
    pub pages: Option<Pages>,
    pub seats: Vec<Seat>,
    pub hosts: Vec<HostId>,
    pub registry: Arc<Registry>,
    pub tasks: Tasks,
    pub runner: Runner,
    /// The last row of the outbox that the runner has seen.
    pub newest: i64,
    /// News that was read at a node and not applied yet.
    pub late_news: Vec<(usize, NodeInvoice)>,
    pub strangers: Strangers,
    /// Whether it is known at which moment of the clock each change was made.
    pub strict: bool,
    /// Whether calls fail now and then although the node is well.
    pub fragile: bool,
    pub memory: Memory,
    pub last: Snapshot,
    pub trace: Vec<String>,
    /// How often what happened.
    pub tally: BTreeMap<String, u64>,
}

impl World {
    /// A shop that has just been set up, its nodes alive, its hosts checked in.
    pub fn new(seed: u64, path: &Path, empty: &[u8]) -> Self {
        std::fs::write(path, empty).unwrap();
        let mut luck = fastrand::Rng::with_seed(seed);
        let clock = Arc::new(ManualClock::new(START));
        let true_clock = Arc::new(ManualClock::new(START));
        let random = Arc::new(Seeded::new(seed));
        let probe = luck.choice([ProbePolicy::Off, ProbePolicy::Warn, ProbePolicy::Reject]).unwrap();
        let settings = Settings {
            allow_regtest: true,
            max_holds_per_node: 3,
            max_unpaid_holds_per_node: 3,
            probe,
            ..Settings::default()
        };
        let db = Db::open(path).unwrap();
        let node_ids = [NodeId(random.uuid()), NodeId(random.uuid())];
        let hosts = seed_database(&db, &mut luck, &random, node_ids);
        let specs = db.read(node_state::specs).unwrap();
        let seats: Vec<Seat> = specs.into_iter().map(|spec| seat(spec, &true_clock)).collect();
        let shop = Shop::new(db, clock.clone(), random.clone(), settings.clone()).unwrap();
        let (registry, tasks, runner) = worker(&shop);
        let last = Snapshot::take(&shop).unwrap();
        let pages = seed.is_multiple_of(pages::ONE_IN).then(|| Pages::of(&shop));
        // One host has the scripts of each kind.
        let scripts = hosts.iter().enumerate();
        let scripts = scripts.map(|(n, host)| (*host, Script::new(n == 1))).collect();
        Self {
            luck,
            clock,
            true_clock,
            random,
            settings,
            path: path.to_owned(),
            shop,
            pages,
            seats,
            hosts,
            registry,
            tasks,
            runner,
            newest: 0,
            late_news: Vec::new(),
            strangers: Strangers::default(),
            strict: true,
            fragile: true,
            memory: Memory { scripts, ..Memory::default() },
            last,
            trace: Vec::new(),
            tally: BTreeMap::new(),
        }
    }

    pub fn note(&mut self, line: impl Into<String>) {
        self.trace.push(line.into());
    }

    pub fn count(&mut self, what: String) {
        *self.tally.entry(what).or_default() += 1;
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Seconds that the shop's clock is behind.
    pub fn clock_lag(&self) -> i64 {
        (self.true_clock.now().millis_since(self.now()) / 1000).max(0)
    }

    /// Whether an event happens that has `percent` in a hundred.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.luck.u32(..100) < percent
    }

    /// The nodes as the shop uses them, without one.
    pub fn entries(&self, absent: Option<usize>) -> Vec<Entry> {
        let seats = self.seats.iter().enumerate().filter(|(n, _)| Some(*n) != absent);
        seats.map(|(_, seat)| seat.entry.clone()).collect()
    }

    /// How many calls have stalled.
    pub fn stalled(&self) -> usize {
        self.seats.iter().map(|seat| seat.node.stalled()).sum()
    }

    /// The process dies here and starts again: only the database is left.
    pub async fn crash(&mut self) {
        if self.stalled() > 0 {
            self.count("died in the middle of a call".to_owned());
        }
        self.tasks.stop().await;
        self.late_news.clear();
        self.strangers = Strangers::default();
        for seat in &mut self.seats {
            seat.stream = None;
            seat.entry = Entry::new(seat.entry.spec.clone(), seat.node.clone());
            seat.node.set_counts_as_down(false);
        }
        let db = Db::open(&self.path).unwrap();
        self.shop = Shop::new(db, self.clock.clone(), self.random.clone(), self.settings.clone()).unwrap();
        self.pages = self.pages.is_some().then(|| Pages::of(&self.shop));
        (self.registry, self.tasks, self.runner) = worker(&self.shop);
        self.newest = 0;
        // Counted anew by each connection.
        self.last.version = -1;
    }

    /// An answer of the shop: a refusal is fine, a defect is not. Returns whether it was done.
    pub fn answered<T: std::fmt::Debug>(&mut self, answer: Result<T, Error>) -> Result<bool, String> {
        match answer {
            Ok(value) => {
                self.note(format!("    -> {value:.60?}"));
                Ok(true)
            }
            Err(Error::Internal(text)) => Err(format!("an internal error: {text}")),
            Err(error) => {
                self.note(format!("    -> refused: {error}"));
                Ok(false)
            }
        }
    }
}

/// The real runner, which is told when to look.
fn worker(shop: &Shop) -> (Arc<Registry>, Tasks, Runner) {
    let no_connector = |_: &node_state::Spec| Err(NodeError::new(NodeErrorKind::Refused, "not connected here"));
    let (registry, tasks) = (Arc::new(Registry::reaching(shop.clone(), no_connector)), Tasks::default());
    let pauses = Pauses { second_try: Duration::ZERO, down: Duration::ZERO };
    let runner = Runner::new(Arc::clone(&registry), None, tasks.clone()).with_pauses(pauses);
    (registry, tasks, runner)
}

fn seat(spec: node_state::Spec, clock: &Arc<ManualClock>) -> Seat {
    let node = Node::new(clock.clone());
    Seat {
        id: spec.id,
        entry: Entry::new(spec, node.clone()),
        node,
        stream: None,
        read: StreamPosition::default(),
        told: 0,
    }
}

fn seed_database(db: &Db, luck: &mut fastrand::Rng, random: &Seeded, nodes: [NodeId; 2]) -> Vec<HostId> {
    let hosts: Vec<Host> = (0..2).map(|n| new_host(luck, random, n)).collect();
    let ids = hosts.iter().map(|host| host.id).collect();
    let ports = [luck.u16(1..4), luck.u16(1..3)];
    let mut seed = Seed::default().person(1, "operator", Role::Administrator, "-");
    for (n, node) in nodes.into_iter().enumerate() {
        seed = seed.node(SeedNode {
            payment_macaroon_file: Some("pay".to_owned()),
            priority: n as i64,
            network: Some("regtest"),
            ..SeedNode::new(node, OperatorId(1), format!("node{n}"))
        });
    }
    for (n, host) in hosts.into_iter().enumerate() {
        let first = 20_000 + 10 * n as u16;
        seed = seed.host(host, [n as u8; 32], &[(PortKind::TorBridge, first, first + ports[n] - 1)]);
    }
    seed.store(db);
    ids
}

fn new_host(luck: &mut fastrand::Rng, random: &Seeded, n: u32) -> Host {
    let duration = if luck.u32(..5) == 0 { 0 } else { 86_400 };
    Host {
        tor_bridge_duration: duration,
        nostr_alias_price_initial: Msat(250_000),
        nostr_alias_price_extension: Msat(200_000),
        bridge_bandwidth_initial: 1000,
        max_periods: 3,
        hold_limit_secs: HOLD_LIMIT_SECS,
        use_holds: luck.u32(..3) > 0,
        ..selling(HostId(random.uuid()), format!("host{n}"))
    }
}
