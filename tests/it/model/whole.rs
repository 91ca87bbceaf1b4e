//! The whole worker as the shop starts it, with its own tasks and pauses: streams and their batches, watched hold
//! invoices, alive checks, deadlines and the gate of the outbox. Some worlds at a time, for some seconds; a seed
//! chooses what happens, but not when each task gets its turn. The rules are those of the other runs, except that
//! nobody can say at which moment of the clock a task did its part.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ip2tor_shop::background::nodes::registry::Registry;
use ip2tor_shop::background::{self, Tasks};
use ip2tor_shop::domain::lightning::{NodeError, NodeErrorKind, NodeInvoiceState};
use ip2tor_shop::lightning::LightningNode;

use super::node::Weather;
use super::world::{Outcome, World};
use super::{deeds, ending, host, rules, work};

/// What happens in one world.
const STEPS: u64 = 100;
/// Everything that is expected happens within this, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);
/// The seconds that pass while everything calms down; the chain backend of the first node hangs for the first ones.
const ROUNDS: [i64; 8] = [40, 40, 1000, 60, 2000, 60, 4000, 60];
const HANGS: usize = 3;
/// After so many rounds the operator has been told of everything that no host takes down.
const TOLD: usize = 7;

/// Runs so many worlds side by side.
pub fn some(worlds: u64, folder: &Path, empty: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let all = (0..worlds).map(|seed| one(seed, folder, empty));
    let tallies = runtime.block_on(futures_util::future::join_all(all));
    let mut sum = BTreeMap::<String, u64>::new();
    tallies.into_iter().flatten().for_each(|(what, times)| *sum.entry(what).or_default() += times);
    for (what, times) in &sum {
        println!("{times:8} {what} (whole worker)");
    }
    let missed: Vec<_> = EXPECTED.iter().filter(|what| !sum.contains_key(**what)).collect();
    assert!(worlds < ENOUGH || missed.is_empty(), "{worlds} worlds never saw {missed:?}");
}

/// So many worlds must have seen everything in [`EXPECTED`].
const ENOUGH: u64 = 12;
const EXPECTED: [&str; 5] = [
    "held money moved while the chain backend hung",
    "hold open->held",
    "plain open->paid",
    "product I->P",
    "product P->A",
];

async fn one(seed: u64, folder: &Path, empty: &[u8]) -> BTreeMap<String, u64> {
    let dir = tempfile::Builder::new().prefix("whole").tempdir_in(folder).unwrap();
    let mut world = World::new(seed, &dir.path().join("shop.sqlite3"), empty);
    world.strict = false;
    for seat in &world.seats {
        seat.node.set_live();
    }
    let outcome = run(&mut world, seed).await;
    if let Err(text) = outcome {
        panic!("world {seed} breaks a rule: {text}\n  {}", world.trace.join("\n  "));
    }
    world.tally
}

async fn run(world: &mut World, seed: u64) -> Outcome {
    let mut tasks = start(world);
    for n in 0..STEPS {
        world.luck = fastrand::Rng::with_seed((seed << 8) | n);
        if world.chance(4) {
            world.note("the shop dies and starts again");
            tasks.stop().await;
            world.crash().await;
            tasks = start(world);
        }
        step(world).await?;
        let pause = world.luck.u64(5..120);
        tokio::time::sleep(Duration::from_millis(pause)).await;
        look(world)?;
    }
    calm(world).await?;
    tasks.stop().await;
    ending::check(world, true)
}

/// Starts the worker over the nodes of this world.
fn start(world: &World) -> Tasks {
    let nodes: BTreeMap<_, _> = world.seats.iter().map(|seat| (seat.id, Arc::clone(&seat.node))).collect();
    let connect = move |spec: &ip2tor_shop::store::node_state::Spec| {
        let node = nodes.get(&spec.id).ok_or_else(|| NodeError::new(NodeErrorKind::BadCredentials, "unknown"))?;
        Ok(Arc::clone(node) as Arc<dyn LightningNode>)
    };
    let tasks = Tasks::default();
    background::start_with(Registry::reaching(world.shop.clone(), connect), None, &tasks);
    tasks
}

fn look(world: &mut World) -> Outcome {
    let seen: Vec<_> = world.seats.iter().flat_map(|seat| seat.node.seen()).collect();
    seen.into_iter().for_each(|what| world.count(what));
    rules::rule(!super::run::has_panicked(), || "something has panicked".to_owned())?;
    rules::look(world)
}

async fn step(world: &mut World) -> Outcome {
    match world.luck.u32(..100) {
        0..25 => deeds::order(world).await,
        25..32 => deeds::extend(world).await,
        32..60 => {
            deeds::pay(world);
            Ok(())
        }
        60..82 => hosts_work(world).await,
        82..90 => {
            deeds::weather(world);
            Ok(())
        }
        90..97 => {
            let seconds = world.luck.choice([1, 20, 95, 95]).unwrap();
            pass(world, seconds).await
        }
        _ => {
            let number = world.luck.u32(..4);
            work::job(world, number).await
        }
    }
}

/// Hosts do what they are told.
async fn hosts_work(world: &mut World) -> Outcome {
    for host in world.hosts.clone() {
        while host::is_busy(world) {
            for each in world.hosts.clone() {
                host::step(world, each).await?;
                rules::look(world)?;
            }
        }
        host::round(world, host).await?;
    }
    Ok(())
}

/// Time passes, and the hosts check in.
async fn pass(world: &mut World, seconds: i64) -> Outcome {
    deeds::pass(world, seconds);
    deeds::check_in(world, 0).await
}

/// Every outage ends but one: the chain backend of the first node hangs. Hosts do what they are told.
async fn calm(world: &mut World) -> Outcome {
    world.note("--- everything calms down, but for the chain backend of the first node");
    for (n, seat) in world.seats.iter().enumerate() {
        seat.node.set_weather(if n == 0 { Weather::Busy } else { Weather::Fine }, 0);
    }
    for (n, seconds) in ROUNDS.into_iter().enumerate() {
        if n == HANGS {
            world.seats[0].node.set_weather(Weather::Fine, 0);
        }
        if n == TOLD {
            host::operator_gives_stuck_ones_back(world).await?;
        }
        pass(world, seconds).await?;
        for number in 0..work::JOBS {
            work::job(world, number).await?;
        }
        let is_last = n + 1 == ROUNDS.len();
        wait_until_done(world, is_last).await?;
    }
    Ok(())
}

/// Waits until no money waits at a node, and in the end until nothing at all is left to do.
async fn wait_until_done(world: &mut World, everything: bool) -> Outcome {
    let begun = Instant::now();
    loop {
        look(world)?;
        let left = left(world, everything);
        if left.is_empty() {
            return Ok(());
        }
        rules::rule(begun.elapsed() < PATIENCE, || format!("still not through: {left:?}"))?;
        hosts_work(world).await?;
        // Intents that failed wait for the shop's clock.
        world.clock.advance_millis(100);
        world.true_clock.advance_millis(100);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn left(world: &World, everything: bool) -> Vec<String> {
    let invoices = world.seats.iter().flat_map(|seat| seat.node.invoices());
    let held = invoices.filter(|invoice| invoice.state == NodeInvoiceState::Accepted);
    let ours = |hash| world.last.attempts.iter().any(|(known, _)| *known == hash);
    let mut left: Vec<_> = held
        .filter(|invoice| ours(invoice.hash))
        .map(|invoice| format!("{:.6} is held", invoice.hash.to_string()))
        .collect();
    if everything {
        left.extend(
            world.last.intents.iter().map(|intent| format!("{} {:.6}", intent.kind.name(), intent.hash.to_string())),
        );
        left.extend(ending::every_settlement_is_known(world).err());
        let away = world.last.alerts.iter().filter(|(topic, _)| topic == "node_dead" || topic == "failed_intent");
        left.extend(away.map(|(topic, _)| topic.clone()));
    }
    left
}
