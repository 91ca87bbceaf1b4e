//! News from nodes: streams that break and start again, watched hold invoices, and answers that come
//! late.

use ip2tor_shop::background::nodes::holds;
use ip2tor_shop::services::payments;
use ip2tor_shop::services::payments::apply::StreamPosition;
use ip2tor_shop::store::node_state;

use super::work;
use super::world::{Outcome, World};

/// The stream of a node tells its next settlements; one that is not open is opened.
pub async fn stream(world: &mut World, n: usize) -> Outcome {
    let seat = &world.seats[n];
    if seat.node.is_away() {
        world.seats[n].stream = None;
        return Ok(());
    }
    let Some(position) = seat.stream else { return connect(world, n).await };
    let mut news = seat.node.settled_after(position);
    news.truncate(world.luck.usize(1..4));
    let Some(last) = news.last().cloned() else { return Ok(()) };
    world.note(format!("node {n}: tells of {} settlements up to {}", news.len(), last.settle_index));
    if world.chance(20) {
        news.push(last.clone());
    }
    let node = seat_id(world, n);
    let read = world.seats[n].read.clone();
    let applied = payments::apply::apply_all(&world.shop, node, news, read).await;
    let (_, mut read) = applied.map_err(|error| format!("applying: {error:?}"))?;
    // Now and then there is a pause; a crash may come before it.
    let is_quiet = world.chance(60);
    if is_quiet {
        read = payments::apply::caught_up(&world.shop, node, read)
            .await
            .map_err(|error| format!("applying: {error:?}"))?;
    }
    let seat = &mut world.seats[n];
    seat.read = read;
    seat.stream = Some(last.settle_index);
    if is_quiet {
        seat.told = seat.told.max(last.settle_index);
    }
    Ok(())
}

async fn connect(world: &mut World, n: usize) -> Outcome {
    let node = seat_id(world, n);
    let cursor = world.shop.db.read(|db| node_state::cursor(db, node)).map_err(|error| error.to_string())?;
    // A cursor of 0 replays nothing: a rule of LND.
    let position = if cursor.index == 0 { world.seats[n].node.last_settle() } else { cursor.index };
    world.seats[n].read = StreamPosition::new(cursor);
    world.note(format!("node {n}: stream from {}", cursor.index));
    world.seats[n].stream = Some(position);
    // The comparison runs beside the stream: it may come later, or be cut short by a crash.
    if world.chance(70) { work::compare(world, n).await } else { Ok(()) }
}

/// The subscription of a hold invoice tells its present state.
pub async fn watch(world: &mut World, n: usize, all: bool) -> Outcome {
    let (node, away) = (seat_id(world, n), world.seats[n].node.is_away());
    let live = world.shop.db.read(|db| node_state::live_hold_hashes(db, node)).map_err(|error| error.to_string())?;
    let chosen = if all { live } else { world.luck.choice(live).into_iter().collect() };
    for hash in chosen {
        let Some(invoice) = world.seats[n].node.invoice(hash).filter(|_| !away) else { continue };
        world.note(format!("node {n}: {:.6} is {:?}", hash.to_string(), invoice.state));
        let observed = holds::observe(&world.shop, &world.seats[n].entry, invoice).await;
        observed.map_err(|error| format!("observing: {error:?}"))?;
    }
    Ok(())
}

/// An answer about an invoice is read now and applied later.
pub async fn late(world: &mut World) -> Outcome {
    let n = world.luck.usize(..world.seats.len());
    if world.late_news.len() < 3 {
        let invoices = world.seats[n].node.invoices();
        let ours =
            invoices.into_iter().filter(|invoice| world.last.attempts.iter().any(|(hash, _)| *hash == invoice.hash));
        let Some(news) = world.luck.choice(ours.collect::<Vec<_>>()) else { return Ok(()) };
        world.late_news.push((n, news));
        return Ok(());
    }
    let (n, news) = world.late_news.remove(0);
    world.note(format!("node {n}: late news of {:.6}: {:?}", news.hash.to_string(), news.state));
    let node = seat_id(world, n);
    payments::apply::apply(&world.shop, node, news, None)
        .await
        .map(drop)
        .map_err(|error| format!("late news: {error:?}"))
}

fn seat_id(world: &World, n: usize) -> ip2tor_shop::domain::id::NodeId {
    world.seats[n].id
}
