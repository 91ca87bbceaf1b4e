//! Runs interleavings on two threads; on a failure it looks for a shorter one that fails as well, and
//! tells how to run it again.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use ip2tor_shop::store::Db;

use super::world::{Outcome, World};
use super::{actions, calm, ending, rules, whole};

/// Interleavings of a test run; `IP2TOR_MODEL_RUNS` sets another number, `make test-long` one of 20,000.
const RUNS: u64 = 4_000;
/// Worlds with the whole worker, side by side.
const WORLDS: u64 = 16;
/// Threads that run them.
const THREADS: usize = 2;
/// One run in so many has SQLite check its whole file.
const THOROUGH: u64 = 100;

/// So many runs must have seen everything in [`EXPECTED`].
const ENOUGH: u64 = 2_000;
/// Moves and accidents that every long test run must have met.
const EXPECTED: [&str; 26] = [
    "a debt was claimed by its page",
    "a form went by its page",
    "an answer was lost",
    "another node took over",
    "died in the middle of a call",
    "held money moved at a node that counts as down",
    "make_invoice stalled",
    "cancel_invoice stalled",
    "hold held->cancelling",
    "hold held->settling",
    "hold settling->paid",
    "hold settling->expired",
    "plain cancelling->paid",
    "plain open->paid",
    "plain open->expired",
    "order L->R",
    "order M->T",
    "order N->S",
    "order P->N",
    "order T->N",
    "product A->S",
    "product H->D",
    "product H->P",
    "product P->S",
    "product S->H",
    "product S->P",
];

/// How often what happened.
type Tally = BTreeMap<String, u64>;

thread_local! {
    /// Whether something on this thread has panicked: the runtime catches what panics in a task.
    static PANICKED: Cell<bool> = const { Cell::new(false) };
}

/// Whether something has panicked since this was last asked.
pub fn has_panicked() -> bool {
    PANICKED.take()
}

fn notice_panics() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICKED.set(true);
        tell(panic);
    }));
}

/// Runs all interleavings, or the one that `IP2TOR_MODEL_SEED` names.
pub fn all() {
    notice_panics();
    let folder = folder();
    let empty = empty_database(folder.path());
    if let Some(seed) = number("IP2TOR_MODEL_SEED") {
        return drop(one(seed, folder.path(), &empty));
    }
    let (runs, first) = (number("IP2TOR_MODEL_RUNS").unwrap_or(RUNS), number("IP2TOR_MODEL_FIRST").unwrap_or(0));
    let sum = Mutex::new(Tally::new());
    let (next, failed) = (AtomicU64::new(first), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (next, failed, empty, folder) = (&next, &failed, &empty, folder.path());
            let sum = &sum;
            std::thread::Builder::new()
                .name(format!("model-{thread}"))
                .spawn_scoped(scope, move || {
                    while !failed.load(Ordering::Relaxed) {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= first + runs {
                            break;
                        }
                        let guard = Guard(failed);
                        let tally = one(seed, folder, empty);
                        let mut sum = sum.lock().unwrap();
                        tally.into_iter().for_each(|(what, times)| *sum.entry(what).or_default() += times);
                        std::mem::forget(guard);
                    }
                })
                .unwrap();
        }
    });
    report(&sum.into_inner().unwrap(), runs);
}

/// Runs the whole worker in some worlds; `IP2TOR_MODEL_WORLDS` sets their number.
pub fn whole() {
    notice_panics();
    let folder = folder();
    let empty = empty_database(folder.path());
    whole::some(number("IP2TOR_MODEL_WORLDS").unwrap_or(WORLDS), folder.path(), &empty);
}

/// Shows where the runs went (`--nocapture`), and fails when they missed something that they should
/// have seen: a test that goes nowhere proves nothing.
fn report(sum: &Tally, runs: u64) {
    for (what, times) in sum {
        println!("{times:8} {what}");
    }
    let missed: Vec<_> = EXPECTED.iter().filter(|what| !sum.contains_key(**what)).collect();
    assert!(runs < ENOUGH || missed.is_empty(), "{runs} interleavings never saw {missed:?}");
}

/// Stops the other threads when this one panics.
struct Guard<'a>(&'a AtomicBool);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Memory where there is some: the runs are not about the disk.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// The file of a database that was just made: copying it is faster than making it.
fn empty_database(folder: &Path) -> Vec<u8> {
    let path: PathBuf = folder.join("empty.sqlite3");
    drop(Db::open(&path).unwrap());
    let copy = folder.join("copy.sqlite3");
    let open = rusqlite::Connection::open(&path).unwrap();
    open.execute("VACUUM INTO ?", [copy.to_str().unwrap()]).unwrap();
    std::fs::read(copy).unwrap()
}

/// Runs one interleaving and returns what happened how often.
fn one(seed: u64, folder: &Path, empty: &[u8]) -> Tally {
    let steps: Vec<u64> = (0..20 + seed % 41).map(|n| (seed << 8) | n).collect();
    let (outcome, world) = attempt(seed, &steps, folder, empty);
    let Err(text) = outcome else { return world.tally };
    let shortest = shorten(seed, steps, folder, empty);
    let (outcome, world) = attempt(seed, &shortest, folder, empty);
    let text = outcome.err().unwrap_or(text);
    panic!(
        "interleaving {seed} breaks a rule: {text}\n  {}\n\nAgain: IP2TOR_MODEL_SEED={seed} cargo test --test it model",
        world.trace.join("\n  ")
    );
}

/// Leaves out whatever the failure does not need.
fn shorten(seed: u64, mut steps: Vec<u64>, folder: &Path, empty: &[u8]) -> Vec<u64> {
    let mut size = steps.len() / 2;
    while size > 0 {
        let mut start = 0;
        while start < steps.len() {
            let end = (start + size).min(steps.len());
            let fewer: Vec<u64> = [&steps[..start], &steps[end..]].concat();
            if attempt(seed, &fewer, folder, empty).0.is_err() {
                steps = fewer;
            } else {
                start = end;
            }
        }
        size /= 2;
    }
    steps
}

fn attempt(seed: u64, steps: &[u64], folder: &Path, empty: &[u8]) -> (Outcome, World) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    // A name that was never used: the former shop's connections may still be closing.
    let name = tempfile::Builder::new().prefix("run").tempdir_in(folder).unwrap();
    let mut world = World::new(seed, &name.path().join("shop.sqlite3"), empty);
    let outcome = runtime.block_on(async {
        rules::look(&mut world)?;
        for step in steps {
            actions::step(&mut world, *step).await?;
        }
        calm::down(&mut world).await?;
        ending::check(&world, seed.is_multiple_of(THOROUGH))
    });
    (outcome, world)
}
