//! Deals: a product with its purchases, loaded and stored as one. Every change is written to the
//! change log in the same transaction.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::audit_log::{self, Author};
use super::db::StoreError;
use super::row::named;
use crate::domain::deal::Deal;
use crate::domain::id::{HostId, NodeId, OperatorId, OrderId, ProductId};
use crate::domain::lightning::PaymentHash;
use crate::domain::product::{Product, ProductStatus};
use crate::domain::purchase::{Delivery, Invoice, InvoiceState, OrderStatus, Purchase, PurchaseKind};
use crate::domain::time::Timestamp;

pub(super) const PURCHASE: &str = "SELECT o.id AS order_id, o.kind, o.status, o.message, o.price, o.periods, o.delivery, \
    o.granted_secs, o.granted_bytes, o.owed, o.refunded, o.late_secs, o.created_at AS ordered_at, o.modified_at AS order_modified_at, \
    (SELECT p.id FROM product p WHERE p.seq = o.product_seq) AS product_id, v.state, v.node_id, v.payment_hash, \
    v.is_hold, v.payment_request, v.amount, \
    v.tax_currency, v.tax_rate_cents, v.info_currency, v.info_rate_cents, \
    v.received, v.described_by, v.expiry_secs, v.made_at, v.expires_at, v.held_at, v.paid_at, v.created_at, v.modified_at \
    FROM purchase_order o JOIN invoice v ON v.seq = o.seq";

pub(super) fn purchase_from_row(row: &Row<'_>) -> rusqlite::Result<Purchase> {
    let invoice = Invoice {
        state: named(row, "state", InvoiceState::parse)?,
        node_id: row.get("node_id")?,
        hash: row.get("payment_hash")?,
        is_hold: row.get("is_hold")?,
        payment_request: row.get("payment_request")?,
        amount: row.get("amount")?,
        rates: super::rates::of_invoice(row)?,
        received: row.get("received")?,
        described_by: row.get("described_by")?,
        expiry_secs: row.get("expiry_secs")?,
        made_at: row.get("made_at")?,
        expires_at: row.get("expires_at")?,
        held_at: row.get("held_at")?,
        paid_at: row.get("paid_at")?,
        created_at: row.get("created_at")?,
        modified_at: row.get("modified_at")?,
    };
    Ok(Purchase {
        id: row.get("order_id")?,
        kind: named(row, "kind", |name| match name {
            "first" => Some(PurchaseKind::First),
            "extension" => Some(PurchaseKind::Extension),
            _ => None,
        })?,
        status: named(row, "status", OrderStatus::parse)?,
        message: row.get("message")?,
        price: row.get("price")?,
        periods: row.get("periods")?,
        delivery: named(row, "delivery", |name| {
            [Delivery::None, Delivery::Awaiting, Delivery::Delivered].into_iter().find(|d| d.name() == name)
        })?,
        granted_secs: row.get("granted_secs")?,
        granted_bytes: row.get("granted_bytes")?,
        owed: row.get("owed")?,
        refunded: row.get("refunded")?,
        late_secs: row.get("late_secs")?,
        invoice,
        created_at: row.get("ordered_at")?,
        modified_at: row.get("order_modified_at")?,
    })
}

/// One purchase and the id of its product.
pub fn purchase(db: &Connection, id: OrderId) -> Result<Option<(Purchase, ProductId)>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{PURCHASE} WHERE o.id = ?"))?;
    let found = statement.query_row([id], |row| Ok((purchase_from_row(row)?, row.get("product_id")?)));
    Ok(found.optional()?)
}

/// The product with the purchases that are open, have a claim or are owed money, and `focus` whatever its
/// state.
pub fn load(db: &Connection, product: ProductId, focus: Option<OrderId>) -> Result<Option<Deal>, StoreError> {
    let Some(product) = super::products::get(db, product)? else { return Ok(None) };
    let mut statement = db.prepare_cached(&load_text())?;
    let purchases = statement.query_map(params![product.id, focus], purchase_from_row)?.collect::<Result<_, _>>()?;
    Ok(Some(Deal::new(product, purchases)))
}

pub(super) fn load_text() -> String {
    format!(
        "{PURCHASE} WHERE o.product_seq = (SELECT seq FROM product WHERE id = ?1) \
         AND (o.id = ?2 OR o.delivery = 'awaiting' OR o.owed > 0 OR v.state NOT IN ('paid', 'expired', 'void')) \
         ORDER BY o.created_at, o.seq"
    )
}

/// The deal that an order belongs to, and the order's place in it.
pub fn load_by_order(db: &Connection, order: OrderId) -> Result<Option<(Deal, usize)>, StoreError> {
    let product: Option<ProductId> = db
        .prepare_cached("SELECT p.id FROM purchase_order o JOIN product p ON p.seq = o.product_seq WHERE o.id = ?")?
        .query_row([order], |row| row.get(0))
        .optional()?;
    let Some(product) = product else { return Ok(None) };
    let Some(deal) = load(db, product, Some(order))? else { return Ok(None) };
    let place = deal.purchases.iter().position(|purchase| purchase.id == order);
    Ok(place.map(|i| (deal, i)))
}

/// The order whose visible or former invoice has this payment hash at this node. Hashes are public:
/// what another node says of one is about an invoice of its own.
pub fn order_by_hash(db: &Connection, hash: PaymentHash, node: NodeId) -> Result<Option<OrderId>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT o.id FROM invoice_attempt a JOIN purchase_order o ON o.seq = a.seq \
         WHERE a.payment_hash = ? AND a.node_id = ?",
    )?;
    Ok(statement.query_row(params![hash, node], |row| row.get(0)).optional()?)
}

/// Whether the settlement of this hash has been applied: as the visible invoice's or as that of a former attempt.
pub fn is_settlement_known(db: &Connection, hash: PaymentHash, node: NodeId) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM invoice_attempt a JOIN invoice v ON v.seq = a.seq \
               WHERE a.payment_hash = ?1 AND a.node_id = ?2 \
               AND (a.received IS NOT NULL OR (v.payment_hash = ?1 AND v.state = 'paid')))";
    Ok(db.prepare_cached(sql)?.query_row(params![hash, node], |row| row.get(0))?)
}

/// Stores a new order with its invoice (state initial).
pub fn insert_purchase(
    db: &Connection,
    purchase: &Purchase,
    product: ProductId,
    host: HostId,
    author: Author<'_>,
) -> Result<(), StoreError> {
    insert_rows(db, purchase, product, host)?;
    // One entry for both: a product is made by its first order.
    let change = match purchase.kind {
        PurchaseKind::First => format!("ordered with new product {product}, {}", purchase.price),
        PurchaseKind::Extension => format!("ordered for product {product}, {}", purchase.price),
    };
    audit_log::record_order(db, author, purchase.id, &change)
}

/// The rows of an order and its invoice; what an order comes to later is not in them.
pub(super) fn insert_rows(
    db: &Connection,
    purchase: &Purchase,
    product: ProductId,
    host: HostId,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO purchase_order (id, product_seq, host_id, kind, status, message, price, periods, created_at, modified_at) \
         VALUES (?, (SELECT seq FROM product WHERE id = ?), ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        purchase.id,
        product,
        host,
        purchase.kind.name(),
        purchase.status.letter(),
        purchase.message,
        purchase.price,
        purchase.periods,
        purchase.created_at,
        purchase.modified_at,
    ])?;
    let seq = db.last_insert_rowid();
    let invoice = &purchase.invoice;
    let [tax, info] = super::rates::columns(&invoice.rates);
    db.prepare_cached(
        "INSERT INTO invoice (seq, state, node_id, payment_hash, is_hold, amount, described_by, expiry_secs, \
         created_at, modified_at, tax_currency, tax_rate_cents, info_currency, info_rate_cents) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        seq,
        invoice.state.name(),
        invoice.node_id,
        invoice.hash,
        invoice.is_hold,
        invoice.amount,
        invoice.described_by,
        invoice.expiry_secs,
        invoice.created_at,
        invoice.modified_at,
        tax.0,
        tax.1,
        info.0,
        info.1,
    ])?;
    Ok(())
}

/// Stores what changed from `before` to `after` and logs each change of state.
pub fn save(db: &Connection, before: &Deal, after: &mut Deal, author: Author<'_>) -> Result<(), StoreError> {
    let now = author.at();
    if before.product != after.product {
        after.product.modified_at = now;
        super::products::update(db, before.product.status, &after.product)?;
        let changes = product_changes(&before.product, &after.product);
        if !changes.is_empty() {
            let (id, change) = (after.product.id, changes.join("; "));
            let is_suspended =
                before.product.status == ProductStatus::Active && after.product.status == ProductStatus::NeedsSuspend;
            match is_suspended {
                true => audit_log::record_product_event(db, author, id, audit_log::Event::Suspended, &change)?,
                false => audit_log::record_product(db, author, id, &change)?,
            }
        }
    }
    for (old, new) in before.purchases.iter().zip(&mut after.purchases) {
        save_purchase(db, old, new, author)?;
    }
    Ok(())
}

/// What changed of a product, in words; what hosts report of its traffic is not kept.
fn product_changes(old: &Product, new: &Product) -> Vec<String> {
    let mut changes = Vec::new();
    if old.status != new.status || old.suspend_after != new.suspend_after {
        let end = new.suspend_after.map_or_else(|| "never".to_owned(), Timestamp::to_wire);
        changes.push(format!("{}->{}, suspend_after {end}", old.status.letter(), new.status.letter()));
    }
    if old.placed != new.placed {
        changes.push(if new.placed { "place reserved" } else { "place given back" }.to_owned());
    }
    if old.port != new.port {
        changes.push(format!("port {:?}->{:?}", old.port, new.port));
    }
    if old.comment != new.comment {
        changes.push(format!("comment {:?}->{:?}", old.comment, new.comment));
    }
    if old.is_killed != new.is_killed {
        changes.push("switched off".to_owned());
    }
    if old.deleted_at.is_some() != new.deleted_at.is_some() {
        changes.push(if new.deleted_at.is_some() { "deleted" } else { "no longer deleted" }.to_owned());
    }
    changes
}

fn save_purchase(db: &Connection, old: &Purchase, new: &mut Purchase, author: Author<'_>) -> Result<(), StoreError> {
    let now = author.at();
    let mut changes = Vec::new();
    if old.invoice != new.invoice {
        new.invoice.modified_at = now;
        update_invoice(db, old.invoice.state, new)?;
        if old.invoice.state != new.invoice.state {
            changes.push(format!("invoice {}->{}", old.invoice.state.name(), new.invoice.state.name()));
        }
    }
    let same = Purchase { invoice: old.invoice.clone(), ..new.clone() } == *old;
    if !same {
        new.modified_at = now;
        update_order(db, old.status, new)?;
        let (before, status) = (old.status.letter(), new.status.letter());
        changes.push(format!("{before}->{status}, delivery {}, owed {}", new.delivery.name(), new.owed));
    }
    if changes.is_empty() { Ok(()) } else { audit_log::record_order(db, author, new.id, &changes.join("; ")) }
}

pub(super) fn update_order(db: &Connection, before: OrderStatus, new: &Purchase) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached(
        "UPDATE purchase_order SET status = :status, message = :message, delivery = :delivery, \
         granted_secs = :granted_secs, granted_bytes = :granted_bytes, owed = :owed, refunded = :refunded, \
         late_secs = :late_secs, modified_at = :modified_at \
         WHERE id = :id AND status = :before",
    )?;
    let changed = statement.execute(named_params! {
        ":id": new.id, ":before": before.letter(), ":status": new.status.letter(), ":message": new.message,
        ":delivery": new.delivery.name(), ":granted_secs": new.granted_secs, ":granted_bytes": new.granted_bytes,
        ":owed": new.owed, ":refunded": new.refunded, ":late_secs": new.late_secs, ":modified_at": new.modified_at,
    })?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Conflict("the order")) }
}

pub(super) fn update_invoice(db: &Connection, before: InvoiceState, purchase: &Purchase) -> Result<(), StoreError> {
    let new = &purchase.invoice;
    let mut statement = db.prepare_cached(
        "UPDATE invoice SET state = :state, node_id = :node_id, payment_hash = :payment_hash, is_hold = :is_hold, \
         payment_request = :payment_request, received = :received, made_at = :made_at, expires_at = :expires_at, \
         held_at = :held_at, paid_at = :paid_at, modified_at = :modified_at \
         WHERE seq = (SELECT seq FROM purchase_order WHERE id = :id) AND state = :before",
    )?;
    let changed = statement.execute(named_params! {
        ":id": purchase.id, ":before": before.name(), ":state": new.state.name(), ":node_id": new.node_id,
        ":payment_hash": new.hash, ":is_hold": new.is_hold, ":payment_request": new.payment_request,
        ":received": new.received, ":made_at": new.made_at, ":expires_at": new.expires_at, ":held_at": new.held_at,
        ":paid_at": new.paid_at, ":modified_at": new.modified_at,
    })?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Conflict("the invoice")) }
}

/// The order whose invoice ever had this hash, at any node.
pub fn order_of_hash(db: &Connection, hash: PaymentHash) -> Result<Option<OrderId>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT o.id FROM invoice_attempt a JOIN purchase_order o ON o.seq = a.seq WHERE a.payment_hash = ? LIMIT 1",
    )?;
    Ok(statement.query_row([hash], |row| row.get(0)).optional()?)
}

/// Which orders a person looks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Search {
    /// Only those in this state.
    pub status: Option<OrderStatus>,
    /// Only those that owe the buyer something.
    pub owed: bool,
    /// Only those of this product.
    pub product: Option<ProductId>,
    /// Only those at hosts of this operator.
    pub owner: Option<OperatorId>,
    /// At most so many.
    pub limit: u32,
}

/// Orders and their products, newest first.
pub fn search(db: &Connection, search: Search) -> Result<Vec<(Purchase, ProductId)>, StoreError> {
    let mut statement = db.prepare_cached(&search_text(search))?;
    let map = |row: &Row<'_>| Ok((purchase_from_row(row)?, row.get("product_id")?));
    let rows = match search.product {
        Some(product) => statement.query_map([product], map)?,
        None => statement.query_map([], map)?,
    };
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A text for each filter, so that each has the index that fits.
pub(super) fn search_text(search: Search) -> String {
    let mut text = format!("{PURCHASE} WHERE TRUE");
    if search.product.is_some() {
        text.push_str(" AND o.product_seq = (SELECT seq FROM product WHERE id = ?)");
    }
    if let Some(status) = search.status {
        text.push_str(&format!(" AND o.status = '{}'", status.letter()));
    }
    if search.owed {
        text.push_str(" AND o.owed > 0");
    }
    if search.owed || search.status == Some(OrderStatus::NeedsRefund) {
        // Follows from the others; SQLite takes a partial index only for its own words.
        text.push_str(" AND (o.status = 'N' OR o.owed > 0)");
    }
    if let Some(owner) = search.owner {
        text.push_str(&format!(" AND +o.host_id IN (SELECT id FROM host WHERE owner_id = {})", owner.0));
    }
    text.push_str(&format!(" ORDER BY o.created_at DESC LIMIT {}", search.limit));
    text
}

/// Marks all orders that there are as those of a backup that was restored just now.
pub fn mark_as_restored(db: &Connection) -> Result<(), StoreError> {
    let newest =
        "INSERT OR REPLACE INTO meta (key, value) SELECT 'restored_orders', coalesce(max(seq), 0) FROM purchase_order";
    db.execute(newest, [])?;
    Ok(())
}

/// Whether the database came out of a backup.
pub fn any_restored(db: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM meta WHERE key = 'restored_orders')";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Whether an order came out of a backup: what became of it between that and the restore is not known.
pub fn is_restored(db: &Connection, order: OrderId) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM purchase_order WHERE id = ? \
               AND seq <= (SELECT value FROM meta WHERE key = 'restored_orders'))";
    Ok(db.prepare_cached(sql)?.query_row([order], |row| row.get(0))?)
}

/// Whether the shop owes money for any order on a host.
pub fn owes_on_host(db: &Connection, host: HostId) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM purchase_order INDEXED BY order_to_refund WHERE (status = 'N' OR owed > 0) AND owed > 0 AND host_id = ?)";
    Ok(db.prepare_cached(sql)?.query_row([host], |row| row.get(0))?)
}

/// Orders whose open invoice has expired at `now`, each with when it did.
pub fn to_close(db: &Connection, now: Timestamp, limit: u32) -> Result<Vec<(OrderId, Timestamp)>, StoreError> {
    // Written out: SQLite plans a statement anew each time a LIMIT is bound.
    let mut statement = db.prepare_cached(&format!(
        "SELECT o.id, v.expires_at FROM invoice v JOIN purchase_order o ON o.seq = v.seq \
         WHERE v.state = 'open' AND v.expires_at <= ? \
         ORDER BY v.expires_at LIMIT {limit}",
    ))?;
    let rows = statement.query_map([now], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// First purchases placed since `since` that nobody has paid yet.
pub fn unpaid_first_since(db: &Connection, since: Timestamp) -> Result<Vec<OrderId>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT o.id FROM invoice v JOIN purchase_order o ON o.seq = v.seq \
         WHERE v.state IN ('initial', 'open') AND o.kind = 'first' AND o.created_at >= ?",
    )?;
    let rows = statement.query_map([since], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) const UNPAID_EXTENSIONS: &str = "SELECT count(*) FROM purchase_order o JOIN invoice v ON v.seq = o.seq \
    WHERE o.product_seq = (SELECT seq FROM product WHERE id = ?1) AND o.created_at > ?2 AND o.created_at <= ?3 \
    AND o.kind = 'extension' AND v.received IS NULL";

/// How many extensions of a product were ordered between two times, and never paid.
pub fn unpaid_extensions(
    db: &Connection,
    product: ProductId,
    since: Timestamp,
    until: Timestamp,
) -> Result<u32, StoreError> {
    let mut statement = db.prepare_cached(UNPAID_EXTENSIONS)?;
    Ok(statement.query_row(params![product, since, until], |row| row.get(0))?)
}

/// Orders whose payment is held: since when, and for how many seconds their host may keep it so.
pub fn held(db: &Connection) -> Result<Vec<(OrderId, Timestamp, i64)>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT o.id, v.held_at, h.hold_limit_secs FROM invoice v JOIN purchase_order o ON o.seq = v.seq \
         JOIN host h ON h.id = o.host_id WHERE v.state = 'held' AND v.held_at IS NOT NULL",
    )?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
