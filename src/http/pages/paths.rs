//! Where pages are that others lead to.

use crate::domain::id::OrderId;

/// The page of an order: the predecessor's address. The id is its buyer's secret.
pub fn order(id: OrderId) -> String {
    format!("/charged/lnpurchase/po/{id}/")
}
