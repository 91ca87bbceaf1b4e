//! Lists of orders for those who run the shop: by host and state, by what is owed, by what somebody remembers of one.

use rusqlite::{Connection, OptionalExtension, params};

use super::db::StoreError;
use super::deals::{PURCHASE, purchase_from_row};
use super::keyset::{Bounds, Span, Table, numbers};
use crate::domain::id::{HostId, OrderId, ProductId};
use crate::domain::lightning::PaymentHash;
use crate::domain::purchase::{OrderStatus, Purchase};

/// Which orders are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only those at these hosts; `None` is everybody's.
    pub hosts: Option<Vec<HostId>>,
    /// Only those in this state.
    pub status: Option<OrderStatus>,
    /// Only those that owe the buyer something.
    pub owed: bool,
    /// Which part of the list.
    pub span: Span,
}

/// The numbers of orders, newest first.
pub fn list(db: &Connection, wanted: &Wanted) -> Result<Vec<i64>, StoreError> {
    let bounds = wanted.span.bounds(db, Table::Orders)?;
    if wanted.owed {
        // There are few of them: money that is owed is what an operator looks after first.
        let found = numbers(db, OWED, params![bounds.first, bounds.end])?;
        return some_of(db, found, bounds, wanted);
    }
    if wanted.hosts.is_none() && wanted.status.is_none() {
        return numbers(db, &all_text(bounds), params![bounds.first, bounds.end]).map(|found| bounds.merge(found));
    }
    let statuses = wanted.status.map_or_else(|| OrderStatus::ALL.to_vec(), |status| vec![status]);
    let letters: Vec<&str> = statuses.into_iter().map(OrderStatus::letter).collect();
    let hosts = wanted.hosts.clone().map_or_else(|| super::hosts::ids(db), Ok)?;
    bounds.of_runs(db, &run_text(bounds), &hosts, &letters)
}

/// The numbers of everybody's orders.
pub(super) fn all_text(bounds: Bounds) -> String {
    format!("SELECT seq FROM purchase_order WHERE {}", bounds.tail("seq", 1))
}

/// The numbers of one host's orders in one state.
pub(super) fn run_text(bounds: Bounds) -> String {
    format!("SELECT seq FROM purchase_order WHERE host_id = ?1 AND status = ?2 AND {}", bounds.tail("seq", 3))
}

/// All that owe something; the first condition is the index's.
pub(super) const OWED: &str = "SELECT seq FROM purchase_order INDEXED BY order_to_refund \
    WHERE (status = 'N' OR owed > 0) AND owed > 0 AND seq >= ? AND seq < ? ORDER BY seq DESC";

/// What somebody remembers of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clue {
    /// Its id, or that of its product.
    Id(OrderId),
    /// The payment hash of its invoice, or of a former one of it.
    Hash(PaymentHash),
}

/// The orders that fit a clue and are wanted.
pub fn search(db: &Connection, clue: Clue, wanted: &Wanted) -> Result<Vec<i64>, StoreError> {
    let bounds = wanted.span.bounds(db, Table::Orders)?;
    let found = match clue {
        Clue::Id(id) => match seq(db, id)? {
            Some(seq) => vec![seq],
            None => numbers(db, OF_PRODUCT, [ProductId(id.0)])?,
        },
        Clue::Hash(hash) => numbers(db, "SELECT seq FROM invoice_attempt WHERE payment_hash = ?", [hash])?,
    };
    some_of(db, found, bounds, wanted)
}

pub(super) const OF_PRODUCT: &str = "SELECT seq FROM purchase_order WHERE product_seq = (SELECT seq FROM product WHERE id = ?) ORDER BY created_at DESC";

fn some_of(db: &Connection, found: Vec<i64>, bounds: Bounds, wanted: &Wanted) -> Result<Vec<i64>, StoreError> {
    let mut fitting = Vec::new();
    let mut statement = db.prepare_cached("SELECT host_id, status, owed FROM purchase_order WHERE seq = ?")?;
    for seq in bounds.in_order(found) {
        if fitting.len() == bounds.limit as usize {
            break;
        }
        let (host, status, owed): (HostId, String, i64) =
            statement.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let fits = wanted.hosts.as_ref().is_none_or(|hosts| hosts.contains(&host))
            && wanted.status.is_none_or(|wanted| wanted.letter() == status)
            && (owed > 0 || !wanted.owed);
        if fits {
            fitting.push(seq);
        }
    }
    Ok(fitting)
}

/// The running number of an order.
pub fn seq(db: &Connection, id: OrderId) -> Result<Option<i64>, StoreError> {
    Ok(db
        .prepare_cached("SELECT seq FROM purchase_order WHERE id = ?")?
        .query_row([id], |row| row.get(0))
        .optional()?)
}

/// The order with a running number, and the id of its product.
pub fn by_seq(db: &Connection, seq: i64) -> Result<(Purchase, ProductId), StoreError> {
    let mut statement = db.prepare_cached(&format!("{PURCHASE} WHERE o.seq = ?"))?;
    Ok(statement.query_row([seq], |row| Ok((purchase_from_row(row)?, row.get("product_id")?)))?)
}

/// How many orders of some hosts, or of all, owe something, and how much altogether, in msat.
pub fn owed(db: &Connection, hosts: Option<&[HostId]>) -> Result<(u64, u64), StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT host_id, owed FROM purchase_order INDEXED BY order_to_refund WHERE (status = 'N' OR owed > 0) AND owed > 0",
    )?;
    let mut rows = statement.query([])?;
    let (mut count, mut sum) = (0, 0_u64);
    while let Some(row) = rows.next()? {
        let host: HostId = row.get(0)?;
        if hosts.is_none_or(|hosts| hosts.contains(&host)) {
            count += 1;
            sum = sum.saturating_add(row.get::<_, i64>(1)?.unsigned_abs());
        }
    }
    Ok((count, sum))
}
