//! Hosts and their port ranges.

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::audit_log::Author;
use super::db::StoreError;
use crate::domain::host::{Host, PortKind, PortRange};
use crate::domain::id::{HostId, OperatorId};
use crate::domain::time::{CLOCK_TOLERANCE_SECS, Timestamp};

macro_rules! columns {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $default:expr, $value:literal $(, alias = $alias:literal)?;)*) => {
        const COLUMNS: &str = concat!(
            "id, owner_id, ip, name, description, ",
            $(stringify!($field), ", ",)*
            "unswept_since, ci_date, ci_status, ci_message, created_at, modified_at"
        );

        fn from_row(row: &Row<'_>) -> rusqlite::Result<Host> {
            Ok(Host {
                id: row.get("id")?,
                owner_id: row.get("owner_id")?,
                ip: row.get("ip")?,
                name: row.get("name")?,
                description: row.get("description")?,
                $($field: row.get(stringify!($field))?,)*
                unswept_since: row.get("unswept_since")?,
                ci_date: row.get("ci_date")?,
                ci_status: row.get("ci_status")?,
                ci_message: row.get("ci_message")?,
                created_at: row.get("created_at")?,
                modified_at: row.get("modified_at")?,
            })
        }

        /// Stores every changeable field of a host; its author says in the change log which are new.
        pub fn update(db: &Connection, host: &Host, _: Author<'_>) -> Result<(), StoreError> {
            const SQL: &str = concat!(
                "UPDATE host SET owner_id = :owner_id, ip = :ip, ip_sort = :ip_sort, name = :name, description = :description, ",
                $(stringify!($field), " = :", stringify!($field), ", ",)*
                "modified_at = :modified_at WHERE id = :id AND deleted_at IS NULL"
            );
            let ip_sort = ip_sort(&host.ip);
            let values: &[(&str, &dyn ToSql)] = &[
                (":id", &host.id),
                (":owner_id", &host.owner_id),
                (":ip", &host.ip),
                (":ip_sort", &ip_sort),
                (":name", &host.name),
                (":description", &host.description),
                $((concat!(":", stringify!($field)), &host.$field),)*
                (":modified_at", &host.modified_at),
            ];
            if db.execute(SQL, values)? == 1 { Ok(()) } else { Err(StoreError::Conflict("the host")) }
        }
    };
}

crate::domain::host_settings!(columns);

/// The host, unless it is unknown or deleted.
pub fn get(db: &Connection, id: HostId) -> Result<Option<Host>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM host WHERE id = ? AND deleted_at IS NULL");
    Ok(db.prepare_cached(&sql)?.query_row([id], from_row).optional()?)
}

/// The host even when it is deleted: its products and orders still show it.
pub fn get_any(db: &Connection, id: HostId) -> Result<Option<Host>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM host WHERE id = ?");
    Ok(db.prepare_cached(&sql)?.query_row([id], from_row).optional()?)
}

/// All hosts in the order of their IP addresses; `owner` limits them to one operator's.
pub fn list(db: &Connection, owner: Option<OperatorId>) -> Result<Vec<Host>, StoreError> {
    page(db, owner, None, u32::MAX)
}

/// So many of [`list`] at most, those behind a host (which may be deleted meanwhile).
pub fn page(
    db: &Connection,
    owner: Option<OperatorId>,
    after: Option<HostId>,
    limit: u32,
) -> Result<Vec<Host>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM host WHERE deleted_at IS NULL AND (?1 IS NULL OR owner_id = ?1) AND (?2 IS NULL OR \
         (ip_sort, created_at, id) > (SELECT ip_sort, created_at, id FROM host WHERE id = ?2)) \
         ORDER BY ip_sort, created_at, id LIMIT ?3"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let hosts = statement.query_map(params![owner, after, limit], from_row)?;
    Ok(hosts.collect::<Result<_, _>>()?)
}

/// The ids of all hosts there ever were: what they sold is in the lists still.
pub fn ids(db: &Connection) -> Result<Vec<HostId>, StoreError> {
    let mut statement = db.prepare_cached("SELECT id FROM host")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The ids of all hosts that an operator has or had.
pub fn ids_of(db: &Connection, owner: OperatorId) -> Result<Vec<HostId>, StoreError> {
    let mut statement = db.prepare_cached("SELECT id FROM host WHERE owner_id = ?")?;
    let rows = statement.query_map([owner], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Stores a new host.
pub fn insert(db: &Connection, host: &Host, token_hash: &[u8; 32], author: Author<'_>) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO host (id, owner_id, token_hash, ip, ip_sort, name, created_at, modified_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            host.id,
            host.owner_id,
            token_hash.as_slice(),
            host.ip,
            ip_sort(&host.ip),
            host.name,
            host.created_at,
            host.modified_at
        ],
    )?;
    update(db, host, author)
}

/// Since when forwards may stand on the host that are not in the database; `None` is that there are none.
pub fn set_unswept(db: &Connection, id: HostId, since: Option<Timestamp>) -> Result<(), StoreError> {
    db.execute("UPDATE host SET unswept_since = ?2 WHERE id = ?1", params![id, since])?;
    Ok(())
}

/// Since when the host has been alive; `None` while it is not. Written only when that changes, or when a clock that was
/// ahead has stamped it.
pub fn note_alive(db: &Connection, id: HostId, is_alive: bool, now: Timestamp) -> Result<(), StoreError> {
    let since = is_alive.then_some(now);
    let sql = "UPDATE host SET alive_since = ?2 WHERE id = ?1 \
               AND ((alive_since IS NULL) <> (?2 IS NULL) OR alive_since > ?3)";
    if db.prepare_cached(sql)?.execute(params![id, since, now.plus_secs(CLOCK_TOLERANCE_SECS)])? > 0 {
        super::presence::note(db, id, is_alive, now)?;
    }
    Ok(())
}

/// Since when the host has been alive, as it was last noted.
pub fn alive_since(db: &Connection, id: HostId) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT alive_since FROM host WHERE id = ? AND deleted_at IS NULL";
    Ok(db.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()?.flatten())
}

/// Records a check-in.
pub fn check_in(db: &Connection, id: HostId, status: u8, message: &str, now: Timestamp) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached(
        "UPDATE host SET ci_date = ?2, ci_status = ?3, ci_message = ?4, modified_at = ?2 WHERE id = ?1",
    )?;
    statement.execute(params![id, now, status, message])?;
    Ok(())
}

/// Leaves a tombstone: the host and its token no longer exist for anybody.
pub fn delete(db: &Connection, id: HostId, author: Author<'_>) -> Result<(), StoreError> {
    db.execute("UPDATE host SET deleted_at = ?2, modified_at = ?2 WHERE id = ?1", params![id, author.at()])?;
    super::audit_log::record(db, author, "host", id, "deleted")
}

/// The port ranges of one host, or of all hosts on one IP address.
pub fn ranges(db: &Connection, host: HostId) -> Result<Vec<PortRange>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT id, host_id, kind, first_port, last_port, used FROM port_range WHERE host_id = ? ORDER BY first_port",
    )?;
    let ranges = statement.query_map([host], range_from_row)?;
    Ok(ranges.collect::<Result<_, _>>()?)
}

/// The port ranges of all hosts on one IP address.
pub fn ranges_on_ip(db: &Connection, ip: &str) -> Result<Vec<PortRange>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT r.id, r.host_id, r.kind, r.first_port, r.last_port, r.used FROM port_range r \
         JOIN host h ON h.id = r.host_id WHERE h.ip = ? AND h.deleted_at IS NULL ORDER BY r.first_port",
    )?;
    let ranges = statement.query_map([ip], range_from_row)?;
    Ok(ranges.collect::<Result<_, _>>()?)
}

fn range_from_row(row: &Row<'_>) -> rusqlite::Result<PortRange> {
    Ok(PortRange {
        id: row.get("id")?,
        host_id: row.get("host_id")?,
        kind: super::row::named(row, "kind", PortKind::parse)?,
        first: row.get("first_port")?,
        last: row.get("last_port")?,
        used: row.get("used")?,
    })
}

/// Adds a range; its `id` and `used` are not read.
pub fn add_range(db: &Connection, range: &PortRange) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO port_range (host_id, kind, first_port, last_port) VALUES (?, ?, ?, ?)",
        params![range.host_id, range.kind.letter(), range.first, range.last],
    )?;
    Ok(())
}

/// Counts the ports in use that lie in the range of `host` that starts at `first` but belong to no
/// range, because theirs was taken away before.
pub fn adopt_ports(db: &Connection, ip: &str, host: HostId, first: u16) -> Result<(), StoreError> {
    db.execute(
        "UPDATE port SET range_id = r.id FROM port_range r WHERE r.host_id = ?2 AND r.first_port = ?3 \
         AND port.ip = ?1 AND port.range_id IS NULL AND port.port BETWEEN r.first_port AND r.last_port",
        params![ip, host, first],
    )?;
    db.execute(
        "UPDATE port_range SET used = (SELECT count(*) FROM port WHERE range_id = port_range.id) \
         WHERE host_id = ?1 AND first_port = ?2",
        params![host, first],
    )?;
    Ok(())
}

/// Moves the ports and aliases that a host sold from one IP address to another, and its ports that are set aside;
/// `false` when one of those that it sold is in use there, and then nothing of it may be committed.
pub fn move_places(db: &Connection, host: HostId, from: &str, to: &str) -> Result<bool, StoreError> {
    db.execute("UPDATE OR IGNORE port SET ip = ?3 WHERE ip = ?2 AND product_id = ?1", params![host, from, to])?;
    for table in ["port", "alias_name"] {
        let sold = sold_at(table);
        db.execute(&format!("UPDATE OR IGNORE {table} SET ip = ?3 WHERE {sold}"), params![host, from, to])?;
        let sql = format!("SELECT count(*) FROM {table} WHERE {sold}");
        let left: i64 = db.query_row(&sql, params![host, from], |row| row.get(0))?;
        if left > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What host `?1` sold at address `?2`: by the address and by the host's products, each from its index
/// (what was deleted has no place).
pub(super) fn sold_at(table: &str) -> String {
    let key = if table == "port" { "port" } else { "alias" };
    format!(
        "ip = ?2 AND {key} IN (SELECT {key} FROM product INDEXED BY product_by_host \
         WHERE host_id = ?1 AND deleted_at IS NULL AND placed = 1) AND product_id IN (SELECT id FROM product INDEXED BY product_by_host \
         WHERE host_id = ?1 AND deleted_at IS NULL)"
    )
}

/// Whether there is, or ever was, a host with this id.
pub fn exists(db: &Connection, id: HostId) -> Result<bool, StoreError> {
    Ok(db.query_row("SELECT EXISTS (SELECT 1 FROM host WHERE id = ?)", [id], |row| row.get(0))?)
}

/// Takes a range from its host; ports in use in it stay in use.
pub fn remove_range(db: &Connection, range_id: i64) -> Result<(), StoreError> {
    db.execute("UPDATE port SET range_id = NULL WHERE range_id = ?", [range_id])?;
    db.execute("DELETE FROM port_range WHERE id = ?", [range_id])?;
    Ok(())
}

/// Sixteen bytes that sort as the address does; IPv4 as its IPv6-mapped form, names last.
fn ip_sort(ip: &str) -> Vec<u8> {
    match ip.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(address)) => address.to_ipv6_mapped().octets().to_vec(),
        Ok(std::net::IpAddr::V6(address)) => address.octets().to_vec(),
        Err(_) => vec![0xff; 16],
    }
}
