//! What happens because time has passed. Each function is idempotent: late, doubled or missed calls
//! change no result. While the clock is wrong nothing happens but that held payments go back; the others answer `None`.

use std::collections::HashSet;
use std::fmt::Display;

use crate::domain::deal::Deal;
use crate::domain::id::{OrderId, ProductId};
use crate::domain::product::ACTIVATION_LIMIT_SECS;
use crate::domain::purchase::{is_overdue, is_past_time};
use crate::domain::texts::Ending;
use crate::domain::time::Timestamp;
use crate::services::deals::{change_order, change_product};
use crate::services::shop::Shop;
use crate::services::{Error, Principal, Tx, clock, left_out};
use crate::store::{deals, lost_invoices, products, unpaid};

/// Orders and products handled in one transaction.
const BATCH: usize = 200;

/// Gives held payments back that were not delivered within their host's limit. Returns how many. One
/// that can't be changed holds up no other.
pub async fn return_overdue_holds(shop: &Shop) -> Result<usize, Error> {
    let now = shop.now();
    let held = shop.db.read(deals::held)?;
    let mut returned = 0;
    for (order, since, limit_secs) in held {
        if !is_overdue(since, limit_secs, now) {
            continue;
        }
        match return_hold(shop, order, limit_secs).await {
            Ok(()) => returned += 1,
            Err(error) => left_out::tell(shop, order, "giving back an overdue payment", &error).await,
        }
    }
    Ok(returned)
}

async fn return_hold(shop: &Shop, order: OrderId, limit_secs: i64) -> Result<(), Error> {
    let inner = shop.clone();
    shop.tx(&Principal::Shop, move |tx| {
        change_order(&inner, tx, order, |deal, i, now| {
            deal.hold_overdue(i, limit_secs, now);
            Ok(())
        })?;
        left_out::forget(tx, [order])
    })
    .await
}

/// Cancels invoices that can no longer be paid at their nodes. Returns how many.
pub async fn close_unpaid(shop: &Shop) -> Result<Option<usize>, Error> {
    let Some(now) = clock::trusted(shop).await? else { return Ok(None) };
    let (mut closed, mut left_out) = (0, HashSet::new());
    loop {
        // Those that were left out are due for ever: look past them.
        let most = BATCH + left_out.len();
        let due = shop.db.read(|db| deals::to_close(db, now, u32::try_from(most).unwrap_or(u32::MAX)))?;
        let is_last = due.len() < most;
        let is_due = |(order, end): &(OrderId, Timestamp)| is_past_time(*end, now) && !left_out.contains(order);
        let due: Vec<_> = due.into_iter().filter(is_due).map(|(order, _)| order).collect();
        let failed = each(shop, &due, "closing an unpaid order", close).await?;
        closed += due.len() - failed.len();
        left_out.extend(failed);
        if is_last {
            return Ok(Some(closed));
        }
    }
}

fn close(shop: &Shop, tx: &mut Tx<'_>, order: OrderId) -> Result<(), Error> {
    change_order(shop, tx, order, |deal, i, now| {
        if deal.purchases[i].invoice.is_past_its_time(now) {
            deal.close_unpaid(i, Ending::Expired);
        }
        Ok(())
    })
}

/// Applies `event` to each product, some per transaction. Returns how many it was applied to.
async fn each_product(
    shop: &Shop,
    ids: Vec<ProductId>,
    what: &str,
    event: impl Fn(&mut Deal, Timestamp) + Copy + Send + Sync + 'static,
) -> Result<Option<usize>, Error> {
    let change = move |shop: &Shop, tx: &mut Tx<'_>, id| {
        change_product(shop, tx, id, |deal, now| {
            event(deal, now);
            Ok(())
        })
    };
    Ok(Some(ids.len() - each(shop, &ids, what, change).await?.len()))
}

/// Makes a change for each of `ids`, many per transaction; what fails with others is tried alone, and left out if it
/// fails again. Returns those that were left out.
async fn each<T, F>(shop: &Shop, ids: &[T], what: &str, change: F) -> Result<Vec<T>, Error>
where
    T: Copy + Display + Send + Sync + 'static,
    F: Fn(&Shop, &mut Tx<'_>, T) -> Result<(), Error> + Copy + Send + 'static,
{
    let mut failed = Vec::new();
    for batch in ids.chunks(BATCH) {
        match together(shop, batch.to_vec(), change).await {
            Ok(()) => continue,
            Err(error) if !left_out::is_its_own(&error) => return Err(error),
            Err(_) => {}
        }
        for id in batch {
            match together(shop, vec![*id], change).await {
                Ok(()) => {}
                Err(error) if !left_out::is_its_own(&error) => return Err(error),
                Err(error) => {
                    left_out::tell(shop, *id, what, &error).await;
                    failed.push(*id);
                }
            }
        }
    }
    Ok(failed)
}

async fn together<T, F>(shop: &Shop, ids: Vec<T>, change: F) -> Result<(), Error>
where
    T: Copy + Display + Send + 'static,
    F: Fn(&Shop, &mut Tx<'_>, T) -> Result<(), Error> + Send + 'static,
{
    let inner = shop.clone();
    let all = move |tx: &mut Tx<'_>| {
        ids.iter().try_for_each(|id| change(&inner, tx, *id))?;
        left_out::forget(tx, ids)
    };
    shop.tx(&Principal::Shop, all).await
}

/// Suspends active products whose time is over. Returns how many.
pub async fn suspend_expired(shop: &Shop) -> Result<Option<usize>, Error> {
    let Some(now) = clock::trusted(shop).await? else { return Ok(None) };
    let due = shop.db.read(|db| products::due_to_suspend(db, now))?;
    each_product(shop, due, "suspending a product", |deal, now| deal.time_is_over(now)).await
}

/// Marks paid orders that no host activated in time as owed. Returns how many products.
pub async fn give_up_unactivated(shop: &Shop) -> Result<Option<usize>, Error> {
    let Some(now) = clock::trusted(shop).await? else { return Ok(None) };
    let limit = now.plus_secs(-ACTIVATION_LIMIT_SECS);
    let due = shop.db.read(|db| products::pending_since_before(db, limit))?;
    each_product(shop, due, "giving up a product that no host has activated", |deal, now| deal.activation_overdue(now))
        .await
}

/// Gives up products that have been suspended for long; their ports are free then. Returns how many.
pub async fn delete_suspended(shop: &Shop) -> Result<Option<usize>, Error> {
    let Some(now) = clock::trusted(shop).await? else { return Ok(None) };
    let days = i64::from(shop.settings.suspended_days);
    let limit = now.plus_secs(-days * 86_400);
    let due = shop.db.read(|db| products::suspended_since_before(db, limit))?;
    each_product(shop, due, "giving up a suspended product", move |deal, now| deal.suspended_too_long(days, now)).await
}

/// Deletes orders that ended some days ago and that nobody paid: what costs a stranger nothing must not grow for
/// ever. One line of each is left. Returns how many.
pub async fn delete_unpaid(shop: &Shop) -> Result<Option<usize>, Error> {
    let Some(now) = clock::trusted(shop).await? else { return Ok(None) };
    let before = now.plus_secs(-i64::from(shop.settings.unpaid_days) * 86_400);
    let mut deleted = 0;
    loop {
        let delete = move |tx: &mut Tx<'_>| {
            lost_invoices::forget(tx.db, before)?;
            Ok(unpaid::delete(tx.db, before, BATCH as u32)?)
        };
        let batch = shop.tx(&Principal::Shop, delete).await?;
        deleted += batch;
        if batch < BATCH {
            return Ok(Some(deleted));
        }
    }
}
