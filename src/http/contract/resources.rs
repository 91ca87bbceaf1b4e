//! Every resource of the API: its path, who may use it, and what OPTIONS says of it. Methods are
//! not listed here: they are those that have an operation.

use serde_json::Value;

use super::call::RequestContext;
use super::fields;
use super::negotiate::Renders;
use crate::domain::id::{HostId, ProductId};
use crate::domain::product::ProductKind;
use crate::services::{hosts, products};

/// Who may use a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Anybody,
    /// Hosts and operators; what they see depends on who they are.
    Known,
    /// Operators only.
    Staff,
}

/// What OPTIONS shows as the fields that can be written.
#[derive(Clone, Copy)]
pub enum Writable {
    /// Nothing.
    Nothing,
    /// Fields of a POST.
    Post(fn() -> Value),
    /// Fields of a PUT, for objects that the caller can see.
    Put(fn() -> Value, fn(&RequestContext) -> bool),
}

/// A resource.
pub struct Resource {
    /// Its path after `/api/v1`, without the slash at the end; `:id` stands for an id.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// What it is answered as.
    pub renders: Renders,
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Its writable fields.
    pub writable: Writable,
    /// Whether every request for it changes something, GET included.
    pub is_change: bool,
}

const fn public(path: &'static str, name: &'static str, about: &'static str) -> Resource {
    let (access, writable) = (Access::Anybody, Writable::Nothing);
    Resource { path, access, renders: Renders::Json, name, about, writable, is_change: false }
}

const fn private(path: &'static str, name: &'static str, about: &'static str, writable: Writable) -> Resource {
    Resource { path, access: Access::Known, renders: Renders::Json, name, about, writable, is_change: false }
}

fn host_is_visible(call: &RequestContext) -> bool {
    let host = call.id(HostId::parse);
    matches!((call.caller(), host), (Ok(caller), Ok(host)) if hosts::catalog::get(call.shop(), caller, host).is_ok())
}

fn product_is_visible(call: &RequestContext, kind: ProductKind) -> bool {
    let product = call.id(ProductId::parse);
    matches!((call.caller(), product), (Ok(caller), Ok(product)) if products::view::get(call.shop(), caller, product, kind).is_ok())
}

fn bridge_is_visible(call: &RequestContext) -> bool {
    product_is_visible(call, ProductKind::TorBridge)
}

fn alias_is_visible(call: &RequestContext) -> bool {
    product_is_visible(call, ProductKind::NostrAlias)
}

const EXTEND: &str = "Orders one more period. Anybody may do that for any product.";

/// All resources. Fixed segments stand before `:id`, so that they win.
pub const RESOURCES: [Resource; 22] = [
    Resource { access: Access::Staff, ..public("", "Api Root", "The way into the API, for operators.") },
    public("/public/hosts", "Public Host List", "Hosts that can be ordered from."),
    public("/public/hosts/:id", "Public Host Instance", "A host that can be ordered from."),
    Resource {
        writable: Writable::Post(fields::order_fields),
        ..public("/public/order", "Public Order List", "Takes orders.")
    },
    public("/public/pos/:id", "Public Purchase Order Instance", "A purchase order."),
    public("/public/po_items/:id", "Public Purchase Order Item Instance", "The item of a purchase order."),
    public("/public/invoices/:id", "Public Invoice Instance", "A Lightning invoice."),
    public("/public/po_invoices/:id", "Public Purchase Order Invoice Instance", "The invoice of a purchase order."),
    public("/public/tor_bridges/:id", "Public Tor Bridge Instance", "A Tor bridge."),
    Resource {
        writable: Writable::Post(fields::public_bridge_fields),
        ..public("/public/tor_bridges/:id/extend", "Extend", EXTEND)
    },
    public("/public/nostr_aliases/:id", "Public Nostr Alias Instance", "A Nostr alias."),
    Resource {
        writable: Writable::Post(fields::public_alias_fields),
        ..public("/public/nostr_aliases/:id/extend", "Extend", EXTEND)
    },
    public("/public/lnnodes/lndgrpc/:id", "Public Lnd Grpc Node Instance", "A Lightning node of an operator."),
    private("/tor_bridges", "Tor Bridge List", "The caller's Tor bridges.", Writable::Post(fields::bridge_fields)),
    Resource {
        renders: Renders::Text,
        ..private(
            "/tor_bridges/get_telegraf_config",
            "Get telegraf config",
            "Monitoring configuration of the caller's Tor bridges.",
            Writable::Nothing,
        )
    },
    private(
        "/tor_bridges/:id",
        "Tor Bridge Instance",
        "A Tor bridge.",
        Writable::Put(fields::bridge_fields, bridge_is_visible),
    ),
    private("/tor_bridges/:id/consume_bandwidth", "Consume bandwidth", "Subtracts used bandwidth.", Writable::Nothing),
    private("/nostr_aliases", "Nostr Alias List", "The caller's Nostr aliases.", Writable::Post(fields::alias_fields)),
    private(
        "/nostr_aliases/:id",
        "Nostr Alias Instance",
        "A Nostr alias.",
        Writable::Put(fields::alias_fields, alias_is_visible),
    ),
    private("/hosts", "Host List", "The caller's hosts.", Writable::Post(fields::host_fields)),
    private("/hosts/:id", "Host Instance", "A host.", Writable::Put(fields::host_fields, host_is_visible)),
    Resource {
        is_change: true,
        ..private(
            "/hosts/:id/check_in",
            "Check in",
            "A host says that it is there.",
            Writable::Post(fields::check_in_fields),
        )
    },
];
