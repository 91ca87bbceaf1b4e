//! The settings in force, as they would stand in the file. There are no secrets among them: those are in files of their own.

use super::alerts::MailTls;
use super::{Alerts, Config, ProbePolicy};
use crate::onion::OnionConfig;

impl Config {
    /// Every setting with its path and its value in TOML.
    pub fn shown(&self) -> Vec<(String, String)> {
        let secs = |time: std::time::Duration| time.as_secs().to_string();
        let proxies = self.http.trusted_proxies.iter().map(|network| quoted(network.to_string()));
        let ports = self.probe.whitelisted_service_ports.iter().map(u16::to_string);
        let policy = match self.probe.policy {
            ProbePolicy::Off => "off",
            ProbePolicy::Warn => "warn",
            ProbePolicy::Reject => "reject",
        };
        let fixed = [
            ("data_dir", quoted(self.data_dir.display())),
            ("http.listen", quoted(self.http.listen)),
            ("http.admin_listen", quoted(self.http.admin_listen.map_or_else(|| "off".to_owned(), |at| at.to_string()))),
            ("http.trusted_proxies", list(proxies)),
            ("http.body_limit_bytes", self.http.body_limit_bytes.to_string()),
            ("http.max_connections", self.http.max_connections.to_string()),
            ("http.header_timeout_secs", secs(self.http.header_timeout)),
            ("http.request_timeout_secs", secs(self.http.request_timeout)),
            ("http.idle_timeout_secs", secs(self.http.idle_timeout)),
            ("http.requests_per_minute", self.http.requests_per_minute.to_string()),
            ("http.orders_per_hour", self.http.orders_per_hour.to_string()),
            ("http.clearnet_orders_per_hour", self.http.clearnet_orders_per_hour.to_string()),
            ("http.circuit_orders_per_hour", self.http.circuit_orders_per_hour.to_string()),
            ("http.onion_orders_per_hour", self.http.onion_orders_per_hour.to_string()),
            ("orders.expiry_secs", secs(self.orders.expiry)),
            ("orders.backlog_limit_secs", secs(self.orders.backlog_limit)),
            ("orders.invoice_limit_secs", secs(self.orders.invoice_limit)),
            ("holds.max_open_per_node", self.holds.max_open_per_node.to_string()),
            ("holds.max_unpaid_per_node", self.holds.max_unpaid_per_node.to_string()),
            ("holds.cltv_blocks", self.holds.cltv_blocks.to_string()),
            ("lightning.allow_regtest", self.lightning.allow_regtest.to_string()),
            ("lightning.private_route_hints", self.lightning.private_route_hints.to_string()),
            ("lightning.limit_to_inbound", self.lightning.limit_to_inbound.to_string()),
            ("retention.suspended_days", self.retention.suspended_days.to_string()),
            ("retention.unpaid_days", self.retention.unpaid_days.to_string()),
            ("retention.daily_backups", self.retention.daily_backups.to_string()),
            ("retention.weekly_backups", self.retention.weekly_backups.to_string()),
            ("credit.outages", self.credit.outages.to_string()),
            ("refunds.automatic_sat_per_day", self.refunds.automatic_sat_per_day.to_string()),
            ("probe.policy", quoted(policy)),
            ("probe.limit_secs", secs(self.probe.limit)),
            ("probe.whitelisted_service_ports", list(ports)),
            ("rates.enabled", self.rates.enabled.to_string()),
            ("rates.currency", quoted(self.rates.currency.code())),
            ("rates.info_currency", quoted(self.rates.info_currency.code())),
            ("rates.url", quoted(without_password(&self.rates.url))),
            ("rates.through_tor", self.rates.through_tor.to_string()),
            ("rates.max_age_seconds", secs(self.rates.max_age)),
            ("alerts.severity", quoted(self.alerts.severity.name())),
            ("alerts.group_secs", secs(self.alerts.group)),
            (
                "alerts.quiet_hours",
                quoted(self.alerts.quiet.map_or_else(|| "off".to_owned(), |quiet| quiet.to_string())),
            ),
            ("log.level", quoted(&self.log.level)),
        ];
        let jobs = self.jobs.all().into_iter();
        let jobs = jobs.map(|(job, cron)| (format!("jobs.{}", job.name()), quoted(cron.as_str())));
        let fixed = fixed.into_iter().map(|(key, value)| (key.to_owned(), value));
        fixed.chain(channels(&self.alerts)).chain(jobs).chain(onion(&self.onion_with_folders())).collect()
    }
}

/// The channels of alerts: of secrets their places, of addresses that may be one the host.
fn channels(alerts: &Alerts) -> Vec<(String, String)> {
    let mut shown = Vec::new();
    let mut add = |channel: &str, key: &str, value: String| shown.push((format!("alerts.{channel}.{key}"), value));
    if let Some(email) = &alerts.email {
        let tls = match email.tls {
            MailTls::StartTls => "starttls",
            MailTls::Implicit => "tls",
            MailTls::None => "none",
        };
        add("email", "server", quoted(&email.server));
        add("email", "port", email.port.to_string());
        add("email", "tls", quoted(tls));
        email.user.iter().for_each(|user| add("email", "user", quoted(user)));
        email.password.iter().for_each(|place| add("email", "password", quoted(place)));
        email.certificate.iter().for_each(|path| add("email", "certificate", quoted(path.display())));
        add("email", "from", quoted(&email.from));
        add("email", "to", list(email.to.iter().map(quoted)));
        add("email", "through_tor", email.through_tor.to_string());
    }
    if let Some(ntfy) = &alerts.ntfy {
        add("ntfy", "url", quoted(&ntfy.url));
        add("ntfy", "topic", quoted(&ntfy.topic));
        ntfy.token.iter().for_each(|place| add("ntfy", "token", quoted(place)));
        add("ntfy", "through_tor", ntfy.through_tor.to_string());
    }
    if let Some(hook) = &alerts.webhook {
        add("webhook", "url", quoted(&hook.url));
        add("webhook", "secret", quoted(&hook.secret));
        hook.former_secret.iter().for_each(|place| add("webhook", "former_secret", quoted(place)));
        hook.certificate.iter().for_each(|path| add("webhook", "certificate", quoted(path.display())));
        add("webhook", "through_tor", hook.through_tor.to_string());
    }
    if let Some(nostr) = &alerts.nostr {
        add("nostr", "key", quoted(&nostr.key));
        add("nostr", "to", quoted(&nostr.to));
        add("nostr", "relays", list(nostr.relays.iter().map(quoted)));
        add("nostr", "through_tor", nostr.through_tor.to_string());
    }
    if let Some(heartbeat) = &alerts.heartbeat {
        add("heartbeat", "url", quoted(&heartbeat.url));
        add("heartbeat", "interval_secs", heartbeat.interval.as_secs().to_string());
        add("heartbeat", "through_tor", heartbeat.through_tor.to_string());
    }
    shown
}

/// The onion service, with the folders that it really has.
fn onion(onion: &OnionConfig) -> Vec<(String, String)> {
    let fixed = [
        ("enabled", onion.enabled.to_string()),
        ("nickname", quoted(&onion.nickname)),
        ("virtual_port", onion.virtual_port.to_string()),
        ("state_dir", quoted(onion.state_dir.display())),
        ("cache_dir", quoted(onion.cache_dir.display())),
        ("vanguards", quoted(onion.vanguards.as_str())),
        ("max_streams_per_circuit", onion.max_streams_per_circuit.to_string()),
        ("max_circuits", onion.max_circuits.to_string()),
        ("idle_circuit_secs", onion.idle_circuit_secs.to_string()),
        ("memory_limit_bytes", onion.memory_limit_bytes.to_string()),
        ("onion_location", onion.onion_location.to_string()),
        ("admin.enabled", onion.admin.enabled.to_string()),
        ("admin.nickname", quoted(&onion.admin.nickname)),
        ("admin.virtual_port", onion.admin.virtual_port.to_string()),
    ];
    let fixed = fixed.into_iter().map(|(key, value)| (format!("onion.{key}"), value));
    let proxy = onion.socks_proxy.map(|proxy| ("onion.socks_proxy".to_owned(), quoted(proxy)));
    let clients = onion.admin.clients.iter().map(|(name, key)| (format!("onion.admin.clients.{name}"), quoted(key)));
    fixed.chain(proxy).chain(clients).chain(flat("onion.arti", &onion.arti)).collect()
}

/// What is written in a table, its tables too.
fn flat(path: &str, table: &toml::Table) -> Vec<(String, String)> {
    let entry = |(key, value): (&String, &toml::Value)| {
        let path = format!("{path}.{key}");
        match value {
            toml::Value::Table(inner) => flat(&path, inner),
            other => vec![(path, other.to_string())],
        }
    };
    table.iter().flat_map(entry).collect()
}

fn quoted(text: impl std::fmt::Display) -> String {
    format!("{:?}", text.to_string())
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// An address may carry a name and a password.
fn without_password(url: &str) -> String {
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?))) {
        Some((scheme, (user, host))) if !user.contains('/') => format!("{scheme}://…@{host}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_of_the_defaults_stands_so_in_the_example() {
        let example = include_str!("../../packaging/config.example.toml");
        for (key, value) in Config::default().shown() {
            let name = key.rsplit('.').next().unwrap();
            assert!(example.contains(&format!("\n#{name} = {value}\n")), "{key} = {value}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_not_shown() {
        assert_eq!(without_password("https://me:secret@rates.example/x"), "https://…@rates.example/x");
        assert_eq!(without_password("https://rates.example/@x"), "https://rates.example/@x");
    }
}
