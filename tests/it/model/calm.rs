//! Calming down: every outage ends, every call goes on, hosts do what they are told, and enough time
//! passes for everything that has a deadline.

use super::admin;
use super::debts;
use super::deeds;
use super::ending;
use super::host;
use super::news;
use super::node::Weather;
use super::rules;
use super::work;
use super::world::{Outcome, World};

/// The seconds that pass before each round: in all longer than any invoice can be paid, than any delay
/// between two tries, and than the time that a host has to activate.
const ROUNDS: [i64; 9] = [40, 40, 40, 1000, 60, 2000, 60, 4000, 60];
/// After so many rounds the operator has been told of everything that no host takes down.
const TOLD: usize = 8;
/// After so many rounds every order that is over is unpayable because the node was told, not because
/// its time is up.
const SOON: usize = 3;

pub async fn down(world: &mut World) -> Outcome {
    world.note("--- everything calms down");
    world.fragile = false;
    admin::end(world).await?;
    let behind = world.clock_lag();
    if behind > 0 {
        world.note("the clock is put right");
        world.clock.advance_secs(behind);
    }
    for n in 0..world.seats.len() {
        world.seats[n].node.set_weather(Weather::Fine, 0);
    }
    while world.stalled() > 0 {
        work::resume(world).await?;
        rules::look(world)?;
    }
    while !world.memory.paying.is_empty() {
        debts::learn(world).await?;
        rules::look(world)?;
    }
    for (n, seconds) in ROUNDS.into_iter().enumerate() {
        if n == 1 {
            // The streams are open and everything was compared once.
            ending::every_settlement_is_known(world)?;
        }
        if n == SOON {
            rules::nothing_over_is_payable(world)?;
        }
        if n == TOLD {
            host::operator_gives_stuck_ones_back(world).await?;
        }
        round(world, seconds).await?;
    }
    Ok(())
}

async fn round(world: &mut World, seconds: i64) -> Outcome {
    deeds::pass(world, seconds);
    deeds::check_in(world, 0).await?;
    for number in 0..work::JOBS {
        work::job(world, number).await?;
    }
    rules::look(world)?;
    for n in 0..world.seats.len() {
        loop {
            let before = world.seats[n].stream;
            news::stream(world, n).await?;
            rules::look(world)?;
            if world.seats[n].stream == before {
                break;
            }
        }
        work::compare(world, n).await?;
        news::watch(world, n, true).await?;
        rules::look(world)?;
    }
    work::all_intents(world).await?;
    rules::look(world)?;
    for host in world.hosts.clone() {
        while host::is_busy(world) {
            for each in world.hosts.clone() {
                host::step(world, each).await?;
                rules::look(world)?;
            }
        }
        host::round(world, host).await?;
        host::round(world, host).await?;
    }
    Ok(())
}
