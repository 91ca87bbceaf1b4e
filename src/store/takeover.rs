//! What only a shop needs that takes another one over: rows with all that they have come to be.

use rusqlite::{Connection, params};

use super::audit_log::{self, Author};
use super::db::StoreError;
use super::deals;
use crate::domain::host::Host;
use crate::domain::id::{HostId, ProductId};
use crate::domain::product::Product;
use crate::domain::purchase::Purchase;

/// What a shop has that is not empty: nouns and how many of each.
const NOUNS: [(&str, &str); 6] = [
    ("operators", "operator"),
    ("nodes", "node"),
    ("hosts", "host"),
    ("products", "product"),
    ("orders", "purchase_order"),
    ("entries of the deny list", "deny_entry"),
];

/// What is in the database already.
pub fn occupants(db: &Connection) -> Result<Vec<(&'static str, u32)>, StoreError> {
    let mut found = Vec::new();
    for (what, table) in NOUNS {
        let count: u32 = db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
        if count > 0 {
            found.push((what, count));
        }
    }
    Ok(found)
}

/// The last check-in of a host, as it was.
pub fn set_check_in(db: &Connection, host: &Host) -> Result<(), StoreError> {
    let sql = "UPDATE host SET ci_date = ?2, ci_status = ?3, ci_message = ?4 WHERE id = ?1";
    db.execute(sql, params![host.id, host.ci_date, host.ci_status, host.ci_message])?;
    Ok(())
}

/// Whether a product is part of the monitoring configuration.
pub fn set_monitored(db: &Connection, product: &Product) -> Result<(), StoreError> {
    db.execute("UPDATE product SET is_monitored = ?2 WHERE id = ?1", params![product.id, product.is_monitored])?;
    Ok(())
}

/// Reserves a port that a product has had, in whichever range or in none; `false` when it is in use.
pub fn keep_port(db: &Connection, ip: &str, port: u16, product: ProductId) -> Result<bool, StoreError> {
    let sql = "INSERT OR IGNORE INTO port (ip, port, product_id) VALUES (?, ?, ?)";
    Ok(db.prepare_cached(sql)?.execute(params![ip, port, product])? == 1)
}

/// Stores an order with its invoice, wherever they are.
pub fn insert_purchase(
    db: &Connection,
    purchase: &Purchase,
    product: ProductId,
    host: HostId,
    author: Author<'_>,
) -> Result<(), StoreError> {
    deals::insert_rows(db, purchase, product, host)?;
    deals::update_order(db, purchase.status, purchase)?;
    deals::update_invoice(db, purchase.invoice.state, purchase)?;
    audit_log::record_order(db, author, purchase.id, "taken over from the old shop")
}
