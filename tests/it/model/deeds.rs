//! What people, hosts and time do.

use ip2tor_shop::domain::id::{OrderId, Random};
use ip2tor_shop::domain::lightning::{NodeInvoiceState, PaymentHash};
use ip2tor_shop::domain::product::{Product, ProductKind, ProductStatus};
use ip2tor_shop::services::orders;
use ip2tor_shop::services::orders::extend::{Extension, More};
use ip2tor_shop::services::orders::place::{OrderRequest, OrderedProduct};
use ip2tor_shop::services::orders::{by_form, follow};
use ip2tor_shop::services::products;
use ip2tor_shop::services::products::operate::OperatorAction;
use ip2tor_shop::services::products::view::ProductPatch;
use ip2tor_shop::services::{Error, Principal, hosts};

use super::host;
use super::node::Weather;
use super::pages;
use super::world::{Outcome, World};

const NPUB: &str = "npub10elfcs4fr0l0r8af98jlmgdh9c8tcxjvz9qkw038js35mp4dma8qzvjptg";
const TARGET: &str = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333";

/// A buyer orders a bridge or one of two names.
pub async fn order(world: &mut World) -> Outcome {
    let host_id = world.hosts[world.luck.usize(..world.hosts.len())];
    let alias = (world.luck.u32(..4) == 0).then(|| world.luck.choice(["anna", "bob"]).unwrap().to_owned());
    let product = if alias.is_some() { OrderedProduct::NostrAlias } else { OrderedProduct::TorBridge };
    world.note(format!("order {}", product.name()));
    let request = OrderRequest {
        product,
        host_id,
        periods: periods(world),
        tos_accepted: true,
        comment: None,
        target: alias.is_none().then(|| TARGET.to_owned()),
        public_key: alias.is_some().then(|| NPUB.to_owned()),
        alias,
        client_ip: None,
    };
    if world.chance(30) {
        return send_form(world, request).await;
    }
    let answer = orders::place::place(&world.shop, request).await;
    world.answered(answer).map(drop)
}

/// A form is sent, or one that was sent before is sent again, however long ago: it leads to the order that it made. The
/// page of the order is looked at, which changes nothing.
async fn send_form(world: &mut World, request: OrderRequest) -> Outcome {
    let former = world.luck.choice(world.memory.forms.clone()).filter(|_| world.luck.bool());
    let (form, request) = match &former {
        Some((form, request, _)) => (*form, request.clone()),
        None => (world.random.uuid(), request),
    };
    // By the page or without it: one form is one order either way.
    let by_page = if world.chance(70) { pages::send_form(world, form, &request).await } else { None };
    let placed = match by_page {
        Some(answer) => {
            world.count("a form went by its page".to_owned());
            answer
        }
        None => by_form::place_once(&world.shop, form, request.clone()).await,
    };
    let order = match (&former, &placed) {
        (Some((_, _, made)), Ok(order)) if made != order => return Err("a form made two orders".to_owned()),
        (Some(_), Err(Error::Invalid(_) | Error::Refused(_))) => {
            return Err("a form that was sent lost its order".to_owned());
        }
        (_, Ok(order)) => *order,
        (_, Err(_)) => return world.answered(placed).map(drop),
    };
    if former.is_none() {
        world.memory.forms.push((form, request, order));
    }
    follow::follow(&world.shop, order).map(drop).map_err(|error| format!("its page: {error}"))?;
    pages::look(world, order).await
}

/// Mostly one; rarely more than hosts sell at once.
fn periods(world: &mut World) -> u32 {
    if world.chance(70) { 1 } else { world.luck.u32(1..=4) }
}

/// Any product; mostly one that somebody has paid for.
pub fn any_product(world: &mut World) -> Option<Product> {
    let unpaid = |product: &&Product| matches!(product.status, ProductStatus::Initial | ProductStatus::Archived);
    let (few, many): (Vec<_>, Vec<_>) = world.last.products.values().partition(unpaid);
    let from = if many.is_empty() || world.luck.u32(..5) == 0 { few } else { many };
    world.luck.choice(from).cloned()
}

/// A buyer asks for more time.
pub async fn extend(world: &mut World) -> Outcome {
    let Some(product) = any_product(world) else { return Ok(()) };
    world.note(format!("extend {} in {}", short(product.id), product.status.letter()));
    let described_by = world.chance(20).then(|| "[[\"text/plain\",\"one more period\"]]".to_owned());
    let more = More { periods: periods(world), described_by };
    let answer = orders::extend::order_by(&world.shop, product.id, product.kind(), more).await;
    if let Ok(Extension::Order(order)) = answer
        && world.chance(10)
    {
        // Nobody has waited for as long as the node takes.
        world.note(format!("extend: {} is given up", short(order)));
        let shop = world.shop.clone();
        let given_up = world.shop.tx(&Principal::Shop, move |tx| orders::extend::give_up(&shop, tx, order)).await;
        given_up.map_err(|error| format!("giving up: {error}"))?;
    }
    world.answered(answer).map(drop)
}

/// A buyer pays something that was once shown, exactly, or too much; a hold also too little or with
/// too few blocks left (which a node would not accept, but the shop must not trust in that).
pub fn pay(world: &mut World) {
    let shown: Vec<(OrderId, PaymentHash, u64, bool)> = world
        .last
        .orders
        .values()
        .filter(|(purchase, _)| world.memory.shown.contains_key(&purchase.id))
        .map(|(purchase, _)| (purchase.id, purchase.invoice.hash, purchase.price.0, purchase.status.is_open()))
        .collect();
    let open: Vec<_> = shown.iter().filter(|(.., open)| *open).copied().collect();
    let all = if open.is_empty() || world.luck.u32(..10) == 0 { shown } else { open };
    let Some((order, hash, price, _)) = world.luck.choice(all) else { return };
    let amount = match world.luck.u32(..10) {
        0 => price + 5_000,
        1 => price - 1_000,
        _ => price,
    };
    let blocks = if world.luck.u32(..8) == 0 { -130 } else { 0 };
    let paid = world.seats.iter().any(|seat| seat.node.pay(hash, amount, blocks));
    world.note(format!("pay {amount} of {price} for {}: {paid}", short(order)));
}

/// Somebody pays for an order that this shop does not know: a backup was restored.
pub fn foreign_payment(world: &mut World) {
    let n = world.luck.usize(..world.seats.len());
    let ours = world.chance(70);
    let order = OrderId(world.random.uuid());
    // Another shop's says the same of itself.
    let hash = match ours {
        true => world.shop.preimage(order, world.luck.u32(..4)).hash(),
        false => PaymentHash(world.luck.u128(..).to_be_bytes().repeat(2).try_into().unwrap()),
    };
    let memo = if ours || world.chance(50) { format!("PO: {order}") } else { "a coffee".to_owned() };
    world.note(format!("foreign payment at node {n}, {memo}"));
    let seat = &world.seats[n];
    // A cursor of 0 replays nothing, so before the first settlement some may go unseen.
    let is_told = seat.told > 0;
    seat.node.settle_foreign(hash, memo, 1_000);
    if ours && is_told {
        world.memory.foreign.push(hash.to_string());
    }
}

/// The scripts of a host go on; when they don't obey, perhaps with a report of anything on anything.
pub async fn host_reports(world: &mut World, obeys: bool) -> Outcome {
    let host = world.hosts[world.luck.usize(..world.hosts.len())];
    if !obeys && world.chance(15) {
        return wrong_report(world).await;
    }
    if obeys { host::round(world, host).await } else { host::step(world, host).await }
}

async fn wrong_report(world: &mut World) -> Outcome {
    let Some(product) = any_product(world) else { return Ok(()) };
    let status = world.luck.choice(ProductStatus::ALL).unwrap();
    report(world, &product, status).await.map(drop)
}

pub async fn report(world: &mut World, product: &Product, status: ProductStatus) -> Outcome {
    world.note(format!("host: {} {}->{}", short(product.id), product.status.letter(), status.letter()));
    let patch = ProductPatch { status: Some(status), ..ProductPatch::default() };
    let scope = Principal::Host(product.host_id);
    let answer = products::view::patch(&world.shop, &scope, product.id, product.kind(), patch).await;
    let shown = answer.as_ref().ok().map(|view| view.product.status);
    if world.answered(answer.map(drop))? {
        host::reported(world, product, status)?;
        host::answered(world, product, shown);
    }
    Ok(())
}

/// A host reports traffic.
pub async fn bandwidth(world: &mut World) -> Outcome {
    let bridges = world.last.products.values().filter(|product| product.kind() == ProductKind::TorBridge);
    let Some(product) = world.luck.choice(bridges.collect::<Vec<_>>()).cloned() else { return Ok(()) };
    let bytes = world.luck.choice([1, 300, 700]).unwrap();
    world.note(format!("host: {} used {bytes} bytes", short(product.id)));
    let scope = Principal::Host(product.host_id);
    let answer = products::view::consume_bandwidth(&world.shop, &scope, product.id, bytes).await;
    let shown = answer.as_ref().ok().map(|view| view.product.status);
    if world.answered(answer.map(drop))? {
        host::answered(world, &product, shown);
        *world.memory.used.entry(product.id).or_default() += bytes;
    }
    Ok(())
}

/// A host says hello or goodbye.
pub async fn check_in(world: &mut World, status: u8) -> Outcome {
    for host in world.hosts.clone() {
        world.note(format!("host: check in {status}"));
        let answer = hosts::check_ins::check_in(&world.shop, &Principal::Host(host), host, status, String::new()).await;
        world.answered(answer)?;
    }
    Ok(())
}

/// A host deletes a product.
pub async fn delete(world: &mut World) -> Outcome {
    let Some(product) = any_product(world) else { return Ok(()) };
    world.note(format!("host: delete {} in {}", short(product.id), product.status.letter()));
    let answer =
        products::view::delete(&world.shop, &Principal::Host(product.host_id), product.id, product.kind()).await;
    world.answered(answer).map(drop)
}

/// The operator does something to a product.
pub async fn operate(world: &mut World) -> Outcome {
    let Some(product) = any_product(world) else { return Ok(()) };
    let scope = Principal::Administrator("admin".to_owned());
    if world.chance(15) {
        world.note(format!("operator: move {} in {}", short(product.id), product.status.letter()));
        let answer = products::relocate::relocate(&world.shop, &scope, product.id, None, None).await;
        return world.answered(answer.map(drop)).map(drop);
    }
    let action = world
        .luck
        .choice([
            OperatorAction::Suspend,
            OperatorAction::Kill,
            OperatorAction::Release,
            OperatorAction::Resume,
            OperatorAction::Resume,
            OperatorAction::Extend(None),
            OperatorAction::Extend(Some(500)),
            OperatorAction::Delete,
        ])
        .unwrap();
    world.note(format!("operator: {action:?} {} in {}", short(product.id), product.status.letter()));
    let answer = products::operate::operate(&world.shop, &scope, product.id, action).await;
    if world.answered(answer.map(drop))? && action == OperatorAction::Release {
        host::forget(world, &product);
    }
    Ok(())
}

/// Time passes, or the shop's clock is moved.
pub fn time(world: &mut World) {
    const DAY: i64 = 86_400;
    let seconds = match world.luck.u32(..20) {
        0..5 => world.luck.i64(1..40),
        5..9 => world.luck.i64(40..400),
        9..12 => world.luck.i64(700..1100),
        12..14 => world.luck.i64(1700..2000),
        14..17 => DAY + world.luck.i64(0..1300),
        17..19 => 45 * DAY,
        _ => -world.luck.choice([10, 100, 4000, 2 * DAY]).unwrap(),
    };
    pass(world, seconds);
}

/// The shop's clock moves by so many seconds; the world's only forward.
pub fn pass(world: &mut World, seconds: i64) {
    world.note(format!("time: {seconds} s"));
    world.clock.advance_secs(seconds);
    if seconds > 0 {
        world.true_clock.advance_secs(seconds);
        for seat in &world.seats {
            seat.node.mine_blocks(u32::try_from(seconds / 600).unwrap());
        }
    }
}

/// A node comes, goes, or forgets cancelled invoices.
pub fn weather(world: &mut World) {
    let n = world.luck.usize(..world.seats.len());
    let seed = world.luck.u64(..);
    let seat = &mut world.seats[n];
    let what = match world.luck.u32(..10) {
        0..2 => Weather::Away,
        2..4 => Weather::Busy,
        4..5 => Weather::Flaky,
        5..8 => Weather::Fine,
        8 => {
            seat.node.collect_garbage();
            world.trace.push(format!("node {n}: collects garbage"));
            return;
        }
        _ => {
            seat.node.skip_indexes(3);
            return;
        }
    };
    seat.node.set_weather(what, seed);
    if what == Weather::Away {
        seat.stream = None;
    }
    world.trace.push(format!("node {n}: {what:?}"));
}

/// Whether the order's invoice can still be paid at a node.
pub fn payable(world: &World, hash: PaymentHash) -> bool {
    let state = |seat: &super::world::Seat| seat.node.invoice(hash).map(|invoice| invoice.state);
    let is_payable = |state| matches!(state, NodeInvoiceState::Open | NodeInvoiceState::Accepted);
    world.seats.iter().filter_map(state).any(is_payable)
}

/// Enough of an id to tell it from the others.
pub fn short(id: impl std::fmt::Display) -> String {
    id.to_string()[..6].to_owned()
}
