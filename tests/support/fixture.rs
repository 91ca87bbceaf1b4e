//! The hosts of the recorded contract.

use std::collections::BTreeMap;

use ip2tor_shop::domain::host::{Host, PortKind};
use ip2tor_shop::domain::id::{HostId, OperatorId, Random, SystemRandom};
use ip2tor_shop::domain::money::Msat;
use ip2tor_shop::services::hosts::manage::hash_token;
use serde_json::Value;

use super::START;
use super::seed::{Seed, Span};

/// Adds every host of the fixture to a seed; returns their ids and tokens by name.
pub fn with_hosts(mut seed: Seed) -> (Seed, BTreeMap<String, (HostId, String)>) {
    let fixture: Value = serde_json::from_str(include_str!("../fixtures/fixture.json")).expect("the fixture is JSON");
    let mut added = BTreeMap::new();
    for (number, described) in fixture["hosts"].as_array().expect("hosts").iter().enumerate() {
        let (host, token) = (host(described), format!("{number:040x}"));
        added.insert(host.name.clone(), (host.id, token.clone()));
        seed = seed.host(host, hash_token(&token), &spans(described));
    }
    (seed, added)
}

fn host(described: &Value) -> Host {
    let text = |key: &str| described[key].as_str().expect(key).to_owned();
    let truth = |key: &str| described[key].as_bool().expect(key);
    let number = |key: &str| described[key].as_i64().expect(key);
    let price = |key: &str| Msat(described[key].as_u64().expect(key));
    Host {
        ip: text("ip"),
        name: text("name"),
        description: Some(text("description")),
        is_enabled: truth("is_enabled"),
        is_test_host: truth("is_test_host"),
        is_testnet: truth("is_testnet"),
        offers_tor_bridges: truth("offers_tor_bridges"),
        tor_bridge_duration: number("tor_bridge_duration"),
        tor_bridge_price_initial: price("tor_bridge_price_initial"),
        tor_bridge_price_extension: price("tor_bridge_price_extension"),
        offers_nostr_aliases: truth("offers_nostr_aliases"),
        nostr_alias_port: u16::try_from(number("nostr_alias_port")).expect("a port"),
        nostr_alias_duration: number("nostr_alias_duration"),
        nostr_alias_price_initial: price("nostr_alias_price_initial"),
        nostr_alias_price_extension: price("nostr_alias_price_extension"),
        offers_rssh_tunnels: truth("offers_rssh_tunnels"),
        rssh_tunnel_price: price("rssh_tunnel_price"),
        terms_of_service: text("terms_of_service"),
        terms_of_service_url: text("terms_of_service_url"),
        bridge_bandwidth_initial: number("bridge_bandwidth_initial"),
        ..Host::new(HostId(SystemRandom.uuid()), OperatorId(2), START)
    }
}

fn spans(described: &Value) -> Vec<Span> {
    let port = |range: &Value, key: &str| u16::try_from(range[key].as_u64().expect(key)).expect("a port");
    let kind = |range: &Value| PortKind::parse(range["type"].as_str().expect("type")).expect("a known type");
    let span = |range: &Value| (kind(range), port(range, "start"), port(range, "end"));
    described["port_ranges"].as_array().expect("port_ranges").iter().map(span).collect()
}
