//! Places: the port of a bridge and the name of an alias, each unique per public IP address. A
//! constraint keeps them unique, so that drawing one costs the same however many are in use.

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::db::StoreError;
use crate::domain::host::{Host, PortKind, PortRange};
use crate::domain::id::{HostId, ProductId, Random};
use crate::domain::product::{Product, Subject};

/// Random places that are looked at before all ports are: even with 99 of 100 in use, one of them has
/// a gap nearly always.
const DRAWS: u32 = 64;
/// How many ports are looked at in each place.
const WINDOW: u16 = 8;

/// The host's port ranges for bridges.
pub fn bridge_ranges(db: &Connection, host: HostId) -> Result<Vec<PortRange>, StoreError> {
    let mut ranges = super::hosts::ranges(db, host)?;
    ranges.retain(|range| range.kind == PortKind::TorBridge);
    Ok(ranges)
}

/// Reserves a random free port of `ranges` on `ip` for the product; `None` when there is none.
pub fn reserve_port(
    db: &Connection,
    random: &dyn Random,
    ip: &str,
    ranges: &[PortRange],
    product: ProductId,
) -> Result<Option<u16>, StoreError> {
    let ranges: Vec<PortRange> = ranges.iter().filter(|range| range.free() > 0).copied().collect();
    let free: u64 = ranges.iter().map(|range| u64::from(range.free())).sum();
    if free == 0 {
        return Ok(None);
    }
    for _ in 0..DRAWS {
        let range = pick(&ranges, random.below(free));
        let span = u64::from(range.last - range.first) + 1;
        let start = range.first + random.below(span) as u16;
        let end = start.saturating_add(WINDOW - 1).min(range.last);
        if let Some(port) = take_gap(db, ip, start, end, range.id, product)? {
            return Ok(Some(port));
        }
    }
    // Nearly full: walk up from each range's start to its first gap.
    for range in &ranges {
        if let Some(port) = take_gap(db, ip, range.first, range.last, range.id, product)? {
            return Ok(Some(port));
        }
    }
    Ok(None)
}

/// Takes the first port from `start` to `end` that is not in use, if there is one.
fn take_gap(
    db: &Connection,
    ip: &str,
    start: u16,
    end: u16,
    range: i64,
    product: ProductId,
) -> Result<Option<u16>, StoreError> {
    match next_gap(db, ip, start, end)? {
        Some(port) if take(db, ip, port, range, product)? => Ok(Some(port)),
        _ => Ok(None),
    }
}

/// The range in which the `n`th free port lies.
fn pick(ranges: &[PortRange], n: u64) -> &PortRange {
    let mut left = n;
    let found = ranges.iter().find(|range| {
        let here = u64::from(range.free());
        let inside = left < here;
        left = left.saturating_sub(here);
        inside
    });
    found.unwrap_or(&ranges[0])
}

/// The first port from `start` to `last` that is not in use.
fn next_gap(db: &Connection, ip: &str, start: u16, last: u16) -> Result<Option<u16>, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT port FROM port WHERE ip = ? AND port BETWEEN ? AND ? ORDER BY port")?;
    let mut used = statement.query(params![ip, start, last])?;
    let mut candidate = u32::from(start);
    while let Some(row) = used.next()? {
        if row.get::<_, u32>(0)? != candidate {
            break;
        }
        candidate += 1;
    }
    Ok(u16::try_from(candidate).ok().filter(|port| *port <= last))
}

/// Takes one port; `false` when it is in use.
fn take(db: &Connection, ip: &str, port: u16, range: i64, product: ProductId) -> Result<bool, StoreError> {
    let mut statement =
        db.prepare_cached("INSERT OR IGNORE INTO port (ip, port, range_id, product_id) VALUES (?, ?, ?, ?)")?;
    Ok(statement.execute(params![ip, port, range, product])? == 1)
}

/// Reserves this very port again if it is free and still in one of the host's ranges.
pub fn reserve_same_port(db: &Connection, host: &Host, port: u16, product: ProductId) -> Result<bool, StoreError> {
    let ranges = bridge_ranges(db, host.id)?;
    let range = ranges.iter().find(|r| (r.first..=r.last).contains(&port));
    match range {
        Some(range) => take(db, &host.ip, port, range.id, product),
        None => Ok(false),
    }
}

/// Reserves an alias on an IP address; `false` when it is taken.
pub fn reserve_alias(db: &Connection, ip: &str, alias: &str, product: ProductId) -> Result<bool, StoreError> {
    let sql = "INSERT INTO alias_name (ip, alias, product_id) VALUES (?, ?, ?)";
    match db.prepare_cached(sql)?.execute(params![ip, alias, product]) {
        Ok(_) => Ok(true),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether an alias is taken on an IP address.
pub fn alias_is_taken(db: &Connection, ip: &str, alias: &str) -> Result<bool, StoreError> {
    let mut statement = db.prepare_cached("SELECT 1 FROM alias_name WHERE ip = ? AND alias = ?")?;
    Ok(statement.query_row(params![ip, alias], |_| Ok(())).optional()?.is_some())
}

/// Gives back what the product has reserved; `false` when it is not there, which is a defect.
pub fn release(db: &Connection, product: &Product) -> Result<bool, StoreError> {
    let (host, id) = (product.host_id, product.id);
    let place = "ip = (SELECT ip FROM host WHERE id = ?1) AND product_id = ?2";
    let given_back = match &product.subject {
        Subject::Target(_) => db
            .prepare_cached(&format!("DELETE FROM port WHERE {place} AND port = ?3"))?
            .execute(params![host, id, product.port])?,
        Subject::Alias { alias, .. } => db
            .prepare_cached(&format!("DELETE FROM alias_name WHERE {place} AND alias = ?3"))?
            .execute(params![host, id, alias])?,
    };
    Ok(given_back == 1)
}

/// Takes a port from the product that it was reserved for and sets it aside: it is the host's own from here on.
pub fn put_aside(db: &Connection, host: &Host, product: ProductId, port: u16) -> Result<(), StoreError> {
    let sql = "UPDATE port SET product_id = ?1 WHERE ip = ?2 AND port = ?3 AND product_id = ?4";
    db.prepare_cached(sql)?.execute(params![host.id, host.ip, port, product])?;
    Ok(())
}

/// The ports of a host that are set aside.
pub fn set_aside(db: &Connection, host: &Host) -> Result<Vec<u16>, StoreError> {
    let mut statement = db.prepare_cached("SELECT port FROM port WHERE ip = ? AND product_id = ? ORDER BY port")?;
    let ports = statement.query_map(params![host.ip, host.id], |row| row.get(0))?;
    Ok(ports.collect::<Result<_, _>>()?)
}

/// Frees the ports of a host that are set aside. Returns how many.
pub fn free_set_aside(db: &Connection, host: &Host) -> Result<usize, StoreError> {
    Ok(db.execute("DELETE FROM port WHERE ip = ? AND product_id = ?", params![host.ip, host.id])?)
}

/// How many ports of `kind` a host has free.
pub fn free_ports(db: &Connection, host: &Host, kind: PortKind) -> Result<u32, StoreError> {
    let ranges = super::hosts::ranges(db, host.id)?;
    Ok(ranges.iter().filter(|range| range.kind == kind).map(PortRange::free).sum())
}
