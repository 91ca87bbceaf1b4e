//! What happens because time has passed. Each function is idempotent: late, doubled or missed calls
//! change no result.

use super::Error;
use super::deals::{change_order, change_product};
use super::shop::Shop;
use crate::domain::deal::{ACTIVATION_LIMIT_SECS, EXPIRED_MESSAGE};
use crate::domain::id::{OrderId, ProductId};
use crate::domain::time::Timestamp;
use crate::store::{deals, products, unpaid};

/// Orders and products handled in one transaction.
const BATCH: usize = 200;
/// The node closes an invoice by itself when it expires; ours is closed a little later. Seconds.
const CLOSE_MARGIN_SECS: i64 = 2;

/// Gives held payments back that were not delivered within their host's limit. Returns how many. One
/// that can't be changed holds up no other.
pub async fn return_overdue_holds(shop: &Shop) -> Result<usize, Error> {
    let now = shop.now();
    let overdue = shop.db.read(|db| deals::held_too_long(db, now))?;
    let mut returned = 0;
    for order in overdue {
        match return_hold(shop, order).await {
            Ok(()) => returned += 1,
            Err(error) => tracing::error!(%order, %error, "an overdue payment can't be given back; trying again"),
        }
    }
    Ok(returned)
}

async fn return_hold(shop: &Shop, order: OrderId) -> Result<(), Error> {
    let inner = shop.clone();
    shop.change(move |db, after| {
        change_order(&inner, db, after, order, "shop", |deal, i, now| {
            deal.hold_overdue(i, now);
            Ok(())
        })
    })
    .await
}

/// Cancels invoices that can no longer be paid at their nodes. Returns how many.
pub async fn close_unpaid(shop: &Shop) -> Result<usize, Error> {
    let limit = shop.now().plus_secs(-CLOSE_MARGIN_SECS);
    let mut closed = 0;
    loop {
        let due = shop.db.read(|db| deals::to_close(db, limit, BATCH as u32))?;
        closed += due.len();
        let last = due.len() < BATCH;
        let inner = shop.clone();
        shop.change(move |db, after| {
            for order in due {
                change_order(&inner, db, after, order, "shop", |deal, i, _| {
                    deal.close_unpaid(i, EXPIRED_MESSAGE);
                    Ok(())
                })?;
            }
            Ok(())
        })
        .await?;
        if last {
            return Ok(closed);
        }
    }
}

/// Applies `event` to each product, some per transaction.
async fn each_product(
    shop: &Shop,
    ids: Vec<ProductId>,
    event: fn(&mut crate::domain::deal::Deal, Timestamp),
) -> Result<usize, Error> {
    for batch in ids.chunks(BATCH) {
        let (inner, batch) = (shop.clone(), batch.to_vec());
        shop.change(move |db, after| {
            for id in batch {
                change_product(&inner, db, after, id, "shop", |deal, now| {
                    event(deal, now);
                    Ok(())
                })?;
            }
            Ok(())
        })
        .await?;
    }
    Ok(ids.len())
}

/// Suspends active products whose time is over. Returns how many.
pub async fn suspend_expired(shop: &Shop) -> Result<usize, Error> {
    let now = shop.now();
    let due = shop.db.read(|db| products::due_to_suspend(db, now))?;
    each_product(shop, due, |deal, now| deal.time_is_over(now)).await
}

/// Marks paid orders that no host activated in time as owed. Returns how many products.
pub async fn give_up_unactivated(shop: &Shop) -> Result<usize, Error> {
    let limit = shop.now().plus_secs(-ACTIVATION_LIMIT_SECS);
    let due = shop.db.read(|db| products::pending_since_before(db, limit))?;
    each_product(shop, due, |deal, now| deal.activation_overdue(now)).await
}

/// Gives up products that have been suspended for long; their ports are free then. Returns how many.
pub async fn delete_suspended(shop: &Shop) -> Result<usize, Error> {
    let days = i64::from(shop.settings.suspended_days);
    let limit = shop.now().plus_secs(-days * 86_400);
    let due = shop.db.read(|db| products::suspended_since_before(db, limit))?;
    each_product(shop, due, |deal, now| deal.suspended_too_long(now)).await
}

/// Deletes orders that ended some days ago and that nobody paid: what costs a stranger nothing must not grow for
/// ever. One line of each is left. Returns how many.
pub async fn delete_unpaid(shop: &Shop) -> Result<usize, Error> {
    let before = shop.now().plus_secs(-i64::from(shop.settings.unpaid_days) * 86_400);
    let mut deleted = 0;
    loop {
        let batch = shop.change(move |db, _| Ok(unpaid::delete(db, before, BATCH as u32)?)).await?;
        deleted += batch;
        if batch < BATCH {
            return Ok(deleted);
        }
    }
}
