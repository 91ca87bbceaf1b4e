//! The settings of `[onion]` with their defaults; whoever has a configuration file reads them from it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use tor_hsservice::HsNickname;

use crate::error::OnionError;

/// `[onion]`: the embedded Tor client and the shop's onion services.
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Debug, PartialEq)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Full, Self::Lite, Self::Disabled];

    /// Its name in the configuration, which is arti's as well.
    pub const fn as_str(self) -> &'static str {
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

/// Reads a service nickname; `field` is the setting it comes from.
pub(crate) fn parse_nickname(field: &'static str, nickname: &str) -> Result<HsNickname, OnionError> {
    HsNickname::new(nickname.to_owned()).map_err(|error| config_error(field, error))
}

/// A setting that cannot work.
pub(crate) fn config_error(field: &'static str, problem: impl ToString) -> OnionError {
    OnionError::Config { field: field.into(), problem: problem.to_string() }
}

/// A setting of `[onion]` that cannot work.
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
