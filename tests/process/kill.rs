//! The shop and its two Lightning nodes as real processes, killed at random moments while buyers
//! buy and hosts serve. After every kill the database and the nodes' own books must agree with each
//! other and with everything that anybody was ever told; in the end everything must be through.
//!
//! Every round kills one process, 10 of 13 times the shop. `IP2TOR_KILL_ROUNDS` sets the number of
//! rounds: 130 by default (100 kills of the shop, about three minutes); 260 is the full length.

mod books;
mod buyers;
mod host;
mod ledger;
pub mod refunds;
mod rules;
mod state;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::live::process::wait_until;
use crate::live::shop::{Setup, Shop};
use books::Books;
use ledger::Ledger;
use state::State;

/// Buyers at the same time.
const BUYERS: usize = 8;
/// From the last kill until nothing may be left to do: unpaid invoices live for a minute, held
/// payments of hosts that never answer as well, and intents are tried again every 32 s at worst.
const DRAIN: Duration = Duration::from_secs(180);

/// Many ports on one address; the second host takes payments only once it has delivered.
const HOSTS: [&[&str]; 2] = [
    &["--port-range", "20000-22999", "--use-holds=false", "--bridge-bandwidth-initial=1000000"],
    &["--port-range", "23000-25999", "--hold-limit-secs=60", "--bridge-bandwidth-initial=1000000"],
];

/// Everything that is due is done within seconds.
const JOBS: &str = "close_unpaid = \"*/2 * * * * *\"\nrescan = \"*/20 * * * * *\"\n";
const CONFIG: &str = "[orders]\nexpiry_secs = 60\n";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Shop,
    Node(usize),
}

/// The victims of all rounds, in random order.
fn victims(rounds: usize) -> Vec<Victim> {
    let nodes = rounds * 3 / 13;
    let of_nodes = (0..nodes).map(|i| Victim::Node(i % 2));
    let mut all: Vec<_> = of_nodes.chain((nodes..rounds).map(|_| Victim::Shop)).collect();
    fastrand::shuffle(&mut all);
    all
}

fn rounds() -> usize {
    std::env::var("IP2TOR_KILL_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(130)
}

#[test]
fn killed_at_any_moment_nothing_is_lost_and_nothing_happens_twice() {
    let mut shop = Shop::start(&Setup { nodes: 2, hosts: &HOSTS, config: CONFIG, jobs: JOBS });
    let ledger = Arc::new(Ledger::default());
    let _stop = ledger::StopOnDrop(Arc::clone(&ledger));
    let hosts: Vec<_> = shop.hosts.iter().map(|host| host::start(&shop, host, &ledger)).collect();
    let buyers: Vec<_> = (0..BUYERS).map(|_| buyers::start(&shop, &ledger)).collect();
    let victims = victims(rounds());
    for (round, victim) in victims.iter().enumerate() {
        ledger.set_careless(round < victims.len() / 2);
        std::thread::sleep(Duration::from_millis(fastrand::u64(100..900)));
        strike(&mut shop, *victim, &ledger);
        let broken = ledger.broken();
        assert!(broken.is_empty(), "round {round}, {victim:?} killed:\n{}", broken.join("\n"));
    }
    ledger.stop_buying();
    join(buyers);
    // Until the end the first node does not say what it is; what is held and what is open ends all the same.
    shop.nodes[0].fault("chain:hangs");
    drain(&mut shop, &ledger);
    shop.nodes[0].fault("chain:answers");
    ledger.stop();
    join(hosts);
    the_end(&mut shop, &ledger);
}

fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        thread.join().expect("no buyer and no host panics");
    }
}

/// Kills a process, looks at what it left, and starts it again.
fn strike(shop: &mut Shop, victim: Victim, ledger: &Ledger) {
    match victim {
        Victim::Shop => {
            // What a buyer was told before this moment must be found.
            let told = ledger.snapshot();
            shop.process.kill();
            let (copy, before) = (state::copy(&shop.database()), Books::read(&shop.nodes));
            let after = &before;
            for fault in state::damage(copy.path()) {
                ledger.violation(fault);
            }
            rules::check(&State::read(copy.path()), &before, after, &told, ledger);
            shop.restart();
        }
        Victim::Node(i) => {
            if fastrand::u8(..3) == 0 {
                // Not killed this time: its chain backend hangs until the node is.
                return shop.nodes[i].fault("chain:hangs");
            }
            shop.nodes[i].process.kill();
            if fastrand::bool() {
                std::thread::sleep(Duration::from_millis(fastrand::u64(0..3000)));
            }
            shop.nodes[i].restart();
            let (told, before) = (ledger.snapshot(), Books::read(&shop.nodes));
            let state = State::read(&shop.database());
            rules::check(&state, &before, &Books::read(&shop.nodes), &told, ledger);
        }
    }
}

/// Waits until nothing is left to do.
fn drain(shop: &mut Shop, ledger: &Ledger) {
    let start = Instant::now();
    let mut left = Vec::new();
    let done = wait_until(DRAIN, || {
        std::thread::sleep(Duration::from_millis(500));
        left = State::read(&shop.database()).unfinished();
        left.is_empty().then_some(())
    });
    assert!(shop.process.is_running(), "the shop still runs");
    assert!(done.is_some(), "still not through after {DRAIN:?}:\n{}", left.join("\n"));
    println!("drained in {:?}; {}", start.elapsed(), ledger.summary());
}

fn the_end(shop: &mut Shop, ledger: &Ledger) {
    shop.process.kill();
    let copy = state::copy(&shop.database());
    let (state, books) = (State::read(copy.path()), Books::read(&shop.nodes));
    for fault in state::damage(copy.path()) {
        ledger.violation(fault);
    }
    rules::check(&state, &books, &books, &ledger.snapshot(), ledger);
    rules::check_end(&state, &books, ledger);
    let panics: Vec<_> =
        shop.process.said().lines().filter(|line| line.contains("panicked")).map(str::to_owned).collect();
    panics.into_iter().for_each(|line| ledger.violation(line));
    let broken = ledger.broken();
    assert!(broken.is_empty(), "in the end:\n{}", broken.join("\n"));
    println!("{}", state.summary());
    // In a short run some things may not have had their chance.
    if rounds() >= 100 {
        state.assert_everything_happened();
    }
}
