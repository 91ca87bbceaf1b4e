//! A product in bodies.

use poem_openapi::Object;
use serde::Serialize;

use super::order_views::AdminOrder;
use super::values::{AdminChange, date, msat};
use crate::domain::product::{Product, Subject};
use crate::services::products::view::ProductView;

/// A Tor bridge or a Nostr alias. Durations are seconds, prices msat, bandwidth bytes.
#[derive(Debug, Serialize, Object)]
pub struct AdminProduct {
    /// Its id.
    pub id: String,
    /// `tor_bridge` or `nostr_alias`.
    pub kind: String,
    /// Its state: I ordered, P to be activated, A active, S to be taken down, H suspended, D to be forgotten, Z archived.
    pub status: String,
    /// Its host.
    pub host_id: String,
    /// The name of its host.
    pub host_name: String,
    /// The public IP address of its host.
    pub host_ip: String,
    /// Its public port, the last one when it has none any more.
    pub port: Option<u16>,
    /// Whether its port (or name) is reserved for it.
    pub is_placed: bool,
    /// Where a bridge leads to.
    pub target: Option<String>,
    /// The name of an alias.
    pub alias: Option<String>,
    /// The key of an alias.
    pub public_key: Option<String>,
    /// The buyer's note.
    pub comment: Option<String>,
    /// When it ends; null is never.
    pub suspend_after: Option<String>,
    /// How long it was sold for; 0 is for ever.
    pub duration_secs: i64,
    /// What is added to each period.
    pub grace_secs: i64,
    /// What an extension costs.
    pub price_extension: i64,
    /// Bandwidth of a period; 0 is without limit.
    pub bandwidth_initial: i64,
    /// Bandwidth that is left.
    pub bandwidth_remaining: i64,
    /// Whether it was switched off for good.
    pub is_killed: bool,
    /// When its host was told of it.
    pub shown_at: Option<String>,
    /// Since when its host is to activate it.
    pub pending_since: Option<String>,
    /// When it first worked.
    pub activated_at: Option<String>,
    /// Since when its host is to take it down.
    pub suspending_since: Option<String>,
    /// Since when it is suspended.
    pub suspended_at: Option<String>,
    /// When it was deleted.
    pub deleted_at: Option<String>,
    /// When it was ordered.
    pub created_at: String,
    /// When it last changed.
    pub modified_at: String,
}

impl From<&ProductView> for AdminProduct {
    fn from(view: &ProductView) -> Self {
        let ProductView { product, host } = view;
        let (target, alias, public_key) = match &product.subject {
            Subject::Target(target) => (Some(target.clone()), None, None),
            Subject::Alias { alias, public_key } => (None, Some(alias.clone()), Some(public_key.clone())),
        };
        Self {
            id: product.id.to_string(),
            kind: product.kind().name().to_owned(),
            status: product.status.letter().to_owned(),
            host_id: product.host_id.to_string(),
            host_name: host.name.clone(),
            host_ip: host.ip.clone(),
            port: product.port,
            is_placed: product.placed,
            target,
            alias,
            public_key,
            comment: product.comment.clone(),
            suspend_after: date(product.suspend_after),
            duration_secs: product.terms.duration_secs,
            grace_secs: product.terms.grace_secs,
            price_extension: msat(product.terms.price_extension),
            bandwidth_initial: product.terms.bandwidth_initial,
            bandwidth_remaining: product.bandwidth_remaining,
            is_killed: product.is_killed,
            shown_at: date(product.shown_at),
            pending_since: date(product.pending_since),
            activated_at: date(product.activated_at),
            suspending_since: date(product.suspending_since),
            suspended_at: date(product.suspended_at),
            deleted_at: date(product.deleted_at),
            created_at: product.created_at.to_wire(),
            modified_at: product.modified_at.to_wire(),
        }
    }
}

/// A product with its orders and its history.
#[derive(Debug, Serialize, Object)]
pub struct AdminProductDetail {
    /// The product.
    pub product: AdminProduct,
    /// Its orders, newest first.
    pub orders: Vec<AdminOrder>,
    /// What happened to it, oldest first.
    pub history: Vec<AdminChange>,
}

/// What became of a product.
#[derive(Debug, Serialize, Object)]
pub struct AdminProductState {
    /// Its id.
    pub id: String,
    /// Its state now.
    pub status: String,
    /// Its port.
    pub port: Option<u16>,
    /// When it ends.
    pub suspend_after: Option<String>,
}

impl From<Product> for AdminProductState {
    fn from(product: Product) -> Self {
        Self {
            id: product.id.to_string(),
            status: product.status.letter().to_owned(),
            port: product.port,
            suspend_after: date(product.suspend_after),
        }
    }
}

/// Time for nothing.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct AdminGift {
    /// So many seconds; without it a whole period of what was agreed.
    pub secs: Option<i64>,
    /// Why, for the change log.
    pub reason: Option<String>,
}

/// The end of a product for abuse.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct AdminKill {
    /// Why, for the change log and the deny list.
    pub reason: Option<String>,
    /// Whether its target goes on the deny list as well; only administrators may.
    pub deny_target: Option<bool>,
}

/// Another port.
#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub struct AdminMove {
    /// Which; without it any free one of its host.
    pub port: Option<u16>,
    /// Why, for the change log.
    pub reason: Option<String>,
}
