//! `[onion]`: the settings belong to the onion service; the data folder gives its folders.

use std::path::Path;

use super::{Config, Problem};
use crate::onion::{OnionConfig, OnionError};

impl Config {
    /// The settings of the onion service; its folders are in the data folder unless set.
    ///
    /// # Errors
    /// A setting that is unknown or can't work.
    pub fn onion_settings(&self) -> Result<OnionConfig, OnionError> {
        let mut table = self.onion.clone();
        for (key, folder) in [("state_dir", "tor"), ("cache_dir", "tor-cache")] {
            let path = self.data_dir.join(folder).display().to_string();
            let set = table.entry(key).or_insert_with(|| toml::Value::String(path));
            // As with `data_dir`: a relative folder would depend on where the shop is started.
            if self.onion.contains_key(key) && set.as_str().is_some_and(|path| Path::new(path).is_relative()) {
                return Err(OnionError::Config { field: key, problem: format!("{set} is not an absolute path") });
            }
        }
        OnionConfig::from_table(table)
    }

    /// What is wrong in `[onion]`, for the list of all problems.
    pub(super) fn onion_problem(&self) -> Option<Problem> {
        match self.onion_settings() {
            Ok(_) => None,
            Err(error) => Some(
                Problem::of_onion(&error)
                    .unwrap_or_else(|| Problem { key: "onion".to_owned(), message: error.to_string() }),
            ),
        }
    }
}

impl Problem {
    /// The error as a problem of the configuration, if it is one.
    pub fn of_onion(error: &OnionError) -> Option<Self> {
        let OnionError::Config { field, problem } = error else { return None };
        let key = if *field == "*" { "onion".to_owned() } else { format!("onion.{field}") };
        Some(Self { key, message: problem.clone() })
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn the_folders_of_tor_are_in_the_data_folder_unless_set() {
        let config = Config::parse("data_dir = \"/shop\"\n[onion]\nstate_dir = \"/keys\"").expect("a good file");
        let onion = config.onion_settings().expect("good settings");
        assert_eq!(onion.state_dir.to_str(), Some("/keys"));
        assert_eq!(onion.cache_dir.to_str(), Some("/shop/tor-cache"));
    }

    #[test]
    fn a_wrong_onion_setting_is_a_problem_of_the_file() {
        let problems = Config::parse("[onion]\nvirtual_prot = 80").expect_err("an unknown key");
        assert!(problems.0[0].key.starts_with("onion"), "{problems}");
    }

    #[test]
    fn what_serve_would_refuse_is_a_problem_of_the_file() {
        for (text, key) in [
            ("[onion]\nstate_dir = \"tor\"", "onion.state_dir"),
            ("[onion]\ncache_dir = \"./tor\"", "onion.cache_dir"),
            ("[onion.admin]\nclients = { lap = \"hello\" }", "onion.admin.clients"),
        ] {
            let problems = Config::parse(text).expect_err(text);
            assert_eq!(problems.0[0].key, key, "{problems}");
        }
    }
}
