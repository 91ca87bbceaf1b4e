//! The flags that set a host's fields: the names of the API with dashes.

use clap::Args;

use crate::domain::host::PortKind;
use crate::domain::host_rules::HostChange;
use crate::domain::money::Msat;
use crate::services::hosts::manage::Span;

/// A flag for every field; only what is given changes.
#[derive(Args)]
pub struct HostFields {
    /// Its public IP address
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<String>,
    /// Its name: at most 20 characters, no underscores
    #[arg(long)]
    name: Option<String>,
    /// What buyers read about it: at most 140 characters, empty for nothing
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Ports for Tor bridges, as in 20000-20099; may be repeated
    #[arg(long, value_name = "FIRST-LAST", value_parser = span)]
    port_range: Vec<(u16, u16)>,
    /// Ports for reverse SSH tunnels; may be repeated
    #[arg(long, value_name = "FIRST-LAST", value_parser = span)]
    tunnel_port_range: Vec<(u16, u16)>,
    /// Whether it sells [default for a new host: true]
    #[arg(long, value_name = "BOOL")]
    is_enabled: Option<bool>,
    /// Whether it is for trying out: its products can't be extended
    #[arg(long, value_name = "BOOL")]
    is_test_host: Option<bool>,
    /// Whether it is paid for on a test network
    #[arg(long, value_name = "BOOL")]
    is_testnet: Option<bool>,
    /// Whether it sells Tor bridges
    #[arg(long, value_name = "BOOL")]
    offers_tor_bridges: Option<bool>,
    /// Seconds that a bridge is sold for; 0 is for ever
    #[arg(long, value_name = "SECONDS")]
    tor_bridge_duration: Option<i64>,
    /// The price of a new bridge
    #[arg(long, value_name = "MSAT")]
    tor_bridge_price_initial: Option<u64>,
    /// The price of an extension
    #[arg(long, value_name = "MSAT")]
    tor_bridge_price_extension: Option<u64>,
    /// Whether it sells Nostr aliases
    #[arg(long, value_name = "BOOL")]
    offers_nostr_aliases: Option<bool>,
    /// The port that serves aliases
    #[arg(long, value_name = "PORT")]
    nostr_alias_port: Option<u16>,
    /// Seconds that an alias is sold for; 0 is for ever
    #[arg(long, value_name = "SECONDS")]
    nostr_alias_duration: Option<i64>,
    /// The price of a new alias
    #[arg(long, value_name = "MSAT")]
    nostr_alias_price_initial: Option<u64>,
    /// The price of an extension
    #[arg(long, value_name = "MSAT")]
    nostr_alias_price_extension: Option<u64>,
    /// Whether it would sell reverse SSH tunnels (stored, not sold by this shop)
    #[arg(long, value_name = "BOOL")]
    offers_rssh_tunnels: Option<bool>,
    /// The price of a tunnel
    #[arg(long, value_name = "MSAT")]
    rssh_tunnel_price: Option<u64>,
    /// Terms of service as text; may be empty
    #[arg(long, value_name = "TEXT")]
    terms_of_service: Option<String>,
    /// Where the terms are; may be empty
    #[arg(long, value_name = "URL")]
    terms_of_service_url: Option<String>,
    /// Bytes that a new bridge, and each extension, comes with; 0 is without limit
    #[arg(long, value_name = "BYTES")]
    bridge_bandwidth_initial: Option<i64>,
    /// Seconds added to each paid period, at least 600
    #[arg(long, value_name = "SECONDS")]
    grace_secs: Option<i64>,
    /// Seconds that a payment is held until the host has activated, at least 60
    #[arg(long, value_name = "SECONDS")]
    hold_limit_secs: Option<i64>,
    /// Whether buyers pay only when the host has delivered, where the node can do that
    #[arg(long, value_name = "BOOL")]
    use_holds: Option<bool>,
    /// Seconds after a payment for which buyers' software waits: what is delivered later is told, at least 60
    #[arg(long, alias = "late", value_name = "SECONDS")]
    late_secs: Option<i64>,
    /// The name of the operator that it belongs to
    #[arg(long, value_name = "NAME")]
    pub owner: Option<String>,
}

impl HostFields {
    /// The port ranges that were given.
    pub fn spans(&self) -> Vec<Span> {
        let of = |kind: PortKind, spans: &[(u16, u16)]| -> Vec<Span> {
            spans.iter().map(|&(first, last)| (kind, first, last)).collect()
        };
        let tunnels = of(PortKind::RsshTunnel, &self.tunnel_port_range);
        of(PortKind::TorBridge, &self.port_range).into_iter().chain(tunnels).collect()
    }

    /// The other fields that were given.
    pub fn change(self) -> HostChange {
        HostChange {
            ip: self.ip,
            name: self.name,
            description: self.description,
            is_enabled: self.is_enabled,
            is_test_host: self.is_test_host,
            is_testnet: self.is_testnet,
            offers_tor_bridges: self.offers_tor_bridges,
            tor_bridge_duration: self.tor_bridge_duration,
            tor_bridge_price_initial: self.tor_bridge_price_initial.map(Msat),
            tor_bridge_price_extension: self.tor_bridge_price_extension.map(Msat),
            offers_nostr_aliases: self.offers_nostr_aliases,
            nostr_alias_port: self.nostr_alias_port,
            nostr_alias_duration: self.nostr_alias_duration,
            nostr_alias_price_initial: self.nostr_alias_price_initial.map(Msat),
            nostr_alias_price_extension: self.nostr_alias_price_extension.map(Msat),
            offers_rssh_tunnels: self.offers_rssh_tunnels,
            rssh_tunnel_price: self.rssh_tunnel_price.map(Msat),
            terms_of_service: self.terms_of_service,
            terms_of_service_url: self.terms_of_service_url,
            bridge_bandwidth_initial: self.bridge_bandwidth_initial,
            grace_secs: self.grace_secs,
            hold_limit_secs: self.hold_limit_secs,
            use_holds: self.use_holds,
            late_secs: self.late_secs,
        }
    }
}

/// `FIRST-LAST`, or a single port.
fn span(text: &str) -> Result<(u16, u16), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let port = |part: &str| part.trim().parse::<u16>().ok().filter(|&port| port > 0);
    match (port(first), port(last)) {
        (Some(first), Some(last)) if first <= last => Ok((first, last)),
        _ => Err("ports are written FIRST-LAST, from 1 to 65535".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_two_ports_in_order_or_one() {
        assert_eq!(span("20000-20099"), Ok((20_000, 20_099)));
        assert_eq!(span("80"), Ok((80, 80)));
        for text in ["", "0-5", "5-4", "1-70000", "a-b", "1-2-3"] {
            assert!(span(text).is_err(), "{text}");
        }
    }
}
