//! The shop's whole state, read at once, for the rules.

use std::collections::{BTreeMap, BTreeSet};

use ip2tor_shop::domain::id::{OrderId, ProductId};
use ip2tor_shop::domain::lightning::PaymentHash;
use ip2tor_shop::domain::product::Product;
use ip2tor_shop::domain::purchase::Purchase;
use ip2tor_shop::domain::time::Timestamp;
use ip2tor_shop::services::Shop;
use ip2tor_shop::store::outbox::{self, Intent};
use ip2tor_shop::store::{Connection, StoreError, alerts, deals, products};

/// A port or alias in use: address, port or name, product.
pub type Place = (String, String, ProductId);

/// One state of the database.
#[derive(Default)]
pub struct Snapshot {
    /// Changes with every commit.
    pub version: i64,
    pub now: Option<Timestamp>,
    pub orders: BTreeMap<OrderId, (Purchase, ProductId)>,
    pub products: BTreeMap<ProductId, Product>,
    pub ports: Vec<Place>,
    pub aliases: Vec<Place>,
    /// Counted and real number of used ports, by range.
    pub ranges: Vec<(i64, i64)>,
    /// Open alerts: topic and subject.
    pub alerts: BTreeSet<(String, String)>,
    pub intents: Vec<Intent>,
    pub log_entries: i64,
    /// Seconds of outages credited so far, by product.
    pub credits: BTreeMap<ProductId, i64>,
    /// Seconds and bytes that the operator gave for nothing so far, by product.
    pub gifts: BTreeMap<ProductId, (i64, i64)>,
    /// All hashes ever given to a node, with their order.
    pub attempts: Vec<(PaymentHash, OrderId)>,
    /// How many invoices told that the database is older than the world, or that there are two of it.
    pub lost_invoices: i64,
    /// What the shop takes for told to its host.
    pub shown: Vec<ProductId>,
}

impl Snapshot {
    pub fn take(shop: &Shop) -> Result<Self, StoreError> {
        let now = Some(shop.now());
        shop.db.read(|db| Ok(Self { now, ..read(db)? }))
    }

    /// The purchases of a product.
    pub fn purchases(&self, product: ProductId) -> impl Iterator<Item = &Purchase> {
        self.orders.values().filter(move |(_, of)| *of == product).map(|(purchase, _)| purchase)
    }

    pub fn has_alert(&self, topic: &str, subject: &str) -> bool {
        self.alerts.contains(&(topic.to_owned(), subject.to_owned()))
    }
}

fn read(db: &Connection) -> Result<Snapshot, StoreError> {
    let orders = deals::search(db, deals::Search { limit: u32::MAX, ..deals::Search::default() })?;
    let mut found = BTreeMap::new();
    for (_, product) in &orders {
        if !found.contains_key(product) {
            found.insert(*product, products::get(db, *product)?.expect("an order has its product"));
        }
    }
    Ok(Snapshot {
        version: 0,
        now: None,
        orders: orders.into_iter().map(|(purchase, product)| (purchase.id, (purchase, product))).collect(),
        products: found,
        ports: places(db, "SELECT ip, CAST(port AS TEXT), product_id FROM port")?,
        aliases: places(db, "SELECT ip, alias, product_id FROM alias_name")?,
        ranges: rows(db, "SELECT used, (SELECT count(*) FROM port WHERE range_id = r.id) FROM port_range r", |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?,
        alerts: alerts::list(db, false)?
            .into_iter()
            .map(|alert| (alert.topic.name().to_owned(), alert.subject))
            .collect(),
        intents: outbox::all(db)?,
        log_entries: db
            .prepare_cached("SELECT coalesce(max(id), 0) FROM audit_log")?
            .query_row([], |row| row.get(0))?,
        credits: rows(db, "SELECT product_id, sum(credited_secs) FROM outage GROUP BY 1", |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .into_iter()
        .collect(),
        gifts: rows(db, "SELECT product_id, sum(secs), sum(bytes) FROM gift GROUP BY 1", |row| {
            Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))
        })?
        .into_iter()
        .collect(),
        attempts: rows(
            db,
            "SELECT a.payment_hash, o.id FROM invoice_attempt a JOIN purchase_order o ON o.seq = a.seq",
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?,
        lost_invoices: db.prepare_cached("SELECT count(*) FROM lost_invoice")?.query_row([], |row| row.get(0))?,
        shown: rows(db, "SELECT id FROM product WHERE shown_at IS NOT NULL AND status IN ('P', 'S')", |row| {
            row.get(0)
        })?,
    })
}

fn places(db: &Connection, sql: &str) -> Result<Vec<Place>, StoreError> {
    rows(db, sql, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

fn rows<T>(
    db: &Connection,
    sql: &str,
    map: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let found = statement.query_map([], |row| map(row))?;
    Ok(found.collect::<Result<_, _>>()?)
}
