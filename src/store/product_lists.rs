//! Lists of products for those who run the shop: by host and state, by what somebody remembers of one, by what ends next.

use rusqlite::{Connection, OptionalExtension, params};

use super::db::StoreError;
use super::keyset::{Bounds, Span, Table, numbers};
use super::products::{COLUMNS, from_row};
use crate::domain::id::{HostId, ProductId};
use crate::domain::product::{Product, ProductStatus};
use crate::domain::time::Timestamp;

/// So many products that begin like a text are looked at, each way that it can be meant.
const MOST_ALIKE: u32 = 1000;

/// What was paid for, word for word as the indexes have it.
const SOLD: &str = "status NOT IN ('I', 'Z')";

/// Which products are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only those of these hosts; `None` is everybody's.
    pub hosts: Option<Vec<HostId>>,
    /// Only those in this state.
    pub status: Option<ProductStatus>,
    /// Which part of the list.
    pub span: Span,
}

/// The numbers of products, newest first.
pub fn list(db: &Connection, wanted: &Wanted) -> Result<Vec<i64>, StoreError> {
    let bounds = wanted.span.bounds(db, Table::Products)?;
    if wanted.hosts.is_none() && wanted.status.is_none() {
        return numbers(db, &all_text(bounds), params![bounds.first, bounds.end]).map(|found| bounds.merge(found));
    }
    let statuses = wanted.status.map_or_else(|| ProductStatus::ALL.to_vec(), |status| vec![status]);
    let letters: Vec<&str> = statuses.into_iter().map(ProductStatus::letter).collect();
    let hosts = wanted.hosts.clone().map_or_else(|| super::hosts::ids(db), Ok)?;
    bounds.of_runs(db, &run_text(bounds), &hosts, &letters)
}

/// The numbers of everybody's products.
pub(super) fn all_text(bounds: Bounds) -> String {
    format!("SELECT seq FROM product WHERE {}", bounds.tail("seq", 1))
}

/// The numbers of one host's products in one state.
pub(super) fn run_text(bounds: Bounds) -> String {
    format!("SELECT seq FROM product WHERE host_id = ?1 AND status = ?2 AND {}", bounds.tail("seq", 3))
}

/// What somebody remembers of a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clue {
    /// Its id.
    Id(ProductId),
    /// Its public port, its last one when it has none any more.
    Port(u16),
    /// How its target, its alias, its key or its comment begins.
    Beginning(String),
}

/// The products that fit a clue and are wanted. What was never paid for is found by its id alone, and of what begins with
/// a text that very much begins with, not all.
pub fn search(db: &Connection, clue: &Clue, wanted: &Wanted) -> Result<Vec<i64>, StoreError> {
    let bounds = wanted.span.bounds(db, Table::Products)?;
    let found = match clue {
        Clue::Id(id) => seq(db, *id)?.into_iter().collect(),
        Clue::Port(port) => numbers(db, &port_text(), [port])?,
        Clue::Beginning(text) => beginning(db, text)?,
    };
    let mut fitting = Vec::new();
    for seq in bounds.in_order(found) {
        if fitting.len() == bounds.limit as usize {
            break;
        }
        if is_wanted(db, seq, wanted)? {
            fitting.push(seq);
        }
    }
    Ok(fitting)
}

fn is_wanted(db: &Connection, seq: i64, wanted: &Wanted) -> Result<bool, StoreError> {
    let mut statement = db.prepare_cached("SELECT host_id, status FROM product WHERE seq = ?")?;
    let (host, status): (HostId, String) = statement.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let is_at = wanted.hosts.as_ref().is_none_or(|hosts| hosts.contains(&host));
    Ok(is_at && wanted.status.is_none_or(|wanted| wanted.letter() == status))
}

pub(super) fn port_text() -> String {
    format!(
        "SELECT seq FROM product WHERE port = ? AND target IS NOT NULL AND {SOLD} ORDER BY seq DESC LIMIT {MOST_ALIKE}"
    )
}

/// The columns that a text may be the beginning of; those without case in one case, as they are stored.
pub(super) const BEGINNINGS: [&str; 4] = ["target", "alias", "public_key", "comment"];

fn beginning(db: &Connection, text: &str) -> Result<Vec<i64>, StoreError> {
    // Behind everything that begins so.
    let end = format!("{text}\u{10ffff}");
    let mut found = Vec::new();
    for column in BEGINNINGS {
        found.extend(numbers(db, &beginning_text(column), [text, &end])?);
    }
    Ok(found)
}

pub(super) fn beginning_text(column: &str) -> String {
    let collation = if matches!(column, "alias" | "comment") { "COLLATE NOCASE" } else { "COLLATE BINARY" };
    format!(
        "SELECT seq FROM product WHERE {column} {collation} >= ? AND {column} {collation} < ? \
         AND {column} IS NOT NULL AND {SOLD} LIMIT {MOST_ALIKE}"
    )
}

/// The running number of a product.
pub fn seq(db: &Connection, id: ProductId) -> Result<Option<i64>, StoreError> {
    Ok(db.prepare_cached("SELECT seq FROM product WHERE id = ?")?.query_row([id], |row| row.get(0)).optional()?)
}

/// The product with a running number.
pub fn by_seq(db: &Connection, seq: i64) -> Result<Product, StoreError> {
    let mut statement = db.prepare_cached(&format!("SELECT {COLUMNS} FROM product WHERE seq = ?"))?;
    Ok(statement.query_row([seq], from_row)?)
}

/// Active products of a host that end next.
pub fn ending_next(db: &Connection, host: HostId, limit: u32) -> Result<Vec<Product>, StoreError> {
    let mut statement = db.prepare_cached(&ending_text(limit))?;
    let rows = statement.query_map([host], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn ending_text(limit: u32) -> String {
    format!(
        "SELECT {COLUMNS} FROM product WHERE host_id = ? AND status = 'A' AND suspend_after IS NOT NULL \
         ORDER BY suspend_after LIMIT {limit}"
    )
}

/// How many products of a host are in a state.
pub fn count(db: &Connection, host: HostId, status: ProductStatus) -> Result<u64, StoreError> {
    let mut statement = db.prepare_cached(COUNT)?;
    Ok(statement.query_row(params![host, status.letter()], |row| row.get::<_, i64>(0))?.unsigned_abs())
}

pub(super) const COUNT: &str = "SELECT count(*) FROM product WHERE host_id = ? AND status = ?";

/// Notes what an operator gave for nothing.
pub fn note_gift(
    db: &Connection,
    product: ProductId,
    (secs, bytes): (i64, i64),
    now: Timestamp,
) -> Result<(), StoreError> {
    db.prepare_cached("INSERT INTO gift (product_id, secs, bytes, given_at) VALUES (?, ?, ?, ?)")?
        .execute(params![product, secs, bytes, now])?;
    Ok(())
}
