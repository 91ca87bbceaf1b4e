//! Which steps there are, and how often each comes.

use super::world::{Outcome, World};
use super::{deeds, news, rules, work};

/// One step: anything can follow anything. The same seed is the same step in the same world.
pub async fn step(world: &mut World, seed: u64) -> Outcome {
    world.luck = fastrand::Rng::with_seed(seed);
    let n = world.luck.usize(..world.seats.len());
    match world.luck.u32(..100) {
        0..10 => deeds::order(world).await?,
        10..15 => deeds::extend(world).await?,
        15..27 => deeds::pay(world),
        27..45 => work::one_intent(world).await?,
        45..50 => work::all_intents(world).await?,
        50..55 => work::resume(world).await?,
        55..60 => news::stream(world, n).await?,
        60..64 => news::watch(world, n, false).await?,
        64..67 => work::compare(world, n).await?,
        67..74 => {
            let number = world.luck.u32(..work::JOBS);
            work::job(world, number).await?;
        }
        74..83 => deeds::host_reports(world, false).await?,
        83 => deeds::bandwidth(world).await?,
        84..86 => {
            let status = if world.chance(85) { 0 } else { 1 };
            deeds::check_in(world, status).await?;
        }
        86 => deeds::delete(world).await?,
        87 => deeds::operate(world).await?,
        88..90 => deeds::resolve(world).await?,
        90..95 => deeds::time(world),
        95..97 => deeds::weather(world),
        97 => news::late(world).await?,
        98 => deeds::foreign_payment(world),
        _ => {
            world.note("the shop dies and starts again");
            world.crash();
            work::take_over(world).await?;
        }
    }
    rules::look(world)
}
