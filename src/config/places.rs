//! Where the files of a shop are.

use super::Config;
use crate::services::backup::Places;

impl Config {
    /// The files that belong to the shop.
    pub fn places(&self) -> Places {
        let default = self.data_dir.join("tor");
        Places {
            data_dir: self.data_dir.clone(),
            database: self.database(),
            backup_dir: self.backup_dir(),
            onion_state_dir: self.onion_settings().map_or(default, |settings| settings.state_dir),
            config_file: self.file.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_takes_the_onion_keys_from_where_the_service_keeps_them() {
        let config = Config::parse("data_dir = \"/shop\"").unwrap();
        assert_eq!(config.places().onion_state_dir.to_str(), Some("/shop/tor"));
        let config = Config::parse("[onion]\nstate_dir = \"/keys\"").unwrap();
        assert_eq!(config.places().onion_state_dir.to_str(), Some("/keys"));
    }
}
