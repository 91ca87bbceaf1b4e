//! The defaults, and how a file is read over them. What use cases take has its default with them ([`Settings`]) and only
//! its bounds here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::problem::{Problem, Problems};
use super::reader::{Section, absolute, address};
use super::{
    Alerts, Branding, Config, Credit, Holds, Http, IpNetwork, Jobs, Lightning, Log, Onion, Orders, Probe, ProbePolicy,
    Rates, Refunds, Retention, log_level,
};
use crate::domain::fiat::Currency;
use crate::rates::{INTERVAL, Provider};
use crate::services::Settings;

impl Default for Config {
    fn default() -> Self {
        let rules = Settings::default();
        Self {
            file: None,
            data_dir: PathBuf::from("/var/lib/ip2tor-shop"),
            http: Http::default(),
            orders: Orders::default(),
            holds: Holds {
                max_open_per_node: rules.max_holds_per_node,
                max_unpaid_per_node: rules.max_unpaid_holds_per_node,
                cltv_blocks: rules.hold_cltv_blocks,
            },
            lightning: Lightning {
                allow_regtest: rules.allow_regtest,
                private_route_hints: rules.private_route_hints,
                limit_to_inbound: rules.limit_to_inbound,
            },
            jobs: Jobs::default(),
            retention: Retention {
                suspended_days: rules.suspended_days,
                unpaid_days: rules.unpaid_days,
                daily_backups: 7,
                weekly_backups: 4,
            },
            branding: Branding::default(),
            credit: Credit { outages: rules.credit_outages },
            refunds: Refunds {
                automatic_sat_per_day: u32::try_from(rules.refunds_per_day.0 / 1000).unwrap_or(u32::MAX),
            },
            probe: Probe::default(),
            rates: Rates::default(),
            alerts: Alerts::default(),
            log: Log { level: "info".to_owned() },
            onion: Onion::default(),
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 8000));
        Self {
            listen,
            admin_listen: Some(beside(listen)),
            trusted_proxies: vec![
                IpNetwork::single(IpAddr::V4(Ipv4Addr::LOCALHOST)),
                IpNetwork::single(IpAddr::V6(Ipv6Addr::LOCALHOST)),
            ],
            body_limit_bytes: 64 * 1024,
            max_connections: 104,
            header_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(60),
            requests_per_minute: 1200,
            orders_per_hour: 100,
            clearnet_orders_per_hour: 500,
            circuit_orders_per_hour: 12,
            onion_orders_per_hour: 100,
        }
    }
}

impl Default for Orders {
    fn default() -> Self {
        let rules = Settings::default();
        let secs = |count: i64| Duration::from_secs(count.unsigned_abs());
        Self {
            expiry: secs(rules.invoice_expiry_secs.into()),
            backlog_limit: secs(rules.backlog_limit_secs),
            invoice_limit: secs(rules.make_limit_secs),
        }
    }
}

impl Default for Rates {
    fn default() -> Self {
        Self {
            enabled: false,
            currency: Currency::EUR,
            info_currency: Currency::EUR,
            url: "https://api.coingecko.com/api/v3/simple/price".to_owned(),
            through_tor: true,
            max_age: Duration::from_secs(3600),
        }
    }
}

impl Default for Probe {
    fn default() -> Self {
        let rules = Settings::default();
        let limit = Duration::from_secs(rules.probe_secs);
        Self { policy: rules.probe, limit, whitelisted_service_ports: rules.plain_ports }
    }
}

impl Config {
    /// Reads and checks the text of a file.
    ///
    /// # Errors
    /// All problems, with the path of each key.
    pub fn parse(text: &str) -> Result<Self, Problems> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let message = format!("this is not TOML: {error}").trim_end().to_owned();
            Problems(vec![Problem { key: String::new(), message }])
        })?;
        let mut problems = Vec::new();
        let config = Self::read(Section::root(table, &mut problems));
        problems.extend(config.onion_settings().err().into_iter().flat_map(|found| found.0));
        if problems.is_empty() { Ok(config) } else { Err(Problems(problems)) }
    }

    fn read(mut root: Section<'_>) -> Self {
        let default = Self::default();
        let config = Self {
            file: None,
            data_dir: root.read("data_dir", default.data_dir, absolute),
            http: Http::read(root.section("http")),
            orders: Orders::read(root.section("orders")),
            holds: Holds::read(root.section("holds"), default.holds),
            lightning: Lightning::read(root.section("lightning"), default.lightning),
            jobs: Jobs::read(root.section("jobs")),
            retention: Retention::read(root.section("retention"), default.retention),
            branding: Branding::read(root.section("branding")),
            credit: Credit::read(root.section("credit"), default.credit),
            refunds: Refunds::read(root.section("refunds"), default.refunds),
            probe: Probe::read(root.section("probe")),
            rates: Rates::read(root.section("rates"), default.rates),
            alerts: Alerts::read(root.section("alerts")),
            log: Log::read(root.section("log"), default.log),
            onion: Onion::read(root.section("onion")),
        };
        root.finish();
        config
    }
}

impl Http {
    fn read(mut section: Section<'_>) -> Self {
        let default = Self::default();
        let listen = section.read("listen", default.listen, address);
        let http = Self {
            listen,
            admin_listen: section.read("admin_listen", Some(beside(listen)), |text| match text.trim() {
                "off" => Ok(None),
                text => address(text).map(Some),
            }),
            trusted_proxies: section.strings("trusted_proxies", default.trusted_proxies, IpNetwork::parse),
            body_limit_bytes: section.number("body_limit_bytes", default.body_limit_bytes, 1024..=16 << 20),
            max_connections: section.number("max_connections", default.max_connections, 1..=100_000),
            header_timeout: section.seconds("header_timeout_secs", default.header_timeout, 1..=600),
            request_timeout: section.seconds("request_timeout_secs", default.request_timeout, 1..=600),
            idle_timeout: section.seconds("idle_timeout_secs", default.idle_timeout, 1..=3600),
            requests_per_minute: section.number("requests_per_minute", default.requests_per_minute, 0..=1_000_000),
            orders_per_hour: section.number("orders_per_hour", default.orders_per_hour, 0..=1_000_000),
            clearnet_orders_per_hour: section.number(
                "clearnet_orders_per_hour",
                default.clearnet_orders_per_hour,
                0..=1_000_000,
            ),
            circuit_orders_per_hour: section.number(
                "circuit_orders_per_hour",
                default.circuit_orders_per_hour,
                0..=1_000_000,
            ),
            onion_orders_per_hour: section.number(
                "onion_orders_per_hour",
                default.onion_orders_per_hour,
                0..=1_000_000,
            ),
        };
        section.finish();
        http
    }
}

impl Orders {
    fn read(mut section: Section<'_>) -> Self {
        let default = Self::default();
        let orders = Self {
            expiry: section.seconds("expiry_secs", default.expiry, 60..=86_400),
            backlog_limit: section.seconds("backlog_limit_secs", default.backlog_limit, 1..=600),
            invoice_limit: section.seconds("invoice_limit_secs", default.invoice_limit, 5..=600),
        };
        section.finish();
        orders
    }
}

impl Holds {
    fn read(mut section: Section<'_>, default: Self) -> Self {
        let holds = Self {
            max_open_per_node: section.number("max_open_per_node", default.max_open_per_node, 0..=10_000),
            max_unpaid_per_node: section.number("max_unpaid_per_node", default.max_unpaid_per_node, 0..=10_000),
            cltv_blocks: section.number("cltv_blocks", default.cltv_blocks, 40..=1000),
        };
        section.finish();
        holds
    }
}

impl Lightning {
    fn read(mut section: Section<'_>, default: Self) -> Self {
        let allow_regtest = section.flag("allow_regtest", default.allow_regtest);
        let private_route_hints = section.flag("private_route_hints", default.private_route_hints);
        let limit_to_inbound = section.flag("limit_to_inbound", default.limit_to_inbound);
        section.finish();
        Self { allow_regtest, private_route_hints, limit_to_inbound }
    }
}

impl Retention {
    fn read(mut section: Section<'_>, default: Self) -> Self {
        let retention = Self {
            suspended_days: section.number("suspended_days", default.suspended_days, 1..=3650),
            unpaid_days: section.number("unpaid_days", default.unpaid_days, 1..=3650),
            daily_backups: section.number("daily_backups", default.daily_backups, 1..=3650),
            weekly_backups: section.number("weekly_backups", default.weekly_backups, 0..=520),
        };
        section.finish();
        retention
    }
}

impl Credit {
    fn read(mut section: Section<'_>, default: Self) -> Self {
        let outages = section.flag("outages", default.outages);
        section.finish();
        Self { outages }
    }
}

impl Refunds {
    fn read(mut section: Section<'_>, default: Self) -> Self {
        let most = 100_000_000;
        let automatic_sat_per_day = section.number("automatic_sat_per_day", default.automatic_sat_per_day, 0..=most);
        section.finish();
        Self { automatic_sat_per_day }
    }
}

impl Probe {
    fn read(mut section: Section<'_>) -> Self {
        let default = Self::default();
        let ports = default.whitelisted_service_ports;
        let probe = Self {
            policy: section.read("policy", default.policy, |text| match text {
                "off" => Ok(ProbePolicy::Off),
                "warn" => Ok(ProbePolicy::Warn),
                "reject" => Ok(ProbePolicy::Reject),
                _ => Err(format!("{text:?} is none of \"off\", \"warn\", \"reject\"")),
            }),
            limit: section.seconds("limit_secs", default.limit, 1..=20),
            whitelisted_service_ports: section.numbers("whitelisted_service_ports", ports, 1..=65_535),
        };
        section.finish();
        probe
    }
}

impl Rates {
    fn read(mut section: Section<'_>, default: Self) -> Self {
        let rates = Self {
            enabled: section.flag("enabled", default.enabled),
            currency: section.read("currency", default.currency, currency),
            info_currency: section.read("info_currency", default.info_currency, currency),
            url: section.read("url", default.url, |text| Provider::check(text).map(|()| text.to_owned())),
            through_tor: section.flag("through_tor", default.through_tor),
            // Less, and rates would vanish between one fetch and the next, or as soon as one fails.
            max_age: section.seconds("max_age_seconds", default.max_age, 2 * INTERVAL.as_secs().cast_signed()..=86_400),
        };
        section.finish();
        rates
    }
}

fn currency(text: &str) -> Result<Currency, String> {
    Currency::parse(text).ok_or_else(|| format!("{text:?} is not a currency such as \"EUR\""))
}

impl Log {
    fn read(mut section: Section<'_>, default: Self) -> Self {
        let level = section.read("level", default.level, log_level::parse);
        section.finish();
        Self { level }
    }
}

/// Where those who run the shop are listened to unless the file says so: on this machine, at the next port. Where the
/// system chooses one, it chooses the other as well.
fn beside(listen: SocketAddr) -> SocketAddr {
    let port = match listen.port() {
        0 => 0,
        port => port.checked_add(1).unwrap_or(port - 1),
    };
    SocketAddr::from(([127, 0, 0, 1], port))
}

#[cfg(test)]
mod tests;
