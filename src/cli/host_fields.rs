//! The flags that set a host's fields: the names of the API with dashes.

use clap::Args;
use serde_json::{Map, Value, json};

use crate::domain::host::{Host, PortKind};
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
    #[command(flatten)]
    settings: HostSettings,
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
        let Self { ip, name, description, settings, .. } = self;
        HostChange { ip, name, description, ..settings.change() }
    }
}

macro_rules! flags {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $default:expr, $value:literal $(, alias = $alias:literal)?;)*) => {
        /// A flag for each of the host's settings.
        #[derive(Args)]
        struct HostSettings {
            $($(#[$doc])* #[arg(long, value_name = $value $(, alias = $alias)?)] $field: Option<$type>,)*
        }

        impl HostSettings {
            fn change(self) -> HostChange {
                HostChange { $($field: self.$field,)* ..HostChange::default() }
            }
        }

        /// The host's settings as JSON, by the names of the API.
        pub fn settings_document(host: &Host) -> Map<String, Value> {
            [$((stringify!($field).to_owned(), host.$field.document()),)*].into_iter().collect()
        }
    };
}

crate::domain::host_settings!(flags);

/// A setting as JSON.
trait Documented {
    fn document(&self) -> Value;
}

macro_rules! documented {
    ($($type:ty),*) => {$(
        impl Documented for $type {
            fn document(&self) -> Value {
                json!(self)
            }
        }
    )*};
}

documented!(String, bool, i64, u16);

impl Documented for Msat {
    fn document(&self) -> Value {
        json!(self.0)
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
