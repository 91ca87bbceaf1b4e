//! What must be true after every step.

use std::collections::BTreeSet;

use ip2tor_shop::domain::id::ProductId;
use ip2tor_shop::domain::lightning::NodeInvoiceState;
use ip2tor_shop::domain::product::{Product, ProductKind, ProductStatus};
use ip2tor_shop::domain::purchase::{Delivery, InvoiceState, OrderStatus, Purchase};

use super::deeds::{payable, short};
use super::host::{place, what_hosts_have};
use super::snapshot::Snapshot;
use super::world::{Outcome, World};

/// Fails with a sentence when `holds` is false.
pub fn rule(holds: bool, text: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(text()) }
}

/// Looks at the shop, checks everything, and remembers it.
pub fn look(world: &mut World) -> Outcome {
    let version = world.shop.db.version().map_err(|error| error.to_string())?;
    if world.last.version == version {
        return Ok(());
    }
    let now = Snapshot { version, ..Snapshot::take(&world.shop).map_err(|error| error.to_string())? };
    if now.lost_invoices > world.last.lost_invoices {
        // In the time that the database does not know, hosts may have been told of all that waits for them.
        world.memory.seen.extend(&now.shown);
    }
    for (purchase, product) in now.orders.values() {
        let product = &now.products[product];
        let name = short(purchase.id);
        states_agree(purchase, product).map_err(|text| format!("order {name}: {text}"))?;
        money_is_accounted_for(world, purchase).map_err(|text| format!("order {name}: {text}"))?;
        alerts_agree(&now, purchase).map_err(|text| format!("order {name}: {text}"))?;
        history_stands(world, purchase).map_err(|text| format!("order {name}: {text}"))?;
    }
    for product in now.products.values() {
        let name = short(product.id);
        product_is_sound(&now, product).map_err(|text| format!("product {name}: {text}"))?;
        if world.strict {
            time_adds_up(world, &now, product).map_err(|text| format!("product {name}: {text}"))?;
        }
        place_is_nobody_elses(world, product).map_err(|text| format!("product {name}: {text}"))?;
        what_hosts_have(&world.memory.seen, product).map_err(|text| format!("product {name}: {text}"))?;
    }
    places_agree(&now)?;
    rule(now.log_entries >= world.last.log_entries, || "the change log lost entries".to_owned())?;
    tally(world, &now);
    remember(world, &now);
    world.last = now;
    Ok(())
}

fn states_agree(purchase: &Purchase, product: &Product) -> Outcome {
    use InvoiceState as I;
    use OrderStatus as O;
    let (status, invoice, delivery) = (purchase.status, purchase.invoice.state, purchase.delivery);
    let fits = match status {
        O::Initial | O::LocalChecks | O::RemoteChecks | O::NeedsInvoice => invoice == I::Initial,
        O::ToBePaid => matches!(invoice, I::Open | I::Held | I::Settling | I::Cancelling),
        O::Rejected => matches!(invoice, I::Expired | I::Void) && purchase.message.is_some(),
        O::Paid | O::NeedsRefund | O::Refunded => invoice == I::Paid,
    };
    rule(fits, || format!("status {status:?} with a {invoice:?} invoice"))?;
    let fits = match (invoice, status) {
        (I::Held, _) => delivery == Delivery::Awaiting,
        (I::Settling, _) => delivery == Delivery::Delivered,
        (I::Paid, O::Paid) => delivery != Delivery::None,
        (I::Paid, O::NeedsRefund) => delivery != Delivery::Delivered,
        _ => delivery == Delivery::None,
    };
    rule(fits, || format!("{delivery:?} with a {invoice:?} invoice in {status:?}"))?;
    let waits = delivery == Delivery::Awaiting && status != O::NeedsRefund;
    rule(!waits || product.status == ProductStatus::NeedsActivate, || {
        format!("waits for a {:?} product", product.status)
    })?;
    let is_shown = purchase.invoice.payment_request.is_some();
    rule(is_shown || matches!(invoice, I::Initial | I::Void), || format!("{invoice:?} and never shown"))
}

fn money_is_accounted_for(world: &World, purchase: &Purchase) -> Outcome {
    let hash = purchase.invoice.hash;
    let at_node = world.seats.iter().find_map(|seat| seat.node.invoice(hash));
    let settled = at_node.as_ref().filter(|invoice| invoice.state == NodeInvoiceState::Settled);
    let (owed, refunded, price) = (purchase.owed.0, purchase.refunded.0, purchase.price.0);
    if purchase.invoice.state != InvoiceState::Paid {
        let kept = at_node.filter(|_| !purchase.invoice.state.is_live());
        let payable =
            kept.is_some_and(|invoice| matches!(invoice.state, NodeInvoiceState::Open | NodeInvoiceState::Accepted));
        rule(!payable || purchase.invoice.payment_request.is_none(), || "over, but it can still be paid".to_owned())?;
        return rule(owed == 0 && refunded == 0, || format!("owes {owed} without having been paid"));
    }
    let Some(settled) = settled else { return Err("paid, says the shop, but not the node".to_owned()) };
    let received = settled.received.0;
    rule(purchase.invoice.received == Some(settled.received), || format!("{received} came, not what is stored"))?;
    let due = match purchase.status {
        OrderStatus::Paid => received.checked_sub(price).ok_or("paid with less than the price")?,
        _ => received,
    };
    let fits = owed == due.saturating_sub(refunded);
    rule(fits, || format!("of {received} received {due} is due, {refunded} was paid back and {owed} is owed"))?;
    nothing_goes_back_twice(world, purchase, due)?;
    rule(purchase.status != OrderStatus::Refunded || owed == 0, || format!("refunded, and {owed} still owed"))
}

/// What really went back is what the shop knows of or is about to learn, and never more than is due: no buyer has
/// both the product and its price.
fn nothing_goes_back_twice(world: &World, purchase: &Purchase, due: u64) -> Outcome {
    let paid_back = world.memory.paid_back.get(&purchase.id).copied().unwrap_or(0);
    let unheard = world.memory.paying.iter().filter(|(refund, is_paid)| *is_paid && refund.order == purchase.id);
    let unheard: u64 = unheard.map(|(refund, _)| refund.amount.0).sum();
    let refunded = purchase.refunded.0;
    rule(refunded + unheard == paid_back, || format!("{paid_back} went back, {refunded}+{unheard} is known"))?;
    rule(paid_back <= due, || format!("{due} is due and {paid_back} went back"))
}

fn alerts_agree(now: &Snapshot, purchase: &Purchase) -> Outcome {
    let id = purchase.id.to_string();
    let needs = purchase.status == OrderStatus::NeedsRefund;
    rule(now.has_alert("order_needs_refund", &id) == needs, || {
        format!("in {:?}, its alert is wrong", purchase.status)
    })?;
    let surplus = purchase.status == OrderStatus::Paid && purchase.owed.0 > 0;
    let told = now.has_alert("order_overpaid", &id);
    rule(told || !surplus, || "a surplus that nobody is told of".to_owned())?;
    rule(!told || purchase.owed.0 > 0, || "told of a surplus that is not owed".to_owned())
}

fn history_stands(world: &World, purchase: &Purchase) -> Outcome {
    let shown = world.memory.shown.get(&purchase.id);
    let same = shown.is_none() || shown == purchase.invoice.payment_request.as_ref();
    rule(same, || "shows a second invoice".to_owned())?;
    let Some((before, _)) = world.last.orders.get(&purchase.id) else { return Ok(()) };
    rule(before.status != OrderStatus::Refunded || before.status == purchase.status, || "left S".to_owned())?;
    let was_paid = before.invoice.state == InvoiceState::Paid;
    rule(!was_paid || purchase.invoice.state == InvoiceState::Paid, || "a payment was forgotten".to_owned())?;
    let untouched = before.price == purchase.price && before.kind == purchase.kind;
    rule(untouched && purchase.refunded >= before.refunded, || "its price or its refunds changed".to_owned())
}

fn product_is_sound(now: &Snapshot, product: &Product) -> Outcome {
    use ProductStatus as P;
    let status = product.status;
    let may_be_unplaced = matches!(status, P::Suspended | P::NeedsDelete | P::Archived);
    rule(product.placed || may_be_unplaced, || format!("{status:?} without a place"))?;
    rule(!product.placed || !matches!(status, P::Archived | P::NeedsDelete), || format!("{status:?} with a place"))?;
    rule(product.pending_since.is_some() == (status == P::NeedsActivate), || "pending_since is wrong".to_owned())?;
    rule(product.suspended_at.is_some() == (status == P::Suspended), || "suspended_at is wrong".to_owned())?;
    rule(!product.is_killed || !matches!(status, P::NeedsActivate | P::Active), || format!("killed, and {status:?}"))?;
    let dead = product.deleted_at.is_some();
    rule(!dead || may_be_unplaced, || format!("deleted, and {status:?}"))?;
    let first_claims = now.purchases(product.id).filter(|purchase| purchase.has_claim()).count();
    rule(!dead || first_claims == 0, || "deleted, and owed to somebody".to_owned())
}

/// The reference: the paid time of a product, recomputed from what each order was granted.
fn time_adds_up(world: &World, now: &Snapshot, product: &Product) -> Outcome {
    let one = product.terms.duration_secs + product.terms.grace_secs;
    let unlimited = product.terms.duration_secs == 0;
    let mut deltas = Vec::new();
    let (mut bytes, mut extended) = (0, false);
    for purchase in now.purchases(product.id) {
        let before = world.last.orders.get(&purchase.id).map(|(before, _)| (before.granted_secs, before.granted_bytes));
        let (secs, old_bytes) = before.unwrap_or((0, 0));
        let (granted, period) = (purchase.granted_secs, one * i64::from(purchase.periods));
        rule(granted == 0 || (granted == period && !unlimited), || format!("{granted} s were granted for one order"))?;
        let done = purchase.delivery == Delivery::Delivered;
        rule(!done || unlimited || granted == period, || "delivered without its time".to_owned())?;
        let undone = purchase.delivery == Delivery::None || purchase.status == OrderStatus::NeedsRefund;
        rule(!undone || granted == 0, || "time without delivery".to_owned())?;
        deltas.push(granted - secs);
        bytes += purchase.granted_bytes - old_bytes;
        extended |= purchase.granted_bytes > old_bytes;
    }
    let Some(before) = world.last.products.get(&product.id) else { return Ok(()) };
    let given = |snapshot: &Snapshot| snapshot.gifts.get(&product.id).copied().unwrap_or((0, 0));
    let ((secs_now, bytes_now), (secs_before, bytes_before)) = (given(now), given(&world.last));
    deltas.push(secs_now - secs_before);
    bytes += bytes_now - bytes_before;
    let used = world.memory.used.get(&product.id).copied().unwrap_or(0);
    let left = before.bandwidth_remaining + bytes - used;
    rule(product.bandwidth_remaining == left, || format!("{} bytes, not {left}", product.bandwidth_remaining))?;
    let bought = product.bandwidth_remaining + used >= product.terms.bandwidth_initial;
    rule(!extended || bytes <= 0 || bought, || "an extension was paid, and its bandwidth is not there".to_owned())?;
    let (Some(end), Some(clock)) = (before.suspend_after, now.now) else {
        return rule(product.suspend_after.is_none(), || "it has no end, and got one".to_owned());
    };
    let first = before.activated_at.is_none() && product.activated_at.is_some();
    let start = if first { clock } else { end };
    let credit = now.credits.get(&product.id).unwrap_or(&0) - world.last.credits.get(&product.id).unwrap_or(&0);
    let sum = |order: &[i64]| {
        let added = order.iter().filter(|delta| **delta != 0).fold(start, |end, delta| {
            if *delta > 0 { end.max(clock).plus_secs(*delta) } else { end.plus_secs(*delta) }
        });
        Some(added.plus_secs(credit))
    };
    deltas.sort_unstable();
    let ascending = sum(&deltas);
    deltas.reverse();
    // Granted and taken back at once, since no place was free: over, but not longer ago than now.
    let undone = !product.placed && product.suspend_after == Some(start.max(clock));
    let fits = undone || [ascending, sum(&deltas)].contains(&product.suspend_after);
    rule(fits, || format!("ends {:?}, not {ascending:?} ({deltas:?}, credit {credit})", product.suspend_after))
}

/// The hosts' scripts keep a forward until they are told to remove it.
fn place_is_nobody_elses(world: &World, product: &Product) -> Outcome {
    if product.status != ProductStatus::NeedsActivate {
        return Ok(());
    }
    let place = place(product);
    let script = world.memory.scripts.get(&product.host_id);
    let owner = script.and_then(|script| script.forwards.get(&place)).copied().unwrap_or(product.id);
    rule(owner == product.id, || format!("got {place} while it still leads to {}", short(owner)))
}

fn places_agree(now: &Snapshot) -> Outcome {
    let placed = |kind: ProductKind| -> BTreeSet<ProductId> {
        now.products
            .values()
            .filter(|product| product.kind() == kind && product.placed)
            .map(|product| product.id)
            .collect()
    };
    let ports: BTreeSet<_> = now.ports.iter().map(|(_, _, product)| *product).collect();
    rule(ports == placed(ProductKind::TorBridge), || "ports in use and products differ".to_owned())?;
    let names: BTreeSet<_> = now.aliases.iter().map(|(_, _, product)| *product).collect();
    rule(names == placed(ProductKind::NostrAlias), || "names in use and products differ".to_owned())?;
    for (_, port, product) in &now.ports {
        let shown = now.products[product].port.map(|port| port.to_string());
        rule(shown.as_ref() == Some(port), || format!("port {port} is stored as {shown:?}"))?;
    }
    let distinct: BTreeSet<_> = now.ports.iter().map(|(ip, port, _)| (ip, port)).collect();
    rule(distinct.len() == now.ports.len(), || "a port was given out twice".to_owned())?;
    rule(now.ranges.iter().all(|(counted, real)| counted == real), || format!("used ports: {:?}", now.ranges))
}

/// Counts the moves between states, to see afterwards that the runs went everywhere.
fn tally(world: &mut World, now: &Snapshot) {
    let mut seen = Vec::new();
    for (purchase, _) in now.orders.values() {
        let Some((before, _)) = world.last.orders.get(&purchase.id) else { continue };
        if before.status != purchase.status {
            seen.push(format!("order {}->{}", before.status.letter(), purchase.status.letter()));
        }
        if before.invoice.state != purchase.invoice.state {
            let kind = if purchase.invoice.is_hold { "hold" } else { "plain" };
            seen.push(format!("{kind} {}->{}", before.invoice.state.name(), purchase.invoice.state.name()));
        }
        if before.invoice.node_id != purchase.invoice.node_id {
            seen.push("another node took over".to_owned());
        }
    }
    for product in now.products.values() {
        let Some(before) = world.last.products.get(&product.id) else { continue };
        if before.status != product.status {
            seen.push(format!("product {}->{}", before.status.letter(), product.status.letter()));
        }
    }
    seen.into_iter().for_each(|what| world.count(what));
}

fn remember(world: &mut World, now: &Snapshot) {
    for (purchase, _) in now.orders.values() {
        if let Some(request) = &purchase.invoice.payment_request {
            world.memory.shown.entry(purchase.id).or_insert_with(|| request.clone());
        }
    }
    world.memory.used.clear();
}

/// Nothing that belongs to an order that is over, or that was never shown, can be paid.
pub fn nothing_over_is_payable(world: &World) -> Outcome {
    for (hash, order) in &world.last.attempts {
        let (purchase, _) = &world.last.orders[order];
        let is_live = purchase.invoice.hash == *hash && purchase.invoice.state.is_live();
        rule(is_live || !payable(world, *hash), || format!("order {}: {hash} can still be paid", short(order)))?;
    }
    Ok(())
}

/// Nothing that was ever given to a node can be paid there.
pub fn nothing_is_payable(world: &World) -> Outcome {
    let left = world.last.attempts.iter().find(|(hash, _)| payable(world, *hash));
    rule(left.is_none(), || format!("order {} can still be paid", short(left.expect("it was found").1)))
}
