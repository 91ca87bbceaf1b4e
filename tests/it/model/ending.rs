//! What must be true once everything has calmed down.

use ip2tor_shop::domain::lightning::NodeInvoiceState;
use ip2tor_shop::domain::product::ProductStatus;
use ip2tor_shop::domain::purchase::{Delivery, InvoiceState, OrderStatus};
use ip2tor_shop::store::StoreError;

use super::deeds::short;
use super::rules::{nothing_is_payable, rule};
use super::world::{Outcome, World};

/// Checks the end of a run; `thorough` has SQLite check the whole file.
pub fn check(world: &World, thorough: bool) -> Outcome {
    rule(world.last.intents.is_empty(), || format!("left in the outbox: {:?}", world.last.intents))?;
    nothing_is_payable(world)?;
    every_order_has_ended(world)?;
    every_settlement_is_known(world)?;
    products_have_settled(world)?;
    for alert in ["failed_intent", "node_dead", "clock_back", "host_dead"] {
        rule(!world.last.alerts.iter().any(|(topic, _)| topic == alert), || format!("alert {alert} is still open"))?;
    }
    for hash in &world.memory.foreign {
        rule(world.last.has_alert("unknown_payment", hash), || format!("nobody was told of the payment {hash}"))?;
    }
    database_is_sound(world, thorough)
}

fn every_order_has_ended(world: &World) -> Outcome {
    for (purchase, _) in world.last.orders.values() {
        let name = short(purchase.id);
        rule(!purchase.status.is_open(), || format!("order {name} waits for ever in {:?}", purchase.status))?;
        rule(!purchase.invoice.state.is_live(), || format!("order {name}: {:?}", purchase.invoice.state))?;
        let delivered = purchase.delivery == Delivery::Delivered;
        let paid = purchase.status == OrderStatus::Paid;
        rule(paid == delivered, || format!("order {name} is {:?} and {:?}", purchase.status, purchase.delivery))?;
        let owes = purchase.status == OrderStatus::NeedsRefund;
        rule(!owes || purchase.owed.0 > 0, || format!("order {name} is in N and owes nothing"))?;
    }
    Ok(())
}

/// What a node has settled is paid in the shop.
pub fn every_settlement_is_known(world: &World) -> Outcome {
    for seat in &world.seats {
        for invoice in seat.node.invoices().iter().filter(|invoice| invoice.state == NodeInvoiceState::Settled) {
            let order = world.last.attempts.iter().find(|(hash, _)| *hash == invoice.hash).map(|(_, order)| order);
            let Some(order) = order else { continue };
            let (purchase, _) = &world.last.orders[order];
            let known = purchase.invoice.state == InvoiceState::Paid && purchase.invoice.hash == invoice.hash;
            rule(known, || format!("order {} was paid, and nobody noticed", short(order)))?;
        }
    }
    Ok(())
}

fn products_have_settled(world: &World) -> Outcome {
    for product in world.last.products.values().filter(|product| product.deleted_at.is_none()) {
        let name = short(product.id);
        let settled = match product.status {
            ProductStatus::NeedsActivate | ProductStatus::NeedsSuspend | ProductStatus::Failed => false,
            ProductStatus::Initial => world.last.purchases(product.id).any(|of| of.status == OrderStatus::NeedsRefund),
            ProductStatus::Active => product.suspend_after.is_none_or(|end| end > world.now()),
            ProductStatus::Suspended | ProductStatus::Archived | ProductStatus::NeedsDelete => true,
        };
        rule(settled, || format!("product {name} ended in {:?}", product.status))?;
        let used = product.activated_at.is_some();
        let owed = world.last.purchases(product.id).any(|of| of.has_claim() || of.status == OrderStatus::NeedsRefund);
        rule(used || owed || !product.placed, || format!("product {name} keeps a place that nobody ever paid for"))?;
    }
    Ok(())
}

fn database_is_sound(world: &World, thorough: bool) -> Outcome {
    let found = world.shop.db.read::<_, StoreError, _>(|db| {
        let broken: i64 = db.query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))?;
        let report: String = match thorough {
            true => db.query_row("SELECT integrity_check FROM pragma_integrity_check", [], |row| row.get(0))?,
            false => "ok".to_owned(),
        };
        Ok((broken, report))
    });
    let (broken, report) = found.map_err(|error| error.to_string())?;
    rule(broken == 0, || format!("{broken} foreign keys lead nowhere"))?;
    rule(report == "ok", || format!("the database is damaged: {report}"))
}
