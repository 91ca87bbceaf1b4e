//! Tor bridges and Nostr aliases: as their host sees them, and as anybody who knows their id.

use poem_openapi::{Object, Union};
use serde::Serialize;

use super::host::HostView;
use super::{Nullable, date, end};
use crate::domain::host::Host;
use crate::domain::product::{Product, ProductKind, Subject};
use crate::http::contract::call::RequestContext;
use crate::services::hosts::catalog::Site;

/// A Tor bridge as its host sees it.
#[derive(Debug, Serialize, Object)]
pub struct TorBridgeView {
    /// Its URL.
    pub url: String,
    /// Its id.
    pub id: String,
    /// The buyer's note.
    pub comment: Nullable<String>,
    /// I initial, P to be activated, A active, S to be suspended, H suspended, Z archived, D to be
    /// deleted, F failed.
    pub status: String,
    /// Its host.
    pub host: HostView,
    /// The public port.
    pub port: Nullable<u16>,
    /// The onion address and port behind it.
    pub target: String,
    /// When it is suspended; `9999-12-31T23:59:59Z` is never.
    pub suspend_after: String,
    /// Bytes left.
    pub bandwidth_remaining: i64,
    /// When the host last counted.
    pub bandwidth_last_checked: Nullable<String>,
}

/// A Nostr alias as its host sees it.
#[derive(Debug, Serialize, Object)]
pub struct NostrAliasView {
    /// Its URL.
    pub url: String,
    /// Its id.
    pub id: String,
    /// The buyer's note.
    pub comment: Nullable<String>,
    /// As of a Tor bridge.
    pub status: String,
    /// Its host.
    pub host: HostView,
    /// The port that serves it.
    pub port: Nullable<u16>,
    /// The name.
    pub alias: String,
    /// The key that it stands for.
    pub public_key: String,
    /// When it is suspended; `9999-12-31T23:59:59Z` is never.
    pub suspend_after: String,
}

/// What was bought.
#[derive(Debug, Serialize, Union)]
#[serde(untagged)]
#[oai(one_of = true)]
pub enum ProductView {
    /// A Tor bridge.
    TorBridge(TorBridgeView),
    /// A Nostr alias.
    NostrAlias(NostrAliasView),
}

/// The path of a kind of product in the API.
pub const fn path_of(kind: ProductKind) -> &'static str {
    match kind {
        ProductKind::TorBridge => "tor_bridges",
        ProductKind::NostrAlias => "nostr_aliases",
    }
}

impl ProductView {
    /// A product with its host, with URLs for the caller.
    pub fn new(call: &RequestContext, product: &Product, host: &Host, site: &Site) -> Self {
        let url = call.url(format_args!("{}/{}/", path_of(product.kind()), product.id));
        let id = product.id.to_string();
        let comment = Nullable(product.comment.clone());
        let status = product.status.letter().to_owned();
        let host = HostView::new(call, host, site);
        let (port, suspend_after) = (Nullable(product.port), end(product.suspend_after));
        match &product.subject {
            Subject::Target(target) => Self::TorBridge(TorBridgeView {
                url,
                id,
                comment,
                status,
                host,
                port,
                target: target.clone(),
                suspend_after,
                bandwidth_remaining: product.bandwidth_remaining,
                bandwidth_last_checked: Nullable(date(product.bandwidth_checked_at)),
            }),
            Subject::Alias { alias, public_key } => Self::NostrAlias(NostrAliasView {
                url,
                id,
                comment,
                status,
                host,
                port,
                alias: alias.clone(),
                public_key: public_key.clone(),
                suspend_after,
            }),
        }
    }
}

/// A Tor bridge as anybody sees it who knows its id.
#[derive(Debug, Serialize, Object)]
pub struct PublicTorBridgeView {
    /// Its id.
    pub id: String,
    /// As in the private form.
    pub status: String,
    /// The id of its host.
    pub host_id: String,
    /// The public port; null once it was given back.
    pub port: Nullable<u16>,
    /// When it is suspended; `9999-12-31T23:59:59Z` is never.
    pub suspend_after: String,
    /// The buyer's note.
    pub comment: Nullable<String>,
    /// The onion address and port behind it.
    pub target: String,
}

/// A Nostr alias as anybody sees it who knows its id.
#[derive(Debug, Serialize, Object)]
pub struct PublicNostrAliasView {
    /// Its id.
    pub id: String,
    /// As of a Tor bridge.
    pub status: String,
    /// The id of its host.
    pub host_id: String,
    /// The port that serves it.
    pub port: Nullable<u16>,
    /// When it is suspended; `9999-12-31T23:59:59Z` is never.
    pub suspend_after: String,
    /// The buyer's note.
    pub comment: Nullable<String>,
    /// The name.
    pub alias: String,
    /// The key that it stands for.
    pub public_key: String,
}

/// A product as anybody sees it who knows its id.
#[derive(Debug, Serialize, Union)]
#[serde(untagged)]
#[oai(one_of = true)]
pub enum PublicProductView {
    /// A Tor bridge.
    TorBridge(PublicTorBridgeView),
    /// A Nostr alias.
    NostrAlias(PublicNostrAliasView),
}

impl From<&Product> for PublicProductView {
    fn from(product: &Product) -> Self {
        let id = product.id.to_string();
        let status = product.status.letter().to_owned();
        let host_id = product.host_id.to_string();
        let (port, suspend_after) = (Nullable(product.public_port()), end(product.suspend_after));
        let comment = Nullable(product.comment.clone());
        match &product.subject {
            Subject::Target(target) => {
                let target = target.clone();
                Self::TorBridge(PublicTorBridgeView { id, status, host_id, port, suspend_after, comment, target })
            }
            Subject::Alias { alias, public_key } => Self::NostrAlias(PublicNostrAliasView {
                id,
                status,
                host_id,
                port,
                suspend_after,
                comment,
                alias: alias.clone(),
                public_key: public_key.clone(),
            }),
        }
    }
}
