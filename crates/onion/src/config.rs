//! The settings of `[onion]` with their defaults, and their translation into arti's.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use arti_client::TorClientConfig;
use arti_client::config::{CfgPath, TorClientConfigBuilder};
use serde::{Deserialize, Serialize};
use tor_hsservice::HsNickname;

use super::authorized::AuthorizedClients;
use super::error::OnionError;

mod reader;
#[cfg(test)]
mod tests;

/// With less, queues are too short for Tor to work. Bytes (8 MiB).
const LEAST_MEMORY: u64 = 8 << 20;

/// `[onion]`: the embedded Tor client and the shop's onion services.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OnionConfig {
    /// Whether the shop runs Tor at all. Default: true.
    pub enabled: bool,
    /// Names the service's keys inside the state directory: letters, digits, `-`, `_`, `.`.
    /// Another nickname is another `.onion` address. Default: `shop`.
    pub nickname: String,
    /// The port of the onion service, as in `http://<address>.onion:<port>/`. Default: 80.
    pub virtual_port: u16,
    /// Where Tor keeps the service's keys and its guards; mode 0700, and worth a backup.
    /// Default: `tor` in the data folder.
    pub state_dir: PathBuf,
    /// Where Tor keeps the directory of relays; may be deleted at any time while the shop is
    /// stopped. Default: `tor-cache` in the data folder.
    pub cache_dir: PathBuf,
    /// How much Tor does against finding the machine behind the service. Default: `full`.
    pub vanguards: Vanguards,
    /// Connections that one Tor circuit (one client, as far as can be told) may have open at once;
    /// a circuit that opens more is closed. Default: 32.
    pub max_streams_per_circuit: u32,
    /// Circuits that clients of one service may have open at once. A newcomer gets the place of the
    /// circuit that has been idle for longest, or no answer when all are in use. Default: 512.
    pub max_circuits: usize,
    /// A circuit without an open connection is closed after so many seconds, so that idle clients do
    /// not use up the circuits. Tor's clients give theirs up after about 10 minutes. Default: 600.
    pub idle_circuit_secs: u64,
    /// How many bytes Tor may hold in queues before it closes the largest of them; at least 8388608
    /// (8 MiB). Default: 67108864 (64 MiB).
    pub memory_limit_bytes: u64,
    /// Settings handed to arti as they are (the client part of an `arti.toml`). The settings above
    /// win over the same thing said here.
    pub arti: toml::Table,
    /// A SOCKS5 proxy (a system Tor, such as `127.0.0.1:9050`) that outgoing connections use
    /// instead of the embedded client, for what that can't reach. With the flag `ExtendedErrors` on its
    /// `SocksPort` it tells why a target can't be reached. Default: none.
    pub socks_proxy: Option<SocketAddr>,
    /// Whether pages on clearnet tell Tor Browser of the onion address (`Onion-Location`). Browsers
    /// heed it on HTTPS only. Default: false.
    pub onion_location: bool,
    /// A second onion service, for the operators alone.
    pub admin: AdminOnionConfig,
}

/// `[onion.admin]`: an onion service for the admin that only listed clients can even find.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminOnionConfig {
    /// Whether there is such a service. Default: false.
    pub enabled: bool,
    /// Names its keys, as [`OnionConfig::nickname`]. Default: `admin`.
    pub nickname: String,
    /// Its port. Default: 80.
    pub virtual_port: u16,
    /// Who may find it: a name for each client and its public key, written
    /// `descriptor:x25519:<base32>` as Tor does. Clients authorized on the command line come on top.
    pub clients: BTreeMap<String, String>,
}

/// The protection of the service's circuits against being traced to its guards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vanguards {
    /// Two further layers of long-lived relays: for a service that runs for months.
    #[default]
    Full,
    /// One further layer.
    Lite,
    /// None.
    Disabled,
}

impl Vanguards {
    /// arti's name for it.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Lite => "lite",
            Self::Disabled => "disabled",
        }
    }
}

impl Default for OnionConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            nickname: "shop".to_owned(),
            virtual_port: 80,
            state_dir: "/var/lib/ip2tor-shop/tor".into(),
            cache_dir: "/var/lib/ip2tor-shop/tor-cache".into(),
            vanguards: Vanguards::Full,
            max_streams_per_circuit: 32,
            max_circuits: 512,
            idle_circuit_secs: 600,
            memory_limit_bytes: 64 << 20,
            arti: toml::Table::new(),
            socks_proxy: None,
            onion_location: false,
            admin: AdminOnionConfig::default(),
        }
    }
}

impl Default for AdminOnionConfig {
    fn default() -> Self {
        Self { enabled: false, nickname: "admin".to_owned(), virtual_port: 80, clients: BTreeMap::new() }
    }
}

impl OnionConfig {
    /// Reads and checks the `[onion]` section of the configuration file.
    ///
    /// # Errors
    /// All settings that are unknown or cannot work.
    pub fn from_table(table: toml::Table) -> Result<Self, Vec<SettingProblem>> {
        let (config, mut problems) = reader::read(table);
        // A setting that could not be read is at its default here, which is right.
        problems.extend(config.problems());
        if problems.is_empty() { Ok(config) } else { Err(problems) }
    }

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
    fn problems(&self) -> Vec<SettingProblem> {
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

/// Reads a service nickname; `field` is the setting it comes from.
pub(super) fn parse_nickname(field: &'static str, nickname: &str) -> Result<HsNickname, OnionError> {
    HsNickname::new(nickname.to_owned()).map_err(|error| config_error(field, error))
}

fn positive(field: &'static str, value: u64) -> Result<(), OnionError> {
    if value == 0 { Err(config_error(field, "must be at least 1")) } else { Ok(()) }
}

fn config_error(field: &'static str, problem: impl ToString) -> OnionError {
    OnionError::Config { field: field.into(), problem: problem.to_string() }
}

/// A setting of `[onion]` that is unknown or cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingProblem {
    /// The setting, as it stands below `[onion]`.
    pub setting: String,
    /// What is wrong and what would be right.
    pub text: String,
}

impl From<OnionError> for SettingProblem {
    fn from(error: OnionError) -> Self {
        match error {
            OnionError::Config { field, problem } => Self { setting: field.into_owned(), text: problem },
            other => Self { setting: String::new(), text: other.to_string() },
        }
    }
}
