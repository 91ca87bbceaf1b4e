//! The shop's database as a reader from outside sees it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, Row};
use tempfile::TempDir;

/// What an order says whose payment was held and is back with its buyer, by name.
const GIVEN_BACK: [&str; 7] =
    ["switched_off_held", "returned", "hold_failed", "hold_refused", "hold_hopeless", "hold_unplaced", "hold_lost"];

/// An order with its invoice.
#[derive(Clone, Debug)]
pub struct Order {
    pub product: String,
    pub status: String,
    pub kind: String,
    pub delivery: String,
    pub granted_secs: i64,
    pub granted_bytes: i64,
    pub owed: i64,
    pub refunded: i64,
    pub price: i64,
    pub invoice_state: String,
    pub is_hold: bool,
    pub node: String,
    pub hash: String,
    pub received: i64,
    pub message: String,
}

impl Order {
    /// Whether a payment was held and is back with its buyer: nothing is received then.
    fn was_given_back(&self) -> bool {
        self.status == "R" && self.received == 0 && GIVEN_BACK.contains(&self.message.as_str())
    }
}

/// A product.
#[derive(Clone, Debug)]
pub struct Product {
    pub status: String,
    pub port: i64,
    pub placed: bool,
    pub activated_at: Option<i64>,
    pub suspend_after: i64,
    pub period_ms: i64,
    pub bandwidth_initial: i64,
    pub bandwidth_remaining: i64,
}

/// A payment hash that was given to a node.
#[derive(Clone, Debug)]
pub struct Attempt {
    pub order: String,
    pub node: String,
    pub outcome: String,
}

/// Everything at one moment.
#[derive(Clone, Debug)]
pub struct State {
    pub orders: HashMap<String, Order>,
    pub products: HashMap<String, Product>,
    /// By payment hash.
    pub attempts: HashMap<String, Attempt>,
    /// Kind and payment hash.
    pub effects: Vec<(String, String)>,
    /// Ports in use, with their products.
    pub ports: Vec<(i64, String)>,
}

/// A copy of the database of a killed process, so that the shop itself repairs the original.
pub struct Copy(TempDir);

impl Copy {
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

pub fn copy(database: &Path) -> Copy {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for ending in ["", "-wal"] {
        let from = PathBuf::from(format!("{}{ending}", database.display()));
        if from.exists() {
            std::fs::copy(&from, dir.path().join(format!("shop.sqlite3{ending}"))).expect("a copy");
        }
    }
    Copy(dir)
}

fn open(path: &Path) -> Connection {
    let file = if path.is_dir() { path.join("shop.sqlite3") } else { path.to_owned() };
    // A reader of a copy must be able to repair it.
    Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE).expect("the database opens")
}

/// What SQLite finds wrong with the file.
pub fn damage(path: &Path) -> Vec<String> {
    let db = open(path);
    let integrity: Vec<String> = rows(&db, "PRAGMA integrity_check", |row| row.get(0));
    let foreign: Vec<String> = rows(&db, "PRAGMA foreign_key_check", |row| row.get(0));
    let found = integrity.into_iter().filter(|line| line != "ok").map(|line| format!("integrity: {line}"));
    found.chain(foreign.into_iter().map(|table| format!("foreign key: {table}"))).collect()
}

fn rows<T>(db: &Connection, sql: &str, read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    let mut statement = db.prepare(sql).expect("the statement fits the schema");
    let rows = statement.query_map([], read).expect("it runs");
    rows.collect::<rusqlite::Result<_>>().expect("rows as expected")
}

impl State {
    /// The database file, or a folder with a copy, in one read transaction.
    pub fn read(path: &Path) -> Self {
        let mut db = open(path);
        db.busy_timeout(std::time::Duration::from_secs(60)).expect("a time-out");
        let db = db.transaction().expect("a transaction");
        Self {
            orders: rows(&db, ORDERS, order).into_iter().collect(),
            products: rows(&db, PRODUCTS, product).into_iter().collect(),
            attempts: rows(&db, ATTEMPTS, attempt).into_iter().collect(),
            effects: rows(&db, "SELECT kind, lower(hex(payment_hash)) FROM effect", |row| {
                Ok((row.get(0)?, row.get(1)?))
            }),
            ports: rows(&db, "SELECT port, lower(hex(product_id)) FROM port", |row| Ok((row.get(0)?, row.get(1)?))),
        }
    }

    /// What still has to be done, in words.
    pub fn unfinished(&self) -> Vec<String> {
        let effects = self.effects.iter().map(|(kind, hash)| format!("intent {kind} {hash}"));
        let open = |order: &&Order| matches!(order.status.as_str(), "I" | "K" | "L" | "M" | "T");
        let live = |order: &&Order| !matches!(order.invoice_state.as_str(), "paid" | "expired" | "void");
        let waits = |order: &&Order| order.delivery == "awaiting" && order.status == "P";
        let orders = self.orders.values().filter(|order| open(order) || live(order) || waits(order));
        let products = self.products.iter().filter(|(_, product)| matches!(product.status.as_str(), "P" | "S"));
        let orders = orders.map(|order| format!("{order:?}"));
        effects.chain(orders).chain(products.map(|(id, product)| format!("{id} {product:?}"))).collect()
    }

    pub fn summary(&self) -> String {
        let count = |filter: &dyn Fn(&&Order) -> bool| self.orders.values().filter(filter).count();
        format!(
            "{} orders: {} paid ({} after a hold, {} extensions), {} rejected ({} given back), {} owed; {} products active",
            self.orders.len(),
            count(&|order| order.status == "P"),
            count(&|order| order.status == "P" && order.is_hold),
            count(&|order| order.status == "P" && order.kind == "extension"),
            count(&|order| order.status == "R"),
            count(&|order| order.was_given_back()),
            count(&|order| order.status == "N"),
            self.products.values().filter(|product| product.status == "A").count()
        )
    }

    /// A test that did nothing would pass: each kind of thing must have happened.
    pub fn assert_everything_happened(&self) {
        let happened = |what: &str, filter: &dyn Fn(&Order) -> bool| {
            assert!(self.orders.values().any(filter), "not one order {what}");
        };
        happened("was paid after a hold", &|order| order.status == "P" && order.is_hold);
        happened("was paid at once", &|order| order.status == "P" && !order.is_hold);
        happened("extended", &|order| order.status == "P" && order.kind == "extension");
        happened("was given back", &|order| order.is_hold && order.was_given_back());
        happened("was owed", &|order| order.status == "N" && order.owed > 0);
        happened("expired", &|order| order.status == "R" && !order.was_given_back());
    }
}

const ORDERS: &str = "SELECT lower(hex(o.id)), lower(hex(p.id)), o.status, o.kind, o.delivery, \
    o.granted_secs, o.granted_bytes, o.owed, o.price, i.state, i.is_hold, lower(hex(i.node_id)), \
    lower(hex(i.payment_hash)), coalesce(i.received, 0), coalesce(o.message, ''), o.refunded \
    FROM purchase_order o JOIN invoice i ON i.seq = o.seq JOIN product p ON p.seq = o.product_seq";

fn order(row: &Row<'_>) -> rusqlite::Result<(String, Order)> {
    let order = Order {
        product: row.get(1)?,
        status: row.get(2)?,
        kind: row.get(3)?,
        delivery: row.get(4)?,
        granted_secs: row.get(5)?,
        granted_bytes: row.get(6)?,
        owed: row.get(7)?,
        price: row.get(8)?,
        invoice_state: row.get(9)?,
        is_hold: row.get(10)?,
        node: row.get(11)?,
        hash: row.get(12)?,
        received: row.get(13)?,
        message: row.get(14)?,
        refunded: row.get(15)?,
    };
    Ok((row.get(0)?, order))
}

const PRODUCTS: &str = "SELECT lower(hex(id)), status, port, placed, activated_at, suspend_after, \
    (duration_secs + grace_secs) * 1000, bandwidth_initial, bandwidth_remaining FROM product";

fn product(row: &Row<'_>) -> rusqlite::Result<(String, Product)> {
    let product = Product {
        status: row.get(1)?,
        port: row.get(2)?,
        placed: row.get(3)?,
        activated_at: row.get(4)?,
        suspend_after: row.get(5)?,
        period_ms: row.get(6)?,
        bandwidth_initial: row.get(7)?,
        bandwidth_remaining: row.get(8)?,
    };
    Ok((row.get(0)?, product))
}

const ATTEMPTS: &str = "SELECT lower(hex(a.payment_hash)), lower(hex(o.id)), lower(hex(a.node_id)), a.outcome \
    FROM invoice_attempt a JOIN purchase_order o ON o.seq = a.seq";

fn attempt(row: &Row<'_>) -> rusqlite::Result<(String, Attempt)> {
    Ok((row.get(0)?, Attempt { order: row.get(1)?, node: row.get(2)?, outcome: row.get(3)? }))
}
