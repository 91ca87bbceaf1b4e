//! What the shop keeps about Lightning nodes while it runs: who is usable, whether they are alive,
//! and how far their settlements have been applied.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::db::StoreError;
use super::row::named;
use crate::domain::id::{NodeId, OperatorId};
use crate::domain::lightning::{Network, PaymentHash};
use crate::domain::money::Msat;
use crate::domain::node::NodeKind;
use crate::domain::time::{ROUTINE_SECS, Timestamp};

/// A node that could make an invoice.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub id: NodeId,
    pub kind: NodeKind,
    /// Its network, once known.
    pub network: Option<Network>,
    /// Whether it may use hold invoices, and can make them as far as it was asked.
    pub use_holds: bool,
    /// What its channels could receive when it was last asked, if it tells.
    pub inbound: Option<Msat>,
}

/// What was found out about a node's clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClockReading {
    /// How far it was ahead of ours (negative: behind), if it is known. Seconds.
    pub ahead_secs: Option<i64>,
    /// When that was.
    pub read_at: Option<Timestamp>,
    /// What the operator was told, while the clocks are apart.
    pub note: Option<String>,
}

/// What was last found out about the clock of a node.
pub fn clock(db: &Connection, node: NodeId) -> Result<ClockReading, StoreError> {
    let mut statement =
        db.prepare_cached("SELECT clock_ahead_secs, clock_read_at, clock_note FROM node WHERE id = ?")?;
    let reading = statement
        .query_row([node], |row| Ok(ClockReading { ahead_secs: row.get(0)?, read_at: row.get(1)?, note: row.get(2)? }));
    Ok(reading.optional()?.unwrap_or_default())
}

/// Stores what was found out about the clock of a node.
pub fn set_clock(db: &Connection, node: NodeId, reading: &ClockReading) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE node SET clock_ahead_secs = ?2, clock_read_at = ?3, clock_note = ?4 WHERE id = ?1")?
        .execute(params![node, reading.ahead_secs, reading.read_at, reading.note])?;
    Ok(())
}

/// How far the clocks of all other nodes were ahead, as found out since `since`. Seconds.
pub fn other_clocks(db: &Connection, node: NodeId, since: Timestamp) -> Result<Vec<i64>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT clock_ahead_secs FROM node WHERE id <> ? AND clock_read_at >= ? AND clock_ahead_secs IS NOT NULL \
         AND removed_at IS NULL",
    )?;
    let rows = statement.query_map(params![node, since], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Enabled nodes of an operator that are alive, best priority first.
pub fn usable(db: &Connection, owner: OperatorId) -> Result<Vec<Candidate>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT id, kind, network, use_holds AND json_extract(info, '$.cannot_hold') IS NULL, \
         json_extract(info, '$.inbound_msat') FROM node WHERE operator_id = ? AND is_enabled = 1 AND is_alive = 1 \
         ORDER BY priority, created_at",
    )?;
    let rows = statement.query_map([owner], |row| {
        Ok(Candidate {
            id: row.get(0)?,
            kind: named(row, "kind", NodeKind::parse)?,
            network: row.get::<_, Option<String>>(2)?.as_deref().and_then(Network::parse),
            use_holds: row.get(3)?,
            inbound: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What anybody may know of a node.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicNode {
    pub kind: NodeKind,
    /// Whether it is used.
    pub is_enabled: bool,
    /// Whether it answered when it was last asked.
    pub is_alive: bool,
    /// Its public key, once known.
    pub pubkey: Option<String>,
}

/// What anybody may know of a node.
pub fn public(db: &Connection, id: NodeId) -> Result<Option<PublicNode>, StoreError> {
    let mut statement = db.prepare_cached("SELECT kind, is_enabled, is_alive, pubkey FROM node WHERE id = ?")?;
    let node = statement.query_row([id], |row| {
        Ok(PublicNode {
            kind: named(row, "kind", NodeKind::parse)?,
            is_enabled: row.get(1)?,
            is_alive: row.get(2)?,
            pubkey: row.get(3)?,
        })
    });
    Ok(node.optional()?)
}

/// The public key of a node, removed ones included, once known.
pub fn pubkey(db: &Connection, id: NodeId) -> Result<Option<String>, StoreError> {
    let mut statement = db.prepare_cached("SELECT pubkey FROM node WHERE id = ?")?;
    Ok(statement.query_row([id], |row| row.get(0)).optional()?.flatten())
}

/// How many nodes are enabled, and how many of those are alive.
pub fn counts(db: &Connection) -> Result<(u32, u32), StoreError> {
    let mut statement =
        db.prepare_cached("SELECT count(*), coalesce(sum(is_alive), 0) FROM node WHERE is_enabled = 1")?;
    Ok(statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// Hold invoices of a node that are not final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveHolds {
    /// With a payment that the node holds, or that is just being taken or given back.
    pub held: u32,
    /// Without one.
    pub unpaid: u32,
}

/// The condition of the index of held payments, word for word.
const HELD: &str = "held_at IS NOT NULL AND state IN ('held', 'settling', 'cancelling')";

/// How many hold invoices of a node are not final. Asked for with each order; each number has its index.
pub fn live_holds(db: &Connection, node: NodeId) -> Result<LiveHolds, StoreError> {
    let count = |text: String| -> Result<u32, StoreError> {
        Ok(db.prepare_cached(&text)?.query_row([node], |row| row.get(0))?)
    };
    let [held, live] = live_holds_text();
    let (held, live) = (count(held)?, count(live)?);
    Ok(LiveHolds { held, unpaid: live.saturating_sub(held) })
}

/// The statements of [`live_holds`]: held ones, and all.
pub(super) fn live_holds_text() -> [String; 2] {
    [
        format!("SELECT count(*) FROM invoice WHERE node_id = ? AND {HELD}"),
        "SELECT count(*) FROM invoice WHERE node_id = ? AND is_hold = 1 \
         AND state IN ('initial', 'open', 'held', 'settling', 'cancelling')"
            .to_owned(),
    ]
}

/// How a node was before it was asked, and since when it can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liveness {
    /// Whether it could be used before.
    pub was_alive: bool,
    /// Since when it can't be used; `None` while it can.
    pub dead_since: Option<Timestamp>,
}

/// Stores whether a node is alive. `error` is what it said when it is not, or why it is of no use. Where
/// nothing but the time has changed, that is stored every [`ROUTINE_SECS`].
pub fn set_alive(
    db: &Connection,
    node: NodeId,
    alive: bool,
    error: Option<&str>,
    now: Timestamp,
) -> Result<Liveness, StoreError> {
    let mut statement = db.prepare_cached("SELECT is_alive, dead_since FROM node WHERE id = ?")?;
    let before: Option<(bool, Option<Timestamp>)> =
        statement.query_row([node], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    let (was_alive, since) = before.unwrap_or_default();
    let dead_since = (!alive).then(|| earlier(since, now));
    db.prepare_cached(
        "UPDATE node SET is_alive = ?2, last_error = ?3, checked_at = ?4, dead_since = ?6 WHERE id = ?1 \
         AND (is_alive <> ?2 OR last_error IS NOT ?3 OR dead_since IS NOT ?6 OR checked_at IS NULL \
         OR checked_at NOT BETWEEN ?5 AND ?4)",
    )?
    .execute(params![node, alive, error, now, now.plus_secs(-ROUTINE_SECS), dead_since])?;
    Ok(Liveness { was_alive, dead_since })
}

/// Stores whether a node says that it has caught up with the chain.
pub fn set_synced(db: &Connection, node: NodeId, synced: bool, now: Timestamp) -> Result<(), StoreError> {
    set_since(db, node, "unsynced_since", !synced, now).map(drop)
}

/// Since when a node says that it has not caught up with the chain.
pub fn unsynced_since(db: &Connection, node: NodeId) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = db.prepare_cached("SELECT unsynced_since FROM node WHERE id = ?")?;
    Ok(statement.query_row([node], |row| row.get(0)).optional()?.flatten())
}

/// Stores whether a node makes no invoices, although it may seem to be well; since when that is so.
pub fn set_failing(
    db: &Connection,
    node: NodeId,
    fails: bool,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    set_since(db, node, "failing_since", fails, now)
}

fn set_since(
    db: &Connection,
    node: NodeId,
    column: &str,
    holds: bool,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = db.prepare_cached(&format!("SELECT {column} FROM node WHERE id = ?"))?;
    let before: Option<Timestamp> = statement.query_row([node], |row| row.get(0)).optional()?.flatten();
    let since = holds.then(|| earlier(before, now));
    if since != before {
        db.prepare_cached(&format!("UPDATE node SET {column} = ?2 WHERE id = ?1"))?.execute(params![node, since])?;
    }
    Ok(since)
}

/// A beginning that is kept; one that a wrong clock has put into the future is now.
fn earlier(since: Option<Timestamp>, now: Timestamp) -> Timestamp {
    since.map_or(now, |since| since.min(now))
}

/// Whether a node could be used when it was last asked.
pub fn is_alive(db: &Connection, node: NodeId) -> Result<bool, StoreError> {
    let mut statement = db.prepare_cached("SELECT is_alive FROM node WHERE id = ?")?;
    Ok(statement.query_row([node], |row| row.get(0)).optional()?.unwrap_or(false))
}

/// The newest invoices of a node that it should know by now: any of them tells whose node it is.
pub fn newest_live_hashes(db: &Connection, node: NodeId, limit: u32) -> Result<Vec<PaymentHash>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT payment_hash FROM invoice INDEXED BY invoice_live_by_node WHERE node_id = ? \
         AND state IN ('initial', 'open', 'held', 'settling', 'cancelling') AND state <> 'initial' \
         ORDER BY seq DESC LIMIT ?",
    )?;
    let rows = statement.query_map(params![node, limit], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The invoices of a node that were paid for orders whose refund through it is open: its key is needed for those, too,
/// when none of its invoices is live.
pub fn hashes_of_refunds(db: &Connection, node: NodeId, limit: u32) -> Result<Vec<PaymentHash>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT v.payment_hash FROM refund r JOIN purchase_order o ON o.id = r.order_id JOIN invoice v ON v.seq = o.seq \
         WHERE r.node_id = ?1 AND r.state = 'intended' AND v.node_id = ?1 AND v.state = 'paid' LIMIT ?2",
    )?;
    let rows = statement.query_map(params![node, limit], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Invoices of a node that were paid, among the newest of all: an LND keeps those, and each tells whose node it is.
pub fn newest_paid_hashes(db: &Connection, node: NodeId, limit: u32) -> Result<Vec<PaymentHash>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT payment_hash FROM (SELECT node_id, state, payment_hash FROM invoice ORDER BY seq DESC LIMIT 1000) \
         WHERE node_id = ? AND state = 'paid' LIMIT ?",
    )?;
    let rows = statement.query_map(params![node, limit], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Stores what the node said of itself (`info` is JSON). With another public key than before it is
/// another wallet, which counts its settlements anew.
pub fn set_info(
    db: &Connection,
    node: NodeId,
    network: Option<Network>,
    pubkey: Option<&str>,
    info: &str,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE node SET network = coalesce(?2, network), pubkey = coalesce(?3, pubkey), info = ?4, \
         settle_index = iif(pubkey <> ?3, 0, settle_index), counting = counting + coalesce(pubkey <> ?3, 0) WHERE id = ?1 \
         AND (network IS NOT coalesce(?2, network) OR pubkey IS NOT coalesce(?3, pubkey) OR info IS NOT ?4)",
    )?
    .execute(params![node, network.map(Network::name), pubkey, info])?;
    Ok(())
}

/// How far the settlements of a node have been applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The settle index that everything up to has been applied; 0 when nothing has.
    pub index: u64,
    /// How often the node has been seen to count anew.
    pub counting: i64,
    /// Whether the node tells settlements in the order of their indexes, also again (Core Lightning).
    pub is_in_order: bool,
}

/// How far the settlements of a node have been applied.
///
/// # Errors
/// Also when there is no such node, or its index can't be one: nothing else may be taken for an index of 0, from which
/// on LND replays nothing.
pub fn cursor(db: &Connection, node: NodeId) -> Result<Cursor, StoreError> {
    let mut statement = db.prepare_cached("SELECT settle_index, counting, kind = 'cln' FROM node WHERE id = ?")?;
    let row = statement.query_row([node], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?)))?;
    let (index, counting, is_in_order) = row;
    let index = u64::try_from(index).map_err(|_| StoreError::Broken(format!("node {node} has the cursor {index}")))?;
    Ok(Cursor { index, counting, is_in_order })
}

/// Moves the cursor forward, never back.
pub fn advance_cursor(db: &Connection, node: NodeId, index: u64) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE node SET settle_index = max(settle_index, ?2) WHERE id = ?1")?
        .execute(params![node, i64::try_from(index).unwrap_or(i64::MAX)])?;
    Ok(())
}

/// Sets the cursor of a node that has none: LND replays nothing without one. Core Lightning replays everything.
pub fn begin_cursor(db: &Connection, node: NodeId, index: u64) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE node SET settle_index = ?2 WHERE id = ?1 AND settle_index = 0 AND kind <> 'cln'")?
        .execute(params![node, i64::try_from(index).unwrap_or(i64::MAX)])?;
    Ok(())
}

/// The node counts its settlements anew, as one with this index shows that was not known: the cursor goes back to it,
/// and with Core Lightning, which replays everything, to the beginning.
pub fn count_anew(db: &Connection, node: NodeId, index: u64) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE node SET settle_index = iif(kind = 'cln', 0, ?2), counting = counting + 1, invoices_read = 0 \
         WHERE id = ?1",
    )?
    .execute(params![node, i64::try_from(index).unwrap_or(i64::MAX)])?;
    Ok(())
}

/// After a restore: what was settled since the backup is looked for in all that a node has, wherever its stream goes on.
pub fn mark_history_due(db: &Connection) -> Result<(), StoreError> {
    db.execute("UPDATE node SET history_due = 1 WHERE removed_at IS NULL", [])?;
    Ok(())
}

/// Whether what was settled at a node is still to be looked through.
pub fn is_history_due(db: &Connection, node: NodeId) -> Result<bool, StoreError> {
    let mut statement = db.prepare_cached("SELECT history_due FROM node WHERE id = ?")?;
    Ok(statement.query_row([node], |row| row.get(0)).optional()?.unwrap_or(false))
}

/// It has been looked through.
pub fn end_history(db: &Connection, node: NodeId) -> Result<(), StoreError> {
    db.execute("UPDATE node SET history_due = 0 WHERE id = ?", [node])?;
    Ok(())
}

/// The node's running number of the invoice up to which all that it has was read; 0 before the first.
pub fn invoices_read(db: &Connection, node: NodeId) -> Result<u64, StoreError> {
    let mut statement = db.prepare_cached("SELECT invoices_read FROM node WHERE id = ?")?;
    let index: Option<i64> = statement.query_row([node], |row| row.get(0)).optional()?;
    Ok(index.and_then(|index| u64::try_from(index).ok()).unwrap_or(0))
}

/// All that a node has was read up to this one.
pub fn set_invoices_read(db: &Connection, node: NodeId, index: u64) -> Result<(), StoreError> {
    db.execute(
        "UPDATE node SET invoices_read = ?2 WHERE id = ?1",
        params![node, i64::try_from(index).unwrap_or(i64::MAX)],
    )?;
    Ok(())
}

/// The visible invoices of a node that are not final, and so may still be paid, with the node's numbers of them where
/// those were told.
pub fn live_invoices(db: &Connection, node: NodeId) -> Result<BTreeMap<PaymentHash, Option<u64>>, StoreError> {
    let mut statement = db.prepare_cached(LIVE_INVOICES)?;
    let number = |index: Option<i64>| index.and_then(|index| u64::try_from(index).ok());
    let rows = statement.query_map([node], |row| Ok((row.get(0)?, number(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The condition repeats that of the index word for word, or SQLite would read every invoice there ever was.
pub(super) const LIVE_INVOICES: &str = "SELECT v.payment_hash, a.add_index FROM invoice v \
    JOIN invoice_attempt a ON a.payment_hash = v.payment_hash WHERE v.node_id = ? \
    AND v.state IN ('initial', 'open', 'held', 'settling', 'cancelling') AND v.state <> 'initial'";

/// Whether a node has a plain invoice that may still be paid: what becomes of it only the stream of settlements tells.
pub fn is_payable(db: &Connection, node: NodeId) -> Result<bool, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM invoice INDEXED BY invoice_live_by_node WHERE node_id = ? AND is_hold = 0 \
         AND state IN ('initial', 'open', 'held', 'settling', 'cancelling') AND state <> 'initial')",
    )?;
    Ok(statement.query_row([node], |row| row.get(0))?)
}

/// Hold invoices on a node that are not final: each needs its own subscription.
pub fn live_hold_hashes(db: &Connection, node: NodeId) -> Result<Vec<PaymentHash>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT payment_hash FROM invoice WHERE node_id = ? AND is_hold = 1 \
         AND state IN ('initial', 'open', 'held', 'settling', 'cancelling') AND state <> 'initial'",
    )?;
    let rows = statement.query_map([node], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How to reach a node, as stored. `Debug` shows no secrets.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, PartialEq, Eq)]
pub struct Spec {
    pub id: NodeId,
    pub kind: NodeKind,
    /// Its name, for logs.
    pub name: String,
    /// Host name, address, or the socket's path.
    pub host: String,
    /// Port; 0 for a socket.
    pub port: u16,
    /// Where the certificate is, if in a file.
    pub certificate_file: Option<String>,
    /// The certificate, if stored.
    pub certificate: Option<Vec<u8>>,
    /// Where the macaroon is, if in a file.
    pub macaroon_file: Option<String>,
    /// The macaroon, if stored.
    pub macaroon: Option<Vec<u8>>,
    /// Whether a macaroon that can spend is accepted.
    pub allow_spending: bool,
    /// Where a read-only macaroon is, if there is one.
    pub details_macaroon_file: Option<String>,
}

impl std::fmt::Debug for Spec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Spec({} {} {}:{})", self.kind.name(), self.name, self.host, self.port)
    }
}

/// All enabled nodes, and disabled ones that still have invoices which are not final, or something to
/// be told.
pub fn specs(db: &Connection) -> Result<Vec<Spec>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT id, kind, name, host, port, certificate_file, certificate, macaroon_file, macaroon, allow_spending, \
         details_macaroon_file \
         FROM node n WHERE is_enabled = 1 OR EXISTS (SELECT 1 FROM invoice v WHERE v.node_id = n.id \
         AND v.state IN ('initial', 'open', 'held', 'settling', 'cancelling')) \
         OR EXISTS (SELECT 1 FROM effect e WHERE e.node_id = n.id) ORDER BY priority, created_at",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Spec {
            id: row.get(0)?,
            kind: named(row, "kind", NodeKind::parse)?,
            name: row.get(2)?,
            host: row.get(3)?,
            port: row.get(4)?,
            certificate_file: row.get(5)?,
            certificate: row.get(6)?,
            macaroon_file: row.get(7)?,
            macaroon: row.get(8)?,
            allow_spending: row.get(9)?,
            details_macaroon_file: row.get(10)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The network of a node, once it was learned.
pub fn network(db: &Connection, node: NodeId) -> Result<Option<Network>, StoreError> {
    let mut statement = db.prepare_cached("SELECT network FROM node WHERE id = ?")?;
    let name: Option<Option<String>> = statement.query_row([node], |row| row.get(0)).optional()?;
    Ok(name.flatten().as_deref().and_then(Network::parse))
}
