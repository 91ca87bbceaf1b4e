//! The hosts' scripts as they really are: they work off lists that were right some time ago, one item after the other;
//! they keep a forward that is there, whoever's it is, and report the new product as theirs; a report gets lost now and
//! then, and is not sent again. One of the two never reports a product as taken down whose forward it does not find.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ip2tor_shop::domain::id::{HostId, ProductId};
use ip2tor_shop::domain::product::{Product, ProductKind, ProductStatus, Subject};
use ip2tor_shop::services::products;
use ip2tor_shop::services::products::operate::OperatorAction;
use ip2tor_shop::services::{Principal, payments};

use super::deeds::{report, short};
use super::rules::{self, rule};
use super::world::{Outcome, World};

/// What the scripts of one host know.
#[derive(Default)]
pub struct Script {
    /// Whether it reports what it does not find as taken down.
    pub reports_all: bool,
    /// The forwards (and names) that stand, by port or name: whose they are.
    pub forwards: BTreeMap<String, ProductId>,
    /// What a poll returned and was not worked off yet.
    todo: VecDeque<Item>,
    /// What was polled for last.
    polled: Option<ProductStatus>,
}

impl Script {
    /// Scripts that have nothing and were told nothing.
    pub fn new(reports_all: bool) -> Self {
        Self { reports_all, ..Self::default() }
    }
}

/// One product of a list, as it was then.
struct Item {
    id: ProductId,
    kind: ProductKind,
    place: String,
    status: ProductStatus,
}

/// What a product occupies on its host: a port, or a name.
pub fn place(product: &Product) -> String {
    match &product.subject {
        Subject::Target(_) => product.port.map(|port| port.to_string()).unwrap_or_default(),
        Subject::Alias { alias, .. } => alias.clone(),
    }
}

/// The scripts of a host do the next thing: they ask what there is to do, or do one of the things.
pub async fn step(world: &mut World, host: HostId) -> Outcome {
    match world.memory.scripts.entry(host).or_default().todo.pop_front() {
        Some(item) => work(world, host, item).await,
        None => poll(world, host).await,
    }
}

/// Both of their lists, to the end.
pub async fn round(world: &mut World, host: HostId) -> Outcome {
    for _ in 0..2 {
        step(world, host).await?;
        rules::look(world)?;
        while !world.memory.scripts.entry(host).or_default().todo.is_empty() {
            step(world, host).await?;
            rules::look(world)?;
        }
    }
    Ok(())
}

async fn poll(world: &mut World, host: HostId) -> Outcome {
    let script = world.memory.scripts.entry(host).or_default();
    let status = match script.polled {
        Some(ProductStatus::NeedsActivate) => ProductStatus::NeedsSuspend,
        _ => ProductStatus::NeedsActivate,
    };
    script.polled = Some(status);
    for kind in [ProductKind::TorBridge, ProductKind::NostrAlias] {
        let listed = products::view::list(&world.shop, &Principal::Host(host), kind, None, Some(status)).await;
        let listed = listed.map_err(|error| format!("a list failed: {error}"))?;
        for view in listed {
            let id = view.product.id;
            world.note(format!("host: is told of {} in {}", short(id), status.letter()));
            if status == ProductStatus::NeedsActivate {
                world.memory.seen.insert(id);
            }
            let item = Item { id, kind, place: place(&view.product), status };
            world.memory.scripts.entry(host).or_default().todo.push_back(item);
        }
    }
    Ok(())
}

async fn work(world: &mut World, host: HostId, item: Item) -> Outcome {
    let fragile = world.fragile;
    let (is_lost, fails) = (fragile && world.chance(12), fragile && world.chance(8));
    let script = world.memory.scripts.entry(host).or_default();
    let mut status = ProductStatus::Suspended;
    if item.status == ProductStatus::NeedsActivate {
        status = if fails { ProductStatus::Failed } else { ProductStatus::Active };
        if !fails {
            script.forwards.entry(item.place.clone()).or_insert(item.id);
        }
    } else if script.forwards.remove(&item.place).is_none() && !script.reports_all {
        world.note(format!("host: finds nothing of {}, and says nothing", short(item.id)));
        return Ok(());
    }
    if is_lost {
        world.note(format!("host: its report on {} is lost", short(item.id)));
        world.count("a report was lost".to_owned());
        return Ok(());
    }
    let Some(product) = world.last.products.get(&item.id).cloned() else { return Ok(()) };
    rule(product.kind() == item.kind, || "a product changed its kind".to_owned())?;
    report(world, &product, status).await
}

/// A report was accepted.
pub fn reported(world: &mut World, product: &Product, status: ProductStatus) -> Outcome {
    let place = place(product);
    let script = world.memory.scripts.entry(product.host_id).or_default();
    match status {
        ProductStatus::Active => {
            let has = *script.forwards.entry(place.clone()).or_insert(product.id);
            world.memory.seen.insert(product.id);
            rule(has == product.id, || {
                format!("{} is sold at {place}, which leads to {}", short(product.id), short(has))
            })
        }
        ProductStatus::Failed => {
            world.memory.seen.insert(product.id);
            Ok(())
        }
        ProductStatus::Suspended => {
            forget(world, product);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// What the answer to a report shows of its product tells the host of it as well.
pub fn answered(world: &mut World, product: &Product, shown: Option<ProductStatus>) {
    if shown == Some(ProductStatus::NeedsActivate) {
        world.memory.seen.insert(product.id);
    }
}

/// Nothing of a product is left on its host.
pub fn forget(world: &mut World, product: &Product) {
    let script = world.memory.scripts.entry(product.host_id).or_default();
    script.forwards.retain(|_, of| *of != product.id);
    script.todo.retain(|item| item.id != product.id);
    world.memory.seen.remove(&product.id);
}

/// What no host was told of is never waited for, and what one may have keeps its place.
pub fn what_hosts_have(seen: &BTreeSet<ProductId>, product: &Product) -> Outcome {
    let is_seen = seen.contains(&product.id);
    rule(is_seen || product.status != ProductStatus::NeedsSuspend, || {
        "waits for a host that never heard of it".to_owned()
    })?;
    rule(!is_seen || product.placed, || "its place was given back, and the host may have it still".to_owned())
}

/// Whether the scripts have something to do yet.
pub fn is_busy(world: &World) -> bool {
    world.memory.scripts.values().any(|script| !script.todo.is_empty())
}

/// After an hour the operator is told of everything that no host reports as taken down, looks, and gives it back.
pub async fn operator_gives_stuck_ones_back(world: &mut World) -> Outcome {
    let stuck: Vec<_> =
        world.last.products.values().filter(|product| product.status == ProductStatus::NeedsSuspend).cloned().collect();
    for product in stuck {
        let told = world.last.has_alert("stuck_suspension", &product.id.to_string());
        rule(told, || format!("product {} is stuck, and nobody was told", short(product.id)))?;
        world.count("the operator gave a stuck product back".to_owned());
        pay_back_claims(world, &product).await?;
        world.note(format!("operator: release {}", short(product.id)));
        let scope = Principal::Administrator("admin".to_owned());
        let answer = products::operate::operate(&world.shop, &scope, product.id, OperatorAction::Release).await;
        if world.answered(answer.map(drop))? {
            forget(world, &product);
        }
        rules::look(world)?;
    }
    Ok(())
}

/// What somebody has paid for is not released: the money goes back first.
async fn pay_back_claims(world: &mut World, product: &Product) -> Outcome {
    let owing: Vec<_> = world.last.purchases(product.id).filter(|of| of.has_claim()).map(|of| of.id).collect();
    for order in owing {
        let answer = payments::apply::mark_refunded(&world.shop, order, &Principal::CommandLine(None), "by hand").await;
        if let Ok(amount) = answer {
            *world.memory.paid_back.entry(order).or_default() += amount.0;
        }
        world.answered(answer).map(drop)?;
        rules::look(world)?;
    }
    Ok(())
}
