//! What the use cases need of the configuration.

use super::Config;
use crate::domain::fiat::RateRules;
use crate::domain::money::Msat;
use crate::services::Settings;
use crate::services::alert_messages::Rules;

impl Config {
    /// When alerts become messages.
    pub fn message_rules(&self) -> Rules {
        let group_secs = i64::try_from(self.alerts.group.as_secs()).unwrap_or(i64::MAX);
        Rules { group_secs, quiet: self.alerts.quiet }
    }

    /// The rules of the shop.
    pub fn shop_settings(&self) -> Settings {
        let secs = |span: std::time::Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        Settings {
            invoice_expiry_secs: u32::try_from(self.orders.expiry.as_secs()).unwrap_or(u32::MAX),
            allow_regtest: self.lightning.allow_regtest,
            max_holds_per_node: self.holds.max_open_per_node,
            max_unpaid_holds_per_node: self.holds.max_unpaid_per_node,
            hold_cltv_blocks: self.holds.cltv_blocks,
            backlog_limit_secs: secs(self.orders.backlog_limit),
            make_limit_secs: secs(self.orders.invoice_limit),
            rates: self.rates.enabled.then(|| RateRules {
                tax: self.rates.currency,
                info: self.rates.info_currency,
                max_age_secs: secs(self.rates.max_age),
            }),
            suspended_days: self.retention.suspended_days,
            unpaid_days: self.retention.unpaid_days,
            credit_outages: self.credit.outages,
            private_route_hints: self.lightning.private_route_hints,
            limit_to_inbound: self.lightning.limit_to_inbound,
            probe: self.probe.policy,
            probe_secs: self.probe.limit.as_secs(),
            refunds_per_day: Msat(u64::from(self.refunds.automatic_sat_per_day) * 1000),
            plain_ports: self.probe.whitelisted_service_ports.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_configuration_gives_the_default_rules() {
        assert_eq!(Config::default().shop_settings(), Settings::default());
    }
}
