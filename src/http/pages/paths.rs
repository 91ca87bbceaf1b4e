//! Where pages are that others lead to.

use crate::domain::id::{OrderId, ProductId};
use crate::domain::product::ProductKind;

/// The page of an order: the predecessor's address. The id is its buyer's secret.
pub fn order(id: OrderId) -> String {
    format!("/charged/lnpurchase/po/{id}/")
}

/// The stream of what becomes of an order.
pub fn order_events(id: OrderId) -> String {
    format!("{}events/", order(id))
}

/// The receipt of an order.
pub fn receipt(id: OrderId) -> String {
    format!("/invoice/{id}/")
}

/// Where products of a kind have their pages.
pub const fn folder(kind: ProductKind) -> &'static str {
    match kind {
        ProductKind::TorBridge => "bridge",
        ProductKind::NostrAlias => "alias",
    }
}

/// Where wallets ask for one more period of a product.
pub fn renewal(kind: ProductKind, id: ProductId) -> String {
    format!("/lnurl/renew/{}/{id}/", folder(kind))
}
