//! The state that an exchange needs: what happened before it in the recording, made to happen here.

use ip2tor_shop::domain::id::{OrderId, ProductId};
use ip2tor_shop::domain::product::{ProductKind, ProductStatus};
use ip2tor_shop::services::orders;
use ip2tor_shop::services::orders::extend::Extension;
use ip2tor_shop::services::{payments, products};

use super::exchange::Exchange;
use crate::support::{PASSWORD, TestShop};

/// Builds the state; returns names in the exchange and what they stand for here.
pub async fn prepare(shop: &TestShop, exchange: &Exchange) -> Vec<(String, String)> {
    let mut known = names(shop);
    let name = exchange.name.as_str();
    if ["none_alive", "format_suffix_json", "uuid_nodash"].iter().any(|part| name.contains(part)) {
        shop.sql("UPDATE host SET ci_status = 1");
    }
    if name.contains("exhaust") {
        exhaust(shop, if name == "order_exhaust_2" { 1 } else { 3 }).await;
    }
    if name.starts_with("order_nostr_taken") {
        shop.order_alias("host4nostr", "alice").await;
    }
    if name.starts_with("nostr_list") {
        aliases(shop).await;
    }
    before_list(shop, exchange).await;
    if let Some(recorded) = exchange.id() {
        known.push((recorded, object(shop, exchange).await));
    }
    known
}

fn names(shop: &TestShop) -> Vec<(String, String)> {
    let mut known = Vec::new();
    for (name, (id, token)) in &shop.hosts {
        known.push((format!("{{host.{name}}}"), id.to_string()));
        known.push((format!("{{host_nodash.{name}}}"), id.to_string().replace('-', "")));
        known.push((format!("{{token.{name}}}"), token.clone()));
    }
    // A host with one port, in the recording.
    known.push(("{host.one}".to_owned(), shop.host("host6tiny").to_string()));
    known.push(("{basic.superuser}".to_owned(), basic("admin")));
    known.push(("{basic.operator}".to_owned(), basic("operator")));
    known
}

fn basic(name: &str) -> String {
    use base64::Engine;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{name}:{PASSWORD}")))
}

async fn exhaust(shop: &TestShop, orders: u32) {
    for _ in 0..orders {
        shop.order_bridge("host6tiny", None).await;
    }
}

/// Six aliases on one host, one on another, as in the recording.
async fn aliases(shop: &TestShop) {
    shop.order_alias("host2test", "alice").await;
    for alias in ["alice", "bob", "carol", "dave", "erin", "frank"] {
        shop.order_alias("host4nostr", alias).await;
    }
}

/// Exchanges without an id in their path that list or show what was made before.
async fn before_list(shop: &TestShop, exchange: &Exchange) {
    match exchange.name.as_str() {
        "bridges_filter_host_own_A" => {
            extended(shop).await;
        }
        "life_bridges_pending_list" => {
            bridge(shop, "host1", ProductStatus::NeedsActivate, Some("life")).await;
        }
        "bridges_filter_su_host" | "bridges_list_othertoken" => {
            shop.order_bridge("host2test", Some("hello")).await;
        }
        "telegraf_su" => {
            // All monitored bridges, whatever their status, newest first.
            let count = exchange.text.as_deref().unwrap_or_default().matches("via-ip2tor on").count();
            for _ in 0..count {
                shop.active_bridge("host1", None).await;
            }
        }
        name if name.starts_with("telegraf") => {
            shop.active_bridge("host1", None).await;
        }
        _ => {}
    }
}

/// The object that the recorded id in the path stands for.
async fn object(shop: &TestShop, exchange: &Exchange) -> String {
    let path = exchange.path.as_str();
    let name = exchange.name.as_str();
    if path.contains("nostr_aliases/") {
        let host = if name.contains("extend_test") { "host2test" } else { "host4nostr" };
        let order = shop.order_alias(host, "alice").await;
        if name == "nostr_patch_A" {
            shop.make_invoices().await;
            shop.pay(order).await;
        }
        return shop.product(order).to_string();
    }
    if path.contains("tor_bridges/") {
        return bridge_for(shop, exchange).await.to_string();
    }
    order_for(shop, exchange).await.to_string()
}

async fn order_for(shop: &TestShop, exchange: &Exchange) -> OrderId {
    let name = exchange.name.as_str();
    if name.starts_with("life_extend") {
        let (bridge, order) = extension(shop).await;
        shop.make_invoices().await;
        if name.ends_with("paid") {
            shop.pay(order).await;
        }
        assert_eq!(shop.product(order), bridge);
        return order;
    }
    let (host, comment) = match name {
        "po_state_host_forever" => ("host11forever", Some("hello")),
        "po_state_ok_nocomment" => ("host1", None),
        _ if name.starts_with("po_state") => ("host1", Some("hello")),
        _ => ("host1", Some("life")),
    };
    let order = match name {
        "po_state_nostr_ok" => shop.order_alias("host4nostr", "alice").await,
        _ => shop.order_bridge(host, comment).await,
    };
    if name != "life_po_1" {
        shop.make_invoices().await;
    }
    if ["life_po_7", "life_po_invoice_paid"].contains(&name) {
        shop.pay(order).await;
    }
    order
}

/// The bridge of an exchange, in the state before it.
async fn bridge_for(shop: &TestShop, exchange: &Exchange) -> ProductId {
    let name = exchange.name.as_str();
    let after = exchange.json["status"].as_str().and_then(ProductStatus::parse);
    let host = if name.contains("test_host") { "host2test" } else { "host1" };
    let before = match name {
        "bridge_delete_own" | "bridge_delete_su" => return expired(shop).await,
        "extend_deleted" => return deleted(shop).await,
        "extend_status_Z" => return archived(shop).await,
        "extend_status_F" => return failed(shop).await,
        "extend_initial_unpaid" | "extend_test_host" => ProductStatus::Initial,
        "extend_status_H" => ProductStatus::Suspended,
        "life_bridge_patch_active" => ProductStatus::NeedsActivate,
        _ if name.ends_with("_H") => ProductStatus::NeedsSuspend,
        _ if name.ends_with("_F") => ProductStatus::NeedsActivate,
        _ if name.starts_with("life") => after.unwrap_or(ProductStatus::Active),
        _ => ProductStatus::Active,
    };
    let comment = exchange.json["comment"].as_str().unwrap_or("life").to_owned();
    let twice = exchange.json["bandwidth_remaining"].as_i64() == Some(1 << 31);
    let product = match twice && before == ProductStatus::Active {
        true => extended(shop).await,
        false => bridge(shop, host, before, Some(&comment)).await,
    };
    shop.sql(&format!("UPDATE product SET comment = '{comment}'"));
    if !name.contains("bandwidth")
        && let Some(bandwidth) = exchange.json["bandwidth_remaining"].as_i64()
    {
        shop.sql(&format!("UPDATE product SET bandwidth_remaining = {bandwidth}"));
    }
    product
}

/// A bridge in a state that a buyer and a host can bring it into.
async fn bridge(shop: &TestShop, host: &str, status: ProductStatus, comment: Option<&str>) -> ProductId {
    let order = shop.order_bridge(host, comment).await;
    let product = shop.product(order);
    if status == ProductStatus::Initial {
        return product;
    }
    shop.make_invoices().await;
    shop.pay(order).await;
    if status == ProductStatus::NeedsActivate {
        return product;
    }
    shop.report(product, ProductStatus::Active).await.expect("activated");
    if status == ProductStatus::Active {
        return product;
    }
    shop.clock.advance_secs(86_400 + 601);
    products::expire::suspend_expired(&shop.shop).await.expect("suspended");
    if status == ProductStatus::Suspended {
        shop.report(product, ProductStatus::Suspended).await.expect("suspended");
    }
    shop.check_in_all();
    product
}

/// A suspended bridge that nothing is owed for.
async fn expired(shop: &TestShop) -> ProductId {
    bridge(shop, "host1", ProductStatus::Suspended, None).await
}

async fn deleted(shop: &TestShop) -> ProductId {
    let product = expired(shop).await;
    let scope = ip2tor_shop::services::Principal::Administrator("test".to_owned());
    let gone = ip2tor_shop::services::products::view::delete(&shop.shop, &scope, product, ProductKind::TorBridge).await;
    gone.expect("deleted");
    product
}

/// A bridge that was never paid for.
async fn archived(shop: &TestShop) -> ProductId {
    let order = shop.order_bridge("host1", None).await;
    shop.make_invoices().await;
    let invoice = shop.view(order).purchase.invoice;
    payments::apply::apply_gone(&shop.shop, invoice.node_id, invoice.hash).await.expect("cancelled at the node");
    shop.product(order)
}

/// A paid bridge that its host could not activate.
async fn failed(shop: &TestShop) -> ProductId {
    let product = bridge(shop, "host1", ProductStatus::NeedsActivate, None).await;
    shop.report(product, ProductStatus::Failed).await.expect("reported");
    product
}

/// An active bridge and an open order of one more period.
async fn extension(shop: &TestShop) -> (ProductId, OrderId) {
    let (_, product) = shop.active_bridge("host1", Some("life")).await;
    match orders::extend::order(&shop.shop, product, ProductKind::TorBridge).await {
        Ok(Extension::Order(order)) => (product, order),
        other => panic!("it can be extended: {other:?}"),
    }
}

/// An active bridge that was extended once.
async fn extended(shop: &TestShop) -> ProductId {
    let (product, order) = extension(shop).await;
    shop.make_invoices().await;
    shop.pay(order).await;
    product
}
