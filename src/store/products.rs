//! Products: rows, lists for hosts and monitoring, and what the scheduled jobs look for.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::db::StoreError;
use super::row::named;
use crate::domain::alias;
use crate::domain::id::{HostId, OperatorId, ProductId};
use crate::domain::money::Msat;
use crate::domain::product::{Product, ProductKind, ProductStatus, Subject, Terms};
use crate::domain::time::Timestamp;

pub(super) const COLUMNS: &str = "id, kind, host_id, status, port, placed, target, alias, public_key, comment, suspend_after, \
    duration_secs, grace_secs, price_extension, bandwidth_initial, bandwidth_remaining, bandwidth_checked_at, \
    is_monitored, is_killed, shown_at, pending_since, activated_at, suspending_since, \
    suspended_at, deleted_at, created_at, modified_at";

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Product> {
    let subject = match named(row, "kind", ProductKind::parse)? {
        ProductKind::TorBridge => Subject::Target(row.get("target")?),
        ProductKind::NostrAlias => {
            // Keys that were sold before stand there as they were ordered.
            let key: String = row.get("public_key")?;
            Subject::Alias { alias: row.get("alias")?, public_key: alias::to_npub(&key).unwrap_or(key) }
        }
    };
    Ok(Product {
        id: row.get("id")?,
        host_id: row.get("host_id")?,
        status: named(row, "status", ProductStatus::parse)?,
        port: row.get("port")?,
        placed: row.get("placed")?,
        subject,
        comment: row.get("comment")?,
        suspend_after: row.get("suspend_after")?,
        terms: Terms {
            duration_secs: row.get("duration_secs")?,
            grace_secs: row.get("grace_secs")?,
            price_extension: row.get::<_, Msat>("price_extension")?,
            bandwidth_initial: row.get("bandwidth_initial")?,
        },
        bandwidth_remaining: row.get("bandwidth_remaining")?,
        bandwidth_checked_at: row.get("bandwidth_checked_at")?,
        is_monitored: row.get("is_monitored")?,
        is_killed: row.get("is_killed")?,
        shown_at: row.get("shown_at")?,
        pending_since: row.get("pending_since")?,
        activated_at: row.get("activated_at")?,
        suspending_since: row.get("suspending_since")?,
        suspended_at: row.get("suspended_at")?,
        deleted_at: row.get("deleted_at")?,
        created_at: row.get("created_at")?,
        modified_at: row.get("modified_at")?,
    })
}

/// The product, tombstones included.
pub fn get(db: &Connection, id: ProductId) -> Result<Option<Product>, StoreError> {
    let mut statement = db.prepare_cached(&format!("SELECT {COLUMNS} FROM product WHERE id = ?"))?;
    Ok(statement.query_row([id], from_row).optional()?)
}

/// Stores a new product. Its port or name is reserved separately ([`super::reservations`]).
pub fn insert(db: &Connection, product: &Product) -> Result<(), StoreError> {
    let (target, alias, public_key) = match &product.subject {
        Subject::Target(target) => (Some(target), None, None),
        Subject::Alias { alias, public_key } => (None, Some(alias), Some(public_key)),
    };
    let mut statement = db.prepare_cached(
        "INSERT INTO product (id, kind, host_id, status, port, placed, target, alias, public_key, comment, \
         suspend_after, duration_secs, grace_secs, price_extension, bandwidth_initial, bandwidth_remaining, \
         created_at, modified_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    statement.execute(params![
        product.id,
        product.kind().name(),
        product.host_id,
        product.status.letter(),
        product.port,
        product.placed,
        target,
        alias,
        public_key,
        product.comment,
        product.suspend_after,
        product.terms.duration_secs,
        product.terms.grace_secs,
        product.terms.price_extension,
        product.terms.bandwidth_initial,
        product.bandwidth_remaining,
        product.created_at,
        product.modified_at,
    ])?;
    Ok(())
}

/// Stores what can change of a product, if nobody changed its status since it was `before`.
pub fn update(db: &Connection, before: ProductStatus, product: &Product) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached(
        "UPDATE product SET status = :status, port = :port, placed = :placed, comment = :comment, \
         suspend_after = :suspend_after, bandwidth_remaining = :bandwidth_remaining, \
         bandwidth_checked_at = :bandwidth_checked_at, is_killed = :is_killed, shown_at = :shown_at, \
         pending_since = :pending_since, activated_at = :activated_at, \
         suspending_since = :suspending_since, suspended_at = :suspended_at, \
         deleted_at = :deleted_at, modified_at = :modified_at WHERE id = :id AND status = :before",
    )?;
    let changed = statement.execute(named_params! {
        ":id": product.id, ":before": before.letter(), ":status": product.status.letter(), ":port": product.port,
        ":placed": product.placed, ":comment": product.comment, ":suspend_after": product.suspend_after,
        ":bandwidth_remaining": product.bandwidth_remaining, ":bandwidth_checked_at": product.bandwidth_checked_at,
        ":is_killed": product.is_killed, ":shown_at": product.shown_at, ":pending_since": product.pending_since,
        ":activated_at": product.activated_at, ":suspending_since": product.suspending_since,
        ":suspended_at": product.suspended_at,
        ":deleted_at": product.deleted_at, ":modified_at": product.modified_at,
    })?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Conflict("the product")) }
}

/// What a list of products is limited to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Only this host's.
    pub host: Option<HostId>,
    /// Only this status.
    pub status: Option<ProductStatus>,
}

/// In which order products are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As clients know it.
    NewestFirst,
    /// For who works on them: what has waited for its activation for longest is due first.
    LongestPendingFirst,
}

/// Products of a kind, without tombstones.
pub fn list(db: &Connection, kind: ProductKind, filter: Filter, order: Order) -> Result<Vec<Product>, StoreError> {
    let mut statement = db.prepare_cached(&list_text(filter, order))?;
    let rows = statement.query_map(params![kind.name(), filter.host], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A text for each case, so that each has the index that fits. The letter is written out: SQLite
/// plans a statement anew when a bound value decides whether a partial index can be used.
pub(super) fn list_text(filter: Filter, order: Order) -> String {
    let host = if filter.host.is_some() { "host_id = ?2" } else { "?2 IS NULL" };
    let status = filter.status.map(|status| format!("AND status = '{}'", status.letter())).unwrap_or_default();
    let order = match order {
        Order::NewestFirst => "created_at DESC, rowid DESC",
        Order::LongestPendingFirst => "pending_since, rowid",
    };
    format!("SELECT {COLUMNS} FROM product WHERE kind = ?1 AND {host} {status} AND deleted_at IS NULL ORDER BY {order}")
}

/// Products of every kind, tombstones included, newest first: for those who run the shop; only those at hosts of `owner`,
/// if one is given.
pub fn search(
    db: &Connection,
    filter: Filter,
    owner: Option<OperatorId>,
    limit: u32,
) -> Result<Vec<Product>, StoreError> {
    let mut statement = db.prepare_cached(&search_text(filter, owner, limit))?;
    let rows = match filter.host {
        Some(host) => statement.query_map([host], from_row)?,
        None => statement.query_map([], from_row)?,
    };
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A text for each filter, so that each has the index that fits. Without one the newest are read in
/// the order in which they were stored, and no further than the limit.
pub(super) fn search_text(filter: Filter, owner: Option<OperatorId>, limit: u32) -> String {
    use ProductStatus as P;
    // Where all states of a host are asked for, the newest rows are read as they come.
    let index = match (filter.host, filter.status) {
        (Some(_), Some(_)) => "INDEXED BY product_in_state",
        (_, None) => "NOT INDEXED",
        (None, Some(_)) => "",
    };
    let mut text = format!("SELECT {COLUMNS} FROM product {index} WHERE TRUE");
    if filter.host.is_some() {
        text.push_str(" AND host_id = ?");
    }
    if let Some(status) = filter.status {
        text.push_str(&format!(" AND status = '{}'", status.letter()));
    }
    if let Some(owner) = owner {
        // The sign keeps SQLite from sorting all that an operator has.
        text.push_str(&format!(" AND +host_id IN (SELECT id FROM host WHERE owner_id = {})", owner.0));
    }
    let few = filter.host.is_none() && matches!(filter.status, Some(P::NeedsActivate | P::Suspended));
    let order = if few { "created_at DESC, rowid DESC" } else { "rowid DESC" };
    text.push_str(&format!(" ORDER BY {order} LIMIT {limit}"));
    text
}

fn ids(db: &Connection, sql: &str, limit: Timestamp) -> Result<Vec<ProductId>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([limit], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Active products whose time was over at `now`.
pub fn due_to_suspend(db: &Connection, now: Timestamp) -> Result<Vec<ProductId>, StoreError> {
    ids(db, "SELECT id FROM product WHERE status = 'A' AND suspend_after IS NOT NULL AND suspend_after <= ?", now)
}

/// Products that have been P since before `limit`.
pub fn pending_since_before(db: &Connection, limit: Timestamp) -> Result<Vec<ProductId>, StoreError> {
    ids(db, "SELECT id FROM product WHERE status = 'P' AND pending_since <= ?", limit)
}

/// Products that have been H since before `limit`.
pub fn suspended_since_before(db: &Connection, limit: Timestamp) -> Result<Vec<ProductId>, StoreError> {
    ids(db, "SELECT id FROM product WHERE status = 'H' AND suspended_at <= ?", limit)
}

/// The host of a product is told of it as P now: from here on it may have it. `false` when it is P no more, and
/// must not be told so.
pub fn mark_shown(db: &Connection, id: ProductId, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "UPDATE product SET shown_at = ifnull(shown_at, ?2) WHERE id = ?1 AND status = 'P'";
    Ok(db.prepare_cached(sql)?.execute(params![id, now])? == 1)
}

/// Everything that is P may have been shown: a backup was restored, and nobody knows what happened since.
pub fn mark_all_shown(db: &Connection, now: Timestamp) -> Result<(), StoreError> {
    db.execute("UPDATE product SET shown_at = ?1 WHERE status = 'P' AND shown_at IS NULL", [now])?;
    Ok(())
}

/// Products that have been S since before `limit`, those that wait for the longest first.
pub fn suspending_since_before(db: &Connection, limit: Timestamp) -> Result<Vec<Product>, StoreError> {
    let mut statement = db.prepare_cached(&suspending_text())?;
    let rows = statement.query_map([limit], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn suspending_text() -> String {
    format!("SELECT {COLUMNS} FROM product WHERE status = 'S' AND suspending_since <= ? ORDER BY suspending_since")
}

/// Whether the host has products that are not deleted or archived.
pub fn any_on_host(db: &Connection, host: HostId) -> Result<bool, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM product INDEXED BY product_by_host \
         WHERE host_id = ? AND status NOT IN ('Z', 'D') AND deleted_at IS NULL)",
    )?;
    Ok(statement.query_row([host], |row| row.get(0))?)
}
