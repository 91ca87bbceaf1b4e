//! What those who run the shop do besides looking after one product: abuse is stopped, hosts are drained and removed,
//! intents are hurried or given up, jobs wait.

use ip2tor_shop::domain::deny_list::DenyKind;
use ip2tor_shop::domain::host_rules::HostChange;
use ip2tor_shop::domain::product::ProductKind;
use ip2tor_shop::services::hosts::manage;
use ip2tor_shop::services::products::operate::{Operation, OperatorAction, operate};
use ip2tor_shop::services::{Error, Principal, deny_list, outbox};
use ip2tor_shop::store::outbox::{self as stored, Intent, IntentKind};

use super::deeds::{any_product, short};
use super::work::JOBS;
use super::world::{Outcome, World};

/// One of these deeds.
pub async fn administer(world: &mut World) -> Outcome {
    match world.luck.u32(..20) {
        0..3 => kill(world).await,
        3..6 => allow(world).await,
        6..11 => drain(world).await,
        11 => remove_host(world).await,
        12..14 => retry(world).await,
        14..17 => give_up(world).await,
        _ => {
            pause(world);
            Ok(())
        }
    }
}

fn administrator() -> Principal {
    Principal::Administrator("admin".to_owned())
}

/// A product is switched off for good, and its target gets nothing any more.
async fn kill(world: &mut World) -> Outcome {
    let Some(product) = any_product(world) else { return Ok(()) };
    world.note(format!("operator: kill {} in {} and deny", short(product.id), product.status.letter()));
    let denies_target = product.kind() == ProductKind::TorBridge;
    let operation = Operation { action: OperatorAction::Kill, reason: Some("abuse".to_owned()), denies_target };
    let answer = operate(&world.shop, &administrator(), product.id, operation).await;
    world.answered(answer.map(drop)).map(drop)
}

/// Whoever is on the deny list may buy again.
async fn allow(world: &mut World) -> Outcome {
    world.note("operator: the deny list is emptied");
    let by = administrator();
    let emptied = world.shop.tx(&by, |tx| {
        for entry in deny_list::list(tx)? {
            deny_list::remove(tx, DenyKind::Target, &entry.value)?;
        }
        Ok(())
    });
    let emptied = emptied.await;
    world.answered(emptied).map(drop)
}

/// A host takes no new orders; mostly it does again.
async fn drain(world: &mut World) -> Outcome {
    let host = world.hosts[world.luck.usize(..world.hosts.len())];
    let is_draining = world.chance(30);
    world.note(format!("operator: {} drained: {is_draining}", short(host)));
    let change = HostChange { is_draining: Some(is_draining), ..HostChange::default() };
    let set = world.shop.tx(&administrator(), move |tx| manage::set(tx, host, change, &[], None)).await;
    world.answered(set.map(drop)).map(drop)
}

/// A host goes, if nothing stands on it; one stays, so that something is sold.
async fn remove_host(world: &mut World) -> Outcome {
    let Some(host) = world.hosts.get(1).copied() else { return Ok(()) };
    world.note(format!("operator: remove host {}", short(host)));
    let removed = world.shop.tx(&administrator(), move |tx| manage::remove(tx, host)).await;
    if world.answered(removed)? {
        world.hosts.retain(|left| *left != host);
        world.count("a host was removed".to_owned());
    }
    Ok(())
}

/// Something that waits for a node is tried now.
async fn retry(world: &mut World) -> Outcome {
    let Some(intent) = any_intent(world, |_| true)? else { return Ok(()) };
    world.note(format!("operator: try {:?} now", intent.kind));
    let answer = outbox::retry(&world.shop, &administrator(), intent.id).await;
    world.answered(answer).map(drop)
}

/// An invoice is not made any more, whatever a node has begun. What takes or cancels can't be given up.
async fn give_up(world: &mut World) -> Outcome {
    let Some(intent) = any_intent(world, |kind| kind != IntentKind::Probe)? else { return Ok(()) };
    world.note(format!("operator: give {:?} up", intent.kind));
    let answer = outbox::give_up(&world.shop, &administrator(), intent.id, "by hand").await;
    if intent.kind != IntentKind::Make && !matches!(answer, Err(Error::Conflict(_) | Error::NotFound)) {
        return Err(format!("{:?} was given up: {answer:?}", intent.kind));
    }
    if world.answered(answer)? {
        world.count("an intent was given up".to_owned());
    }
    Ok(())
}

fn any_intent(world: &mut World, fits: impl Fn(IntentKind) -> bool) -> Result<Option<Intent>, String> {
    let mut all = world.shop.db.read(stored::all).map_err(|error| error.to_string())?;
    all.retain(|intent| fits(intent.kind));
    Ok(world.luck.choice(all))
}

/// A job waits, or all come again.
fn pause(world: &mut World) {
    let number = world.luck.u32(..JOBS);
    world.note(format!("operator: job {number} is paused, or all go on"));
    if world.memory.paused.is_empty() {
        world.memory.paused.insert(number);
    } else {
        world.memory.paused.clear();
    }
}

/// What was stopped goes on: paused jobs, drained hosts.
pub async fn end(world: &mut World) -> Outcome {
    world.memory.paused.clear();
    allow(world).await
}
