//! The worker's part: carrying out the outbox, one call at a time, and the scheduled jobs.

use std::pin::Pin;

use ip2tor_shop::domain::lightning::{NodeError, NodeErrorKind};
use ip2tor_shop::domain::purchase::{InvoiceState, Purchase};
use ip2tor_shop::services::probes::{self, Finding};
use ip2tor_shop::services::{Error, clock, deadlines, host_watch, making};
use ip2tor_shop::store::outbox::{self as stored, Intent, IntentKind};
use ip2tor_shop::worker::outbox::{self, Performed};
use ip2tor_shop::worker::{alive, follow};

use super::node::Weather;
use super::rules;
use super::world::{HOLD_LIMIT_SECS, Outcome, World};

/// A clock that is put back by less than this was corrected, not wrong.
const CLOCK_TOLERANCE_SECS: i64 = 60;

/// An intent whose call has stalled.
pub struct InFlight {
    intent: Intent,
    seat: usize,
    future: Pin<Box<dyn Future<Output = Result<Performed, Error>>>>,
}

/// Carries out one intent that is due; the call may stall.
pub async fn one_intent(world: &mut World) -> Outcome {
    let now = world.now();
    let mut due = Vec::new();
    for n in 0..world.seats.len() {
        let id = world.seats[n].id;
        let found = world.shop.db.read(|db| stored::due(db, id, now, false, 100)).map_err(|error| error.to_string())?;
        let busy = |intent: &Intent| world.in_flight.iter().any(|other| other.intent.id == intent.id);
        due.extend(found.into_iter().filter(|intent| !busy(intent)).map(|intent| (n, intent)));
    }
    let Some((seat, intent)) = world.luck.choice(due) else { return Ok(()) };
    let stall = match world.luck.u32(..10) {
        0 => Some(Weather::StallBefore),
        1 => Some(Weather::StallAfter),
        _ => None,
    };
    carry_out(world, seat, intent, stall).await
}

/// Carries out everything that is due now, in the order of the outbox.
pub async fn all_intents(world: &mut World) -> Outcome {
    for n in 0..world.seats.len() {
        let (id, now) = (world.seats[n].id, world.now());
        let due = world.shop.db.read(|db| stored::due(db, id, now, false, 100)).map_err(|error| error.to_string())?;
        for intent in due {
            let still = world.shop.db.read(|db| stored::exists(db, intent.id)).map_err(|error| error.to_string())?;
            if still && !world.in_flight.iter().any(|other| other.intent.id == intent.id) {
                carry_out(world, n, intent, None).await?;
            }
        }
    }
    Ok(())
}

/// Tor is not part of this: a probe finds what luck wants.
async fn probe(world: &mut World, intent: &Intent) -> Outcome {
    let (is_good, blames_target) = world.luck.choice([(true, false), (false, false), (false, true)]).unwrap();
    world.note(format!("probe {:.6}: {is_good}, {blames_target}", intent.hash.to_string()));
    let finding = Finding { text: "The target does not answer".to_owned(), is_good, blames_target };
    let finding = Some(finding).filter(|_| world.chance(80));
    probes::finish(&world.shop, intent, finding).await.map_err(|error| format!("probing: {error:?}"))
}

async fn carry_out(world: &mut World, seat: usize, mut intent: Intent, stall: Option<Weather>) -> Outcome {
    if intent.kind == IntentKind::Probe {
        return probe(world, &intent).await;
    }
    intent.attempts += world.asked.get(&intent.id).copied().unwrap_or(0);
    let node = world.seats[seat].node.clone();
    let stall = stall.filter(|_| !world.in_flight.iter().any(|other| other.seat == seat) && !node.is_away());
    world.note(format!("node {seat}: {} {:.6} {stall:?}", intent.kind.name(), intent.hash.to_string()));
    let (shop, entry, copy) = (world.shop.clone(), world.seats[seat].entry.clone(), intent.clone());
    // Rarely the node is not in use: disabled, or its credentials are gone.
    let entry = if world.luck.u32(..40) == 0 && stall.is_none() {
        Err(NodeError::new(NodeErrorKind::Refused, "not in use"))
    } else {
        Ok(entry)
    };
    let mut future: Pin<Box<dyn Future<Output = _>>> =
        Box::pin(async move { outbox::perform(&shop, entry, &copy).await });
    let before = node.weather();
    if let Some(stall) = stall {
        node.set_weather(stall, 0);
    } else if before == Weather::Fine && world.fragile && world.chance(25) {
        node.set_weather(Weather::Flaky, world.luck.u64(..));
    }
    tokio::select! {
        biased;
        result = &mut future => {
            node.set_weather(before, world.luck.u64(..));
            performed(world, &intent, result)
        }
        () = node.stalled.notified() => {
            node.set_weather(before, world.luck.u64(..));
            world.count(format!("{} stalled", intent.kind.name()));
            world.in_flight.push(InFlight { intent, seat, future });
            Ok(())
        }
    }
}

fn performed(world: &mut World, intent: &Intent, result: Result<Performed, Error>) -> Outcome {
    match result {
        Ok(Performed::Recorded) => drop(world.asked.remove(&intent.id)),
        Ok(Performed::AskAgain) => {
            world.count("an answer was lost".to_owned());
            *world.asked.entry(intent.id).or_default() += 1;
        }
        Err(error) => return Err(format!("{} failed: {error:?}", intent.kind.name())),
    }
    Ok(())
}

/// A stalled call goes on.
pub async fn resume(world: &mut World) -> Outcome {
    if world.in_flight.is_empty() {
        return Ok(());
    }
    let n = world.luck.usize(..world.in_flight.len());
    let InFlight { intent, seat, future } = world.in_flight.swap_remove(n);
    world.note(format!("node {seat}: goes on with {}", intent.kind.name()));
    world.seats[seat].node.resume.notify_one();
    let result = future.await;
    performed(world, &intent, result)
}

/// What the worker does first after a start.
pub async fn take_over(world: &mut World) -> Outcome {
    making::take_over(&world.shop).await.map_err(|error| format!("{error:?}"))
}

/// The jobs, by their number.
pub const JOBS: u32 = 7;

/// The job that gives held payments back.
pub const RETURN_HOLDS: u32 = 4;

/// Runs a scheduled job, as the scheduler would.
pub async fn job(world: &mut World, number: u32) -> Outcome {
    world.note(format!("job {number}"));
    let shop = world.shop.clone();
    let right = number > 3 || clock::is_right(&shop).await.map_err(|error| format!("{error:?}"))?;
    let done = match number {
        _ if !right => Ok(0),
        0 => deadlines::close_unpaid(&shop).await,
        1 => deadlines::suspend_expired(&shop).await,
        2 => deadlines::delete_suspended(&shop).await,
        3 => deadlines::give_up_unactivated(&shop).await,
        RETURN_HOLDS => return return_holds(world).await,
        5 => host_watch::look(&shop).await.map(|seen| seen.alive),
        _ => return checks(world).await,
    };
    done.map(drop).map_err(|error| format!("job {number}: {error:?}"))
}

/// Held payments go back in time, whatever happened to the clock.
async fn return_holds(world: &mut World) -> Outcome {
    deadlines::return_overdue_holds(&world.shop).await.map_err(|error| format!("{error:?}"))?;
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
        alive::check(&world.shop, &seat.entry).await.map_err(|error| format!("{error:?}"))?;
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
