//! What a host may be: how an operator changes one, what is refused, and what buyers' software would
//! silently skip.

use super::host::{Host, PortKind, PortRange};
use super::money::Msat;
use super::texts::{Message, Reason};
use super::{address, text};

/// Messages by field, as clients of the API know them.
pub type FieldErrors = Vec<(&'static str, Vec<Message>)>;

/// The longest name; RaspiBlitz cuts there.
pub const MAX_NAME: usize = 20;
/// The longest description, and check-in message.
pub const MAX_DESCRIPTION: usize = 140;
/// The longest terms of service, and their address.
const MAX_TERMS: usize = 10_000;
const MAX_URL: usize = 250;
/// Ten years: what is longer is a slip of the pen; "for ever" is 0.
const MAX_DURATION_SECS: i64 = 10 * 366 * 86_400;
/// A year of days, in one invoice.
const MAX_PERIODS: i64 = 366;
/// One bitcoin: what costs more is a slip of the pen.
const MAX_PRICE: Msat = Msat(100_000_000_000);
/// RaspiBlitz drops a host that is cheaper, shorter or has a shorter name.
const RASPIBLITZ_PRICE: Msat = Msat(1000);
const RASPIBLITZ_DURATION_SECS: i64 = 3600;
const RASPIBLITZ_NAME: usize = 3;

/// How a value is written in the log of changes.
trait Logged {
    fn logged(&self) -> String;
}

macro_rules! logged {
    ($format:literal: $($type:ty),*) => {$(
        impl Logged for $type {
            fn logged(&self) -> String {
                format!($format, self)
            }
        }
    )*};
}

// Texts stand in quotes, so that one sees where they end.
logged!("{:?}": String, Option<String>, bool, i64, u16);
logged!("{}": Msat);

macro_rules! changes {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $default:expr, $value:literal $(, alias = $alias:literal)?;)*) => {
        /// New values for the fields that are to change. Units as in [`Host`].
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each field is the one of the same name in `Host`")]
        pub struct HostChange {
            pub ip: Option<String>,
            pub name: Option<String>,
            pub description: Option<String>,
            $(pub $field: Option<$type>,)*
        }

        impl HostChange {
            /// Writes the settings that have a new value.
            fn set(self, host: &mut Host) {
                $(if let Some(value) = self.$field { host.$field = value; })*
            }
        }

        /// The fields in which two versions of a host differ.
        fn changes(before: &Host, after: &Host) -> Vec<String> {
            let fields = [
                ("ip", before.ip.logged(), after.ip.logged()),
                ("name", before.name.logged(), after.name.logged()),
                ("description", before.description.logged(), after.description.logged()),
                $((stringify!($field), before.$field.logged(), after.$field.logged()),)*
            ];
            let changed = fields.into_iter().filter(|(_, before, after)| before != after);
            changed.map(|(field, before, after)| format!("{field} {before}->{after}")).collect()
        }
    };
}

crate::host_settings!(changes);

impl HostChange {
    /// Writes the new values into `host` and returns what changed, as `field old->new`.
    pub fn apply(mut self, host: &mut Host) -> Vec<String> {
        let before = host.clone();
        if let Some(text) = self.description.take() {
            host.description = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        }
        if let Some(ip) = self.ip.take() {
            // One spelling for each address, so that two hosts on it are seen to share it.
            host.ip = address::ip(&ip).map_or(ip, |address| address.to_canonical().to_string());
        }
        if let Some(name) = self.name.take() {
            host.name = name;
        }
        self.set(host);
        changes(&before, host)
    }
}

/// The messages about a host's name; none when it is fine.
pub fn name_errors(name: &str) -> Vec<Message> {
    let mut errors = Vec::new();
    if name.trim().is_empty() {
        errors.push(Message::Blank);
    }
    if name.chars().count() > MAX_NAME {
        errors.push(Message::TooLong { max: MAX_NAME });
    }
    errors.extend(name_refusals(name));
    errors
}

/// Why a text can't be the name of a host, apart from its length: one rule for the operators' commands and the API.
pub fn name_refusals(name: &str) -> impl Iterator<Item = Message> {
    let is_reserved = matches!(name.to_ascii_lowercase().as_str(), "www" | "shop");
    let rules = [
        (name.contains('_'), Message::NoUnderscores),
        (is_reserved, Message::NameReserved),
        (!text::is_plain_name(name), Message::NotPlain),
    ];
    rules.into_iter().filter(|(is_broken, _)| *is_broken).map(|(_, message)| message)
}

/// Everything that is wrong with a host, by field; empty when it may be stored.
pub fn errors(host: &Host) -> FieldErrors {
    let mut errors = FieldErrors::new();
    let mut check = |field, messages: Vec<Message>| {
        if !messages.is_empty() {
            errors.push((field, messages));
        }
    };
    check("ip", ip_errors(&host.ip));
    check("name", name_errors(&host.name));
    let description = host.description.as_deref().unwrap_or_default();
    check("description", text_errors(description, MAX_DESCRIPTION, text::is_plain_text));
    check("terms_of_service", text_errors(&host.terms_of_service, MAX_TERMS, text::is_plain_lines));
    let mut url = text_errors(&host.terms_of_service_url, MAX_URL, text::is_plain_name);
    if !host.terms_of_service_url.is_empty() && !is_web_address(&host.terms_of_service_url) {
        url.push(Reason::NoUrl.into());
    }
    check("terms_of_service_url", url);
    check("tor_bridge_duration", outside(host.tor_bridge_duration, 0, MAX_DURATION_SECS));
    check("nostr_alias_duration", outside(host.nostr_alias_duration, 0, MAX_DURATION_SECS));
    let (bridges, aliases) = (host.offers_tor_bridges, host.offers_nostr_aliases);
    check("tor_bridge_price_initial", no_price(host.tor_bridge_price_initial, bridges));
    check("tor_bridge_price_extension", no_price(host.tor_bridge_price_extension, bridges));
    check("nostr_alias_price_initial", no_price(host.nostr_alias_price_initial, aliases));
    check("nostr_alias_price_extension", no_price(host.nostr_alias_price_extension, aliases));
    check("rssh_tunnel_price", no_price(host.rssh_tunnel_price, false));
    check("nostr_alias_port", outside(i64::from(host.nostr_alias_port), 1, 65_535));
    check("bridge_bandwidth_initial", outside(host.bridge_bandwidth_initial, 0, i64::MAX));
    check("grace_secs", outside(host.grace_secs, 600, 30 * 86_400));
    check("hold_limit_secs", outside(host.hold_limit_secs, 60, 3600));
    check("late_secs", outside(host.late_secs, 60, 30 * 86_400));
    check("max_periods", outside(i64::from(host.max_periods), 1, MAX_PERIODS));
    check("abuse_contact", text_errors(&host.abuse_contact, MAX_URL, text::is_plain_text));
    errors
}

/// What can be stored but keeps buyers away, in words for the operator.
pub fn warnings(host: &Host, ranges: &[PortRange]) -> Vec<String> {
    let mut list = Vec::new();
    if host.name.chars().count() < RASPIBLITZ_NAME {
        list.push(format!("RaspiBlitz does not show hosts with a name shorter than {RASPIBLITZ_NAME} characters."));
    }
    if host.offers_tor_bridges {
        if host.tor_bridge_price_initial < RASPIBLITZ_PRICE || host.tor_bridge_price_extension < RASPIBLITZ_PRICE {
            list.push(format!("RaspiBlitz does not show hosts that are cheaper than {RASPIBLITZ_PRICE}."));
        }
        if (1..RASPIBLITZ_DURATION_SECS).contains(&host.tor_bridge_duration) {
            list.push(format!(
                "RaspiBlitz does not show hosts that sell for less than {RASPIBLITZ_DURATION_SECS} seconds."
            ));
        }
        if !ranges.iter().any(|range| range.kind == PortKind::TorBridge) {
            list.push("It offers Tor bridges but has no ports for them (--port-range FIRST-LAST).".to_owned());
        }
    }
    if host.is_draining {
        list.push("It is drained: it takes no new orders.".to_owned());
    }
    if host.offers_rssh_tunnels {
        list.push("Reverse SSH tunnels are stored but not sold by this shop.".to_owned());
    }
    if host.ip.parse().is_ok_and(is_private) {
        list.push(format!("{} is no public address: buyers elsewhere can't reach it.", host.ip));
    }
    list
}

fn ip_errors(ip: &str) -> Vec<Message> {
    match ip.parse().map(address::is_of_one_machine) {
        Ok(true) => Vec::new(),
        Ok(false) => vec![Reason::NobodysAddress.into()],
        Err(_) => vec![Message::EnterAddress],
    }
}

/// What is wrong with a text that buyers get to see.
fn text_errors(text: &str, limit: usize, is_plain: fn(&str) -> bool) -> Vec<Message> {
    let mut errors = Vec::new();
    if text.chars().count() > limit {
        errors.push(Message::TooLong { max: limit });
    }
    if !is_plain(text) {
        errors.push(Message::NotPlain);
    }
    errors
}

fn outside(value: i64, least: i64, most: i64) -> Vec<Message> {
    if value < least {
        vec![Message::AtLeast { min: least }]
    } else if value > most {
        vec![Message::AtMost { max: most }]
    } else {
        Vec::new()
    }
}

/// What is wrong with a price. To a node an invoice over nothing is one that any amount pays.
fn no_price(price: Msat, is_offered: bool) -> Vec<Message> {
    if is_offered && price == Msat(0) {
        return vec![Reason::NoPrice.into()];
    }
    if price <= MAX_PRICE { Vec::new() } else { vec![Reason::PriceTooHigh { most: MAX_PRICE }.into()] }
}

fn is_web_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && !text.contains(|character: char| character.is_whitespace() || character.is_control())
}

fn is_private(address: std::net::IpAddr) -> bool {
    match address {
        std::net::IpAddr::V4(address) => {
            // 100.64.0.0/10 is the inside of a provider's network.
            let is_shared = address.octets()[0] == 100 && address.octets()[1] & 0b1100_0000 == 64;
            address.is_private() || address.is_loopback() || address.is_link_local() || is_shared
        }
        std::net::IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}
