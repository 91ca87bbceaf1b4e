//! Orders and products as an operator looks them up: lists, and one with its history.

use super::orders::place::OrderView;
use super::products::view::ProductView;
use super::{Error, Principal, Shop, authz};
use crate::domain::id::{OrderId, ProductId};
use crate::domain::purchase::Purchase;
use crate::domain::time::Timestamp;
use crate::store::audit_log;
use crate::store::audit_log::Entry;
use crate::store::deals;
use crate::store::deals::Search;
use crate::store::products;
use crate::store::products::Filter;
use crate::store::{Connection, hosts, unpaid};

/// Orders, newest first: an administrator's search finds everybody's, an operator's those at their own hosts.
///
/// # Errors
/// [`Error::NotFound`] for others.
pub fn orders(shop: &Shop, by: &Principal, search: Search) -> Result<Vec<OrderView>, Error> {
    let owner = authz::visible_owner(by)?;
    shop.read(by, |tx| {
        let db = tx.db;
        let found = deals::search(db, Search { owner, ..search })?;
        found.into_iter().map(|(purchase, product)| order_view(db, purchase, product)).collect()
    })
}

/// One order with what happened to it and its invoice, oldest first.
///
/// # Errors
/// [`Error::NotFound`].
pub fn order(shop: &Shop, by: &Principal, id: OrderId) -> Result<(OrderView, Vec<Entry>), Error> {
    shop.read(by, |tx| {
        let db = tx.db;
        authz::needs_order(tx, id)?;
        let (purchase, product) = deals::purchase(db, id)?.ok_or(Error::NotFound)?;
        let history = audit_log::of_order(db, id)?;
        Ok((order_view(db, purchase, product)?, history))
    })
}

/// The day on which an order was placed that is no longer there since nobody paid it. Whose it was is not
/// known any more.
///
/// # Errors
/// [`Error::NotFound`] for anybody but an administrator.
pub fn deleted_unpaid(shop: &Shop, by: &Principal, id: OrderId) -> Result<Option<Timestamp>, Error> {
    authz::needs_administrator(by)?;
    shop.db.read(|db| Ok(unpaid::ordered_on(db, id)?))
}

fn order_view(db: &Connection, purchase: Purchase, product: ProductId) -> Result<OrderView, Error> {
    let product = products::get(db, product)?.ok_or(Error::NotFound)?;
    let host = hosts::get_any(db, product.host_id)?.ok_or(Error::NotFound)?;
    Ok(OrderView { purchase, product, host })
}

/// Products of every kind, newest first: an administrator's search finds everybody's, an operator's those on their own
/// hosts.
///
/// # Errors
/// [`Error::NotFound`] for others.
pub fn products(shop: &Shop, by: &Principal, filter: Filter, limit: u32) -> Result<Vec<ProductView>, Error> {
    let owner = authz::visible_owner(by)?;
    shop.read(by, |tx| {
        let db = tx.db;
        let found = products::search(db, filter, owner, limit)?;
        let view = |product| product_view(db, product);
        found.into_iter().map(view).collect()
    })
}

/// One product with its orders (newest first) and what happened to it (oldest first).
///
/// # Errors
/// [`Error::NotFound`].
pub fn product(shop: &Shop, by: &Principal, id: ProductId) -> Result<(ProductView, Vec<Purchase>, Vec<Entry>), Error> {
    shop.read(by, |tx| {
        let db = tx.db;
        authz::needs_product(tx, id)?;
        let product = products::get(db, id)?.ok_or(Error::NotFound)?;
        let search = Search { product: Some(id), limit: u32::MAX, ..Search::default() };
        let orders = deals::search(db, search)?.into_iter().map(|(purchase, _)| purchase).collect();
        Ok((product_view(db, product)?, orders, audit_log::of_product(db, id)?))
    })
}

fn product_view(db: &Connection, product: crate::domain::product::Product) -> Result<ProductView, Error> {
    let host = hosts::get_any(db, product.host_id)?.ok_or(Error::NotFound)?;
    Ok(ProductView { product, host })
}
