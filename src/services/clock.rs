//! Whether the clock can be trusted, and what becomes of what was stored while it was ahead.
//!
//! A Raspberry Pi without a battery clock starts in the past: until the clock has caught up with the
//! newest time that was ever stored, nothing is suspended, expired or deleted. Should that newest time
//! itself be wrong, because the clock was once far ahead, an operator says that it is right now.

use super::deals::{change_order, change_product};
use super::shop::Shop;
use super::{Error, Principal, Tx, authz};
use crate::domain::alert::AlertTopic;
use crate::domain::deal::Deal;
use crate::domain::id::ProductId;
use crate::domain::texts::Ending;
use crate::domain::time::Timestamp;
use crate::store::ahead::{self, Ahead};
use crate::store::{Connection, alerts, meta};

/// How the alert and the doctor tell what to do.
pub const ADVICE: &str = "If the clock is wrong, set it. If it is right now and was ahead before, say so with \
    `ip2tor-shop clock accept --today YYYY-MM-DD`";

/// The clock, compared with what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What it says.
    pub now: Timestamp,
    /// The newest time that was ever stored.
    pub newest: Option<Timestamp>,
    /// Whether it is behind that by more than a correction.
    pub is_behind: bool,
}

/// Looks at the clock.
pub fn read(db: &Connection, now: Timestamp) -> Result<Reading, Error> {
    let newest = meta::newest_time(db)?;
    Ok(Reading { now, newest, is_behind: newest.is_some_and(|newest| newest.is_from_the_future(now)) })
}

/// The time, while the clock can be trusted: `None` while it can't. Raises or closes the alert.
pub async fn trusted(shop: &Shop) -> Result<Option<Timestamp>, Error> {
    let now = shop.now();
    let reading = shop.db.read(|db| read(db, now))?;
    if let (Some(newest), true) = (reading.newest, reading.is_behind) {
        let text = format!(
            "The clock says {now}, but the shop has run at {newest} before. Nothing is suspended, expired or \
             deleted until that is cleared up. {ADVICE}."
        );
        shop.tx(&Principal::Shop, move |tx| Ok(alerts::raise(tx.db, AlertTopic::ClockBack, "", &text, now).map(drop)?))
            .await?;
        return Ok(None);
    }
    shop.tx(&Principal::Shop, move |tx| {
        let db = tx.db;
        meta::note_time(db, now)?;
        Ok(alerts::close(db, AlertTopic::ClockBack, "", now)?)
    })
    .await?;
    Ok(Some(now))
}

/// Notes the time at which a shop ends, exactly.
///
/// # Errors
/// Those of the database.
pub async fn end(shop: &Shop) -> Result<(), Error> {
    let now = shop.now();
    shop.tx(&Principal::Shop, move |tx| Ok(meta::note_last_time(tx.db, now)?)).await
}

/// What was put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The clock that was accepted, as it was compared before.
    pub reading: Reading,
    /// Products whose times were stamped in the future, and those that were suspended by such a clock
    /// although they are paid for.
    pub products: Vec<ProductId>,
    /// Unpaid orders that were placed in the future; they are being closed.
    pub orders: usize,
}

/// An operator says that the clock is right: what it stamped while it was ahead counts from now, paid
/// products that it suspended come back, and the newest time is now. Nothing happens with a clock that
/// is not behind. Can be repeated after a failure.
///
/// # Errors
/// [`Error::NotFound`] for anybody but an administrator, and those of the database.
pub async fn accept(shop: &Shop, by: &Principal) -> Result<Accepted, Error> {
    authz::needs_administrator(by)?;
    let now = shop.now();
    let reading = shop.db.read(|db| read(db, now))?;
    if !reading.is_behind {
        return Ok(Accepted { reading, products: Vec::new(), orders: 0 });
    }
    let found = shop.db.read(|db| ahead::find(db, now))?;
    let (inner, Ahead { products, orders }) = (shop.clone(), found);
    shop.tx(by, move |tx| {
        let db = tx.db;
        for id in &products {
            count_from_now(&inner, tx, *id)?;
        }
        for id in &orders {
            change_order(&inner, tx, *id, |deal, i, _| {
                deal.close_unpaid(i, Ending::Expired);
                Ok(())
            })?;
        }
        ahead::restamp(db, now)?;
        meta::accept_time(db, now)?;
        alerts::close(db, AlertTopic::ClockBack, "", now)?;
        let was = reading.newest.map_or_else(String::new, Timestamp::to_wire);
        let change = format!("accepted: it is {now}, although the shop has run at {was}");
        tx.record("clock", "clock", &change)?;
        Ok(Accepted { reading, products, orders: orders.len() })
    })
    .await
}

fn count_from_now(shop: &Shop, tx: &mut Tx<'_>, product: ProductId) -> Result<(), Error> {
    let suspended = ahead::was_suspended(tx.db, product, tx.now)?;
    change_product(shop, tx, product, |deal: &mut Deal, now| {
        deal.clock_was_ahead(now);
        if suspended {
            deal.time_was_not_over(now);
        }
        Ok(())
    })
}
