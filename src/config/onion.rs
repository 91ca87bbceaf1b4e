//! `[onion]`: the settings belong to the onion service; the data folder gives its folders.

use std::path::Path;

use super::{Config, Problem, Problems};
use crate::onion::{OnionConfig, OnionError, SettingProblem};

impl Config {
    /// The settings of the onion service; its folders are in the data folder unless set.
    ///
    /// # Errors
    /// All settings that cannot work.
    pub fn onion_settings(&self) -> Result<OnionConfig, Problems> {
        let mut table = self.onion.clone();
        let mut problems = Vec::new();
        for (key, folder) in [("state_dir", "tor"), ("cache_dir", "tor-cache")] {
            let path = self.data_dir.join(folder).display().to_string();
            let set = table.entry(key).or_insert_with(|| toml::Value::String(path));
            // As with `data_dir`: a relative folder would depend on where the shop is started.
            if self.onion.contains_key(key) && set.as_str().is_some_and(|path| Path::new(path).is_relative()) {
                problems
                    .push(Problem { key: format!("onion.{key}"), message: format!("{set} is not an absolute path") });
            }
        }
        match OnionConfig::from_table(table) {
            Ok(settings) if problems.is_empty() => return Ok(settings),
            Ok(_) => {}
            Err(others) => problems.extend(others.into_iter().map(Problem::from)),
        }
        Err(Problems(problems))
    }
}

impl From<SettingProblem> for Problem {
    fn from(SettingProblem { setting, text }: SettingProblem) -> Self {
        Self { key: format!("onion.{setting}"), message: text }
    }
}

impl Problem {
    /// The error as a problem of the configuration, if it is one.
    pub fn of_onion(error: &OnionError) -> Option<Self> {
        let OnionError::Config { field, problem } = error else { return None };
        let key = if field == "*" { "onion".to_owned() } else { format!("onion.{field}") };
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
    fn wrong_onion_settings_are_problems_of_the_file_among_the_others() {
        let text = "[http]\nlisten = 1\n[onion]\nvirtual_prot = 80\nmax_circuits = 0\n[onion.admin]\nname = 1";
        let problems = Config::parse(text).expect_err("unknown keys");
        let keys: Vec<_> = problems.0.iter().map(|problem| problem.key.as_str()).collect();
        assert_eq!(keys, ["http.listen", "onion.virtual_prot", "onion.admin.name", "onion.max_circuits"]);
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
