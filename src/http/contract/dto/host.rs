//! Hosts: as buyers see them, and as hosts see themselves.

use poem_openapi::Object;
use serde::Serialize;

use super::{Nullable, date, msat};
use crate::domain::host::Host;
use crate::domain::time::Timestamp;
use crate::http::contract::call::RequestContext;
use crate::services::hosts::catalog::{PublicHost, Site};

/// A host as buyers see it. Prices in msat, durations in seconds (0: without end).
#[derive(Debug, Serialize, Object)]
pub struct PublicHostView {
    /// Its id.
    pub id: String,
    /// The domain of the shop.
    pub site: String,
    /// When it was added.
    pub created_at: String,
    /// When it last changed; a check-in counts.
    pub modified_at: String,
    /// Its public IP address.
    pub ip: String,
    /// Always true here.
    pub is_enabled: bool,
    /// Always true here.
    pub is_alive: bool,
    /// For trying out: what is bought here can't be extended.
    pub is_test_host: bool,
    /// Its name, at most 20 characters.
    pub name: String,
    /// What it says of itself.
    pub description: Nullable<String>,
    /// Whether it is paid for on a test network.
    pub is_testnet: bool,
    /// Whether it sells Tor bridges.
    pub offers_tor_bridges: bool,
    /// How long a bridge is sold for.
    pub tor_bridge_duration: i64,
    /// The price of a new bridge.
    pub tor_bridge_price_initial: i64,
    /// The price of one more period.
    pub tor_bridge_price_extension: i64,
    /// Whether it sells Nostr aliases.
    pub offers_nostr_aliases: bool,
    /// The port that serves aliases.
    pub nostr_alias_port: u16,
    /// How long an alias is sold for.
    pub nostr_alias_duration: i64,
    /// The price of a new alias.
    pub nostr_alias_price_initial: i64,
    /// The price of one more period.
    pub nostr_alias_price_extension: i64,
    /// Whether it sells reverse SSH tunnels.
    pub offers_rssh_tunnels: bool,
    /// The price of a tunnel.
    pub rssh_tunnel_price: i64,
    /// Terms of service; may be empty.
    pub terms_of_service: String,
    /// Where the terms are; may be empty.
    pub terms_of_service_url: String,
    /// The last check-in.
    pub ci_date: Nullable<String>,
    /// What it said.
    pub ci_message: Nullable<String>,
    /// 0 hello, 1 goodbye, 2 farewell.
    pub ci_status: u8,
    /// The number of its operator.
    pub owner: i64,
    /// Whether a bridge could be ordered now.
    pub are_there_tor_bridge_ports_available: bool,
    /// Whether it has ports for tunnels.
    pub are_there_rssh_tunnels_ports_available: bool,
}

impl PublicHostView {
    /// A host of the catalog.
    pub fn new(public: &PublicHost, site: &Site, now: Timestamp) -> Self {
        let host = &public.host;
        Self {
            id: host.id.to_string(),
            site: site.domain.clone(),
            created_at: host.created_at.to_wire(),
            modified_at: host.modified_at.to_wire(),
            ip: host.ip.clone(),
            is_enabled: host.is_enabled,
            is_alive: host.is_alive(now),
            is_test_host: host.is_test_host,
            name: host.name.clone(),
            description: Nullable(host.description.clone()),
            is_testnet: host.is_testnet,
            offers_tor_bridges: host.offers_tor_bridges,
            tor_bridge_duration: host.tor_bridge_duration,
            tor_bridge_price_initial: msat(host.tor_bridge_price_initial),
            tor_bridge_price_extension: msat(host.tor_bridge_price_extension),
            offers_nostr_aliases: host.offers_nostr_aliases,
            nostr_alias_port: host.nostr_alias_port,
            nostr_alias_duration: host.nostr_alias_duration,
            nostr_alias_price_initial: msat(host.nostr_alias_price_initial),
            nostr_alias_price_extension: msat(host.nostr_alias_price_extension),
            offers_rssh_tunnels: host.offers_rssh_tunnels,
            rssh_tunnel_price: msat(host.rssh_tunnel_price),
            terms_of_service: host.terms_of_service.clone(),
            terms_of_service_url: host.terms_of_service_url.clone(),
            ci_date: Nullable(date(host.ci_date)),
            ci_message: Nullable(host.ci_message.clone()),
            ci_status: host.ci_status,
            owner: host.owner_id.0,
            are_there_tor_bridge_ports_available: public.free_bridge_ports > 0,
            are_there_rssh_tunnels_ports_available: public.has_tunnel_ports,
        }
    }
}

/// The shop as a web site.
#[derive(Debug, Clone, Serialize, Object)]
pub struct SiteView {
    /// Its domain.
    pub domain: String,
    /// Its name.
    pub name: String,
}

/// A host as it sees itself, and as it stands inside its products.
#[derive(Debug, Serialize, Object)]
pub struct HostView {
    /// Its URL.
    pub url: String,
    /// Its public IP address.
    pub ip: String,
    /// Its name.
    pub name: String,
    /// The shop.
    pub site: SiteView,
    /// Whether it is paid for on a test network.
    pub is_testnet: bool,
    /// The last check-in.
    pub ci_date: Nullable<String>,
    /// 0 hello, 1 goodbye, 2 farewell.
    pub ci_status: u8,
    /// What it said.
    pub ci_message: Nullable<String>,
    /// Bytes that a new bridge (and each extension) comes with; 0 is without limit.
    pub bridge_bandwidth_initial: i64,
}

impl HostView {
    /// A host, with URLs for the caller.
    pub fn new(call: &RequestContext, host: &Host, site: &Site) -> Self {
        Self {
            url: call.url(format_args!("hosts/{}/", host.id)),
            ip: host.ip.clone(),
            name: host.name.clone(),
            site: SiteView { domain: site.domain.clone(), name: site.name.clone() },
            is_testnet: host.is_testnet,
            ci_date: Nullable(date(host.ci_date)),
            ci_status: host.ci_status,
            ci_message: Nullable(host.ci_message.clone()),
            bridge_bandwidth_initial: host.bridge_bandwidth_initial,
        }
    }
}

/// What a check-in answers.
#[derive(Debug, Serialize, Object)]
pub struct CheckInView {
    /// Always `ok`.
    pub check_in: String,
    /// The time of the check-in.
    pub date: String,
    /// What was recorded: 0 hello, 1 goodbye, 2 farewell.
    pub status: u8,
    /// What was recorded.
    pub message: String,
}

/// A Lightning node as buyers see it.
#[derive(Debug, Serialize, Object)]
pub struct NodeView {
    /// Its URL.
    pub url: String,
    /// Whether it is used.
    pub is_enabled: bool,
    /// Whether it answered when it was last asked.
    pub is_alive: bool,
    /// Its public key, once known.
    pub identity_pubkey: Nullable<String>,
}
