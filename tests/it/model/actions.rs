//! Which steps there are, and how often each comes.

use super::world::{Outcome, World};
use super::{admin, debts, deeds, news, rules, work};

/// One step: anything can follow anything. The same seed is the same step in the same world.
pub async fn step(world: &mut World, seed: u64) -> Outcome {
    world.luck = fastrand::Rng::with_seed(seed);
    let n = world.luck.usize(..world.seats.len());
    match world.luck.u32(..100) {
        0..8 => deeds::order(world).await?,
        8..15 => deeds::extend(world).await?,
        15..23 => deeds::pay(world),
        23..35 => work::one_look(world).await?,
        35..39 => work::resume(world).await?,
        39..44 => news::stream(world, n).await?,
        44..48 => news::watch(world, n, false).await?,
        48..51 => work::compare(world, n).await?,
        51..57 => {
            let number = world.luck.u32(..work::JOBS);
            work::job(world, number).await?;
        }
        57..63 => deeds::host_reports(world, false).await?,
        63..65 => deeds::bandwidth(world).await?,
        65..67 => {
            let status = if world.chance(70) { 0 } else { 1 };
            deeds::check_in(world, status).await?;
        }
        67..69 => deeds::delete(world).await?,
        69..72 => deeds::operate(world).await?,
        72..73 => debts::settle(world).await?,
        73..80 => time(world).await?,
        80..84 => deeds::weather(world),
        84 => news::late(world).await?,
        85 => deeds::foreign_payment(world),
        86 => {
            world.note("the shop dies and starts again");
            world.crash().await;
            work::take_over(world).await?;
        }
        87..90 => admin::administer(world).await?,
        _ => good_minute(world, n).await?,
    }
    rules::look(world)
}

/// Time passes; mostly the hosts go on checking in, and held payments are looked at each second.
async fn time(world: &mut World) -> Outcome {
    if world.chance(5) {
        clock_ahead(world).await?;
    }
    if world.chance(80) {
        work::all_intents(world).await?;
        rules::look(world)?;
    }
    deeds::time(world);
    for number in [work::RETURN_HOLDS, 0, 1, 3] {
        if world.chance(60) {
            work::job(world, number).await?;
            rules::look(world)?;
        }
    }
    if world.chance(85) { deeds::check_in(world, 0).await } else { Ok(()) }
}

/// For a moment the shop's clock is ahead; what is tried meanwhile may be postponed by that clock.
async fn clock_ahead(world: &mut World) -> Outcome {
    let seconds = world.luck.choice([100, 4000]).unwrap();
    world.note(format!("the clock is {seconds} s ahead"));
    world.clock.advance_secs(seconds);
    work::all_intents(world).await?;
    rules::look(world)?;
    world.note("and put back");
    world.clock.advance_secs(-seconds);
    Ok(())
}

/// A minute in which much works, so that runs get to the later parts of a product's life.
async fn good_minute(world: &mut World, n: usize) -> Outcome {
    world.note("a good minute");
    if world.chance(20) {
        debts::settle(world).await?;
        rules::look(world)?;
    }
    work::all_intents(world).await?;
    rules::look(world)?;
    deeds::pay(world);
    news::stream(world, n).await?;
    rules::look(world)?;
    news::stream(world, n).await?;
    rules::look(world)?;
    news::watch(world, n, true).await?;
    rules::look(world)?;
    let obeys = world.chance(85);
    deeds::host_reports(world, obeys).await?;
    rules::look(world)?;
    work::all_intents(world).await
}
