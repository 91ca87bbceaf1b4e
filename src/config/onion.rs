//! `[onion]`: the settings belong to the onion service; the data folder gives its folders.

use super::{Config, Problem, Problems};
use crate::onion::{OnionConfig, SettingProblem};

impl Config {
    /// The settings of the onion service; its folders are in the data folder unless set.
    ///
    /// # Errors
    /// All settings that are unknown or can't work.
    pub fn onion_settings(&self) -> Result<OnionConfig, Problems> {
        let mut table = self.onion.clone();
        for (key, folder) in [("state_dir", "tor"), ("cache_dir", "tor-cache")] {
            let path = self.data_dir.join(folder).display().to_string();
            table.entry(key).or_insert_with(|| toml::Value::String(path));
        }
        OnionConfig::from_table(table).map_err(|problems| Problems(problems.into_iter().map(Problem::from).collect()))
    }
}

impl From<SettingProblem> for Problem {
    fn from(SettingProblem { setting, text }: SettingProblem) -> Self {
        Self { key: format!("onion.{setting}"), message: text }
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
}
