//! Checks the settings of `[onion]`, and translates them into arti's.

use arti_client::TorClientConfig;
use arti_client::config::{CfgPath, TorClientConfigBuilder};

use super::authorized::AuthorizedClients;
use super::error::OnionError;

pub(super) mod settings;
#[cfg(test)]
mod tests;

pub use settings::{AdminOnionConfig, OnionConfig, SettingProblem, Vanguards};
use settings::{config_error, parse_nickname};

/// With less, queues are too short for Tor to work. Bytes (8 MiB).
const LEAST_MEMORY: u64 = 8 << 20;

impl OnionConfig {
    /// Checks what can be checked without touching the disk.
    ///
    /// # Errors
    /// [`OnionError::Config`] with the first setting that cannot work.
    pub fn validate(&self) -> Result<(), OnionError> {
        self.problems().into_iter().next().map_or(Ok(()), |SettingProblem { setting, text }| {
            Err(OnionError::Config { field: setting.into(), problem: text })
        })
    }

    /// Every setting that cannot work.
    pub fn problems(&self) -> Vec<SettingProblem> {
        let same = self.nickname == self.admin.nickname;
        let checks = [
            parse_nickname("nickname", &self.nickname).map(drop),
            parse_nickname("admin.nickname", &self.admin.nickname).map(drop),
            if same { Err(config_error("admin.nickname", "must differ from onion.nickname")) } else { Ok(()) },
            positive("virtual_port", self.virtual_port.into()),
            positive("admin.virtual_port", self.admin.virtual_port.into()),
            positive("max_streams_per_circuit", self.max_streams_per_circuit.into()),
            positive("max_circuits", self.max_circuits as u64),
            positive("idle_circuit_secs", self.idle_circuit_secs),
            AuthorizedClients::from_settings(self).map(drop),
            self.check_folders(),
            self.check_memory(),
            self.to_arti().map(drop),
        ];
        let found = checks.into_iter().filter_map(Result::err).map(SettingProblem::from);
        found.chain(self.unknown_to_arti()).collect()
    }

    fn check_folders(&self) -> Result<(), OnionError> {
        let problem = "must differ from onion.state_dir: what is in it may be deleted, and the keys must not";
        if self.cache_dir == self.state_dir { Err(config_error("cache_dir", problem)) } else { Ok(()) }
    }

    fn check_memory(&self) -> Result<(), OnionError> {
        let range = LEAST_MEMORY..=i64::MAX as u64;
        if range.contains(&self.memory_limit_bytes) {
            return Ok(());
        }
        let problem = format!("must be from {LEAST_MEMORY} to {}, not {}", range.end(), self.memory_limit_bytes);
        Err(config_error("memory_limit_bytes", problem))
    }

    /// Settings in `[onion.arti]` that arti would silently ignore.
    fn unknown_to_arti(&self) -> Vec<SettingProblem> {
        let mut unknown = Vec::new();
        let table = toml::Value::Table(self.arti.clone());
        let read: Result<TorClientConfigBuilder, _> = serde_ignored::deserialize(table, |path| {
            // Question marks stand for options on the way, which nobody writes.
            unknown.push(path.to_string().replace(".?", "").replace("?.", ""));
        });
        if read.is_err() {
            // Where the reading stopped is told by `to_arti`; the rest was not looked at.
            return Vec::new();
        }
        let text = "there is no such setting in arti's client, or not in the one that is built in";
        let problem = |path| SettingProblem { setting: format!("arti.{path}"), text: text.to_owned() };
        unknown.into_iter().map(problem).collect()
    }

    /// arti's configuration for these settings.
    ///
    /// # Errors
    /// [`OnionError::Config`] when arti refuses one of them.
    pub(super) fn to_arti(&self) -> Result<TorClientConfig, OnionError> {
        // Another number is a problem of its own, and not of what is handed to arti.
        let limit = i64::try_from(self.memory_limit_bytes.max(LEAST_MEMORY)).unwrap_or(i64::MAX);
        let mut table = self.arti.clone();
        section(section(&mut table, "system")?, "memory")?.insert("max".to_owned(), limit.into());
        section(&mut table, "vanguards")?.insert("mode".to_owned(), self.vanguards.as_str().into());
        let mut builder: TorClientConfigBuilder = table.try_into().map_err(|error| config_error("arti", error))?;
        builder
            .storage()
            .state_dir(CfgPath::new_literal(&self.state_dir))
            .cache_dir(CfgPath::new_literal(&self.cache_dir));
        builder.build().map_err(|error| config_error("arti", super::error::with_causes(&error)))
    }
}

/// The table `name` inside `table`, made when missing.
fn section<'a>(table: &'a mut toml::Table, name: &str) -> Result<&'a mut toml::Table, OnionError> {
    table
        .entry(name)
        .or_insert_with(|| toml::Table::new().into())
        .as_table_mut()
        .ok_or_else(|| config_error("arti", format!("\"{name}\" must be a table")))
}

fn positive(field: &'static str, value: u64) -> Result<(), OnionError> {
    if value == 0 { Err(config_error(field, "must be at least 1")) } else { Ok(()) }
}
