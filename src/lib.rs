//! IP2Tor Shop: sells Tor bridges and Nostr aliases over Lightning. `docs/ARCHITECTURE.md` is the
//! map of this library.

pub mod app;
pub mod background;
mod cli;
pub mod config;
#[cfg(feature = "demo")]
mod demo;
pub mod http;
pub mod notify;
pub mod rates;
pub mod services;
pub mod store;
pub mod web;

pub use ip2tor_domain as domain;
pub use ip2tor_lightning as lightning;
pub use ip2tor_onion as onion;

/// Runs the program: parses the command line and does what it says. Exit codes: 0 done, 1 failed,
/// 2 wrong usage, 78 wrong configuration.
pub fn run() -> std::process::ExitCode {
    cli::run()
}
