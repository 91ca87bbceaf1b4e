//! The worker's part: carrying out the outbox by the real runner, and the scheduled jobs.

use ip2tor_shop::background::nodes::{follow, health};
use ip2tor_shop::domain::purchase::{InvoiceState, Purchase};
use ip2tor_shop::services::orders;
use ip2tor_shop::services::orders::probe::Finding;
use ip2tor_shop::services::{hosts, invoices, products};
use ip2tor_shop::store::outbox::{self as stored, Intent, IntentKind};

use super::node::Weather;
use super::world::{HOLD_LIMIT_SECS, Outcome, World};
use super::{rules, run};

/// A clock that is put back by less than this was corrected, not wrong.
const CLOCK_TOLERANCE_SECS: i64 = 60;
/// After so many looks at the outbox nothing can be left that could be done.
const ENOUGH_LOOKS: usize = 100;

/// The runner looks at the outbox once, while calls may stall or fail.
pub async fn one_look(world: &mut World) -> Outcome {
    let weather = if world.chance(40) { Weather::Stalling } else { Weather::Flaky };
    look(world, weather).await
}

/// The runner looks at the outbox until everything is done that can be.
pub async fn all_intents(world: &mut World) -> Outcome {
    if world.fragile && world.chance(25) {
        look(world, Weather::Flaky).await?;
        rules::look(world)?;
    }
    for _ in 0..ENOUGH_LOOKS {
        look(world, Weather::Fine).await?;
        rules::look(world)?;
        if waiting(world)?.is_empty() {
            return Ok(());
        }
    }
    let left = waiting(world)?;
    Err(format!("nothing is in the way, and these wait: {left:?}"))
}

/// One look of the runner; a node that is well has `weather` meanwhile.
async fn look(world: &mut World, weather: Weather) -> Outcome {
    probe_all(world).await?;
    world.note(format!("the outbox is looked at, {weather:?}"));
    let before: Vec<Weather> = world.seats.iter().map(|seat| seat.node.weather()).collect();
    for (n, _) in before.iter().enumerate().filter(|(_, before)| **before == Weather::Fine) {
        world.seats[n].node.set_weather(weather, world.luck.u64(..));
    }
    // Rarely a node is not in use: disabled, or its credentials are gone.
    let absent = (weather != Weather::Fine && world.chance(5)).then(|| world.luck.usize(..world.seats.len()));
    world.registry.set(world.entries(absent));
    world.runner.start_due().map_err(|error| error.to_string())?;
    world.runner.start_new(&mut world.newest).map_err(|error| error.to_string())?;
    quiet(world).await?;
    world.registry.set(world.entries(None));
    for (seat, before) in world.seats.iter().zip(before) {
        seat.node.set_weather(before, 0);
    }
    Ok(())
}

/// Waits until nothing goes on but calls that have stalled.
async fn quiet(world: &mut World) -> Outcome {
    while world.tasks.running() > world.stalled() {
        tokio::task::yield_now().await;
        // The database has a thread of its own.
        std::thread::yield_now();
    }
    let seen: Vec<_> = world.seats.iter().flat_map(|seat| seat.node.seen()).collect();
    seen.into_iter().for_each(|what| world.count(what));
    rules::rule(!run::has_panicked(), || "something has panicked".to_owned())
}

/// What is due at nodes that would do it.
fn waiting(world: &World) -> Result<Vec<Intent>, String> {
    let mut waiting = Vec::new();
    for seat in world.seats.iter().filter(|seat| seat.node.stalled() == 0) {
        if matches!(seat.node.weather(), Weather::Fine | Weather::Busy) {
            let due = world.shop.db.read(|db| stored::due(db, seat.id, world.now(), false, 100));
            waiting.extend(due.map_err(|error| error.to_string())?);
        }
    }
    waiting.retain(|intent| matches!(intent.kind, IntentKind::Cancel | IntentKind::Settle));
    Ok(waiting)
}

/// Tor is not part of this: a probe finds what luck wants.
async fn probe_all(world: &mut World) -> Outcome {
    let intents = world.shop.db.read(stored::all).map_err(|error| error.to_string())?;
    for intent in intents.into_iter().filter(|intent| intent.kind == IntentKind::Probe) {
        let (is_good, blames_target) = world.luck.choice([(true, false), (false, false), (false, true)]).unwrap();
        world.note(format!("probe {:.6}: {is_good}, {blames_target}", intent.hash.to_string()));
        let finding = Finding { text: "The target does not answer".to_owned(), is_good, blames_target };
        let finding = Some(finding).filter(|_| world.chance(80));
        orders::probe::finish(&world.shop, &intent, finding).await.map_err(|error| format!("probing: {error:?}"))?;
    }
    Ok(())
}

/// A stalled call goes on.
pub async fn resume(world: &mut World) -> Outcome {
    let stalled: Vec<usize> = (0..world.seats.len()).filter(|n| world.seats[*n].node.stalled() > 0).collect();
    let Some(seat) = world.luck.choice(stalled) else { return Ok(()) };
    let n = world.luck.usize(..world.seats[seat].node.stalled());
    world.note(format!("node {seat}: a stalled call goes on"));
    world.seats[seat].node.resume(n);
    quiet(world).await
}

/// What the worker does first after a start.
pub async fn take_over(world: &mut World) -> Outcome {
    invoices::create::take_over(&world.shop).await.map_err(|error| format!("{error:?}"))
}

/// The jobs, by their number.
pub const JOBS: u32 = 7;

/// The job that gives held payments back.
pub const RETURN_HOLDS: u32 = 4;

/// Runs a scheduled job, as the scheduler would.
pub async fn job(world: &mut World, number: u32) -> Outcome {
    if world.memory.paused.contains(&number) {
        return Ok(());
    }
    world.note(format!("job {number}"));
    let shop = world.shop.clone();
    let done = match number {
        0 => products::expire::close_unpaid(&shop).await,
        1 => products::expire::suspend_expired(&shop).await,
        2 => products::expire::delete_suspended(&shop).await,
        3 => products::expire::give_up_unactivated(&shop).await,
        RETURN_HOLDS => return return_holds(world).await,
        5 => hosts::watch::look(&shop).await.map(|seen| Some(seen.alive)),
        _ => return checks(world).await,
    };
    done.map(drop).map_err(|error| format!("job {number}: {error:?}"))
}

/// Held payments go back in time, whatever happened to the clock.
async fn return_holds(world: &mut World) -> Outcome {
    products::expire::return_overdue_holds(&world.shop).await.map_err(|error| format!("{error:?}"))?;
    rules::look(world)?;
    let now = world.now();
    let too_long = |purchase: &&Purchase| {
        let Some(since) = purchase.invoice.held_at.filter(|_| purchase.invoice.state == InvoiceState::Held) else {
            return false;
        };
        since.plus_secs(HOLD_LIMIT_SECS) <= now || since > now.plus_secs(CLOCK_TOLERANCE_SECS)
    };
    let left = world.last.orders.values().map(|(purchase, _)| purchase).find(too_long);
    rules::rule(left.is_none(), || "a payment is held past its limit".to_owned())
}

/// Asks each node whether it is alive.
pub async fn checks(world: &mut World) -> Outcome {
    for seat in &world.seats {
        health::check(&world.shop, &seat.entry).await.map_err(|error| format!("{error:?}"))?;
        seat.node.set_counts_as_down(seat.entry.is_down());
    }
    Ok(())
}

/// Compares the open invoices with a node's.
pub async fn compare(world: &mut World, n: usize) -> Outcome {
    world.note(format!("compare with node {n}"));
    let (shop, entry) = (world.shop.clone(), world.seats[n].entry.clone());
    let compared = follow::compare(&shop, &entry, &mut world.strangers).await;
    compared.map(drop).map_err(|error| format!("comparing: {error:?}"))
}
