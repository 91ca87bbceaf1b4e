//! The configuration: read from TOML, checked as a whole, then only ever seen as the types in here.
//!
//! Every setting has a default; `packaging/config.example.toml` shows them all and a test keeps it
//! equal to [`Config::default`]. All problems of a file are reported at once ([`Problems`]).

pub mod alerts;
mod branding;
mod cron;
pub mod log_level;
mod network;
mod onion;
mod parse;
mod places;
mod problem;
mod reader;
mod schedule;
mod secret;
mod settings;
mod shown;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::fiat::Currency;
use crate::services::file_permissions;

pub use crate::services::ProbePolicy;
pub use alerts::Alerts;
pub use branding::{Branding, Colour, Logo};
pub use cron::CronExpression;
pub use network::IpNetwork;
pub use onion::Onion;
pub use problem::{Problem, Problems};
pub use schedule::{Job, Jobs};
pub use secret::{Secret, SecretSource};

/// The file that is read when the command line names neither a file nor a data folder.
pub const DEFAULT_FILE: &str = "/etc/ip2tor-shop/config.toml";

/// The name of a configuration file in a data folder, which `--data-dir` alone finds.
pub const FILE_IN_DATA_DIR: &str = "config.toml";

/// The name of the database in the data folder.
pub const DATABASE_FILE: &str = "shop.sqlite3";

/// The whole configuration, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file that it was read from, if it was.
    pub file: Option<PathBuf>,
    /// The folder with the database, backups and keys.
    pub data_dir: PathBuf,
    /// `[http]`.
    pub http: Http,
    /// `[orders]`.
    pub orders: Orders,
    /// `[holds]`.
    pub holds: Holds,
    /// `[lightning]`.
    pub lightning: Lightning,
    /// `[jobs]`.
    pub jobs: Jobs,
    /// `[retention]`.
    pub retention: Retention,
    /// `[branding]`.
    pub branding: Branding,
    /// `[credit]`.
    pub credit: Credit,
    /// `[refunds]`.
    pub refunds: Refunds,
    /// `[probe]`.
    pub probe: Probe,
    /// `[rates]`.
    pub rates: Rates,
    /// `[alerts]`.
    pub alerts: Alerts,
    /// `[log]`.
    pub log: Log,
    /// `[onion]`; see [`Config::onion_settings`].
    pub onion: Onion,
}

/// How the shop is reached over TCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The address of the listener for those who run the shop; `None` without one.
    pub admin_listen: Option<SocketAddr>,
    /// Proxies whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Vec<IpNetwork>,
    /// The largest request body.
    pub body_limit_bytes: usize,
    /// The most connections at a time; more wait.
    pub max_connections: usize,
    /// How long a client may take for the head of a request.
    pub header_timeout: Duration,
    /// How long a client may take for a body, and the shop for an answer.
    pub request_timeout: Duration,
    /// How long a connection may be idle between requests.
    pub idle_timeout: Duration,
    /// Requests of one client (address or circuit) in a minute; 0 is unlimited.
    pub requests_per_minute: u32,
    /// New orders of one address in an hour; here and below a sixth (at least five) may come at once, and
    /// 0 is unlimited.
    pub orders_per_hour: u32,
    /// New orders of all addresses together in an hour.
    pub clearnet_orders_per_hour: u32,
    /// New orders of one circuit of the onion service in an hour.
    pub circuit_orders_per_hour: u32,
    /// New orders of all clients of the onion service together in an hour.
    pub onion_orders_per_hour: u32,
}

/// Limits around an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orders {
    /// How long an invoice can be paid.
    pub expiry: Duration,
    /// New orders get 503 while the oldest invoice to be made waits longer than this.
    pub backlog_limit: Duration,
    /// An order whose invoice could not be made for so long is rejected.
    pub invoice_limit: Duration,
}

/// Limits of hold invoices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holds {
    /// With so many held payments at one node, plain invoices are made; 0 switches holds off.
    pub max_open_per_node: u32,
    /// With so many unpaid hold invoices at one node, plain ones are made.
    pub max_unpaid_per_node: u32,
    /// Blocks that the last hop of a held payment must leave.
    pub cltv_blocks: u32,
}

/// How Lightning nodes are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lightning {
    /// Whether nodes on regtest may sell: for development only, and then for every host.
    pub allow_regtest: bool,
    /// Whether invoices carry hints for private channels.
    pub private_route_hints: bool,
    /// Whether a node is asked only for invoices that its channels could receive.
    pub limit_to_inbound: bool,
}

/// How long things are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Days that a suspended product keeps its port.
    pub suspended_days: u32,
    /// Days that an order is kept which ended without any payment.
    pub unpaid_days: u32,
    /// The newest backup of each of so many days is kept.
    pub daily_backups: u32,
    /// The newest backup of each of so many weeks is kept.
    pub weekly_backups: u32,
}

/// What is given back for lost time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credit {
    /// Whether the time that a host was dead is added to its running products.
    pub outages: bool,
}

/// What is paid back to buyers who ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refunds {
    /// How many satoshi within a day are paid by itself; 0 is none.
    pub automatic_sat_per_day: u32,
}

/// How targets are probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What a failed probe means.
    pub policy: ProbePolicy,
    /// How long the order waits for it.
    pub limit: Duration,
    /// Target ports where no HTTPS is expected.
    pub whitelisted_service_ports: Vec<u16>,
}

/// Exchange rates shown beside prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates {
    /// Whether rates are fetched and shown at all.
    pub enabled: bool,
    /// The currency of taxes.
    pub currency: Currency,
    /// The currency for information.
    pub info_currency: Currency,
    /// Where they come from: an address that answers in CoinGecko's simple-price format.
    pub url: String,
    /// Whether they are fetched through Tor, where the shop has a way out through it: then never
    /// any other way.
    pub through_tor: bool,
    /// Older rates are not shown.
    pub max_age: Duration,
}

/// What is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A level or a list of `target=level`; `RUST_LOG` wins.
    pub level: String,
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// All problems of the file, with the path of each key.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let hint = match error.kind() {
                std::io::ErrorKind::PermissionDenied => format!("; {}", file_permissions::how_to_read(path)),
                _ => String::new(),
            };
            let message = format!("can't read {}: {error}{hint}", path.display());
            Problems(vec![Problem { key: String::new(), message }])
        })?;
        Ok(Self { file: Some(path.to_owned()), ..Self::parse(&text)? })
    }

    /// The data folder that a file names, or that of the defaults; nothing else of the file is looked at. `None` when it
    /// can't be read: [`Config::load`] says why.
    pub fn data_dir_in(path: &Path) -> Option<PathBuf> {
        let table: toml::Table = std::fs::read_to_string(path).ok()?.parse().ok()?;
        match table.get("data_dir") {
            None => Some(Self::default().data_dir),
            Some(dir) => dir.as_str().map(PathBuf::from),
        }
    }

    /// What `--data-dir` alone gives: the configuration file in the folder if there is one (the demo
    /// writes one), otherwise the defaults. The data folder is the given one in any case.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn of_dir(data_dir: &Path) -> Result<Self, Problems> {
        let file = data_dir.join(FILE_IN_DATA_DIR);
        // A file that may not be seen is there: reading it says what is wrong.
        if !file.try_exists().unwrap_or(true) {
            return Ok(Self::in_dir(data_dir));
        }
        Ok(Self { data_dir: data_dir.to_owned(), ..Self::load(&file)? })
    }

    /// The defaults with another data folder.
    pub fn in_dir(data_dir: &Path) -> Self {
        Self { data_dir: data_dir.to_owned(), ..Self::default() }
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.data_dir.join(DATABASE_FILE)
    }

    /// Where backups go unless told otherwise.
    pub fn backup_dir(&self) -> PathBuf {
        self.data_dir.join("backups")
    }
}
