//! Lightning nodes.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::audit_log::Author;
use super::db::StoreError;
use super::row::named;
use crate::domain::id::{NodeId, OperatorId};
use crate::domain::node::{Node, NodeKind};

fn from_row(row: &Row<'_>) -> rusqlite::Result<Node> {
    Ok(Node {
        id: row.get("id")?,
        operator_id: row.get("operator_id")?,
        kind: named(row, "kind", NodeKind::parse)?,
        name: row.get("name")?,
        host: row.get("host")?,
        port: row.get("port")?,
        certificate_file: row.get("certificate_file")?,
        certificate: row.get("certificate")?,
        macaroon_file: row.get("macaroon_file")?,
        macaroon: row.get("macaroon")?,
        details_macaroon_file: row.get("details_macaroon_file")?,
        payment_macaroon_file: row.get("payment_macaroon_file")?,
        pays_refunds: row.get("pays_refunds")?,
        priority: row.get("priority")?,
        is_enabled: row.get("is_enabled")?,
        allow_spending: row.get("allow_spending")?,
        use_holds: row.get("use_holds")?,
        is_alive: row.get("is_alive")?,
        checked_at: row.get("checked_at")?,
        last_error: row.get("last_error")?,
        network: row.get("network")?,
        pubkey: row.get("pubkey")?,
        info: row.get("info")?,
        clock_note: row.get("clock_note")?,
        settle_index: row.get::<_, i64>("settle_index")?.cast_unsigned(),
        created_at: row.get("created_at")?,
        modified_at: row.get("modified_at")?,
    })
}

/// The node, unless it is unknown or removed.
pub fn get(db: &Connection, id: NodeId) -> Result<Option<Node>, StoreError> {
    let mut statement = db.prepare_cached("SELECT * FROM node WHERE id = ? AND removed_at IS NULL")?;
    Ok(statement.query_row([id], from_row).optional()?)
}

/// Whose node it is, removed ones included.
pub fn owner(db: &Connection, id: NodeId) -> Result<Option<OperatorId>, StoreError> {
    let mut statement = db.prepare_cached("SELECT operator_id FROM node WHERE id = ?")?;
    Ok(statement.query_row([id], |row| row.get(0)).optional()?)
}

/// All nodes, each operator's in the order in which they are tried; `owner` limits them to one's.
pub fn list(db: &Connection, owner: Option<OperatorId>) -> Result<Vec<Node>, StoreError> {
    page(db, owner, None, u32::MAX)
}

/// So many of [`list`] at most, those behind a node (which may be removed meanwhile).
pub fn page(
    db: &Connection,
    owner: Option<OperatorId>,
    after: Option<NodeId>,
    limit: u32,
) -> Result<Vec<Node>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT * FROM node WHERE removed_at IS NULL AND (?1 IS NULL OR operator_id = ?1) AND (?2 IS NULL OR \
         (operator_id, priority, created_at, id) > (SELECT operator_id, priority, created_at, id FROM node WHERE id = ?2)) \
         ORDER BY operator_id, priority, created_at, id LIMIT ?3",
    )?;
    let rows = statement.query_map(params![owner, after, limit], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Stores a new node.
pub fn insert(db: &Connection, node: &Node, author: Author<'_>) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO node (id, operator_id, kind, name, host, port, created_at, modified_at) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            node.id,
            node.operator_id,
            node.kind.name(),
            node.name,
            node.host,
            node.port,
            node.created_at,
            node.modified_at
        ],
    )?;
    update(db, node, author)
}

/// Stores what an operator may change of a node; its author says in the change log what is new.
pub fn update(db: &Connection, node: &Node, _: Author<'_>) -> Result<(), StoreError> {
    let changed = db.execute(
        "UPDATE node SET operator_id = :operator_id, name = :name, host = :host, port = :port, \
         certificate_file = :certificate_file, certificate = :certificate, macaroon_file = :macaroon_file, \
         macaroon = :macaroon, payment_macaroon_file = :payment_macaroon_file, pays_refunds = :pays_refunds, \
         details_macaroon_file = :details_macaroon_file, priority = :priority, is_enabled = :is_enabled, allow_spending = :allow_spending, \
         use_holds = :use_holds, modified_at = :modified_at WHERE id = :id AND removed_at IS NULL",
        named_params! {
            ":id": node.id, ":operator_id": node.operator_id, ":name": node.name, ":host": node.host,
            ":port": node.port, ":certificate_file": node.certificate_file, ":certificate": node.certificate,
            ":macaroon_file": node.macaroon_file, ":macaroon": node.macaroon, ":payment_macaroon_file": node.payment_macaroon_file,
            ":pays_refunds": node.pays_refunds,
            ":details_macaroon_file": node.details_macaroon_file, ":priority": node.priority,
            ":is_enabled": node.is_enabled, ":allow_spending": node.allow_spending, ":use_holds": node.use_holds,
            ":modified_at": node.modified_at,
        },
    )?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Conflict("the node")) }
}

/// How many invoices of a node are not final, or are former attempts that it is still to be told of.
pub fn live_invoices(db: &Connection, id: NodeId) -> Result<u32, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT count(*) FROM (SELECT payment_hash FROM invoice WHERE node_id = ?1 \
         AND state IN ('initial', 'open', 'held', 'settling', 'cancelling') \
         UNION SELECT payment_hash FROM effect WHERE node_id = ?1)",
    )?;
    Ok(statement.query_row([id], |row| row.get(0))?)
}

/// Leaves a tombstone without credentials: old invoices still name the node.
pub fn remove(db: &Connection, id: NodeId, author: Author<'_>) -> Result<(), StoreError> {
    db.execute(
        "UPDATE node SET removed_at = ?2, modified_at = ?2, is_enabled = 0, is_alive = 0, certificate = NULL, \
         certificate_file = NULL, macaroon = NULL, macaroon_file = NULL, payment_macaroon_file = NULL, \
         pays_refunds = 0, details_macaroon_file = NULL WHERE id = ?1",
        params![id, author.at()],
    )?;
    Ok(())
}
