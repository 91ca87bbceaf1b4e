//! What the use cases need of the configuration.

use std::path::{Path, PathBuf};

use super::Config;
use crate::services::Settings;
use crate::services::backup::Places;

impl Config {
    /// The rules of the shop.
    pub fn shop_settings(&self) -> Settings {
        let secs = |span: std::time::Duration| i64::try_from(span.as_secs()).unwrap_or(i64::MAX);
        Settings {
            invoice_expiry_secs: u32::try_from(self.orders.expiry.as_secs()).unwrap_or(u32::MAX),
            allow_regtest: self.lightning.allow_regtest,
            max_holds_per_node: self.holds.max_open_per_node,
            hold_cltv_blocks: self.holds.cltv_blocks,
            backlog_limit_secs: secs(self.orders.backlog_limit),
            make_limit_secs: secs(self.orders.invoice_limit),
            suspended_days: self.retention.suspended_days,
            credit_outages: self.credit.outages,
            private_route_hints: self.lightning.private_route_hints,
            probe: self.probe.policy,
            probe_secs: self.probe.limit.as_secs(),
            plain_ports: self.probe.whitelisted_service_ports.clone(),
            max_open_orders_per_client: self.orders.max_open_per_client,
        }
    }

    /// The files that belong to the shop; `config_file` is where this configuration came from.
    pub fn places(&self, config_file: Option<&Path>) -> Places {
        Places {
            data_dir: self.data_dir.clone(),
            database: self.database(),
            backup_dir: self.backup_dir(),
            onion_state_dir: self.onion_state_dir(),
            config_file: config_file.map(Path::to_owned),
        }
    }

    /// Where the onion service keeps its keys: `onion.state_dir`, else `tor` in the data folder.
    pub fn onion_state_dir(&self) -> PathBuf {
        match self.onion.get("state_dir").and_then(toml::Value::as_str) {
            Some(path) => PathBuf::from(path),
            None => self.data_dir.join("tor"),
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
