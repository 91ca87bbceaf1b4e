//! The outbox: intents towards Lightning nodes, and every payment hash ever given to one.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::db::StoreError;
use super::row::named;
use crate::domain::id::{NodeId, OrderId};
use crate::domain::lightning::PaymentHash;
use crate::domain::money::Msat;
use crate::domain::time::Timestamp;

/// What a node is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntentKind {
    /// Make the invoice.
    Make,
    /// Cancel the invoice.
    Cancel,
    /// Take the held payment.
    Settle,
    /// Probe the order's target; the invoice waits for it.
    Probe,
}

impl IntentKind {
    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Make => "make_invoice",
            Self::Cancel => "cancel_invoice",
            Self::Settle => "settle_invoice",
            Self::Probe => "probe_target",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Make, Self::Cancel, Self::Settle, Self::Probe].into_iter().find(|kind| kind.name() == name)
    }
}

/// An intent that has not been carried out yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Its row.
    pub id: i64,
    /// What is to be done.
    pub kind: IntentKind,
    /// The order whose invoice it is about.
    pub order: OrderId,
    /// The hash that it is about; may be a former one of the invoice.
    pub hash: PaymentHash,
    /// The node to ask.
    pub node_id: NodeId,
    /// How often it was tried.
    pub attempts: u32,
    /// Whether an earlier try may have been carried out although no answer came.
    pub is_uncertain: bool,
    /// When it was decided.
    pub created_at: Timestamp,
}

const INTENT: &str = "SELECT e.*, (SELECT o.id FROM purchase_order o WHERE o.seq = e.seq) AS order_id FROM effect e";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Intent> {
    Ok(Intent {
        id: row.get("id")?,
        kind: named(row, "kind", IntentKind::parse)?,
        order: row.get("order_id")?,
        hash: row.get("payment_hash")?,
        node_id: row.get("node_id")?,
        attempts: row.get("attempts")?,
        is_uncertain: row.get("is_uncertain")?,
        created_at: row.get("created_at")?,
    })
}

/// Adds an intent, due at once. The same intent is stored once.
pub fn add(
    db: &Connection,
    kind: IntentKind,
    order: OrderId,
    hash: PaymentHash,
    node: NodeId,
    now: Timestamp,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO effect (kind, seq, payment_hash, node_id, next_try_at, created_at) \
         VALUES (?1, (SELECT seq FROM purchase_order WHERE id = ?2), ?3, ?4, ?5, ?5) ON CONFLICT (kind, payment_hash) DO NOTHING",
    )?
    .execute(params![kind.name(), order, hash, node, now])?;
    Ok(())
}

/// No intent is given a longer wait for its next try. Seconds.
const LONGEST_WAIT_SECS: i64 = 60;

/// Intents for a node that are due, the longest due first, about `limit` of them; `makes_only` leaves
/// those out that can wait for a node that does not answer. One that would wait for very long was
/// postponed before the clock was put back, and is due as well.
pub fn due(
    db: &Connection,
    node: NodeId,
    now: Timestamp,
    makes_only: bool,
    limit: u32,
) -> Result<Vec<Intent>, StoreError> {
    let (kind, order) = if makes_only { ("kind = 'make_invoice' AND", "created_at") } else { ("", "next_try_at") };
    // Few different numbers, written out: SQLite plans a statement anew each time a LIMIT is bound.
    let limit = u64::from(limit).next_power_of_two();
    // One range at a time: with both in one condition SQLite would sort all that is due.
    let sql = format!(
        "{INTENT} WHERE {kind} node_id = ? AND next_try_at > ? AND next_try_at <= ? \
         ORDER BY {order} LIMIT {limit}"
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut due = Vec::new();
    for (after, until) in [(i64::MIN, now.0), (now.plus_secs(LONGEST_WAIT_SECS).0, i64::MAX)] {
        for intent in statement.query_map(params![node, after, until], from_row)? {
            due.push(intent?);
        }
    }
    Ok(due)
}

/// What a node that counts as down is asked all the same, the longest due first, about `limit` of it: payments that are
/// held go back or are taken, and only where none waits, other invoices are cancelled.
pub fn due_at_down_node(db: &Connection, node: NodeId, now: Timestamp, limit: u32) -> Result<Vec<Intent>, StoreError> {
    let limit = u64::from(limit).next_power_of_two();
    let latest = now.plus_secs(LONGEST_WAIT_SECS);
    for sql in due_at_down_node_text(limit) {
        let mut statement = db.prepare_cached(&sql)?;
        let found = statement.query_map(params![node, now, latest], from_row)?.collect::<Result<Vec<_>, _>>()?;
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// The statements of [`due_at_down_node`]. The held ones are found through their invoices, since there are few of
/// them, however much else waits; their condition is the index's, word for word.
pub(super) fn due_at_down_node_text(limit: u64) -> [String; 2] {
    let due = format!("(e.next_try_at <= ?2 OR e.next_try_at > ?3) ORDER BY e.next_try_at LIMIT {limit}");
    let kinds = "e.kind IN ('cancel_invoice', 'settle_invoice')";
    let held = "node_id = ?1 AND held_at IS NOT NULL AND state IN ('held', 'settling', 'cancelling')";
    [
        format!(
            "{INTENT} WHERE {kinds} AND e.payment_hash IN (SELECT payment_hash FROM invoice WHERE {held}) AND {due}"
        ),
        format!("{INTENT} WHERE {kinds} AND e.node_id = ?1 AND {due}"),
    ]
}

/// Every node there is; intents can be for any.
pub fn nodes(db: &Connection) -> Result<Vec<NodeId>, StoreError> {
    let mut statement = db.prepare_cached("SELECT id FROM node")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Intents stored after row `id`, in the order in which they were stored.
pub fn newer_than(db: &Connection, id: i64, limit: u32) -> Result<Vec<Intent>, StoreError> {
    let sql = format!("{INTENT} WHERE id > ? ORDER BY id LIMIT {limit}");
    let mut statement = db.prepare_cached(&sql)?;
    let rows = statement.query_map([id], from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// All intents, oldest first.
pub fn all(db: &Connection) -> Result<Vec<Intent>, StoreError> {
    newer_than(db, 0, u32::MAX)
}

/// An intent that waits, with what became of it so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The intent.
    pub intent: Intent,
    /// When it is tried next.
    pub next_try_at: Timestamp,
    /// Why the last try failed.
    pub last_error: Option<String>,
}

/// Intents that wait, oldest first, those behind row `after`; all of them, or only those that have failed.
pub fn waiting(db: &Connection, failed_only: bool, after: i64, limit: u32) -> Result<Vec<Waiting>, StoreError> {
    let mut statement = db.prepare_cached(&waiting_text(failed_only, limit))?;
    let rows = statement.query_map([after], |row| {
        let (next_try_at, last_error) = (row.get("next_try_at")?, row.get("last_error")?);
        Ok(Waiting { intent: from_row(row)?, next_try_at, last_error })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn waiting_text(failed_only: bool, limit: u32) -> String {
    let failed = if failed_only { "AND e.last_error IS NOT NULL" } else { "" };
    let limit = u64::from(limit).next_power_of_two();
    format!("{INTENT} WHERE e.id > ? {failed} ORDER BY e.id LIMIT {limit}")
}

/// How many intents were not tried yet, how many are tried again, and since when the oldest waits. What waits is little
/// while nodes answer.
pub fn counts(db: &Connection) -> Result<(u64, u64, Option<Timestamp>), StoreError> {
    let sql = "SELECT count(*) FILTER (WHERE last_error IS NULL), count(*) FILTER (WHERE last_error IS NOT NULL), \
               min(created_at) FROM effect";
    let counts = db.prepare_cached(sql)?.query_row([], |row| {
        Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get::<_, i64>(1)?.unsigned_abs(), row.get(2)?))
    })?;
    Ok(counts)
}

/// The intent with this row.
pub fn get(db: &Connection, id: i64) -> Result<Option<Intent>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{INTENT} WHERE e.id = ?"))?;
    Ok(statement.query_row([id], from_row).optional()?)
}

/// The intent is to be tried next at this time.
pub fn try_at(db: &Connection, id: i64, next: Timestamp) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE effect SET next_try_at = ?2 WHERE id = ?1")?.execute(params![id, next])?;
    Ok(())
}

/// Whether this very intent is still to be carried out.
pub fn exists(db: &Connection, id: i64) -> Result<bool, StoreError> {
    Ok(db.prepare_cached("SELECT 1 FROM effect WHERE id = ?")?.query_row([id], |_| Ok(())).optional()?.is_some())
}

/// The intent was carried out, or is not wanted any more.
pub fn done(db: &Connection, id: i64) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM effect WHERE id = ?")?.execute([id])?;
    Ok(())
}

/// Drops an intent of a kind for a hash, whether or not there is one.
/// Returns whether there was one.
pub fn drop_kind(db: &Connection, kind: IntentKind, hash: PaymentHash) -> Result<bool, StoreError> {
    let mut statement = db.prepare_cached("DELETE FROM effect WHERE kind = ? AND payment_hash = ?")?;
    Ok(statement.execute(params![kind.name(), hash])? > 0)
}

/// Counts one try for every invoice that is still to be made: a former process may have begun it. The same may have
/// begun to cancel one.
pub fn mark_left_over(db: &Connection) -> Result<(), StoreError> {
    db.execute("UPDATE effect SET attempts = attempts + 1 WHERE kind = 'make_invoice'", [])?;
    db.execute("UPDATE effect SET is_uncertain = 1 WHERE kind = 'cancel_invoice'", [])?;
    Ok(())
}

/// The intent failed and is to be tried again at `next`; `is_uncertain` when it may have been carried out.
pub fn postpone(db: &Connection, id: i64, next: Timestamp, error: &str, is_uncertain: bool) -> Result<(), StoreError> {
    db.prepare_cached(
        "UPDATE effect SET attempts = attempts + 1, next_try_at = ?2, last_error = ?3, \
         is_uncertain = max(is_uncertain, ?4) WHERE id = ?1",
    )?
    .execute(params![id, next, error, is_uncertain])?;
    Ok(())
}

/// The index is named: SQLite would read all invoices to be made by the one that keeps intents apart.
pub(super) const OLDEST_MAKE: &str =
    "SELECT min(created_at) FROM effect INDEXED BY effect_make WHERE kind = 'make_invoice'";

/// When the oldest invoice that is still to be made was decided.
pub fn oldest_make(db: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = db.prepare_cached(OLDEST_MAKE)?;
    Ok(statement.query_row([], |row| row.get(0))?)
}

/// A payment hash that was, or is about to be, given to a node.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub hash: PaymentHash,
    /// The order that it is for.
    pub order: OrderId,
    pub node_id: NodeId,
    /// The number that enters the derivation of the preimage.
    pub number: u32,
    /// Whether it is a hold invoice.
    pub is_hold: bool,
}

const ATTEMPT: &str = "SELECT a.payment_hash, o.id AS order_id, a.node_id, a.number, a.is_hold \
    FROM invoice_attempt a JOIN purchase_order o ON o.seq = a.seq";

/// Writes an attempt down, before the node is asked.
pub fn add_attempt(db: &Connection, attempt: &Attempt, now: Timestamp) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO invoice_attempt (seq, number, payment_hash, node_id, is_hold, outcome, created_at) \
         VALUES ((SELECT seq FROM purchase_order WHERE id = ?1), ?2, ?3, ?4, ?5, 'intended', ?6)",
    )?
    .execute(params![attempt.order, attempt.number, attempt.hash, attempt.node_id, attempt.is_hold, now])?;
    Ok(())
}

/// The attempt with this hash.
pub fn attempt(db: &Connection, hash: PaymentHash) -> Result<Option<Attempt>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{ATTEMPT} WHERE a.payment_hash = ?"))?;
    Ok(statement.query_row([hash], attempt_from_row).optional()?)
}

/// An invoice that is still to be made.
#[allow(missing_docs, reason = "the fields of a record say what they are")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The number that enters the derivation of the preimage.
    pub number: u32,
    /// Whether it is a hold invoice.
    pub is_hold: bool,
    pub amount: Msat,
    /// A text of which it is to carry the hash.
    pub described_by: Option<String>,
    /// Seconds that it is to be payable.
    pub expiry_secs: u32,
    /// Whether its host sells for test networks.
    pub is_testnet: bool,
}

/// What this intent is to make; `None` when nobody wants it any more.
pub fn wanted(db: &Connection, intent: i64) -> Result<Option<Wanted>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT a.number, a.is_hold, v.amount, v.expiry_secs, h.is_testnet, v.described_by \
         FROM effect e JOIN invoice_attempt a ON a.payment_hash = e.payment_hash \
         JOIN invoice v ON v.seq = a.seq AND v.payment_hash = e.payment_hash AND v.state = 'initial' \
         JOIN purchase_order o ON o.seq = a.seq JOIN host h ON h.id = o.host_id WHERE e.id = ?",
    )?;
    let wanted = statement.query_row([intent], |row| {
        Ok(Wanted {
            number: row.get(0)?,
            is_hold: row.get(1)?,
            amount: row.get(2)?,
            expiry_secs: row.get(3)?,
            is_testnet: row.get(4)?,
            described_by: row.get(5)?,
        })
    });
    Ok(wanted.optional()?)
}

/// All attempts of an order's invoice, in order.
pub fn attempts(db: &Connection, order: OrderId) -> Result<Vec<Attempt>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{ATTEMPT} WHERE o.id = ? ORDER BY a.number"))?;
    let rows = statement.query_map([order], attempt_from_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn attempt_from_row(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    Ok(Attempt {
        hash: row.get("payment_hash")?,
        order: row.get("order_id")?,
        node_id: row.get("node_id")?,
        number: row.get("number")?,
        is_hold: row.get("is_hold")?,
    })
}

/// Notes what came by an attempt that is not the invoice's own; `false` when it was noted before.
pub fn note_received(db: &Connection, hash: PaymentHash, received: Msat) -> Result<bool, StoreError> {
    let mut statement =
        db.prepare_cached("UPDATE invoice_attempt SET received = ?2 WHERE payment_hash = ?1 AND received IS NULL")?;
    Ok(statement.execute(params![hash, received])? == 1)
}

/// The sum of what [`note_received`] has noted for an order.
pub fn received_by_others(db: &Connection, order: OrderId) -> Result<Msat, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT coalesce(sum(a.received), 0) FROM invoice_attempt a JOIN purchase_order o ON o.seq = a.seq WHERE o.id = ?",
    )?;
    Ok(statement.query_row([order], |row| row.get(0))?)
}

/// Records that the node has made an attempt's invoice, and its number of it.
pub fn set_made(db: &Connection, hash: PaymentHash, add_index: Option<u64>) -> Result<(), StoreError> {
    let add_index = add_index.and_then(|index| i64::try_from(index).ok());
    db.prepare_cached("UPDATE invoice_attempt SET outcome = 'made', add_index = ?2 WHERE payment_hash = ?1")?
        .execute(params![hash, add_index])?;
    Ok(())
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptEnd {
    /// Its node has certainly not made the invoice.
    Failed,
    /// Its node may have made the invoice, which is being cancelled.
    Abandoned,
    /// Its invoice is cancelled at the node.
    Cancelled,
}

impl AttemptEnd {
    /// The name in the database.
    const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Records how an attempt ended.
pub fn set_outcome(db: &Connection, hash: PaymentHash, end: AttemptEnd) -> Result<(), StoreError> {
    db.prepare_cached("UPDATE invoice_attempt SET outcome = ?2 WHERE payment_hash = ?1")?
        .execute(params![hash, end.name()])?;
    Ok(())
}
